"""One load in a process of its own, to be killed: URL, study and paths are arguments."""

import sys

from etl import jobs
from models.connect import create_engine_for


def main() -> None:
    url, study, *paths = sys.argv[1:]
    engine = create_engine_for(url)
    print("ready", flush=True)
    jobs.load(engine, paths, study, progress=lambda fraction, text: print(text, flush=True))
    print("done", flush=True)


if __name__ == "__main__":
    main()
