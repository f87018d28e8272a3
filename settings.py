"""Every knob of the program, once: name, type, default, unit and one line of help.

A value comes from the command line, else from the environment (`CARTOGRAPH_` + the name in upper
case), else from the default below. There is no configuration file and no hidden knob.
"""

import getpass
import os
from pathlib import Path

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

VERSION = "0.1.0"
FOR_TESTS = frozenset({"CHROMIUM", "E2E_URL"})
"""Read by the tests only."""
THREAD_LIMITS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def keep_to_one_thread() -> None:
    """One thread per process for linear algebra, unless the environment says otherwise. The
    matrices of a trial are small: a second thread takes twice the processor for the same wait
    (2,000 patients: 11 ms of clock both ways, 23 ms of processor instead of 12), and web workers
    and jobs stand beside each other. Only numpy that is not yet imported heeds it; processes
    started from here inherit it."""
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, "1")


class Settings(BaseSettings):
    """All settings, frozen once read. An unknown `CARTOGRAPH_` name is an error, not a silent
    nothing: a misspelt database must not become the default one."""

    model_config = SettingsConfigDict(env_prefix="CARTOGRAPH_", frozen=True, extra="forbid")

    database: str = Field(
        "sqlite:///data/cartograph.db",
        description="Database URL: sqlite:///FILE or postgresql://USER@HOST/NAME.",
    )
    demo_database: str = Field(
        "sqlite:///data/demo.db", description="Database URL of the synthetic trial."
    )
    host: str = Field("127.0.0.1", description="Address to serve on; loopback only.")
    port: int = Field(8050, ge=1, le=65535, description="Port to serve on.")
    web_workers: int = Field(2, ge=1, le=32, description="Web server processes.")
    web_threads: int = Field(4, ge=1, le=64, description="Threads of each web server process.")
    token: SecretStr | None = Field(
        None, description="Token of the printed link; a random one when not given."
    )
    mode: str = Field("local", pattern="^(demo|local)$", description="demo or local.")
    actor: str = Field("", description="Name written to the audit log; the login name when empty.")
    cache_dir: Path | None = Field(
        None, description="Folder for the parquet copies of data cuts; none are kept when empty."
    )
    job_poll_s: float = Field(0.5, gt=0, description="Pause between two looks at the job table, s.")
    scheduler: str = Field(
        "", description="Address of a Dask scheduler for jobs, such as tcp://10.0.0.5:8786."
    )
    log_level: str = Field(
        "WARNING",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="DEBUG, INFO, WARNING or ERROR.",
    )

    def who_acts(self) -> str:
        """For the audit log: the actor, else the login name, "unknown" where there is none."""
        try:
            return self.actor or getpass.getuser()
        except (OSError, KeyError):
            return "unknown"

    @model_validator(mode="before")
    @classmethod
    def refuse_unknown_names(cls, given: dict[str, object]) -> dict[str, object]:
        """Raises ValueError for a name in the environment that is no setting."""
        prefix = str(cls.model_config["env_prefix"])
        known = {prefix + name.upper() for name in cls.model_fields}
        known |= {prefix + name for name in FOR_TESTS}
        unknown = sorted(n for n in os.environ if n.startswith(prefix) and n not in known)
        if unknown:
            raise ValueError(
                f"{unknown[0]} is no setting (docs/reference/settings.md lists those there are)"
            )
        return given
