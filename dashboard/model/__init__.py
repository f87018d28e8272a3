"""The model page: its question, its fit, and the parts it is shown in."""
