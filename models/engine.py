"""The door to the database: engines, revision of the schema, backup and restore."""

from models.backup import backup, restore
from models.connect import create_engine_for, reading
from models.revision import check_revision, upgrade

__all__ = ["backup", "check_revision", "create_engine_for", "reading", "restore", "upgrade"]
