"""Peak memory of one large fit, in a process of its own: `python -m benchmarks.fit_memory N`."""

import resource
import subprocess
import sys

from benchmarks.trials import trial


def peak_mib(patients: int) -> float:
    """Peak resident memory of a fresh process that makes the trial and fits it."""
    command = [sys.executable, "-m", "benchmarks.fit_memory", str(patients)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Fit and print the peak in MiB."""
    from analysis import fit_mixed

    fit = fit_mixed(trial(int(sys.argv[1])), "y ~ day * group", "patient", "1 + day", verify=False)
    if not fit.estimates:
        raise RuntimeError(fit.sentence)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
