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

A data set that is drawn once is a law, too, for both engines: `tegum.train(net, features, recipe, data=...)` trains on it, and
`tegum.exact` knows its loss.  Sparse samples are stored as such (`scipy.sparse`), and never made dense by either.

>>> from tegum.features import Independent, data_set
>>> samples = data_set(Independent(10_000, density=0.001), n_samples=300, seed=0)
>>> samples, round(samples.rows.nnz / 300, 1)                                   # active features of a sample
(FiniteLaw(300 states of 10,000 features), 10.2)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
import scipy
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked, is_sparse, real_numbers, require_memory, require_seeds
from tegum.errors import InvalidInputError, Problems
from tegum.features.distribution import Features

_LARGEST = 1e15
_ROUNDING, _LAST_BITS = 1e-9, 1e-14
_DRAWN_AT_ONCE, _NUMBERS_AT_ONCE = 64, 64_000
_SPARSE = 0.2
"""Samples are stored as sparse rows where a smaller share of their numbers is not 0."""


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class FiniteLaw(Features):
    """Inputs that take one of finitely many values.

    Args:
        states: the values, (T, n), an array or a sparse one of SciPy: a row is an input.
        probabilities: how probable each is, (T,), at least 0 and 1 in sum; by default all are equally probable.
        importance: weight of each feature's squared error, at least 0; a number or an array (..., n).

    Raises:
        InvalidInputError: naming every wrong field.
    """

    states: Any  # an array, or `scipy.sparse.csr_array`, as it was given
    probabilities: Float[np.ndarray, " T"]

    def __init__(self, states: Any, probabilities: ArrayLike | None = None, importance: ArrayLike = 1.0) -> None:
        sparse = is_sparse(states)
        if sparse and states.dtype.kind not in "biuf":
            raise InvalidInputError(f"states holds {states.dtype} numbers", "give real numbers")
        x: Any = _sparse_rows(states) if sparse else real_numbers("states", states)
        if x.ndim != 2 or 0 in x.shape:
            raise InvalidInputError(f"states has shape {x.shape}", "give a row for each state, (T, n)")
        count, n = x.shape
        with Problems() as problems:
            p = np.full(count, 1 / count)
            if probabilities is not None:
                with problems.collecting():
                    p = require_probabilities(real_numbers("probabilities", probabilities), count, "state")
            given = x.data if sparse else x
            wrong = np.argwhere(~(np.abs(given) <= _LARGEST))
            if len(wrong):
                at = tuple(int(i) for i in wrong[0])
                t, i = (int(np.searchsorted(x.indptr, at[0], "right")) - 1, int(x.indices[at[0]])) if sparse else at
                problems.add(f"state {t} of feature {i} is {given[at]}", f"give numbers up to {_LARGEST:g}")
                given[:] = 0.0
            if sparse:
                density = np.bincount(x.indices, np.repeat(p, np.diff(x.indptr)) * (given != 0), n)
            else:
                density = p @ (x != 0)
            problems.found.extend(self._set_fields(n, np.clip(density, 0, 1), importance).found)
        self._fill(states=x if sparse else x.copy(), probabilities=p, signed=bool((given < 0).any()))

    def __repr__(self) -> str:
        count, n = self.states.shape
        equal = "" if self.is_even else ", unequal probabilities"
        return f"FiniteLaw({count:,} states of {n:,} features{equal})"

    @property
    def is_even(self) -> bool:
        """Whether all states are equally probable, as those of a data set are."""
        return bool((self.probabilities == self.probabilities[0]).all())

    def _kept_beside(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Other states of equal probabilities are equally probable, too, however many there are."""
        return super()._kept_beside(changes) | ({"probabilities": None} if "states" in changes and self.is_even else {})

    @cached_property
    def rows(self) -> Any:
        """The states as sparse rows, `scipy.sparse.csr_array` (T, n), columns in order."""
        return self.states if is_sparse(self.states) else _sparse_rows(self.states)

    @property
    def table(self) -> Float[np.ndarray, "T n"]:
        """The states as an array.

        Raises:
            InvalidInputError: where sparse ones would not fit into memory.
        """
        if not is_sparse(self.states):
            return np.asarray(self.states)
        count, n = self.states.shape
        require_memory(f"a table of {count:,} states of {n:,} features", 8 * count * n)
        return np.asarray(self.states.toarray())

    def joint_density(self) -> Float[np.ndarray, "n n"]:
        """Probability that two features are active together, shape (n, n); the diagonal is the density."""
        return self._products((self.states != 0).astype(np.float64))

    def mean(self) -> Float[np.ndarray, " n"]:
        """E[x_i], shape (n,)."""
        return np.asarray(self.probabilities @ self.states)

    def second_moment(self) -> Float[np.ndarray, "n n"]:
        """E[x_i x_j], shape (n, n)."""
        return self._products(self.states)

    def _products(self, x: Any) -> Float[np.ndarray, "n n"]:
        """sum_t p_t x_ti x_tj, of the states or what was made of them."""
        require_memory(f"a matrix of {self.n_features:,} features", 8 * self.n_features**2)
        if not is_sparse(x):
            return np.asarray(x.T @ (self.probabilities[:, None] * x))
        return np.asarray((x.T @ x.multiply(self.probabilities[:, None]).tocsr()).toarray())

    def draw(self, n_samples: int, generator: np.random.Generator) -> Float[np.ndarray, "samples n"]:
        """Rows of the table, with replacement."""
        edges = np.cumsum(self.probabilities)
        drawn = self.states[np.searchsorted(edges, generator.random(n_samples) * edges[-1], side="right")]
        return np.asarray(drawn.toarray() if is_sparse(drawn) else drawn)

    def active(self, n_samples: int, generator: np.random.Generator) -> Bool[np.ndarray, "samples n"]:
        """Where drawn rows are not 0."""
        return np.asarray(self.draw(n_samples, generator) != 0)


Empirical = FiniteLaw
"""The law of a data set: `FiniteLaw` with a state for each sample, all equally probable."""


@checked
def data_set(features: Features, n_samples: int, seed: int = 0) -> FiniteLaw:
    """Samples of one distribution, drawn once and for all: a law of as many states, all equally probable.

    Of one seed a smaller set is the beginning of a larger one.  The set has the importance of the features; where most of its
    numbers are 0 it is stored as sparse rows.

    >>> from tegum.features import Independent, UnitLength
    >>> few, more = (data_set(UnitLength(Independent(50, density=0.1)), count, seed=1) for count in (3, 70))
    >>> bool((few.table == more.table[:3]).all()), np.linalg.norm(few.table, axis=1)
    (True, array([1., 1., 1.]))

    Args:
        features: the distribution.
        n_samples: T, how many.
        seed: of the samples.

    Raises:
        InvalidInputError: for a batch of distributions, less than one sample, or more than fit into memory.
    """
    if features.batch_shape:
        raise InvalidInputError(
            f"the features have leading axes {features.batch_shape}", "draw from one distribution at a time"
        )
    if n_samples < 1:
        raise InvalidInputError(f"n_samples is {n_samples}", "draw at least 1 sample")
    require_seeds(seed)
    share = float(features.feature_density.mean())
    sparse = share < _SPARSE
    numbers = n_samples * (2 * (share * features.n_features + 1) if sparse else features.n_features)
    require_memory(f"a data set of {n_samples:,} samples", int(2 * 8 * numbers))
    generator, parts = np.random.default_rng(seed), list[Any]()
    together = _DRAWN_AT_ONCE * max(1, _NUMBERS_AT_ONCE // (_DRAWN_AT_ONCE * features.n_features))
    for first in range(0, n_samples, together):  # always as many, so that fewer samples are the same samples
        drawn = features.draw(together, generator)[: n_samples - first]
        parts.append(scipy.sparse.csr_array(drawn) if sparse else drawn)
    return FiniteLaw(scipy.sparse.vstack(parts) if sparse else np.concatenate(parts), importance=features.importance)


def _sparse_rows(states: Any) -> Any:
    """A table as sparse rows of its own, columns in order and each once, zeros left out, places in one kind of integers."""
    x = scipy.sparse.csr_array(states, dtype=np.float64, copy=True)
    if x.ndim == 2:
        x.sum_duplicates()
        x.eliminate_zeros()
        places = np.int32 if max(x.nnz, *x.shape) < 2**31 else np.int64
        x.indices, x.indptr = x.indices.astype(places), x.indptr.astype(places)
    return x


def require_probabilities(p: NDArray[np.float64], count: int, of: str) -> NDArray[np.float64]:
    """Probabilities that sum to 1; those that do are left as they are, bit for bit.

    Raises:
        InvalidInputError: where they are none.
    """
    if p.shape != (count,):
        raise InvalidInputError(f"there are {count} {of}s and probabilities of shape {p.shape}", f"give one for each {of}")
    wrong = np.flatnonzero(~(p >= 0))
    if len(wrong):
        raise InvalidInputError(f"the probability of {of} {wrong[0]} is {p[wrong[0]]:g}", "give numbers of at least 0")
    total = float(p.sum())
    if not abs(total - 1) <= _ROUNDING:
        raise InvalidInputError(f"the probabilities of the {of}s sum to {total:.10g}", "let them sum to 1")
    return np.asarray(p if abs(total - 1) <= _LAST_BITS else p / total)
