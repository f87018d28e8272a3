"""Errors of the database. Each has the exit code with which a command ends."""


class DatabaseError(Exception):
    """The database cannot be reached, is not upgraded, or cannot do what was asked.

    The message is one line: what, where, what was expected, what to do.
    """

    exit_code = 3


class BackupError(DatabaseError):
    """The file of a backup, or the database named for a restore, is not what was expected."""

    exit_code = 2


class StudyKindError(ValueError):
    """Invented and real patients were about to meet in one study."""

    exit_code = 2


class UnknownNameError(LookupError):
    """A study, cut or job that is not in the database was asked for by name."""

    exit_code = 2

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""
