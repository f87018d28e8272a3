"""One load in a process of its own, to be killed; it starts when a line comes on stdin.

Arguments: URL of the database, study, paths."""

import sys

from etl import guard, jobs
from models.connect import create_engine_for


def read_here(sources, limits=None, *, trusted=False):
    """The reading child of the guard is left out: what is killed here is the writing."""
    return tuple(guard._read_here(source) for source in sources)


def main() -> None:
    url, study, *paths = sys.argv[1:]
    engine = create_engine_for(url)
    jobs.read_guarded = read_here
    sys.stdin.readline()  # the imports are done; the load starts when the test says so
    jobs.load(engine, paths, study, progress=lambda fraction, text: print(text, flush=True))
    print("done", flush=True)


if __name__ == "__main__":
    main()
