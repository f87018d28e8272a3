"""What the model page can adjust for: age, sex and the baseline characteristics of the trial."""

import polars as pl


def adjuster_options(characteristics: pl.DataFrame) -> list[dict[str, str]]:
    """Each characteristic once, and a measured one also by its logarithm: burden, ferritin and LDH
    are skewed."""
    found = (
        characteristics.group_by("paramcd")
        .agg(label=pl.col("label").drop_nulls().first(), measured=pl.col("value").count() > 0)
        .sort("label", "paramcd")
    )
    options = [("", "None"), ("age_year", "Age"), ("sex", "Sex")]
    for code, label, measured in found.iter_rows():
        key, words = f"characteristic:{code}", label or code
        options.append((key, words))
        if measured:
            options.append((f"log10({key})", f"{words}, log10"))
    return [{"value": value, "label": words} for value, words in options]
