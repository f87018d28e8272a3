"""Planning: what a trial of a given size will show, by simulating it and testing as we would."""
