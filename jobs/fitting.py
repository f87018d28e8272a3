"""Fit a model specification to a study at one data cut, and keep the fit."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from analysis.derive.model_frame import model_frame
from analysis.errors import UserError
from analysis.specs import ModelSpec
from models import fits as stored_fits
from models.queries import read_trial
from models.trial import Trial

if TYPE_CHECKING:
    from analysis.results import Fit
