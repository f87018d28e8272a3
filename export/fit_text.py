"""A fit for a terminal: the sentence first, then tests, ratios and estimates, then checks."""

import polars as pl

from analysis.number_words import number, p_words
from analysis.results import Fit, GeometricMeanRatio, SensitivityRow, WaldTest


def fit_text(fit: Fit) -> str:
    """A fit for a terminal: the sentence first, then ratios and estimates, then what to know."""
    lines = [fit.sentence, ""]
    if fit.status != "not_estimable":
        lines += [test_line(test) for test in (fit.group_test, fit.interaction) if test]
        ordered = sorted(fit.ratios, key=lambda ratio: ratio.day or 0)
        lines += [ratio_line(ratio, fit.conf_level) for ratio in ordered]
        lines += [rule_line(row, fit.conf_level) for row in fit.sensitivity]
        lines += ["", table_text(fit.table()), ""]
    lines += [f"{check.status:>8}  {check.name}: {check.message}" for check in fit.checks]
    return "\n".join(lines)


def test_line(test: WaldTest) -> str:
    """A test of the whole course, which comes before single days; p of relabelled patients too."""
    relabelled = test.permutation_p_value
    beside = "" if relabelled is None else f"; relabelled patients {p_words(relabelled)}"
    return f"{'':>8}  {test.name}: {p_words(test.p_value)} ({test.method or test.kind}{beside})"


def ratio_line(ratio: GeometricMeanRatio, level: float = 0.95) -> str:
    """One ratio: day, groups, interval, p as it is and adjusted for the days shown."""
    when = "all days" if ratio.day is None else f"day {ratio.day:g}"
    adjusted = "" if ratio.p_adjusted is None else f", Holm {p_words(ratio.p_adjusted)[2:]}"
    return (
        f"{when:>8}  {ratio.kind} {ratio.group} / {ratio.reference}: {number(ratio.ratio)} "
        f"({certainty(ratio, level)}{adjusted})"
    )


def certainty(row: GeometricMeanRatio | SensitivityRow, level: float = 0.95) -> str:
    """Interval and p-value; they are missing where patients do not differ at all."""
    if row.conf_low is None or row.conf_high is None or row.p_value is None:
        return "interval and p not estimable"
    interval = f"{number(row.conf_low)} to {number(row.conf_high)}"
    return f"{100 * level:g} % CI {interval}; {p_words(row.p_value)}"


RULES = {"censored": "kept as below it", "half_lloq": "at half of it", "drop": "left out"}


def rule_line(row: SensitivityRow, level: float = 0.95) -> str:
    """The key ratio under one rule for values below the limit, or by a simpler method."""
    rule = f"below the limit {RULES[row.rule]}" if row.rule in RULES else row.rule
    if row.ratio is None:
        return f"{'':>8}  {rule}: not estimable"
    when = "" if row.day is None else f"day {row.day:g}, "
    whole = f"; whole course {p_words(row.joint_p_value)}" if row.joint_p_value is not None else ""
    return f"{'':>8}  {rule}: {when}{number(row.ratio)} ({certainty(row, level)}{whole})"


def table_text(table: pl.DataFrame) -> str:
    """A polars frame as plain text, whole."""
    with pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=160,
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        fmt_str_lengths=60,
    ):
        return str(table)
