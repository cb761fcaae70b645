"""Two numbers packed into one by a nonlinear code, and what it costs when its steps are ramps.

    encode   u = floor(Z x) + y,  t = u / Z                 x, y independent and uniform on [0, 1)
    decode   x' = (floor(u) + 1/2) / Z,   y' = u - floor(u)

A network of ReLUs has no steps: each floor rises at 1, ..., Z - 1 by a linear ramp instead, in encoder and decoder alike,
whose width is epsilon in x and in t, and so Z epsilon in the floor's argument.

>>> [round(compression_error(3, epsilon), 4) for epsilon in (0.0, 0.1)]                    # without ramps 1 / (12 Z^2)
[0.0093, 0.0482]
>>> round(LINEAR_ERROR, 4)                      # the best linear code keeps one number or the average
0.0833

The error is a polynomial between the ramps' edges, so that Gauss-Legendre nodes on these pieces give it exactly.
Source: the appendix of `Toy Models of Superposition` on nonlinear compression, which does not say where the ramps lie.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.errors import InvalidInputError

Placement = Literal["centred", "before", "after"]
SHIFTS: dict[Placement, float] = {"centred": -0.5, "before": -1.0, "after": 0.0}
"""Where a ramp begins, in its own widths from the step that it replaces."""

LINEAR_ERROR = 1 / 12
"""Squared error of both numbers together under the best linear code."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)


def _ramps(segments: int, width: float, placement: Placement) -> NDArray[np.float64]:
    """Where the ramps begin, shape (segments - 1,)."""
    if segments < 1:
        raise InvalidInputError(f"segments is {segments}", "choose at least 1")
    if not 0 <= width <= 1:
        raise InvalidInputError(f"a ramp is {width:g} wide, where steps are 1 apart", "choose ramps from 0 to 1 wide")
    return np.asarray(np.arange(1, segments) + SHIFTS[placement] * width, dtype=np.float64)


def ramped_floor(u: ArrayLike, segments: int, width: float, placement: Placement = "centred") -> NDArray[np.float64]:
    """floor(u) for 0 <= u <= Z segments with a ramp in place of each step, elementwise; at most Z - 1.

    A ramp is from 0 to 1 wide, in u, and lies around, before or after the step that it replaces.
    """
    begins = _ramps(segments, width, placement)
    x = np.asarray(u, dtype=np.float64)[..., None]
    steps = np.clip((x - begins) / width, 0, 1) if width > 0 else x >= begins
    return np.asarray(steps.sum(axis=-1, dtype=np.float64))


def unpacked(
    u: ArrayLike, segments: int, width: float, placement: Placement = "centred"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The pairs (x', y') that codes u stand for, elementwise; the other arguments are those of `ramped_floor`."""
    whole = ramped_floor(u, segments, width, placement)
    return np.asarray((whole + 0.5) / segments), np.asarray(u) - whole


def compression_error(segments: int, epsilon: float, placement: Placement = "centred") -> float:
    """E[(x - x')^2 + (y - y')^2], exact to rounding, half of it per number; epsilon is the width of a ramp in x and in t."""
    width = segments * epsilon
    begins = _ramps(segments, width, placement)
    edges = np.unique(np.concatenate([[0.0, segments], begins, begins + width]))
    # On a ramp the encoder's value passes the decoder's edges, and with them the pieces of y change.
    turns = np.unique(np.concatenate([[0.0], (begins + width) % 1, begins % 1])) if width > 0 else np.zeros(1)
    inner = (begins[:, None] + width * turns).ravel()
    outer = np.unique(np.clip(np.concatenate([edges, inner]), 0, segments))
    total = 0.0
    for point, weight in zip(*_pieces(outer), strict=True):
        whole = float(ramped_floor(point, segments, width, placement))
        y, y_weights = _pieces(np.unique(np.clip(np.concatenate([[0.0, 1.0], edges - whole]), 0, 1)))
        x_back, y_back = unpacked(whole + y, segments, width, placement)
        total += weight * float(y_weights @ ((point / segments - x_back) ** 2 + (y - y_back) ** 2))
    return float(total / segments)


def _pieces(edges: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gauss-Legendre nodes and weights on the pieces between ascending edges."""
    half, middle = np.diff(edges)[:, None] / 2, (edges[1:] + edges[:-1])[:, None] / 2
    return (middle + half * _NODES).ravel(), (half * _WEIGHTS).ravel()
