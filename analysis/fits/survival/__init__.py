"""Times to an event: curves, tests and regressions. One concept, one file."""
