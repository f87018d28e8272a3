"""Controls and blocks used on two pages or more, one per file."""
