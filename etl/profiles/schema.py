"""What a profile may say: the mapping from a study's own export layout to the incoming tables.

A profile is data that a person writes in YAML (docs/profiles.md). Every scalar is read as text, so
that "001", "NO" and "1,5" in a dictionary stay what they are. Unknown words are errors.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

Decimal = Literal["point", "comma"]
Separator = Literal["", ",", ".", " ", "'"]
UnitsFrom = Literal["header", "row"]


def as_list(given: Any) -> Any:
    """One text where a list is expected means a list of one."""
    return [given] if isinstance(given, str) else given


def as_reasons(given: Any) -> Any:
    """Missing tokens may be a list (no reason known) or a dictionary token -> reason."""
    if isinstance(given, str):
        return {given: ""}
    return dict.fromkeys(given, "") if isinstance(given, list) else given


Texts = Annotated[tuple[str, ...], BeforeValidator(as_list)]
Rows = Annotated[tuple[int, ...], BeforeValidator(as_list)]
Reasons = Annotated[dict[str, str], BeforeValidator(as_reasons)]
Map = dict[str, str]


class Part(BaseModel):
    """Base of every part of a profile: frozen, and a word it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Filter(Part):
    """Rows to keep: the cell is one of `equals`, fits a glob of `like` and none of `unlike`."""

    column: Texts = ()
    equals: Texts = ()
    like: Texts = ()
    unlike: Texts = ()
    present: bool | None = None
    any_of: tuple["Filter", ...] = ()
    none_of: tuple["Filter", ...] = ()

    @model_validator(mode="after")
    def says_something(self) -> "Filter":
        grouped = bool(self.any_of or self.none_of)
        if grouped == bool(self.column):
            raise ValueError("give a column, or any_of / none_of with filters")
        return self


class ColumnRule(Part):
    """Where one field of the incoming table comes from, and how its text is to be read."""

    from_: Texts = Field((), alias="from")
    position: str | None = None
    cell: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{1,3}[1-9][0-9]{0,6}$")] | None = None
    first_of: Texts = ()
    join: Texts = ()
    separator: str = Field(" ", alias="with")
    map: Map = {}
    map_else: str | None = None
    where: tuple[Filter, ...] = ()
    default: str | None = None
    add: int | None = None
    missing: Reasons = {}
    unit: str | None = None
    units_from: UnitsFrom | None = None
    optional: bool = False

    @model_validator(mode="after")
    def has_one_source(self) -> "ColumnRule":
        given = [self.from_, self.position, self.cell, self.first_of, self.join]
        if sum(bool(one) for one in given) != 1:
            raise ValueError("give exactly one of from, position, cell, first_of, join")
        return self


NOTHING = "none"
"""`into` of a wide block whose cells fill no field."""


class Wide(Part):
    """Columns that hold one record per cell; `header` patterns have captures: {nominal_day}.

    `into: none`: a cell with a value says that what its header names is there (a lesion, a scan);
    records that agree in every field are made once.
    """

    header: Texts = ()
    position: str | None = None
    into: str = "value"
    beside: dict[str, str] = {}
    constants: Map = {}
    maps: dict[str, Map] = {}
    missing: Reasons = {}
    unit: str | None = None
    units_from: UnitsFrom | None = None
    optional: bool = False

    @model_validator(mode="after")
    def has_a_header(self) -> "Wide":
        if bool(self.header) == (self.position is not None):
            raise ValueError("give header patterns or a position")
        return self


def as_rule(given: Any) -> Any:
    """`sex: Gender` and `sex: [Gender, Sex]` are short for `sex: {from: ...}`."""
    return {"from": given} if isinstance(given, str | list) else given


Rule = Annotated[ColumnRule, BeforeValidator(as_rule)]


class Stop(Part):
    """The table ends before the first row whose cell in `column` fits one of `like`."""

    column: str
    like: Texts


class Table(Part):
    """One incoming table filled from the sheets that `file`, `sheet` and `when` select."""

    contract: str
    label: str = ""
    file: str = "*"
    sheet: str = "*"
    when: tuple[Filter, ...] = ()
    header: Rows = (1,)
    data: int | None = None
    units_row: int | None = None
    skip: Rows = ()
    stop: Stop | None = None
    where: tuple[Filter, ...] = ()
    columns: dict[str, Rule] = {}
    constants: Map = {}
    maps: dict[str, Map] = {}
    wide: tuple[Wide, ...] = ()
    number_in: str | None = None
    replicate: Literal["delivered", "numbered"] = "delivered"
    first_day: Literal["0", "1"] = "0"
    decimal: Decimal | None = None
    thousands: Separator | None = None
    dates: str | None = None
    optional: bool = False

    @property
    def title(self) -> str:
        """The name of the table in messages."""
        return self.label or self.contract


class Ignored(Part):
    """Columns that are left out on purpose, with the reason shown beside their count."""

    column: Texts
    reason: str


class StudyFacts(Part):
    """What the profile knows of the study itself; written once, when the study is first seen."""

    title: str | None = None
    phase: str | None = None
    disease: str | None = None
    infusion_day_label: int = 0
    response_criterion: str | None = None
    rfst_definition: str | None = None


class Profile(Part):
    """A saved mapping of one export layout. `delivery: full` retires records that vanished."""

    name: str
    title: str = ""
    delivery: Literal["full", "partial"] = "partial"
    study: StudyFacts = StudyFacts()
    missing: Reasons = {}
    limits: dict[str, Literal["below", "above"]] = {}
    metrics: Texts = ()
    decimal: Decimal = "point"
    thousands: Separator = ""
    dates: str = "iso"
    timezone: str | None = None
    reference: Literal["infusion", "rfstdtc"] = "infusion"
    tables: tuple[Table, ...]
    ignore: tuple[Ignored, ...] = ()
