"""Formats out: a document of tables with its provenance, and one writer per format."""
