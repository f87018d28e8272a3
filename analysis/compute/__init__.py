"""Vectors to vectors: time, decay, units, areas, half-lives, intervals. No frames, no study."""

from analysis.compute.nca import nca

__all__ = ["nca"]
