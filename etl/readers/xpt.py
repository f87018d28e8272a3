from etl.readers.sheet import Sheet
from etl.source import Source

NAME = "xpt"


def sniff(source: Source) -> bool:
    return False


def read(source: Source) -> tuple[Sheet, ...]:
    raise NotImplementedError
