"""Two features in one dimension with biases, under a penalty on interference: the objective and its derivatives in closed form.

    y_1 = r(w_1^2 x_1 + s x_2 + b_1),   y_2 = r(s x_1 + w_2^2 x_2 + b_2),   s = w_1 w_2,   r(t) = max(t, 0)

    objective = E (x_1 - y_1)^2 + I E (x_2 - y_2)^2 + 2 lambda s^2

The mean over an output's own feature is a polynomial in a = w_i^2 and the rest t = b + s x' of its input,

    G(a, t) = E (x - r(a x + t))^2
            = c^3 / 3 + (1 - a)^2 (1 - c^3) / 3 - (1 - a) t (1 - c^2) + t^2 (1 - c),     c = -t / a in [0, 1]

below c nothing passes.  It is cubic in t between t = -a and t = 0, quadratic above and constant below, so that two nodes of
Gauss in each of three pieces of x' are exact: nothing is truncated, and nothing cancels where weights are small.

One feature alone, W = (1, 0), b = (0, p/2), costs I v, v = p/3 - p^2/4.  A trace of the second, w_2 = -e, with b_1 = beta e,
b_2 = (p + p e) / 2 and w_1^2 = 1 + gamma e, costs by the patterns of activity (both, the first, none, the second)

    I v - e^2 (I v - q) + O(e^3),
    q = min p^2 E(beta + gamma x_1 - x_2)^2 + p (1-p) E(beta + gamma x_1)^2 + (1-p)^2 beta^2 + p (1-p) beta^3 / 3

At gamma = 0, beta = p/2 that is v - p (1-p) (2-p)^3 / 24: with equal importance a feature alone is a saddle at every p < 1.

Under a penalty a pair is the lower one up to the weight (`pair_limit`)

    lambda_c = sup (I v - L) / (2 s^2)    over all weights with s < 0

a maximum where the second feature is lost in a jump; where it fades, the limit e -> 0, which is (I v - q) / 2.

>>> x = [1.0, -1.0, 0.0, 0.0]                                         # w_1, w_2, b_1, b_2
>>> objective, gradient, hessian = stored_pair(x, density=0.3, ratio=1.0, weight=0.01)
>>> round(float(objective), 6), gradient.round(6)                     # p^2 / 3 + 2 lambda; each bias wants to rise, by p^2 / 3
(0.05, array([ 0.025, -0.025, -0.03 , -0.03 ]))
>>> limit = pair_limit(0.3, [0.5, 1])
>>> limit["weight"].round(8), limit["fades"]
(array([0.0130119 , 0.03912483]), array([False, False]))

Source: derived here; the questions are O49, O50 and O51 of Levine, "Mathematics for AI Safety" (2026).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked, require_range
from tegum.errors import InvalidInputError
from tegum.theory.candidates import dropped_loss

Array = NDArray[np.float64]

_NODES = np.array([0.5 - np.sqrt(1 / 12), 0.5 + np.sqrt(1 / 12)])
"""Two nodes of Gauss on [0, 1], each of weight 1/2: exact for cubics."""

_BY = ("", "a", "s", "b", "aa", "as", "ab", "ss", "sb", "bb")
_ROUNDS, _DAMPING, _ROUNDING = 200, 1e-3, 1e-13
_STARTS = ((1.0, -1.0), (1.0, -0.6), (1.0, -0.3), (1.0, -0.1))
_SEARCHES, _RELATIVE, _TRACE = 40, 1e-13, 1e-4


@checked
def stored_pair(
    x: ArrayLike, density: ArrayLike, ratio: ArrayLike = 1.0, weight: ArrayLike = 0.0
) -> tuple[Array, Array, Array]:
    """The objective (...), its gradient (..., 4) and its Hessian (..., 4, 4) at x = (w_1, w_2, b_1, b_2).

    Importances are (1, ratio), ``weight`` is that of the penalty; all broadcast with the leading axes of x.  The gradient is
    continuous except where a weight and its bias are both 0; the Hessian is that of one side where it jumps.

    Raises:
        InvalidInputError: for another shape, or numbers out of range.
    """
    x = np.asarray(x, dtype=np.float64)
    if not x.shape or x.shape[-1] != 4:
        raise InvalidInputError(f"x has shape {x.shape}", "give (..., 4): two weights and two biases")
    limits = (("x", x, -1e15), ("density", density, 0), ("ratio", ratio, 0), ("weight", weight, 0))
    for name, values, low in limits:
        require_range(name, values, low, 1 if name == "density" else 1e15)
    p, r, penalty = (np.asarray(value, dtype=np.float64) for value in (density, ratio, weight))
    return objective_of(x, p, r, penalty)


def objective_of(x: Array, p: Array, ratio: Array, weight: Array, hessian: bool = True) -> tuple[Array, Array, Array]:
    """What `stored_pair` returns, of numbers that are in range; without a Hessian NaN stands in its place."""
    w1, w2, b1, b2 = np.moveaxis(x, -1, 0)
    s = w1 * w2
    first, second = _output(w1 * w1, s, b1, p), _output(w2 * w2, s, b2, p)
    one, two = (dict(zip(_BY, each, strict=True)) for each in (first, second))
    value = one[""] + ratio * two[""] + 2 * weight * s * s
    by_s = one["s"] + ratio * two["s"] + 4 * weight * s
    A, C = one["a"], ratio * two["a"]
    slopes = 2 * w1 * A + w2 * by_s, 2 * w2 * C + w1 * by_s, one["b"], ratio * two["b"]
    gradient = np.stack(np.broadcast_arrays(*slopes), axis=-1)
    if not hessian:
        return value, gradient, np.full((), np.nan)
    ss = one["ss"] + ratio * two["ss"] + 4 * weight
    H = np.empty((*gradient.shape, 4))
    H[..., 0, 0] = 2 * A + 4 * w1 * w1 * one["aa"] + 4 * w1 * w2 * one["as"] + w2 * w2 * ss
    H[..., 1, 1] = 2 * C + 4 * w2 * w2 * ratio * two["aa"] + 4 * w1 * w2 * ratio * two["as"] + w1 * w1 * ss
    H[..., 0, 1] = by_s + 2 * w1 * w1 * one["as"] + 2 * w2 * w2 * ratio * two["as"] + w1 * w2 * ss
    H[..., 0, 2] = 2 * w1 * one["ab"] + w2 * one["sb"]
    H[..., 1, 2] = w1 * one["sb"]
    H[..., 0, 3] = ratio * w2 * two["sb"]
    H[..., 1, 3] = ratio * (2 * w2 * two["ab"] + w1 * two["sb"])
    H[..., 2, 2], H[..., 3, 3], H[..., 2, 3] = one["bb"], ratio * two["bb"], 0
    for i, k in ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)):
        H[..., k, i] = H[..., i, k]
    return value, gradient, H


def _output(a: Array, s: Array, b: Array, p: Array) -> tuple[Array, ...]:
    """E (x - r(a x + s x' + b))^2, and its derivatives by a, s, b, aa, as, ab, ss, sb, bb."""
    a, s, b, p = np.broadcast_arrays(a, s, b, p)
    slope = np.where(s == 0, 1.0, s)
    kinks = [np.clip(np.where(s == 0, 0.0, end / slope), 0, 1) for end in (-b, -a - b)]  # where t = 0, and where t = -a
    ends = np.stack([np.zeros_like(s), np.minimum(*kinks), np.maximum(*kinks), np.ones_like(s)])
    width = np.diff(ends, axis=0)[:, None]
    other = ends[:-1, None] + width * _NODES.reshape(2, *(1,) * s.ndim)  # x', (piece, node, ...)
    mass = p * width / 2
    total = np.zeros((10, *s.shape))
    for x, weight in ((other, mass), (np.zeros((1, 1, *s.shape)), 1 - p)):  # the other feature active, inactive
        g, g_a, g_t, g_aa, g_at, g_tt = (p * one + (1 - p) * none for one, none in zip(*_own(a, b + s * x), strict=True))
        each = (g, g_a, x * g_t, g_t, g_aa, x * g_at, g_at, x * x * g_tt, x * g_tt, g_tt)
        total += [(weight * one).sum(axis=(0, 1)) for one in each]
    return tuple(total)


def _own(a: Array, t: Array) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """G(a, t) and its derivatives by a, t, aa, at, tt where the own feature is active, and where it is not."""
    inside = (t < 0) & (t > -a)
    c = np.where(inside, -t / np.where(inside, a, 1.0), np.where(t >= 0, 0.0, 1.0))
    k = 2 * np.where(inside, c / np.where(inside, a, 1.0), 0.0)  # what moving c adds to second derivatives
    d, d2, d3 = 1 - c, 1 - c * c, 1 - c**3
    active = (
        c**3 / 3 + (1 - a) ** 2 * d3 / 3 - (1 - a) * t * d2 + t * t * d,
        -2 * (1 - a) * d3 / 3 + t * d2,
        -(1 - a) * d2 + 2 * t * d,
        2 * d3 / 3 - k * c * c,
        d2 - k * c,
        2 * d - k,
    )
    passed = np.maximum(t, 0)
    zero = np.zeros_like(passed)
    inactive = passed**2, zero, 2 * passed, zero, zero, np.where(t > 0, 2.0, 0.0)
    return active, inactive


def cost_of_a_trace(density: ArrayLike, same_sign: bool = False) -> Array:
    """q(p): what a trace e of another feature costs a dedicated one, over e^2; elementwise.

    With the opposite sign, or with the same, which costs more: then the last term of the docstring is p (1-p) (1+beta)^3 / 3,
    the bias is negative, and the third is left out.
    """
    p = np.asarray(density, dtype=np.float64)
    require_range("density", p, 0, 1)
    beta, _ = trace(p, same_sign)
    if same_sign:
        cubic = p * (1 - p) * (1 + beta) ** 3 / 3
        return np.asarray(p * p * (1 / 3 + beta) + p * beta**2 - 0.75 * p * (beta + p / 2) ** 2 + cubic)
    cubic = p * (1 - p) * beta**3 / 3
    return np.asarray(p * p / 3 - 3 * p**3 / 16 - p * p * beta / 4 + beta**2 * (1 - 1.75 * p + p * p) + cubic)


def trace(p: Array, same_sign: bool) -> tuple[Array, Array]:
    """The best beta and gamma beside a trace of the opposite or the same sign."""
    if same_sign:
        beta = (1 - p / 2) / (0.5 + np.sqrt(0.25 + (1 - p) * (2 - p))) - 1  # (1 - p) (1 + beta)^2 + beta / 2 + p / 4 = 0
        return beta, -1.5 * (beta + p / 2)
    slope = 2 - 3.5 * p + 2 * p * p
    beta = p * p / 2 / (slope + np.sqrt(slope**2 + p**3 * (1 - p)))  # p (1 - p) beta^2 + slope beta = p^2 / 4
    return beta, 0.75 * p - 1.5 * beta


def descended_pair(x: ArrayLike, density: ArrayLike, ratio: ArrayLike = 1.0, weight: ArrayLike = 0.0) -> tuple[Array, Array]:
    """Minima (..., 4) near x of the objectives, by damped Newton steps that never rise, and the objectives there (...)."""
    density, ratio, weight = (np.asarray(one, dtype=np.float64) for one in (density, ratio, weight))
    shape = np.broadcast_shapes(np.shape(x)[:-1], density.shape, ratio.shape, weight.shape)
    here = np.broadcast_to(np.asarray(x, dtype=np.float64), (*shape, 4)).reshape(-1, 4).copy()
    p, r, penalty = (np.broadcast_to(one, shape).ravel() for one in (density, ratio, weight))
    value, gradient, H = objective_of(here, p, r, penalty)
    damping, going = np.full(len(here), _DAMPING), np.arange(len(here))
    for _ in range(_ROUNDS):
        modes, axes = np.linalg.eigh(H[going])
        along = np.einsum("kij,ki->kj", axes, gradient[going])
        move = np.einsum("kij,kj->ki", axes, along / np.maximum(np.abs(modes), damping[going, None]))
        trial = here[going] - move
        there, slope, curve = objective_of(trial, p[going], r[going], penalty[going])
        better = there <= value[going] + _ROUNDING * np.abs(value[going])
        kept = going[better]
        here[kept], value[kept], gradient[kept], H[kept] = trial[better], there[better], slope[better], curve[better]
        damping[going] = np.clip(np.where(better, damping[going] / 4, damping[going] * 8), 1e-12, 1e6)
        flat = np.abs(gradient[going]).max(axis=1) < _ROUNDING * (p * (1 + r))[going]
        going = going[~(flat | (~better & (damping[going] > 1e5)))]
        if not going.size:
            break
    return here.reshape(*shape, 4), value.reshape(shape)


@checked
def pair_limit(density: ArrayLike, ratio: ArrayLike = 1.0) -> dict[str, Array]:
    """Up to which weight of the penalty a pair is lower than one feature alone, for importances (1, ratio), elementwise.

    Returns:
        ``weight`` (...), lambda_c, 0 where no pair is ever lower; ``fades`` (...), whether the second feature is stored up to
        there and lost continuously; ``x`` (..., 4), the pair at lambda_c, one feature alone where there is none.  Found by
        Dinkelbach's method: the lowest pair at a weight gives a quotient (I v - L) / R, which is the next weight.

    Raises:
        InvalidInputError: for a density out of (0, 1], or a ratio that is not above 0.
    """
    p, r = np.broadcast_arrays(np.asarray(density, dtype=np.float64), np.asarray(ratio, dtype=np.float64))
    require_range("density", p, 1e-12, 1)
    require_range("ratio", r, 1e-12, 1e12)
    less = np.minimum(r, 1 / r)  # the roles of both features change places at a ratio of 1, where all is multiplied by it
    single = dropped_loss(p, less)
    fading = np.maximum((single - cost_of_a_trace(p)) / 2, 0)
    weight = fading
    starts = np.array([(*pair, 0.0, 0.0) for pair in _STARTS])
    best = np.broadcast_to(starts[0], (*p.shape, 4))
    for _ in range(_SEARCHES):
        tried = np.concatenate([np.broadcast_to(starts, (*p.shape, *starts.shape)), best[..., None, :]], axis=-2)
        x, objective = descended_pair(tried, p[..., None], less[..., None], weight[..., None])
        s = x[..., 0] * x[..., 1]
        gained = single[..., None] - objective + 2 * weight[..., None] * s * s
        quotient = np.where(s < -_TRACE, gained / np.where(s < -_TRACE, 2 * s * s, 1.0), -np.inf)
        highest = quotient.max(axis=-1)
        rises = highest > weight * (1 + _RELATIVE)
        chosen = np.take_along_axis(x, quotient.argmax(axis=-1)[..., None, None], axis=-2)[..., 0, :]
        best, weight = np.where(rises[..., None], chosen, best), np.where(rises, highest, weight)
        if not rises.any():
            break
    lost = weight <= fading
    alone = np.stack(np.broadcast_arrays(1.0, 0.0, 0.0, p / 2), axis=-1)
    there = np.where(lost[..., None], alone, best)
    swapped = np.where((r > 1)[..., None], there[..., [1, 0, 3, 2]], there)
    return {"weight": weight * np.maximum(r, 1), "fades": lost & (weight > 0), "x": swapped}
