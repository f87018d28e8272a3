"""The data model: tables, engine, and every statement that reads or writes the database.

A model that is migrated lives here; a model that is fitted lives in `analysis/`.
Import from the modules: `models.engine`, `models.queries`, `models.bulk`, `models.provenance` ...
"""
