"""The same fits in R, timed inside R by proc.time: lme4, lmerTest, pbkrtest, where R has them.

R's own start and the reading of the data are not counted. A task runs several times in a loop, for
proc.time counts milliseconds; its median over the loops is what is given.
"""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import polars as pl

PREAMBLE = r"""
args <- commandArgs(trailingOnly = TRUE)
found <- function(p) requireNamespace(p, quietly = TRUE)
cpu <- function(task, loops, times) {
  task()
  median(sapply(seq_len(loops), function(i) {
    start <- proc.time()
    for (k in seq_len(times)) task()
    used <- proc.time() - start
    (used[[1]] + used[[2]]) / times
  }))
}
cat("{")
say <- function(name, seconds, version)
  cat(sprintf('"%s": [%.9g, "%s"],\n', name, seconds, version))
"""
"""What every script stands on: its arguments, the median of a task's time, and how it says one."""
END = """
cat('"end": [0, ""]}')
"""
SCRIPT = r"""
f <- y ~ day * group + (1 + day | patient)
if (found("lme4")) {
  v <- paste("lme4", packageVersion("lme4"))
  quiet <- lme4::lmerControl(calc.derivs = TRUE)
  small <- read.csv(args[1]); large <- read.csv(args[2])
  say("lmer 40", cpu(function() lme4::lmer(f, small, control = quiet), 7, 10), v)
  say("lmer 2000", cpu(function() lme4::lmer(f, large, control = quiet), 5, 1), v)
  fitted <- lme4::lmer(f, small)
  set.seed(1)
  say("bootMer", {
    start <- proc.time()
    invisible(suppressMessages(suppressWarnings(
      lme4::bootMer(fitted, lme4::fixef, nsim = as.integer(args[3])))))
    used <- proc.time() - start
    used[[1]] + used[[2]]
  }, v)
}
if (found("lme4") && found("lmerTest")) {
  v <- paste("lmerTest", packageVersion("lmerTest"))
  tested <- function(d, ddf) function() coef(summary(lmerTest::lmer(f, d), ddf = ddf))
  say("lmerTest 40", cpu(tested(small, "Satterthwaite"), 5, 4), v)
  say("lmerTest 2000", cpu(tested(large, "Satterthwaite"), 3, 1), v)
  if (found("pbkrtest"))
    say("Kenward-Roger 40", cpu(tested(small, "Kenward-Roger"), 3, 1),
        paste("pbkrtest", packageVersion("pbkrtest")))
}
"""
TIMEOUT_S = 900


class Peer(NamedTuple):
    """CPU seconds of a task; None where its package, or R, is not here."""

    name: str
    seconds: float | None


def measured(small: pl.DataFrame, large: pl.DataFrame, replicates: int) -> dict[str, Peer]:
    """Every task by name. replicates: of bootMer."""
    names = {
        "lmer 40": "lmer (R)",
        "lmer 2000": "lmer (R)",
        "bootMer": "bootMer (R)",
        "lmerTest 40": "lmerTest (R)",
        "lmerTest 2000": "lmerTest (R)",
        "Kenward-Roger 40": "pbkrtest (R)",
    }
    found = run_r(SCRIPT, (small, large), str(replicates)) if shutil.which("Rscript") else {}
    return {
        task: Peer(f"{name.removesuffix(' (R)')} ({found[task][1]})", found[task][0])
        if task in found
        else Peer(name, None)
        for task, name in names.items()
    }


def run_r(
    script: str, frames: Sequence[pl.DataFrame], *arguments: str
) -> dict[str, tuple[float, str]]:
    """Seconds and version of every task that a script says (`PREAMBLE`); it gets the frames as CSV
    files, then the arguments. Raises RuntimeError with what R said."""
    with TemporaryDirectory() as folder:
        program = Path(folder) / "peers.R"
        program.write_text(PREAMBLE + script + END, encoding="utf-8")
        files = [Path(folder) / f"frame{number}.csv" for number in range(len(frames))]
        for frame, file in zip(frames, files, strict=True):
            frame.write_csv(file)
        command = ["Rscript", str(program), *map(str, files), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    if done.returncode:
        raise RuntimeError(f"R could not measure its fits: {done.stderr.strip()}")
    return {
        task: (float(value[0]), str(value[1])) for task, value in json.loads(done.stdout).items()
    }
