"""What each rule means in one line: shown with every refused row."""

RULES = {
    "too_many_fields": "the row has more fields than the header",
    "required": "a required field is empty",
    "not_a_number": "the text is not a number",
    "not_a_whole_number": "the text is not a whole number",
    "not_a_flag": "the text is neither yes nor no",
    "not_allowed": "the word is not one the field knows; map it in a profile",
    "too_low": "the number is below what is possible",
    "too_high": "the number is above what is possible",
    "not_negative": "the number is negative",
    "dose_too_low": "under 1,000 cells or 100 per kg is no dose; give dose_unit (10^6 cells)",
    "ambiguous_nd": "ND means not done or not detected",
    "limit_missing": "below or above a limit that the record does not give",
    "limit_negative": "the limit is negative",
    "bounds_in_order": "the lower bound is above the upper bound",
    "unit_missing": "the value has no unit",
    "unit_unknown": "the unit is not known",
    "unit_of_another_quantity": "the unit does not belong to this quantity",
    "metric_unknown": "the name of the metric is not known",
    "date_format": "the text is not a date in the format expected",
    "date_ambiguous": "day and month cannot be told apart",
    "date_impossible": "there is no such date or time",
    "zone_unknown": "the time zone is not known",
    "local_time_ambiguous": "the local time exists twice or never (clock change)",
    "day_zero": "the source counts the day of infusion as day 1 and so has no day 0",
    "subject_missing": "the record names no subject",
    "subject_unknown": "the subject is not among the subjects of the study",
    "subject_ambiguous": "the id exists at several sites; deliver the site too",
    "tracer_unknown": "the tracer is not in the registry",
    "administration_unknown": "the tracer administration is not there",
    "infusion_unknown": "the infusion is not there",
    "scan_unknown": "the scan is not there",
    "region_unknown": "the region is not there and its kind cannot be told from its code",
    "conflict": "two records have the same key and different content",
    "labelled_has_activity_and_time": "labelled cells need the activity and its reference time",
    "label_only_when_labelled": "a label is given for cells that are not labelled",
    "given_when_not_evaluable": "not evaluable needs a reason, and only then",
    "given_with_grade": "a grade needs its scale",
    "not_before_start": "the end is before the start",
    "has_no_end": "an ongoing event has no end",
    "only_for_lesions": "only a lesion has a role",
    "time_missing": "the record has no date, day or visit",
}

DATAFRAMELY = {
    "nullability": "required", "min_length": "required", "check": "not_allowed",
    "min": "too_low", "min_exclusive": "too_low", "max": "too_high", "max_exclusive": "too_high",
    "nan": "not_a_number", "inf": "not_a_number", "regex": "not_allowed",
}  # fmt: skip
"""The column rules of dataframely in the words above."""

HEALABLE = frozenset(
    {
        "conflict", "subject_unknown", "subject_ambiguous", "scan_unknown", "region_unknown",
        "administration_unknown", "infusion_unknown",
    }
)  # fmt: skip
"""Rules that another file, or its absence, may heal: a file refused by one is looked at again."""


def named_rule(name: str) -> tuple[str, str]:
    """Rule and column of a dataframely rule: `grade|max`, `value__not_negative`."""
    if "|" in name:
        column, check = name.split("|", 1)
        return DATAFRAMELY.get(check, check), column
    column, _, rule = name.partition("__")
    return (rule, column) if rule else (name, "")
