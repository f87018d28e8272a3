"""The pages, in the order of the navigation. A new page is one module and one entry here."""

from dashboard.address import Page
from dashboard.pages import data_quality, overview

PAGES: tuple[Page, ...] = (overview, data_quality)
