"""Where a lesion's location lies on the drawn body: the first word that is known decides."""

from figures.body.shapes import MIDDLE, Point

PLACES: tuple[tuple[tuple[str, ...], Point, float], ...] = (
    (("brain", "cns", "cerebr", "mening"), (163, 24), 9),
    (("tonsil", "waldeyer", "pharyn"), (163, 62), 5),
    (("parotid", "salivary"), (163, 54), 17),
    (("submandib",), (163, 66), 9),
    (("supraclav", "infraclav"), (163, 95), 17),
    (("cervical", "neck"), (163, 81), 9),
    (("axill",), (163, 132), 44),
    (("hilar", "hilum"), (163, 140), 15),
    (("mediast", "thymus", "paratrach", "subcarin"), (156, 124), 5),
    (("pleura", "chest wall", "thorac wall", "breast"), (163, 150), 35),
    (("lung", "pulmon"), (163, 150), 27),
    (("cardi", "heart"), (172, 158), 0),
    (("periport", "portal", "porta hep"), (156, 212), 0),
    (("hepat", "liver"), (140, 204), 0),
    (("splen", "spleen"), (197, 203), 0),
    (("gastric", "stomach"), (179, 208), 0),
    (("adrenal",), (163, 217), 17),
    (("kidney", "renal"), (163, 234), 22),
    (("para-aort", "paraaort", "para aort", "retroperit", "aort"), (168, 250), 4),
    (("mesenter", "abdom", "periton", "bowel", "omental", "ileum", "colon"), (158, 262), 6),
    (("iliac",), (163, 286), 17),
    (("inguin", "groin", "femoral"), (163, 316), 30),
    (("pelv", "sacr"), (163, 292), 12),
    (("testi", "scrot"), (163, 330), 6),
    (("humer", "arm", "elbow"), (163, 150), 59),
    (("femur", "thigh", "leg"), (163, 350), 34),
    (("rib",), (163, 168), 37),
    (("spine", "vertebr", "marrow", "bone", "paraspin"), (163, 190), 0),
    (("skin", "soft tissue", "subcut"), (163, 230), 40),
)
"""Words, the place when no side is given, and how far a side lies from the middle."""


def lesion_place(text: str, laterality: str | None) -> Point | None:
    """Center of a lesion on the body; None when the location is not known.

    The patient's right is at the left of the drawing. Without a side the place of the middle, or
    of the patient's right for paired places, is taken.
    """
    words = text.lower()
    side = _side(laterality, words)
    for names, (x, y), offset in PLACES:
        if any(name in words for name in names):
            if side is None and offset < 12:
                return x, y
            return MIDDLE + (offset if side == "left" else -offset), y
    return None


def _side(laterality: str | None, words: str) -> str | None:
    given = (laterality or "").strip().lower()
    if given in ("left", "l") or " left" in f" {words}":
        return "left"
    if given in ("right", "r") or " right" in f" {words}":
        return "right"
    return None


def spread(places: list[Point], apart: float = 13.0) -> list[Point]:
    """The same places with coinciding ones moved apart, so that every ring can be seen."""
    made: list[Point] = []
    for x, y in places:
        spot, turn = (x, y), 0
        while any(abs(spot[0] - a) + abs(spot[1] - b) < apart for a, b in made) and turn < 24:
            step = apart * (1 + turn // 8)
            dx, dy = ((0, 1), (1, 0), (-1, 0), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))[
                turn % 8
            ]
            spot, turn = (x + dx * step, y + dy * step), turn + 1
        made.append(spot)
    return made
