"""Structural curves of cellular kinetics: one patient at a time, and all patients together."""
