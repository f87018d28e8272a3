"""What separates the fields of a delimited text."""

import csv
import io
from collections import Counter

DELIMITERS = "\t;|,"
SAMPLE_RECORDS = 200
SAMPLE_CHARACTERS = 200_000


def detect_delimiter(sample: str) -> str:
    """The delimiter under which most records have the same number of fields, more than one.

    Among equals tab, semicolon and bar win over the comma, which may be a decimal mark:
    `S1;0;1,5` has three fields. Text without any delimiter is a single column.
    """
    best, best_share = ",", 0.0
    for delimiter in DELIMITERS:
        share = _consistency(sample, delimiter)
        if share > best_share + 1e-9:
            best, best_share = delimiter, share
    return best


def _consistency(sample: str, delimiter: str) -> float:
    """Share of the sampled records that have the most common number (> 1) of fields."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, strict=True)
    counts: list[int] = []
    while len(counts) < SAMPLE_RECORDS:
        try:
            record = next(reader)
        except StopIteration:
            break
        except csv.Error:
            counts.append(0)  # quotes that end elsewhere than at this delimiter speak against it
        else:
            counts.extend([len(record)] if record else [])
    if len(sample) == SAMPLE_CHARACTERS and len(counts) > 1:
        counts.pop()  # cut by the end of the sample
    several = Counter(count for count in counts if count > 1)
    return several.most_common(1)[0][1] / len(counts) if several else 0.0
