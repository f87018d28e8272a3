"""`python -m tests.browser_setup`: makes sure that there is a browser for the browser tests.

Debian's Chromium is installed when it is missing and the user may install packages; else the
browser tests are skipped and say how to get it.
"""

import os
import shutil
import subprocess
import sys

HINT = "install Debian's package 'chromium' (apt-get install chromium), or set CARTOGRAPH_CHROMIUM"


def browser_path() -> str | None:
    """The browser to drive: the environment's, else Chromium on the path."""
    named = os.environ.get("CARTOGRAPH_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser")


def install() -> bool:
    """Try Debian's package; whether there is a browser afterwards."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "chromium"]):
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        if done.returncode != 0 and command[1] == "install":
            return False
    return browser_path() is not None


def main() -> None:
    """Say what the browser tests will do."""
    if browser_path() or install():
        print(f"browser: {browser_path()}")
    else:
        print(f"browser: none; the browser tests are skipped. To run them: {HINT}", file=sys.stderr)


if __name__ == "__main__":
    main()
