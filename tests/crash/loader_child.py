"""One load in a process of its own, to be killed; it starts when a line comes on stdin.

Arguments: URL of the database, study, paths."""

import sys

from etl import jobs
from models.connect import create_engine_for


def main() -> None:
    url, study, *paths = sys.argv[1:]
    engine = create_engine_for(url)
    sys.stdin.readline()  # the imports are done; the load starts when the test says so
    jobs.load(engine, paths, study, progress=lambda fraction, text: print(text, flush=True))
    print("done", flush=True)


if __name__ == "__main__":
    main()
