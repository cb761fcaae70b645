"""A law of finitely many states: a data set, all 2^n binary states, any table of inputs with probabilities.

    P(x = states[t]) = probabilities[t]

>>> import numpy as np
>>> from tegum.features import Empirical, FiniteLaw
>>> data = np.array([[0.0, 0.4], [0.9, 0.0], [0.5, 0.1], [0.0, 0.0]])          # four samples: each has probability 1/4
>>> Empirical(data).mean()
array([0.35 , 0.125])
>>> FiniteLaw([[1, 0], [0, 1]], probabilities=[0.9, 0.1]).second_moment()
array([[0.9, 0. ],
       [0. , 0.1]])

`Empirical` is the same class under the name that a data set asks for.  A feature counts as active where it is not 0.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike, NDArray

from tegum.checking import real_numbers
from tegum.errors import InvalidInputError, Problems
from tegum.features.distribution import Features

_LARGEST = 1e15
_ROUNDING = 1e-9


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class FiniteLaw(Features):
    """Inputs that take one of finitely many values.

    Args:
        states: the values, (T, n): a row is an input.
        probabilities: how probable each is, (T,), at least 0 and 1 in sum; by default all are equally probable.
        importance: weight of each feature's squared error, at least 0; a number or an array (..., n).

    Raises:
        InvalidInputError: naming every wrong field.
    """

    states: Float[np.ndarray, "T n"]
    probabilities: Float[np.ndarray, " T"]

    def __init__(self, states: ArrayLike, probabilities: ArrayLike | None = None, importance: ArrayLike = 1.0) -> None:
        x = real_numbers("states", states)
        if x.ndim != 2 or not x.size:
            raise InvalidInputError(f"states has shape {x.shape}", "give a row for each state, (T, n)")
        with Problems() as problems:
            p = np.full(len(x), 1 / len(x))
            if probabilities is not None:
                with problems.collecting():
                    p = require_probabilities(real_numbers("probabilities", probabilities), len(x), "state")
            wrong = np.argwhere(~(np.abs(x) <= _LARGEST))
            if len(wrong):
                at = tuple(int(i) for i in wrong[0])
                problems.add(f"state {at[0]} of feature {at[1]} is {x[at]}", f"give numbers up to {_LARGEST:g}")
                x = np.zeros_like(x)
            density = np.clip(p @ (x != 0), 0, 1)
            problems.found.extend(self._set_fields(x.shape[1], density, importance).found)
        self._fill(states=x.copy(), probabilities=p, signed=bool((x < 0).any()))

    def __repr__(self) -> str:
        count, n = self.states.shape
        equal = "" if (self.probabilities == self.probabilities[0]).all() else ", unequal probabilities"
        return f"FiniteLaw({count:,} states of {n} features{equal})"

    def joint_density(self) -> Float[np.ndarray, "n n"]:
        """Probability that two features are active together, shape (n, n); the diagonal is the density."""
        active = (self.states != 0).astype(np.float64)
        return np.asarray(active.T @ (self.probabilities[:, None] * active))

    def mean(self) -> Float[np.ndarray, " n"]:
        """E[x_i], shape (n,)."""
        return np.asarray(self.probabilities @ self.states)

    def second_moment(self) -> Float[np.ndarray, "n n"]:
        """E[x_i x_j], shape (n, n)."""
        return np.asarray(self.states.T @ (self.probabilities[:, None] * self.states))

    def draw(self, n_samples: int, generator: np.random.Generator) -> Float[np.ndarray, "samples n"]:
        """Rows of the table, with replacement."""
        edges = np.cumsum(self.probabilities)
        rows = np.searchsorted(edges, generator.random(n_samples) * edges[-1], side="right")
        return np.asarray(self.states[rows])

    def active(self, n_samples: int, generator: np.random.Generator) -> Bool[np.ndarray, "samples n"]:
        """Where drawn rows are not 0."""
        return np.asarray(self.draw(n_samples, generator) != 0)


Empirical = FiniteLaw
"""The law of a data set: `FiniteLaw` with a state for each sample, all equally probable."""


def require_probabilities(p: NDArray[np.float64], count: int, of: str) -> NDArray[np.float64]:
    """Probabilities that sum to 1 exactly; an `InvalidInputError` where they are none."""
    if p.shape != (count,):
        raise InvalidInputError(f"there are {count} {of}s and probabilities of shape {p.shape}", f"give one for each {of}")
    wrong = np.flatnonzero(~(p >= 0))
    if len(wrong):
        raise InvalidInputError(f"the probability of {of} {wrong[0]} is {p[wrong[0]]:g}", "give numbers of at least 0")
    total = float(p.sum())
    if not abs(total - 1) <= _ROUNDING:
        raise InvalidInputError(f"the probabilities of the {of}s sum to {total:.10g}", "let them sum to 1")
    return np.asarray(p / total)
