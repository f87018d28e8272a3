"""Joint model of a longitudinal signal and an event, and the simpler analyses beside it."""
