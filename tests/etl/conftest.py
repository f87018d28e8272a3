from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = Path(__file__).resolve().parents[3] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data, which is not beside this checkout")
    return folder


@pytest.fixture
def reads_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of our own making are read in this process: the guard has its own tests."""
    from etl import guard, jobs

    def read(sources, limits=None, *, trusted=False):
        return tuple(
            guard._read_here(source)
            if source.refusal is None
            else guard._refused(source, source.refusal)
            for source in sources
        )

    monkeypatch.setattr(jobs, "read_guarded", read)
