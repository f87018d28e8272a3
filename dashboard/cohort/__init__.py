"""The cohort page: the numbers it shows."""
