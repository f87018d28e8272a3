"""The synthetic populations stay inside the bands that published trials give."""

from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest

from etl.synthetic.curves import transgene, tumor_volume_ml
from etl.synthetic.design import B_ALL, LYMPHOMA, Cohort, TrialDesign
from etl.synthetic.laboratory import aplasia_end_day
from etl.synthetic.trial import Block, simulate_blocks
from etl.synthetic.truth import cohort_truth, population

SIZE = 900


@pytest.fixture(scope="module")
def blocks() -> dict[str, Block]:
    found: Iterator[Block] = simulate_blocks(TrialDesign(seed=11, patients_per_cohort=SIZE))
    return {block.latent.cohort.code: block for block in found}


@pytest.fixture(scope="module")
def truth() -> dict[str, dict[str, object]]:
    return {cohort.code: cohort_truth(cohort, 40_000) for cohort in (B_ALL, LYMPHOMA)}


@pytest.mark.parametrize("cohort", [B_ALL, LYMPHOMA], ids=lambda c: c.code)
def test_spread_of_expansion_is_that_of_trials(cohort: Cohort) -> None:
    """Geometric CV of Cmax 150-230 % is an SD of ln Cmax of 1.1-1.3."""
    assert 1.1 < np.log(population(cohort, 40_000).cmax).std() < 1.3


def test_expansion_drives_response_in_leukemia_only(truth: dict[str, dict[str, object]]) -> None:
    assert truth["B-ALL"]["marginal_ratio_cmax"] > 4.0
    assert truth["LBCL"]["marginal_ratio_cmax_given_burden"] == pytest.approx(1.0, abs=0.06)


def test_burden_confounds_lymphoma(truth: dict[str, dict[str, object]]) -> None:
    """Without burden the ratio is below one: more burden, more expansion, less response."""
    assert 0.7 < truth["LBCL"]["marginal_ratio_cmax"] < 0.95


def test_typical_curve_is_stein_with_a_lag() -> None:
    """Doubling time 0.78 d, initial and terminal half-life 4.3 and 217 d (psp4.12388)."""
    x = B_ALL.expansion
    doubling = (x.tmax_day - x.lag_day) * np.log(2) / np.log(x.fold)
    assert doubling == pytest.approx(0.78, abs=0.01)
    assert np.log(2) / x.alpha_per_day == pytest.approx(4.33, abs=0.01)
    assert np.log(2) / x.beta_per_day == pytest.approx(216.6, abs=0.1)
    lymphoma = LYMPHOMA.expansion
    growth = lymphoma.tmax_day - lymphoma.lag_day
    assert growth * np.log(2) / np.log(lymphoma.fold) == pytest.approx(0.755, abs=0.03)


def test_response_rates(blocks: dict[str, Block]) -> None:
    """ORR 0.62-0.83 and CR 0.40-0.58 in lymphoma; CR 0.70-0.86 in B-ALL."""
    for code, low, high in (("B-ALL", 0.68, 0.86), ("LBCL", 0.60, 0.80)):
        best = _best(blocks[code])
        assert low < best.filter(pl.col("best") <= 2).height / best.height < high, code
    lymphoma = _best(blocks["LBCL"])
    assert 0.40 < lymphoma.filter(pl.col("best") == 0).height / lymphoma.height < 0.58


def _best(block: Block) -> pl.DataFrame:
    order = {"CR": 0, "CRi": 1, "PR": 2, "SD": 3, "NR": 3, "PD": 4}
    ranked = block.frames.responses.with_columns(
        best=pl.col("response").replace_strict(order, return_dtype=pl.Int64)
    )
    return ranked.group_by("subject_no").agg(pl.col("best").min())


def test_toxicity_rates_and_onset(blocks: dict[str, Block]) -> None:
    """CRS 77 % (B-ALL) and 60 %, median onset day 2-5, ICANS 30-40 %, grade 3 rarer."""
    for code, crs, severe in (("B-ALL", 0.77, 0.18), ("LBCL", 0.60, 0.06)):
        tox = blocks[code].toxicity
        assert (tox.crs_grade >= 1).mean() == pytest.approx(crs, abs=0.06)
        assert (tox.crs_grade >= 3).mean() == pytest.approx(severe, abs=0.05)
        assert 2.0 < np.nanmedian(tox.crs_onset) < 5.0
        assert 0.28 < (tox.icans_grade >= 1).mean() < 0.46


def test_toxicity_follows_expansion_and_burden(blocks: dict[str, Block]) -> None:
    for block in blocks.values():
        rank = np.corrcoef(np.log(block.latent.cmax), block.toxicity.crs_grade)[0, 1]
        burden = np.corrcoef(block.latent.burden_z, block.toxicity.crs_grade)[0, 1]
        assert 0.35 < rank < 0.75
        assert burden > 0.2


def test_below_limit_share(blocks: dict[str, Block]) -> None:
    samples = pl.concat([block.frames.kinetics for block in blocks.values()])
    below = samples.select((pl.col("value") < pl.col("lloq")).mean()).item()
    assert 0.20 < below < 0.40


def test_limit_belongs_to_the_sample(blocks: dict[str, Block]) -> None:
    qpcr = blocks["LBCL"].frames.kinetics.filter(pl.col("assay") == "qPCR")
    assert set(qpcr["lloq"].unique()) == {50.0, 80.0, 100.0, 200.0}


def test_dropout_is_a_quarter_half_of_it_informative(blocks: dict[str, Block]) -> None:
    random, informative = [], []
    for block in blocks.values():
        out = block.outcomes
        event = np.minimum(out.informative_leave_day, out.death_day)
        left = np.minimum(out.random_leave_day, event) < 90
        random.append((left & (out.random_leave_day <= event)).mean())
        informative.append((left & (event < out.random_leave_day)).mean())
    assert np.mean(random) + np.mean(informative) == pytest.approx(0.25, abs=0.04)
    assert np.mean(random) == pytest.approx(np.mean(informative), abs=0.04)


def test_blood_and_lesion_expansion_correlate_weakly(blocks: dict[str, Block]) -> None:
    block = blocks["LBCL"]
    lesions = block.frames.values.filter(
        (pl.col("tracer_id") == "f18_fhbg")
        & (pl.col("metric") == "suv_mean")
        & (pl.col("nominal_day") == 14)
        & pl.col("region_code").str.contains(r"^L\d$")
    )
    mean = lesions.group_by("subject_no").agg(pl.col("value").log().mean())
    blood = pl.DataFrame(
        {"subject_no": block.latent.subject_no, "ln_cmax": np.log(block.latent.cmax)}
    )
    joined = mean.join(blood, on="subject_no")
    assert 0.3 < np.corrcoef(joined["value"], joined["ln_cmax"])[0, 1] < 0.5


def test_lesions_three_to_eight_tied_to_burden(blocks: dict[str, Block]) -> None:
    latent = blocks["LBCL"].latent
    assert (latent.n_lesions.min(), latent.n_lesions.max()) == (3, 8)
    assert np.corrcoef(latent.n_lesions, latent.burden_z)[0, 1] > 0.5
    assert latent.lesion_volume_ml.sum(axis=1) == pytest.approx(latent.burden_value)


def test_deauville_four_never_better_than_one_to_three(blocks: dict[str, Block]) -> None:
    """Progression-free at 180 days by Deauville score of day 28: 1-3 above 4 above 5."""
    block = blocks["LBCL"]
    calls = block.frames.responses.filter(pl.col("nominal_day") == 28)
    event = dict(zip(block.latent.subject_no.tolist(), block.outcomes.pfs_day, strict=True))
    free = {}
    for name, low, high in (("1-3", 1, 3), ("4", 4, 4), ("5", 5, 5)):
        group = calls.filter(pl.col("deauville").is_between(low, high))["subject_no"]
        free[name] = np.mean([event[number] > 180 for number in group])
    assert free["1-3"] > free["4"] + 0.03
    assert free["4"] > free["5"] + 0.15


def test_b_cells_stay_away_while_cells_persist(blocks: dict[str, Block]) -> None:
    """Aplasia at day 28 in nearly all; it ends only after the transgene has fallen."""
    for block in blocks.values():
        cells = block.frames.labs.filter(
            (pl.col("testcd") == "CD19") & (pl.col("nominal_day") == 28)
        )
        assert cells.select((pl.col("value") < 1.0).mean()).item() > 0.85
        end = aplasia_end_day(block.latent)
        finite = np.isfinite(end)
        level = transgene(block.latent, end[:, None], expansion_only=True)[:, 0]
        assert (level[finite] < 40).all()


def test_tumor_value_orders_progression(blocks: dict[str, Block]) -> None:
    """Those who progress by day 90 had more tumor at day 28 than those who did not."""
    block = blocks["LBCL"]
    at_28 = np.log10(tumor_volume_ml(block.latent, np.array([28.0])))[:, 0]
    risk = block.outcomes.pfs_day > 28
    early = risk & (block.outcomes.pfs_day < 90)
    assert at_28[early].mean() > at_28[risk & ~early].mean() + 0.4
