"""From the query of an address to a view: the study at its cut and the patients that are left."""

from urllib.parse import parse_qsl

from analysis.selection import Selection
from dashboard.view import SELECTION_FIELDS, Services, View, restrict
from figures.theme import Theme


class EmptyDatabaseError(Exception):
    """There is no study that this reader may show."""
