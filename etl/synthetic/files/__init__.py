"""The export files of the synthetic trial, as its sites, laboratories and core lab would send them."""
