"""Export files in, checked records out: sources, readers, profiles, contracts and the load."""
