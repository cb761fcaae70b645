"""What is asked of a law of the features for one model, and what it answers."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

ON_SAMPLES = "take a sample of it for the law itself, FiniteLaw(features.sample(100_000, seed=0))"
"""What to do where no law covers a distribution."""

ROUNDING = 1e-15
"""Relative error of a sum of products in double precision, generously."""

_SAFETY, _LEAST_TOL, _MOST_ATTEMPTS = 0.5, 1e-15, 2


class Asked(NamedTuple):
    """How exactly: the relative error of the loss, the least and most terms of a series (equal: so many), and the gradient."""

    tol: float
    least: int
    most: int
    gradient: bool


class Answer(NamedTuple):
    """E (x_j - r(s_j))^2 of each output (n,), s = G x + b, and errors of sum_j I_j E_j and its derivatives.

    ``dG`` (n, n) and ``db`` (n,) are derivatives of the weighted sum; without gradient they are 0.
    """

    squared_error: NDArray[np.float64]
    error: float
    gradient_error: float
    terms: int
    dG: NDArray[np.float64]
    db: NDArray[np.float64]


class Law(Protocol):
    """A law of the features whose losses are known."""

    def answer(self, G: NDArray[np.float64], b: NDArray[np.float64], importance: NDArray[np.float64], asked: Asked) -> Answer:
        """The squared errors of one model y = r(G x + b)."""
        ...


class Known(Protocol):
    """What `sharpened` looks at."""

    @property
    def squared_error(self) -> NDArray[np.float64]:
        """As of `Answer`."""

    @property
    def error(self) -> float:
        """As of `Answer`."""


K = TypeVar("K", bound=Known)


def sharpened(once: Callable[[Asked], K], importance: NDArray[np.float64], asked: Asked) -> K:
    """The answer as exact as asked, of parts whose errors are held to their own size: asked anew where that is not it."""
    found, how = once(asked), asked
    for _ in range(_MOST_ATTEMPTS):
        loss = float(importance @ found.squared_error)
        if asked.least == asked.most or not found.error > asked.tol * loss > 0 or how.tol <= _LEAST_TOL:
            break
        how = how._replace(tol=max(_SAFETY * how.tol * asked.tol * loss / found.error, _LEAST_TOL))
        found = once(how)
    return found


def weighted(parts: list[tuple[float, Answer]]) -> Answer:
    """The answer of a mixture: everything is linear in the law."""
    return Answer(
        np.sum([w * one.squared_error for w, one in parts], axis=0),
        float(sum(w * one.error for w, one in parts)),
        float(sum(w * one.gradient_error for w, one in parts)),
        max(one.terms for _, one in parts),
        np.sum([w * one.dG for w, one in parts], axis=0),
        np.sum([w * one.db for w, one in parts], axis=0),
    )
