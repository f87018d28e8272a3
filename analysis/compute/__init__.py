"""Vectors to vectors: time, decay, units, areas, half-lives, intervals. No frames, no study."""
