"""Frames to frames: what a study's records say about each patient. One derivation per file."""
