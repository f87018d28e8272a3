"""The code of a fit names the study and the cut it was fitted on."""

from analysis.fits.recipe import snippet, with_source
from analysis.specs import ModelSpec


def test_the_code_names_study_and_cut_as_python_texts() -> None:
    code = with_source(snippet(ModelSpec(outcome="kinetics:CARTG")), 'A "1"', "2026-11-28.1")
    assert 'trial = read_trial(engine, "A \\"1\\"", "2026-11-28.1")' in code
    compile(code, "snippet", "exec")
    assert with_source(code, "B", "2") == code, "filled once"


def test_rows_that_do_not_say_where_they_come_from_leave_the_names_open() -> None:
    code = snippet(ModelSpec(outcome="kinetics:CARTG"))
    assert with_source(code, None, None) == code
    assert '"STUDY", "CUT"' in code
