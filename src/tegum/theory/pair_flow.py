"""The gradient flow of two features in one dimension, many starts at once: compiled, with steps of its own for each start.

    d(w_1, w_2, b_1, b_2) / dt = - gradient of the objective of `tegum.theory.stored_pair`

The gradient is that of `tegum.theory.stored_pair.objective_of`, one start at a time.  A flow takes 0.07 milliseconds, where
NumPy took 9 with thousands at once.  Steps are Dormand and Prince's, of fifth order with an error by the fourth; that of a
weight is relative to the larger one while both are below 1, as directions of small weights decide where they go.

>>> import numpy as np
>>> setting = (0.3, 0.5, 0.0)                                                              # p, the ratio of importances, lambda
>>> pair = np.array([[1.029, -0.967, 0.012, 0.031]])
>>> starts = np.array([[0.5, -0.4, 0.0, 0.0]])
>>> flowed(starts, pair, np.zeros((0, 12)), setting, tol=1e-8).tolist(), starts.round(2).tolist()
([0], [[1.03, -0.94, 0.01, 0.04]])

Source: Hairer, Norsett and Wanner, "Solving Ordinary Differential Equations I" (1993), II.5.
"""

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import compiled, inner

Array = NDArray[np.float64]

NEAR = 0.03
"""A flow has ended where it is so near to a minimum."""
_LONGEST, _MOST_STEPS, _LOOK, _FIRST = 1e5, 6000, 5, 0.01
_ALONG, _NOISE, _LEAST = 0.2, 10.0, 1e-100
_LOW, _HIGH = 0.5 - np.sqrt(1 / 12), 0.5 + np.sqrt(1 / 12)
"""Two nodes of Gauss on [0, 1], each of weight 1/2: exact for cubics."""

_STAGES = np.zeros((6, 6))
_STAGES[0, :1] = 1 / 5
_STAGES[1, :2] = 3 / 40, 9 / 40
_STAGES[2, :3] = 44 / 45, -56 / 15, 32 / 9
_STAGES[3, :4] = 19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729
_STAGES[4, :5] = 9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656
_STAGES[5] = 35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84
_ERROR = np.array([71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])
"""The method of fifth order, and how it differs from its companion of fourth."""


def flowed(starts: Array, rests: Array, lone: Array, setting: tuple[float, float, float], tol: float) -> NDArray[np.int64]:
    """Which of ``rests`` (r, 4) the flow from each of ``starts`` (k, 4) ends in, up to the sign of the weights; -1: in none.

    Starts are moved to where the flow was when that was known.  ``lone`` (l, 12) are rests that attract from one side: the
    rest, which weight is the trace, the sign of a trace that dies out, what the other sign leads to; and the direction, per
    size of the trace, of one that dies out and of one that grows.
    """
    ends = np.full(len(starts), -1)
    _flow_all(starts, rests, lone, np.array(setting), tol, np.empty((8, 4)), ends)
    return ends


def velocities(x: Array, setting: tuple[float, float, float]) -> Array:
    """Minus the gradient of the objective at each of (k, 4)."""
    out = np.empty_like(x)
    _velocities(x, np.array(setting), out)
    return out


@inner
def _own(a: float, t: float, p: float) -> tuple[float, float]:  # pragma: no cover - compiled
    """Derivatives by a and by t of E over the own feature x of (x - r(a x + t))^2."""
    if t >= 0:
        c = 0.0
    elif t > -a:
        c = -t / a  # below it the output is off
    else:
        c = 1.0
    d, d2, d3 = 1 - c, 1 - c * c, 1 - c * c * c
    by_a = p * (-2 * (1 - a) * d3 / 3 + t * d2)
    by_t = p * (-(1 - a) * d2 + 2 * t * d) + (1 - p) * 2 * max(t, 0.0)
    return by_a, by_t


@inner
def _slopes(a: float, s: float, b: float, p: float) -> tuple[float, float, float]:  # pragma: no cover - compiled
    """Derivatives by a, s and b of E (x - r(a x + s x' + b))^2: both features active, or the own one alone."""
    by_a, by_b = _own(a, b, p)
    by_a, by_s, by_b = (1 - p) * by_a, 0.0, (1 - p) * by_b
    first, second = 0.0, 0.0
    if s != 0:  # x' where t = b + s x' is 0, and where it is -a
        first, second = min(max(-b / s, 0.0), 1.0), min(max((-a - b) / s, 0.0), 1.0)
    low = 0.0
    for high in (min(first, second), max(first, second), 1.0):
        width = high - low
        if width > 0:
            for node in (_LOW, _HIGH):
                other = low + width * node
                one, each = _own(a, b + s * other, p)
                mass = p * width / 2
                by_a += mass * one
                by_s += mass * other * each
                by_b += mass * each
        low = high
    return by_a, by_s, by_b


@inner
def _velocity(
    w1: float, w2: float, b1: float, b2: float, setting: Array
) -> tuple[float, float, float, float]:  # pragma: no cover - compiled
    p, ratio, weight = setting[0], setting[1], setting[2]
    s = w1 * w2
    first_a, first_s, first_b = _slopes(w1 * w1, s, b1, p)
    second_a, second_s, second_b = _slopes(w2 * w2, s, b2, p)
    by_s = first_s + ratio * second_s + 4 * weight * s
    return -(2 * w1 * first_a + w2 * by_s), -(2 * w2 * ratio * second_a + w1 * by_s), -first_b, -ratio * second_b


@compiled
def _velocities(x: Array, setting: Array, out: Array) -> None:  # pragma: no cover - compiled
    for k in range(len(x)):
        out[k, 0], out[k, 1], out[k, 2], out[k, 3] = _velocity(x[k, 0], x[k, 1], x[k, 2], x[k, 3], setting)


@inner
def _ended(starts: Array, k: int, rests: Array, lone: Array, tol: float) -> np.int64:  # pragma: no cover - compiled
    """Which of the rests the flow of start k has come to or is sure to come to, or -1."""
    for rest in range(len(rests)):
        plain, mirrored = 0.0, 0.0
        for i in range(4):
            sign = -1.0 if i < 2 else 1.0
            plain = max(plain, abs(starts[k, i] - rests[rest, i]))
            mirrored = max(mirrored, abs(sign * starts[k, i] - rests[rest, i]))
        off, turn = min(plain, mirrored), 1.0 if plain < mirrored else -1.0
        if off >= NEAR:
            continue
        if off < _NOISE * tol:
            return np.int64(rest)
        one_sided = False
        for j in range(len(lone)):
            if lone[j, 0] != rest:
                continue
            one_sided = True
            trace = np.int64(lone[j, 1])
            for side in range(2):  # a trace that dies out, and one that grows
                sign = lone[j, 2] if side == 0 else -lone[j, 2]
                size = sign * (turn * starts[k, trace] - rests[rest, trace])
                apart = 0.0
                for i in range(4):
                    gap = (turn if i < 2 else 1.0) * starts[k, i] - rests[rest, i]
                    apart = max(apart, abs(gap - size * lone[j, 4 + 4 * side + i]))
                if size > 0 and apart < _ALONG * size:
                    return np.int64(rest) if side == 0 else np.int64(lone[j, 3])
        if not one_sided:
            return np.int64(rest)
    return np.int64(-1)


@compiled
def _flow_all(
    starts: Array, rests: Array, lone: Array, setting: Array, tol: float, slopes: Array, ends: NDArray[np.int64]
) -> None:  # pragma: no cover - compiled
    """Steps of every start; ``slopes`` (8, 4) has room for those of the stages, and for the place where the next is taken."""
    for k in range(len(starts)):
        time, step = 0.0, _FIRST
        slopes[0, 0], slopes[0, 1], slopes[0, 2], slopes[0, 3] = _velocity(
            starts[k, 0], starts[k, 1], starts[k, 2], starts[k, 3], setting
        )
        for number in range(_MOST_STEPS):
            for stage in range(6):
                for i in range(4):
                    moved = 0.0
                    for before in range(stage + 1):
                        moved += _STAGES[stage, before] * slopes[before, i]
                    slopes[7, i] = starts[k, i] + step * moved
                slopes[stage + 1, 0], slopes[stage + 1, 1], slopes[stage + 1, 2], slopes[stage + 1, 3] = _velocity(
                    slopes[7, 0], slopes[7, 1], slopes[7, 2], slopes[7, 3], setting
                )
            error, size = 0.0, max(min(max(abs(starts[k, 0]), abs(starts[k, 1])), 1.0), _LEAST)
            for i in range(4):
                off = 0.0
                for stage in range(7):
                    off += _ERROR[stage] * slopes[stage, i]
                error = max(error, abs(step * off) / (tol * size if i < 2 else tol))
            if error <= 1:
                time += step
                for i in range(4):
                    starts[k, i], slopes[0, i] = slopes[7, i], slopes[6, i]
            step *= min(max(0.9 * max(error, 1e-10) ** -0.2, 0.2), 5.0)
            if number % _LOOK == 0:
                ends[k] = _ended(starts, k, rests, lone, tol)
                if ends[k] >= 0 or time >= _LONGEST:
                    break
