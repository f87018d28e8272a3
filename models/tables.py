"""Every table of the data model, by name. The migrations are checked against `METADATA`."""

from sqlalchemy import Table

from models.audit import Audit
from models.base import Base, Sourced
from models.fits import StoredFit
from models.imaging import Quantification, Region, Scan, Tracer, TracerAdministration
from models.jobs import Job
from models.kinetics import KineticsSample
from models.labs import LaboratoryResult
from models.provenance import DataCut, Finding, Load, RefusedRow, SourceFile
from models.safety import AdverseEvent, Intervention
from models.study import Site, Study
from models.subject import Subject, SubjectCharacteristic
from models.treatment import Infusion, Product
from models.triggers import attach
from models.tumor import LesionMeasurement, ResponseAssessment, SurvivalEvent

MODELS: tuple[type[Base], ...] = (
    Study,
    Site,
    Product,
    Tracer,
    Load,
    SourceFile,
    RefusedRow,
    Finding,
    DataCut,
    Subject,
    SubjectCharacteristic,
    Infusion,
    TracerAdministration,
    Scan,
    Region,
    Quantification,
    KineticsSample,
    LaboratoryResult,
    LesionMeasurement,
    ResponseAssessment,
    AdverseEvent,
    Intervention,
    SurvivalEvent,
    StoredFit,
    Job,
    Audit,
)

METADATA = Base.metadata
TABLES: dict[str, Table] = {
    model.__tablename__: METADATA.tables[model.__tablename__] for model in MODELS
}
RECORD_TABLES: tuple[str, ...] = tuple(
    model.__tablename__ for model in MODELS if issubclass(model, Sourced)
)

attach(METADATA, MODELS)
