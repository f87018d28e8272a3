"""The pages, in the order of the navigation. A new page is one module and one entry here."""

from dashboard.address import Page
from dashboard.pages import cohort, data_quality, model, overview, patient, patients

PAGES: tuple[Page, ...] = (overview, patients, patient, cohort, model, data_quality)
