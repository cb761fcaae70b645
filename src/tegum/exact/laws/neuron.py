"""A single hidden ReLU: y_j = r(w_j r(s + c) + b_j), s = g x, from the losses of outputs with a ReLU.

With h = r(s + c) >= 0 and t_j = -b_j / w_j every output is a sum of two hinges of one number,

    y = alpha + beta r(s + c) + gamma r(s + c - t)          w > 0, b >= 0: (b, w, 0)       w > 0, b < 0: (0, 0, w)
                                                            w < 0, b > 0: (b, w, -w)       w < 0, b <= 0: 0

and since r(s + c) r(s + c - t) = r(s + c - t)^2 + t r(s + c - t), E (x_j - y_j)^2 is made of E r, E r^2 and E x_j r at two
biases d.  These are losses of a row (g, d) on features with two more, of which s knows nothing: o, which is never active, and
a, which always is,

    F_o = E r^2,     F_a = E a^2 - 2 E a E r + E r^2,     F_j = E x_j^2 - 2 E x_j r + E r^2

and of their derivatives by d and g_k, E r, P(s + d > 0), E x_k 1[s + d > 0], E x_j x_k 1[s + d > 0], the gradient is made.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from tegum.errors import InvalidInputError
from tegum.exact.laws.answer import ON_SAMPLES, Asked, Law, sharpened, weighted
from tegum.features import Constant, Features, FiniteLaw, Independent, Joined, Magnitude, Mixture, Uniform

Floats = NDArray[np.float64]

_LEAST_MEAN = 1e-3


class NeuronAnswer(NamedTuple):
    """The squared errors (n,), their errors as in `Answer`, and the derivatives by w (n,), b (n,), g (n,) and c."""

    squared_error: Floats
    error: float
    gradient_error: float
    terms: int
    by_w: Floats
    by_b: Floats
    by_g: Floats
    by_c: float


class _Hinges(NamedTuple):
    """Of a ReLU r for each output j, at a bias of its own: expectations, and those with x_j (own), and by every x_k (n, n)."""

    square: Floats
    mean: Floats
    chance: Floats
    own: Floats
    own_chance: Floats
    each: Floats
    each_chance: Floats
    own_each: Floats


def beside_neuron(features: Features) -> Features:
    """The features, and behind them for every one of them one that is never active, then as many that always are."""
    n, law = features.n_features, magnitude_beside(features)
    return Joined([features.replaced(importance=1.0), Independent(2 * n, np.repeat([0.0, 1.0], n), magnitude=law)])


def neuron_law(features: Features, parts: list[tuple[float, Law]]) -> "NeuronLaw":
    """The law of features whose `beside_neuron` has those parts."""
    law = magnitude_beside(features)
    return NeuronLaw(tuple(parts), features.mean(), np.diag(features.second_moment()), (law.moment(1), law.moment(2)))


def magnitude_beside(features: Features) -> Magnitude:
    """Magnitudes of a mean far from 0, by which is divided, of features that the engine takes beside these.

    Raises:
        InvalidInputError: for magnitudes of your own whose mean is 0, or next to it.
    """
    law = _magnitude(features)
    if isinstance(law, Uniform):
        return Uniform(0, max(law.high, -law.low)) if law.low < 0 < law.high else law
    if not abs(law.moment(1)) >= _LEAST_MEAN * math.sqrt(law.moment(2)):
        what = f"the magnitudes {law!r} have the mean {law.moment(1):.3g}"
        raise InvalidInputError(what, f"the exact engine divides by it for hidden units; {ON_SAMPLES}")
    return law


def _magnitude(features: Features) -> Magnitude:
    """The magnitudes of features, or of the first of their parts."""
    if isinstance(features, Mixture):
        return _magnitude(features.components[0])
    if isinstance(features, Joined):
        return _magnitude(features.parts[0])
    if isinstance(features, FiniteLaw):
        return Constant()
    if not hasattr(features, "magnitude"):
        raise InvalidInputError(f"{type(features).__name__} has no magnitudes of single features", ON_SAMPLES)
    return features.magnitude


@final
@dataclass(frozen=True, eq=False)
class NeuronLaw:
    """Features with those beside them, as a weighted sum of laws; E x_j and E x_j^2, E a and E a^2."""

    parts: tuple[tuple[float, Law], ...]
    mean: Floats
    second: Floats
    always: tuple[float, float]

    def answer(self, w: Floats, b: Floats, g: Floats, c: float, importance: Floats, asked: Asked) -> NeuronAnswer:
        """The squared errors of one model."""
        return sharpened(lambda how: self._once(w, b, g, c, importance, how), importance, asked)

    def _once(self, w: Floats, b: Floats, g: Floats, c: float, importance: Floats, asked: Asked) -> NeuronAnswer:
        safe = np.where(w == 0, 1.0, w)
        t = np.where(w == 0, 0.0, -b / safe)
        first, later = b > 0, t > 0  # b + w h counts from h = 0 on; its sign changes at h = t
        first = first | ((b == 0) & (w > 0))
        alpha = np.where(first, b, 0.0)
        beta, gamma = np.where(first, w, 0.0), np.where(later, np.where(first, -w, w), 0.0)
        (zero, one), errors, terms = self._hinges(g, np.stack([np.full_like(b, c), c - np.where(later, t, 0.0)]), asked)
        x, both = self.mean, one.square + t * one.mean
        squares = self.second - 2 * (alpha * x + beta * zero.own + gamma * one.own) + alpha**2
        squares += 2 * alpha * (beta * zero.mean + gamma * one.mean) + beta**2 * zero.square + gamma**2 * one.square
        squares += 2 * beta * gamma * both
        by_alpha = 2 * (alpha - x + beta * zero.mean + gamma * one.mean)
        by_beta = 2 * (alpha * zero.mean - zero.own + beta * zero.square + gamma * both)
        by_gamma = 2 * (alpha * one.mean - one.own + gamma * one.square + beta * both)
        by_zero = 2 * beta * (alpha * zero.chance - zero.own_chance + beta * zero.mean)
        by_one = 2 * gamma * (alpha * one.chance - one.own_chance + gamma * one.mean)
        by_one += 2 * beta * gamma * (2 * one.mean + t * one.chance)
        by_t = np.where(later, 2 * beta * gamma * one.mean - by_one, 0.0)
        by_w = np.where(first, by_beta, 0.0) + np.where(later, np.where(first, -by_gamma, by_gamma) + by_t * b / safe**2, 0.0)
        by_b = np.where(first, by_alpha, 0.0) - np.where(later, by_t / safe, 0.0)
        B, C, A, T = beta[:, None], gamma[:, None], alpha[:, None], t[:, None]
        by_g = 2 * B * (A * zero.each_chance - zero.own_each) + 2 * B * B * zero.each
        by_g += 2 * C * (A * one.each_chance - one.own_each) + 2 * C * C * one.each
        by_g += 2 * B * C * (2 * one.each + T * one.each_chance)
        size = importance * (2 * (np.abs(beta) + np.abs(gamma)) * (1 + np.abs(alpha)) + (np.abs(beta) + np.abs(gamma)) ** 2)
        size = size * (1 + np.abs(t))
        # where w is 0, values do not know r and the derivative by w does
        steep = size + np.where((w == 0) & first, 2 * importance * (1 + np.abs(alpha)), 0.0)
        slope = float((steep * (1 + 1 / np.abs(safe)) * (1 + np.abs(b / safe))).sum())
        return NeuronAnswer(
            np.maximum(squares, 0),
            float(size.max()) * errors[0],
            4 * slope * (errors[0] + errors[1]),
            terms,
            importance * by_w,
            importance * by_b,
            importance @ by_g,
            float(importance @ (by_zero + by_one)),
        )

    def _hinges(self, g: Floats, d: Floats, asked: Asked) -> tuple[list[_Hinges], tuple[float, float], int]:
        """What is known of r(s + d_j) for each row of biases d (2, n), and errors of values and of derivatives."""
        n, (mean, second) = len(g), self.always
        G = np.zeros((3 * n, 3 * n))
        G[:, :n] = g
        ones = np.ones(3 * n)
        answers = [weighted([(w, law.answer(G, np.tile(row, 3), ones, asked)) for w, law in self.parts]) for row in d]
        found = []
        for one in answers:
            F, by_b, by_g = (part.reshape(3, n, *part.shape[1:]) for part in (one.squared_error, one.db, one.dG[:, :n]))
            own, never, always = range(3)
            square = F[never]
            average = (second + square - F[always]) / (2 * mean)
            found.append(
                _Hinges(
                    square=square,
                    mean=average,
                    chance=(by_b[never] - by_b[always]) / (2 * mean),
                    own=(self.second + square - F[own]) / 2,
                    own_chance=(by_b[never] - by_b[own]) / 2,
                    each=by_g[never] / 2,
                    each_chance=(by_g[never] - by_g[always]) / (2 * mean),
                    own_each=(by_g[never] - by_g[own]) / 2,
                )
            )
        unit = max(1.0, 1 / abs(mean))
        errors = unit * max(one.error for one in answers), unit * max(one.gradient_error for one in answers)
        return found, errors, max(one.terms for one in answers)
