"""Outline and organs of a body seen from the front, drawn for this program.

Units are pixels of a card 326 wide; y grows downward. The patient's right is at the left, as on a
scan. Curves run smoothly through a few points each and are mirrored where the body is.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

Point = tuple[float, float]

WIDTH = 326.0
HEIGHT = 392.0
MIDDLE = 163.0

_HALF_OUTLINE: tuple[Point, ...] = (
    (163, 5), (145, 9), (138, 22), (138.5, 40), (142, 56), (149, 67), (151, 78), (147, 88),
    (132, 95), (112, 101), (100, 110), (97, 124), (95, 150), (90, 190), (85, 222), (78, 262),
    (70, 296), (69, 318), (74, 331), (80, 329), (83, 312), (92, 270), (101, 232), (107, 196),
    (111, 160), (114, 159), (115, 190), (120, 222), (121, 246), (116, 272), (112, 300), (111, 330),
    (113, 392),
)  # fmt: skip
_INNER_LEG: tuple[Point, ...] = ((157, 392), (158, 350), (160, 330), (163, 325))

_RIGHT_LUNG: tuple[Point, ...] = (
    (141, 102), (149, 108), (153, 128), (153, 156), (149, 176), (138, 182), (127, 186),
    (125, 164), (129, 130), (134, 109),
)  # fmt: skip
_HEART: tuple[Point, ...] = (
    (157, 150),
    (164, 141),
    (176, 143),
    (186, 157),
    (187, 170),
    (177, 177),
    (166, 173),
    (157, 162),
)
_LIVER: tuple[Point, ...] = (
    (127, 188), (140, 182), (163, 183), (181, 193), (178, 200), (166, 205), (152, 218), (139, 227),
    (129, 226), (125, 208),
)  # fmt: skip
_SPLEEN: tuple[Point, ...] = (
    (194, 188),
    (202, 193),
    (203, 206),
    (198, 218),
    (191, 215),
    (188, 199),
)
_RIGHT_KIDNEY: tuple[Point, ...] = (
    (145, 220),
    (151, 227),
    (150, 241),
    (143, 248),
    (134, 244),
    (132, 233),
    (137, 223),
)
_STOMACH: tuple[Point, ...] = (
    (173, 203),
    (184, 196),
    (188, 207),
    (184, 218),
    (172, 220),
    (165, 214),
)
_RIGHT_PELVIS: tuple[Point, ...] = (
    (133, 262),
    (148, 265),
    (157, 278),
    (155, 292),
    (144, 301),
    (133, 295),
    (125, 281),
    (125, 267),
)
_RIGHT_FEMUR: tuple[Point, ...] = (
    (124, 309),
    (130, 306),
    (134, 320),
    (134, 344),
    (133.5, 386),
    (125, 386),
    (124, 334),
)
_RIGHT_HUMERUS: tuple[Point, ...] = (
    (104, 115),
    (109, 114),
    (109, 138),
    (103, 170),
    (98, 168),
    (100, 132),
)
_BOWEL: tuple[Point, ...] = (
    (143, 250),
    (163, 246),
    (184, 250),
    (190, 266),
    (182, 284),
    (163, 290),
    (145, 284),
    (137, 266),
)


class Organ(NamedTuple):
    """Where an organ is drawn; `anchor` is the end of its leader line."""

    name: str
    outlines: tuple[tuple[Point, ...], ...]
    anchor: Point
    left_label: bool


def _mirror(points: Sequence[Point]) -> tuple[Point, ...]:
    return tuple((2 * MIDDLE - x, y) for x, y in points)


def _ellipse(x: float, y: float, rx: float, ry: float) -> tuple[Point, ...]:
    a, b = 0.70710678 * rx, 0.70710678 * ry
    return (
        (x, y - ry), (x + a, y - b), (x + rx, y), (x + a, y + b),
        (x, y + ry), (x - a, y + b), (x - rx, y), (x - a, y - b),
    )  # fmt: skip


def smooth(points: Sequence[Point], steps: int = 6, closed: bool = True) -> tuple[Point, ...]:
    """A Catmull-Rom curve through `points`."""
    count = len(points)
    made: list[Point] = []
    for place in range(count if closed else count - 1):
        around = [_at(points, place + shift, closed) for shift in (-1, 0, 1, 2)]
        made += [_spline(around, step / steps) for step in range(steps)]
    made.append(made[0] if closed else points[-1])
    return tuple(made)


def _at(points: Sequence[Point], place: int, closed: bool) -> Point:
    if closed:
        return points[place % len(points)]
    return points[min(max(place, 0), len(points) - 1)]


def _spline(around: Sequence[Point], t: float) -> Point:
    p0, p1, p2, p3 = around
    return tuple(
        0.5
        * (
            2 * p1[axis]
            + (p2[axis] - p0[axis]) * t
            + (2 * p0[axis] - 5 * p1[axis] + 4 * p2[axis] - p3[axis]) * t**2
            + (3 * p1[axis] - p0[axis] - 3 * p2[axis] + p3[axis]) * t**3
        )
        for axis in (0, 1)
    )  # type: ignore[return-value]


def _vertebrae() -> tuple[tuple[Point, ...], ...]:
    made = []
    y, width, height = 88.0, 3.6, 7.0
    for number in range(17):
        made.append(_ellipse(MIDDLE, y + height / 2, width, height / 2))
        y += height + 1.9
        if number >= 6:
            width, height = min(width + 0.25, 6.0), min(height + 0.25, 9.0)
    return tuple(made)


@cache
def outline() -> tuple[Point, ...]:
    """The body from head to thigh, closed."""
    half = smooth(_HALF_OUTLINE, 4, closed=False)
    leg = smooth(_INNER_LEG, 4, closed=False)
    right = (*half, *leg)
    return (*right, *reversed(_mirror(right)))


@cache
def organs() -> dict[str, Organ]:
    """Every organ that can be drawn, by region code."""
    marrow = (*_vertebrae(), _RIGHT_PELVIS, _mirror(_RIGHT_PELVIS), _RIGHT_FEMUR,
              _mirror(_RIGHT_FEMUR), _RIGHT_HUMERUS, _mirror(_RIGHT_HUMERUS))  # fmt: skip
    raw: dict[str, tuple[str, tuple[tuple[Point, ...], ...], Point, bool]] = {
        "BRAIN": ("Brain", (_ellipse(163, 30, 19, 18),), (151, 27), True),
        "SALIVARY": (
            "Salivary", (_ellipse(146, 54, 3.6, 6), _ellipse(180, 54, 3.6, 6)), (146, 54), True,
        ),
        "THYROID": (
            "Thyroid", (_ellipse(159, 82, 2.6, 4.6), _ellipse(167, 82, 2.6, 4.6)), (167, 82), False,
        ),
        "LUNG": ("Lung", (_RIGHT_LUNG, _mirror(_RIGHT_LUNG)), (134, 160), True),
        "BLOOD_POOL": ("Blood pool", (_HEART,), (180, 160), False),
        "LIVER": ("Liver", (_LIVER,), (133, 207), True),
        "STOMACH": ("Stomach", (_STOMACH,), (179, 208), False),
        "SPLEEN": ("Spleen", (_SPLEEN,), (197, 203), False),
        "KIDNEY": ("Kidneys", (_RIGHT_KIDNEY, _mirror(_RIGHT_KIDNEY)), (140, 236), True),
        "GALLBLADDER": ("Gallbladder", (_ellipse(146, 219, 4, 5.5),), (146, 219), True),
        "BOWEL": ("Bowel", (_BOWEL,), (178, 272), False),
        "MARROW": ("Bone marrow", marrow, (190, 283), False),
        "BLADDER": ("Bladder", (_ellipse(163, 309, 12.5, 10),), (172, 312), False),
        "MUSCLE": ("Muscle", (_ellipse(204, 345, 7, 22),), (204, 345), False),
    }  # fmt: skip
    return {
        code: Organ(name, tuple(smooth(o) for o in outlines), anchor, left)
        for code, (name, outlines, anchor, left) in raw.items()
    }


ALIASES: dict[str, str] = {
    "LUNGS": "LUNG",
    "BONE_MARROW": "MARROW",
    "BONEMARROW": "MARROW",
    "BONE": "MARROW",
    "VERTEBRA": "MARROW",
    "BLOOD": "BLOOD_POOL",
    "AORTA": "BLOOD_POOL",
    "HEART": "BLOOD_POOL",
    "KIDNEYS": "KIDNEY",
    "SALIVARY_GLAND": "SALIVARY",
    "SALIVARY_GLANDS": "SALIVARY",
    "PAROTID": "SALIVARY",
    "GUT": "BOWEL",
    "INTESTINE": "BOWEL",
    "COLON": "BOWEL",
    "CEREBELLUM": "BRAIN",
    "CORTEX": "BRAIN",
    "URINARY_BLADDER": "BLADDER",
}
"""Other region codes of the same drawing."""


def drawn_code(region_code: str) -> str | None:
    """The organ that stands for a region code; None when it is not drawn."""
    code = region_code.upper().replace(" ", "_").replace("-", "_")
    code = ALIASES.get(code, code)
    return code if code in organs() else None
