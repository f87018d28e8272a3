"""The trial's export files, as its sites, laboratories and core lab would send them."""
