"""Rows of a model frame turned into what the formula sees: window, limits, logarithm, factors."""

from typing import TYPE_CHECKING, NamedTuple

from analysis.errors import UserError
from analysis.fits.visit_factor import with_visits
from analysis.results import Excluded
from analysis.specs import ModelSpec, adjuster_column

if TYPE_CHECKING:
    import polars as pl

ONE_KIND = ("tracer_id", "metric", "analyte", "assay", "method", "unit")
"""Columns that must hold one value: mixing them is mixing variables."""

NO_GROUP = "no known group"
NO_PLANNED_DAY = "no nominal_day"
"""How the reason begins for which values of patients without a group are left out."""
OUTSIDE_WINDOW = "a day outside the window"


class ModelRows(NamedTuple):
    """frame: usubjid, day, visit, time, y, group (reference first), censored_row, adjusters.

    Under the censored likelihood also y_low and y_high, the bounds of a censored row on the scale
    of y (missing: none on that side), whose y is only where the search starts.
    n_censored: values below (or above) a limit, whatever the rule did with them; n_assumed: those
    of them that came as zero without a limit.
    """

    frame: "pl.DataFrame"
    groups: tuple[str, ...]
    excluded: tuple[Excluded, ...]
    left_out: tuple[str, ...]
    n_censored: int
    n_assumed: int


def model_rows(frame: "pl.DataFrame", spec: ModelSpec) -> ModelRows:
    """Apply the specification to its frame.

    Raises UserError when a column is missing or when the rows mix tracers, metrics, assays,
    methods or units.
    """
    import polars as pl

    _check_columns(frame, spec)
    kept, excluded = _with_defaults(frame, spec), []
    for reason, keep in _filters(spec):
        rest = kept.filter(keep)
        if rest.height < kept.height:
            excluded.append(Excluded(reason, kept.height - rest.height))
        kept = rest
    kept = _below_zero(kept, spec)
    n_censored, n_assumed = int(kept["censored_row"].sum()), int(kept["assumed"].sum())
    kept, lost = _apply_rule(kept, spec)
    excluded += lost
    kept, left_out, lost = _shared_visits(kept, spec)
    excluded += lost
    groups = _levels(kept, spec)
    kept = kept.with_columns(
        *_outcomes(spec),
        group=pl.col("group").cast(pl.Enum(groups)),
        time=pl.when(pl.lit(_is_after_infusion(kept)))
        .then(pl.col("day").log1p())
        .otherwise(pl.col("day")),
    )
    return ModelRows(
        with_visits(kept) if spec.time == "visit" else kept,
        groups,
        tuple(excluded),
        left_out,
        n_censored,
        n_assumed,
    )


def _check_columns(frame: "pl.DataFrame", spec: ModelSpec) -> None:
    needed = ["usubjid", "value", "group"]
    needed += ["region_code"] if spec.unit != "patient" else []
    needed += ["nominal_day"] if spec.time == "visit" else []
    needed += ["rel_day"] if spec.time == "spline" else []
    needed += [adjuster_column(name) for name in spec.adjusters]
    needed += [*spec.crossed, *([spec.weights] if spec.weights else [])]
    for name in needed:
        if name not in frame.columns:
            raise UserError(
                f"model frame: there is no column '{name}', which the specification "
                f"needs; the columns are {', '.join(frame.columns)}"
            )
    for name in ONE_KIND:
        if name in frame.columns:
            kinds = sorted(str(kind) for kind in frame[name].drop_nulls().unique())
            if len(kinds) > 1:
                raise UserError(
                    f"model frame: the rows mix {len(kinds)} values of {name} "
                    f"({', '.join(kinds[:3])}); each is a variable of its own, choose one"
                )


def _with_defaults(frame: "pl.DataFrame", spec: ModelSpec) -> "pl.DataFrame":
    import polars as pl

    absent = {
        "lower": pl.Float64,
        "upper": pl.Float64,
        "lloq": pl.Float64,
        "rel_day": pl.Float64,
        "nominal_day": pl.Float64,
    }
    frame = frame.with_columns(
        [
            pl.lit(None, dtype).alias(name)
            for name, dtype in absent.items()
            if name not in frame.columns
        ]
    )
    if "censored" not in frame.columns:
        frame = frame.with_columns(censored=pl.lit("none"))
    source = pl.col("limit_source") if "limit_source" in frame.columns else pl.lit(None, pl.String)
    day = pl.col("nominal_day") if spec.time == "visit" else pl.coalesce("rel_day", "nominal_day")
    return frame.with_columns(
        day=day.cast(pl.Float64),
        value=pl.col("value").cast(pl.Float64).fill_nan(None),
        group=pl.col("group").cast(pl.String),
        censored=pl.col("censored").fill_null("none"),
        censored_row=pl.col("censored").fill_null("none") != "none",
        assumed=(source == "assumed").fill_null(False),
    )


def _filters(spec: ModelSpec) -> list[tuple[str, "pl.Expr"]]:
    """What is left out, by reason, in order."""
    import polars as pl

    day, timed = pl.col("day"), spec.time != "none"
    inside = pl.lit(True)
    if spec.day_low is not None:
        inside &= day >= spec.day_low
    if spec.day_high is not None:
        inside &= day <= spec.day_high
    windowed = spec.day_low is not None or spec.day_high is not None
    filters = [
        ("no patient", pl.col("usubjid").is_not_null()),
        (f"{NO_GROUP} ({spec.group})", pl.col("group").is_not_null()),
    ]
    if timed or windowed:
        filters += [
            (
                NO_PLANNED_DAY if spec.time == "visit" else "no day",
                day.is_not_null() & day.is_finite(),
            ),
            (OUTSIDE_WINDOW, inside),
        ]
    filters.append(("no value", pl.col("value").is_not_null() | pl.col("censored_row")))
    filters += [
        (f"no {name}", pl.col(adjuster_column(name)).is_not_null()) for name in spec.adjusters
    ]
    named = (*spec.crossed, *([spec.weights] if spec.weights else []))
    filters += [(f"no {name}", pl.col(name).is_not_null()) for name in named]
    return filters


def _below_zero(frame: "pl.DataFrame", spec: ModelSpec) -> "pl.DataFrame":
    """A zero that was delivered without a limit lies below the smallest positive value (log10)."""
    import polars as pl

    if spec.transform != "log10":
        return frame
    smallest = frame.filter(pl.col("value") > 0)["value"].min()
    zero = ~pl.col("censored_row") & (pl.col("value") <= 0)
    return frame.with_columns(
        upper=pl.when(zero).then(pl.lit(smallest, pl.Float64)).otherwise(pl.col("upper")),
        censored=pl.when(zero).then(pl.lit("left")).otherwise(pl.col("censored")),
        value=pl.when(zero).then(None).otherwise(pl.col("value")),
        assumed=pl.col("assumed") | zero,
        censored_row=pl.col("censored_row") | zero,
    )


def _apply_rule(frame: "pl.DataFrame", spec: ModelSpec) -> tuple["pl.DataFrame", list[Excluded]]:
    """Give censored rows a value, or leave them out."""
    import polars as pl

    from analysis.compute.half_limit import at_half_limit

    frame = frame.with_columns(bound_low=_bound_low(), bound_high=_bound_high())
    if spec.blq in ("half_lloq", "censored"):
        frame = frame.with_columns(value=at_half_limit(pl.coalesce("upper", "lloq")))
    else:
        frame = frame.with_columns(
            value=pl.when(pl.col("censored_row")).then(None).otherwise(pl.col("value"))
        )
    kept = frame.filter(pl.col("value").is_not_null())
    lost = frame.height - kept.height
    reason = (
        "a value beyond a limit (left out by the rule)"
        if spec.blq == "drop"
        else "a value below an unknown limit"
    )
    return kept, [Excluded(reason, lost)] if lost else []


def _shared_visits(
    frame: "pl.DataFrame", spec: ModelSpec
) -> tuple["pl.DataFrame", tuple[str, ...], list[Excluded]]:
    """Visits at which every group has a patient; the others cannot be compared.

    Under the censored likelihood a patient with a measured value: where a group has none its mean
    could be anything below the limit.
    """
    import polars as pl

    if spec.time != "visit" or frame.is_empty():
        return frame, (), []
    measured = spec.blq == "censored"
    counted = pl.col("group").filter(~pl.col("censored_row")) if measured else pl.col("group")
    n_groups = frame["group"].n_unique()
    seen = frame.group_by("day").agg(n=counted.n_unique()).sort("day")
    poor = seen.filter(pl.col("n") < n_groups)["day"].to_list()
    if not poor or len(poor) == seen.height:
        return frame, (), []
    kept = frame.filter(~pl.col("day").is_in(poor))
    names = tuple(f"day {day:g}" for day in poor)
    what = "measured value" if measured else "patient"
    return (
        kept,
        names,
        [Excluded(f"a visit without a {what} of some group", frame.height - kept.height)],
    )


def _bound_low() -> "pl.Expr":
    """Lower bound of a row beyond a limit, in the unit of the value; none below a limit."""
    import polars as pl

    above = pl.col("censored").is_in(["right", "interval"])
    return pl.when(above).then(pl.col("lower").cast(pl.Float64))


def _bound_high() -> "pl.Expr":
    """Upper bound of the same; none above a limit."""
    import polars as pl

    below = pl.col("censored_row") & (pl.col("censored") != "right")
    return pl.when(below).then(pl.coalesce("upper", "lloq").cast(pl.Float64))


def _outcomes(spec: ModelSpec) -> list["pl.Expr"]:
    """The outcome and, for the censored likelihood, its bounds on the same scale."""
    import polars as pl

    found = [_outcome(spec, pl.col("value")).alias("y")]
    if spec.blq == "censored":
        found += [
            _outcome(spec, pl.col("bound_low")).alias("y_low"),
            _outcome(spec, pl.col("bound_high")).alias("y_high"),
        ]
    return found


def _outcome(spec: ModelSpec, value: "pl.Expr") -> "pl.Expr":
    if spec.transform == "log10":
        return value.log10()
    if spec.transform == "log10_shift":
        return (value + spec.shift).log10()
    return value


def _levels(frame: "pl.DataFrame", spec: ModelSpec) -> tuple[str, ...]:
    """Levels in order, the reference first."""
    levels = sorted(str(level) for level in frame["group"].unique())
    reference = spec.reference_level
    if reference in levels:
        levels = [reference, *(level for level in levels if level != reference)]
    elif spec.reference:
        raise UserError(
            f"specification: reference {reference!r} is not a level of {spec.group}; "
            f"the levels are {', '.join(levels) or 'none'}"
        )
    return tuple(levels)


def _is_after_infusion(frame: "pl.DataFrame") -> bool:
    lowest = frame["day"].min()
    return lowest is not None and float(lowest) >= 0  # type: ignore[arg-type]
