"""A fit in parts that a page puts in cards: tables, checks, method, saved runs."""

import re
from collections.abc import Sequence
from shlex import quote
from typing import Any

from dash import html
from dash.development.base_component import Component

from analysis.derive.measured_peaks import MeasuredPeaks
from analysis.errors import UserError
from analysis.exposure_rules import EXPOSURE_QUESTIONS, RATIO_WORDS
from analysis.fits.recipe import with_source
from analysis.number_words import number, p_words
from analysis.results import Fit, WaldTest
from analysis.specs import ModelSpec
from dashboard.components.plain_table import Column, plain_table
from dashboard.components.text import moment, sentence_case
from dashboard.model.outcome_controls import RULE_WORDS
from dashboard.model.question_link import question_link
from dashboard.view import View
from figures.number_text import EN_DASH, significant

DAY_TERMS = ("nominal_day", "visit", "time", "day")
TEST_WORDS = {
    "group at any time": "Do the groups differ on any day?",
    "group by time": "Do their courses differ in shape?",
}
CHI_SQUARE = "\N{GREEK SMALL LETTER CHI}\N{SUPERSCRIPT TWO}"
GROUP_WORDS = {"usubjid": "Patient", "region_code": "Lesion or organ", "visit": "Visit"}
CHECK_WORDS = {"ok": "Fine", "note": "Note", "warning": "Look", "failed": "Failed"}


def estimate_table(fit: Fit) -> Component:
    """Fixed effects: estimate (interval), standard error, df, statistic, p."""
    columns = [
        Column("Term"),
        Column("Estimate", interval_words(fit), align="right"),
        Column("SE", align="right"),
        Column("df", align="right"),
        Column("Statistic", align="right"),
        Column("p", align="right"),
    ]
    rows = [
        [
            term_words(row.term),
            html.Span(interval(row.estimate, row.conf_low, row.conf_high), className="cg-nowrap"),
            fixed(row.std_error),
            df_text(row.df, fit.inference),
            fixed(row.statistic, 2),
            p_cell(row.p_value),
        ]
        for row in fit.estimates
    ]
    return plain_table(columns, rows, caption="Fixed effects on the scale of the fit", dense=True)


def interval_words(fit: Fit) -> str:
    """ "95 % CI"."""
    return f"{100 * fit.conf_level:g} % CI"


def df_text(df: float | None, inference: str) -> str:
    """Degrees of freedom: infinite for the normal reference, none where tests are simulated."""
    if df is not None:
        return f"{df:.1f}"
    return "\N{INFINITY}" if inference == "wald" else EN_DASH


def term_words(term: str) -> str:
    """A term of the design in words: "curve 2 x responder" for a spline column of a group."""
    parts = []
    for part in term.split(":"):
        spline = re.match(r"(?:cr|cs|bs|ns|cc)\(.*\)\[(\d+)\]$", part)
        level = re.match(r"(?:C\()?(\w+)[^\[]*\[(?:T\.)?(.+)\]$", part)
        if spline:
            parts.append(f"curve {spline[1]}")
        elif level:
            parts.append(f"day {level[2]}" if level[1] in DAY_TERMS else level[2])
        else:
            parts.append("Intercept" if part.strip("()") == "Intercept" else part)
    return " \N{MULTIPLICATION SIGN} ".join(parts)


def variance_table(fit: Fit) -> Component:
    """Variance components and the intraclass correlation."""
    columns = [
        Column("Random part"),
        Column("Term"),
        Column("Variance", align="right"),
        Column("SD or correlation", align="right"),
    ]
    rows = [
        [
            group_words(part.group),
            " with ".join(term_words(term) for term in (part.term_1, part.term_2) if term)
            or EN_DASH,
            fixed(part.variance),
            fixed(part.sd_or_corr),
        ]
        for part in fit.variance_components
    ]
    if fit.icc is not None:
        rows.append(["Intraclass correlation", EN_DASH, EN_DASH, fixed(fit.icc, 2)])
    return plain_table(columns, rows, caption="Variance components", dense=True)


def group_words(group: str) -> str:
    """The grouping of a variance in words: "Lesion of a patient" for usubjid:region_code."""
    outer, _, inner = group.partition(":")
    if inner:
        return f"{GROUP_WORDS.get(inner, inner)} of a patient"
    return GROUP_WORDS.get(outer, outer)


def tests_table(tests: Sequence[WaldTest]) -> Component:
    """Joint tests of several effects: the whole course of a group at once."""
    columns = [
        Column("Question"),
        Column("Statistic", align="right"),
        Column("df", align="right"),
        Column("p", align="right"),
        Column("p", "relabelled", align="right"),
    ]
    rows = [
        [
            TEST_WORDS.get(test.name, test.name),
            f"{'F' if test.kind == 'F' else CHI_SQUARE} {fixed(test.statistic, 2)}",
            str(test.df) if test.den_df is None else f"{test.df}, {test.den_df:.1f}",
            p_cell(test.p_value),
            p_cell(test.permutation_p_value),
        ]
        for test in tests
    ]
    return plain_table(columns, rows, caption="Joint tests", dense=True)


def sensitivity_table(fit: Fit) -> Component:
    """The key ratio under each rule."""
    whole = any(row.joint_p_value is not None for row in fit.sensitivity)
    asked = str((fit.spec or {}).get("question", ""))
    columns = [
        Column("Rule"),
        Column(sentence_case(RATIO_WORDS.get(asked, "ratio")), interval_words(fit), align="right"),
        Column("p", align="right"),
        *([Column("p", "all days", align="right")] if whole else []),
        Column("Patients" if asked in EXPOSURE_QUESTIONS else "Values", align="right"),
    ]
    rows = [
        [
            RULE_WORDS.get(row.rule, row.rule),
            EN_DASH
            if row.ratio is None
            else html.Span(ratio(row.ratio, row.conf_low, row.conf_high), className="cg-nowrap"),
            p_cell(row.p_value),
            *([p_cell(row.joint_p_value)] if whole else []),
            str(row.n_observations),
        ]
        for row in fit.sensitivity
    ]
    return plain_table(columns, rows, caption="The key ratio under other rules", dense=True)


def peaks_table(found: MeasuredPeaks) -> Component:
    """Median and highest peak of each group, as measured."""
    columns = [
        Column("Group"),
        Column("Patients", align="right"),
        Column("Median peak", align="right"),
        Column("Highest", align="right"),
    ]
    rows = [
        [
            group.group,
            str(group.n),
            f"< {significant(group.below)}" if group.median is None else significant(group.median),
            significant(group.maximum),
        ]
        for group in found.groups
    ]
    return plain_table(columns, rows, caption="Peaks as measured", dense=True)


def checks_list(fit: Fit) -> Component:
    """Each check with its verdict in words, what to doubt first."""
    order = {"failed": 0, "warning": 1, "note": 2, "ok": 3}
    return html.Ul(
        [
            html.Li(
                [
                    html.Span(
                        CHECK_WORDS[check.status], className=f"cg-verdict cg-verdict-{check.status}"
                    ),
                    html.Span(check.message),
                ]
            )
            for check in sorted(fit.checks, key=lambda item: order[item.status])
        ],
        className="cg-checks",
    )


def method_note(fit: Fit) -> list[Component]:
    """How it was fitted, by whom it was published, what was left out, what repeats it."""
    asked = specification_yaml(fit)
    left_out = [html.Li(f"{row.n} left out: {row.reason}") for row in fit.excluded if row.n]
    return [
        html.P(fit.method),
        html.Ul(left_out) if left_out else html.P("No value was left out."),
        html.Ul([html.Li(text) for text in fit.references], className="cg-references"),
        _folded("Python that repeats this fit", _code(fit)),
        *([_folded("Specification (YAML) that asks this again", asked)] if asked else []),
    ]


def _folded(title: str, text: str) -> Component:
    """Text to copy, folded under its title."""
    return html.Details([html.Summary(title), html.Pre(text, className="cg-code", tabIndex=0)])


def specification_yaml(fit: Fit) -> str:
    """Every field of the question, those at their default too, under the command that takes the
    file: read again it is the same question of the same rows. Empty for a fit without one."""
    if fit.spec is None:
        return ""
    source = fit.provenance
    cut = f" --cut {quote(source.cut)}" if source.cut else ""
    command = f"# cartograph fit --study {quote(source.study or 'STUDY')}{cut} --spec THIS.yaml\n"
    return command + ModelSpec.from_dict(fit.spec).to_yaml()


def saved_runs(view: View, runs: Sequence[dict[str, Any]]) -> Component:
    """Fits that were made at this cut, newest first."""
    columns = [Column("Finding"), Column("Status"), Column("Fitted", "UTC"), Column("By")]
    rows = [
        [
            _linked(run["fit"], view),
            run["fit"].status.replace("_", " "),
            moment(run["created_at"]),
            run["actor"],
        ]
        for run in runs
    ]
    return plain_table(columns, rows, caption="Saved runs", row_heads=False, dense=True)


def _linked(fit: Fit, view: View) -> Component | str:
    """The finding without its cautions, which the status stands for, as a link to its question
    where this page draws it."""
    finding = fit.sentence.partition(" Caution: ")[0]
    try:
        spec = ModelSpec.from_dict(fit.spec or {})
    except UserError:  # a fit of a version that asked otherwise
        return finding
    target = question_link(spec, view)
    if target is None:
        return finding
    return html.A(finding, href=target, className="cg-finding")


def fixed(value: float | None, digits: int = 3) -> str:
    """A number on the scale of the fit, a dash when there is none."""
    return EN_DASH if value is None else f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def interval(value: float, low: float | None, high: float | None) -> str:
    """ "0.84 (0.36 to 1.31)"; "to" because ends may be negative."""
    if low is None or high is None:
        return fixed(value)
    return f"{fixed(value)} ({fixed(low)} to {fixed(high)})"


def ratio(value: float, low: float | None, high: float | None) -> str:
    """ "2.3 (1.4-3.8)"."""
    if low is None or high is None:
        return number(value)
    return f"{number(value)} ({number(low)}{EN_DASH}{number(high)})"


def p_cell(value: float | None) -> str:
    """p to two significant digits; never rounded to zero."""
    if value is None:
        return EN_DASH
    return p_words(value).removeprefix("p ")


def _code(fit: Fit) -> str:
    """The code that repeats the fit at its own study and cut; older fits lack their names."""
    return with_source(fit.code, fit.provenance.study, fit.provenance.cut)
