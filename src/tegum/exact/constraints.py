"""What weights may be: on a given support, sparse in each column, of little coherence, or within a budget.

    Support(mask)      W_ki = 0 where the mask (m, n) is 0
    ColumnSparse(k)    at most k entries of each column are not 0
    NormBudget(c)      sum_ki W_ki^2 <= c:                                         the norm of all features together
    Coherence(c)       |<W_i, W_j>| <= c |W_i| |W_j|   for every pair of columns:  a column of 0 is coherent with none

The first two say which weights are free.  The others are inequalities s(W) >= 0 with a limit c, and have *multipliers*

    lambda >= 0,   lambda s = 0,   grad objective = sum lambda grad s,   - d objective / d c = sum lambda ds/dc

>>> import numpy as np
>>> slack, by_W, by_limit = NormBudget(2.0).slacks(np.array([[1.0, -0.5]]))
>>> slack, by_W, by_limit
(array([0.75]), array([[[-2.,  1.]]]), array([1.]))

Source: the conditions of Karush, Kuhn and Tucker, and the envelope theorem (Nocedal and Wright, "Numerical Optimization",
chapter 12).
"""

import itertools
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.checking import Checked, misfit, real_numbers, shown
from tegum.errors import InvalidInputError, Problems

Array = NDArray[np.float64]
_LARGEST = 1e15


@dataclass(frozen=True)
class Constraint(metaclass=Checked):
    """What W has to fulfil."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class Support(Constraint):
    """Weights are 0 where ``mask`` (m, n) is."""

    mask: NDArray[np.bool_]

    def __init__(self, mask: ArrayLike) -> None:
        mask = real_numbers("the mask of Support", mask)
        if mask.ndim != 2 or not np.isin(mask, (0, 1)).all():
            raise InvalidInputError(f"the mask of Support is {shown(mask)}", "give 0 or 1 for every weight, shape (m, n)")
        object.__setattr__(self, "mask", mask.astype(bool))

    def __repr__(self) -> str:
        return f"Support({self.mask.astype(int).tolist()})"


@final
@dataclass(frozen=True)
class ColumnSparse(Constraint):
    """At most ``k`` weights of every feature are not 0."""

    k: int

    def __post_init__(self) -> None:
        if problem := misfit("k of ColumnSparse", self.k, int):
            raise InvalidInputError([problem])
        object.__setattr__(self, "k", int(self.k))
        if self.k < 1:
            raise InvalidInputError(f"k of ColumnSparse is {self.k}", "choose at least 1")


class Limit(Constraint):
    """An inequality for W with a limit."""

    @abstractmethod
    def slacks(self, W: Array) -> tuple[Array, Array, Array]:
        """The s of every s(W) >= 0 (c,), their derivatives by W (c, m, n) and by the limit (c,)."""

    def violation(self, W: Array) -> float:
        """How far the worst of the inequalities is from being fulfilled; 0 where all are."""
        return max(0.0, -float(self.slacks(W)[0].min(initial=0)))


@final
@dataclass(frozen=True)
class NormBudget(Limit):
    """The squares of all weights sum up to ``budget`` at most."""

    budget: float

    def __post_init__(self) -> None:
        _check_limit(self, "budget", _LARGEST)

    def slacks(self, W: Array) -> tuple[Array, Array, Array]:
        """The s of every s(W) >= 0 (c,), their derivatives by W (c, m, n) and by the limit (c,)."""
        return np.array([self.budget - (W**2).sum()]), -2 * W[None], np.ones(1)


@final
@dataclass(frozen=True)
class Coherence(Limit):
    """No two columns of W have a cosine above ``limit`` or below its negative; columns of 0 count for nothing."""

    limit: float

    def __post_init__(self) -> None:
        _check_limit(self, "limit", 1)

    def slacks(self, W: Array) -> tuple[Array, Array, Array]:
        """The s of every s(W) >= 0 (c,), their derivatives by W (c, m, n) and by the limit (c,).

        Both signs of <W_i, W_j> for every pair i < j of columns: c |W_i| |W_j| -+ <W_i, W_j>.
        """
        norms = np.linalg.norm(W, axis=0)
        units = W / np.where(norms > 0, norms, 1)
        i, j = np.triu_indices(W.shape[1], 1)
        pair, count = np.arange(len(i)), len(i)
        products, sizes = (W[:, i] * W[:, j]).sum(axis=0), norms[i] * norms[j]
        together, apart = np.zeros((2, count, *W.shape))
        together[pair, :, i], together[pair, :, j] = W[:, j].T, W[:, i].T
        apart[pair, :, i], apart[pair, :, j] = (norms[j] * units[:, i]).T, (norms[i] * units[:, j]).T
        slack = np.concatenate([self.limit * sizes - products, self.limit * sizes + products])
        by_W = np.concatenate([self.limit * apart - together, self.limit * apart + together])
        return slack, by_W, np.concatenate([sizes, sizes])


def _check_limit(constraint: Any, name: str, most: float) -> None:
    value, problems = getattr(constraint, name), Problems()
    called = f"the {name} of {type(constraint).__name__}"
    if problem := misfit(called, value, float):
        problems.add(*problem)
    else:
        problems.check_number(called, float(value), 0, most)
    problems.raise_if_any()
    object.__setattr__(constraint, name, float(value))


def constraints_checked(constraints: Sequence[Any], shape: tuple[int, int]) -> tuple[Constraint, ...]:
    """The constraints, refused where they are none or do not fit W of this shape (m, n).

    Raises:
        InvalidInputError: naming everything that is wrong.
    """
    problems = Problems()
    for one in constraints:
        if not isinstance(one, Constraint):
            problems.add(
                f"a constraint is {shown(one)}",
                "choose among tegum.exact.Support, ColumnSparse, NormBudget and Coherence",
            )
        elif isinstance(one, Support) and one.mask.shape != shape:
            problems.add(f"the mask of Support has shape {one.mask.shape}", f"give one as W, {shape}")
        elif isinstance(one, ColumnSparse) and one.k > shape[0]:
            problems.add(f"k of ColumnSparse is {one.k}", f"choose at most {shape[0]}, the hidden dimensions")
    for kind in (ColumnSparse, NormBudget, Coherence):
        if sum(isinstance(one, kind) for one in constraints) > 1:
            problems.add(f"{kind.__name__} is given more than once", "give the tightest")
    problems.raise_if_any()
    return tuple(constraints)


def allowed(constraints: Sequence[Constraint], W: Array) -> NDArray[np.bool_]:
    """Which weights are free (..., m, n): on every support, and of each column the k largest of W where it is to be sparse."""
    free = np.ones(W.shape, dtype=bool)
    for one in constraints:
        if isinstance(one, Support):
            free = free & one.mask
    for one in constraints:
        if isinstance(one, ColumnSparse):
            size = np.where(free, np.abs(W), -1.0)
            order = np.argsort(np.argsort(-size, axis=-2, kind="stable"), axis=-2, kind="stable")
            free = free & (order < one.k)
    return free


def supports_over(used: NDArray[np.bool_], allowed_here: NDArray[np.bool_], most: int) -> list[NDArray[np.bool_]]:
    """Every choice of at most ``most`` entries of a column that has those in use."""
    others = np.flatnonzero(allowed_here & ~used)
    more = min(most - int(used.sum()), others.size)
    found = []
    for chosen in itertools.combinations(others, more):
        mask = used.copy()
        mask[list(chosen)] = True
        found.append(mask)
    return found


def limits(constraints: Sequence[Constraint]) -> tuple[Limit, ...]:
    """Those that are inequalities."""
    return tuple(one for one in constraints if isinstance(one, Limit))
