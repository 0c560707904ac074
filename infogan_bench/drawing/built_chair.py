"""Chairs built of parts: a seat, legs, and at random a back, arms and stretchers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from infogan_bench.drawing.mesh import prism
from infogan_bench.drawing.rotation import cosine_and_sine

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Point = tuple[float, float, float]  # x to the chair's left, y up, z to its front, in centimetres

_SEED = 2
_UNIT = 100.0  # whole numbers in a centimetre
_ROUND = 14  # corners of what is round


def built_chair(chair: int) -> tuple[Floats, Integers]:
    """Return the vertices (n, 3), whole numbers around 0, and the triangles of a chair; the same ones for a number."""
    builder = _Builder(chair)
    builder.build()
    vertices = np.rint(np.concatenate(builder.vertices) * _UNIT)
    vertices -= np.rint((vertices.max(axis=0) + vertices.min(axis=0)) / 2)
    return vertices, np.concatenate(builder.faces)


class _Builder:
    """The measures of a chair, drawn at random, and the parts that it has so far."""

    def __init__(self, chair: int) -> None:
        self._random = np.random.default_rng([_SEED, chair]).random
        self.vertices: list[Floats] = []
        self.faces: list[Integers] = []
        self.half_width = self._between(19, 29)
        self.half_depth = self._between(18, 25)
        self.seat = self._between(36, 52)  # the height of the seat's lower side
        self.thickness = self._between(2, 10)
        self.leg = self._between(1.2, 3.2)  # half a leg's side
        self.top = self.seat + self.thickness
        self.round_seat = self._random() < 0.25

    def build(self) -> None:
        """Add all parts."""
        self._add_seat()
        stand = self._choose(("legs", "legs", "legs", "pedestal", "sled"))
        splay = self._between(0, 6) if self._random() < 0.6 else 0.0
        {"legs": self._legs, "pedestal": self._pedestal, "sled": self._sled}[stand](splay)
        if self._random() < 0.85:
            self._add_back(self._between(28, 62), self._between(2, 16))
        if self._random() < 0.4:
            self._add_arms(self._between(16, 26))

    # Draws and primitives -------------------------------------------------------------------------------------

    def _between(self, low: float, high: float) -> float:
        return low + (high - low) * self._random()

    def _choose(self, options: tuple[str, ...]) -> str:
        return options[int(self._random() * len(options))]

    def _add(self, bottom: Floats, top: Floats) -> None:
        vertices, faces = prism(bottom, top)
        self.faces.append(faces + sum(map(len, self.vertices)))
        self.vertices.append(vertices)

    def _post(self, foot: Point, head: Point, half: tuple[float, float], round_: bool = False) -> None:
        """Add a part that rises from `foot` to `head` and is 2 `half` wide (x) and deep (z)."""
        self._add(_level(foot, half, round_), _level(head, half, round_))

    def _box(self, low: Point, high: Point) -> None:
        """Add a box between two corners."""
        middle = (low[0] + high[0]) / 2, (low[2] + high[2]) / 2
        half = (high[0] - low[0]) / 2, (high[2] - low[2]) / 2
        self._post((middle[0], low[1], middle[1]), (middle[0], high[1], middle[1]), half)

    # Parts ----------------------------------------------------------------------------------------------------

    def _add_seat(self) -> None:
        narrower = self._between(0.8, 1)  # the back of the seat, of its front
        bottom = _level((0, self.seat, 0), (self.half_width, self.half_depth), self.round_seat)
        if not self.round_seat:
            bottom[:, 0] *= np.where(bottom[:, 2] < 0, narrower, 1)
        self._add(bottom, bottom + np.array([0, self.thickness, 0]))

    def _corners(self) -> list[tuple[int, int]]:
        return [(side, end) for side in (-1, 1) for end in (-1, 1)]

    def _legs(self, splay: float) -> None:
        inset = 0.66 if self.round_seat else 0.86
        x, z = self.half_width * inset, self.half_depth * inset
        round_ = self._random() < 0.4
        for side, end in self._corners():
            foot = (side * (x + splay), 0.0, end * (z + splay))
            self._post(foot, (side * x, self.seat, end * z), (self.leg, self.leg), round_)
        if self._random() < 0.5:
            self._stretchers(x, z, splay)

    def _stretchers(self, x: float, z: float, splay: float) -> None:
        """Join the legs at the sides, and the sides in the middle."""
        height, half = self._between(8, 0.6 * self.seat), self.leg * 0.6
        out = splay * (1 - height / self.seat)
        for side in (-1, 1):
            self._box(
                (side * (x + out) - half, height, -z - out),
                (side * (x + out) + half, height + 2 * half, z + out),
            )
        self._box((-x - out, height, -half), (x + out, height + 2 * half, half))

    def _pedestal(self, splay: float) -> None:
        base = 0.5 + 0.4 * self._random()
        radius = base * self.half_width + splay
        self._post((0, 3, 0), (0, self.seat, 0), (self.leg * 1.2, self.leg * 1.2), round_=True)
        if self._random() < 0.5:
            self._add(
                _level((0, 0, 0), (radius, radius), True),
                _level((0, 3, 0), (radius * 0.6, radius * 0.6), True),
            )
        else:
            self._box((-radius, 0, -self.leg), (radius, 3, self.leg))
            self._box((-self.leg, 0, -radius), (self.leg, 3, radius))

    def _sled(self, splay: float) -> None:
        """Two frames, one at each side: runners on the floor, and posts."""
        x, z, half = self.half_width * 0.9 + splay / 2, self.half_depth * 0.9, self.leg * 0.7
        for side in (-1, 1):
            self._box((side * x - half, 0, -z), (side * x + half, 2 * half, z))
            for end in (-1, 1):
                self._post((side * x, 0, end * z), (side * x, self.seat, end * z), (half, half))

    def _add_back(self, height: float, tilt: float) -> None:
        z = -self.half_depth * 0.9
        x = self.half_width * (0.6 if self.round_seat else 0.82)
        post = self.leg * 0.8
        style = self._choose(("panel", "panel", "slats", "rails", "spindles"))

        def at(share: float) -> tuple[float, float]:  # height and depth at a share of the back
            return self.top - self.thickness * (share == 0) + share * height, z - share * tilt

        def part(low: float, high: float, middle: float, half: float, deep: float) -> None:
            (y0, z0), (y1, z1) = at(low), at(high)
            self._post((middle, y0, z0), (middle, y1, z1), (half, deep))

        if style == "panel":
            start = 0.0 if self._random() < 0.5 else self._between(0.15, 0.4)
            part(start, 1, 0, x + post, self._between(1, 4))
            if start > 0:
                for side in (-1, 1):
                    part(0, start, side * x * 0.8, post, post)
            return
        for side in (-1, 1):
            part(0, 1, side * x, post, post)
        part(0.88, 1, 0, x, post)
        count = int(self._between(2, 6))
        for k in range(count):
            share = (k + 1) / (count + 1)
            if style == "rails":
                part(0.85 * share, 0.85 * share + 0.08, 0, x, post * 0.6)
            else:
                part(0, 0.9, x * (2 * share - 1), post * (0.5 if style == "spindles" else 1.3), post * 0.5)

    def _add_arms(self, height: float) -> None:
        half, x = self._between(1.5, 4), self.half_width + 1
        solid = self._random() < 0.3
        for side in (-1, 1):
            y = self.top + height
            self._box(
                (side * x - half, y - 2.5, -self.half_depth), (side * x + half, y, self.half_depth * 0.7)
            )
            if solid:
                self._box(
                    (side * x - half, self.seat, -self.half_depth),
                    (side * x + half, y - 2, self.half_depth * 0.7),
                )
            else:
                z = self.half_depth * 0.55
                self._post((side * x, self.seat, z), (side * x, y - 2, z), (self.leg * 0.7, self.leg * 0.7))


def _level(middle: Point, half: tuple[float, float], round_: bool) -> Floats:
    """Return a rectangle or an ellipse at one height, counter-clockwise when seen from above: (n, 3)."""
    if round_:
        cos, sin = cosine_and_sine(np.arange(_ROUND, dtype=np.float64) * (360 / _ROUND))
    else:
        cos, sin = np.array([1.0, 1, -1, -1]), np.array([-1.0, 1, 1, -1])
    return np.stack(
        [middle[0] + half[0] * cos, np.full(len(cos), middle[1]), middle[2] - half[1] * sin], axis=1
    )
