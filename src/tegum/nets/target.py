"""What outputs are compared with where a net is to compute, not only to store: y against r(A x + v), or A x + v.

>>> import numpy as np
>>> either = TargetMap([[0.5, 0.5, 0], [0, 1, 0], [0, 0, 1]])             # rows of A, most of them short
>>> either
TargetMap(A=({0: 0.5, 1: 0.5}, {1: 1.0}, {2: 1.0}), v=(0.0, 0.0, 0.0), relu=True)
>>> either(np.array([[1.0, -0.5, -1.0]]))
array([[0.25, 0.  , 0.  ]])

A row costs as much as it has entries that are not 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.checking import Checked, numbers, real_numbers
from tegum.errors import InvalidInputError

_LARGEST = 1e15


@final
@dataclass(frozen=True, repr=False)
class TargetMap(metaclass=Checked):
    """The target r(A x + v), r a ReLU.

    Args:
        A: the matrix (n, n); or a list of n rows as dictionaries, from the column of each entry that is not 0 to the entry.
        v: what is added, a number or (n,).
        relu: whether the ReLU is there.

    Raises:
        InvalidInputError: for a matrix that is not square, or entries that are not finite.
    """

    A: Any
    v: Any = 0.0
    relu: bool = True

    def __post_init__(self) -> None:
        rows = _rows(self.A)
        if rows is None:
            A = real_numbers("A of the target map", self.A)
            if A.ndim != 2 or A.shape[0] != A.shape[1]:
                raise InvalidInputError(f"A of the target map has shape {A.shape}", "give a row and a column for each feature")
            rows = [{int(i): float(row[i]) for i in np.flatnonzero(row)} for row in A]
        n = len(rows)
        wrong = [i for row in rows for i in row if isinstance(i, bool) or not isinstance(i, int | np.integer) or not 0 <= i < n]
        if wrong:
            column = wrong[0] if isinstance(wrong[0], int | np.integer) else repr(wrong[0])
            raise InvalidInputError(f"A of the target map has an entry in column {column}", f"choose from 0 to {n - 1}")
        v = real_numbers("v of the target map", self.v)
        if v.shape not in ((), (n,)):
            raise InvalidInputError(f"v of the target map has shape {v.shape}", f"give a number or ({n},)")
        entries = real_numbers("A of the target map", [a for row in rows for a in row.values()])
        if not (np.abs(np.concatenate([entries, v.ravel()])) < _LARGEST).all():
            raise InvalidInputError("A or v of the target map holds numbers that are not finite", f"choose below {_LARGEST:g}")
        if not isinstance(self.relu, bool):
            raise InvalidInputError(f"relu of the target map is {self.relu!r}", "give True or False")
        object.__setattr__(self, "A", tuple(tuple((int(i), float(row[i])) for i in sorted(row)) for row in rows))
        object.__setattr__(self, "v", tuple(np.broadcast_to(v, n).tolist()))

    def __repr__(self) -> str:
        rows = tuple(dict(row) for row in self.A)
        return f"TargetMap(A={rows}, v={self.v}, relu={self.relu})"

    @property
    def n_features(self) -> int:
        """How many features there are."""
        return len(self.A)

    def matrix(self) -> NDArray[np.float64]:
        """A (n, n)."""
        found = np.zeros((self.n_features, self.n_features))
        for row, entries in zip(found, self.A, strict=True):
            for i, a in entries:
                row[i] = a
        return found

    def __call__(self, x: ArrayLike) -> NDArray[np.floating]:
        """The targets (..., n) of inputs (..., n)."""
        found = numbers("x", x) @ self.matrix().T + np.array(self.v)
        return np.asarray(np.maximum(found, 0) if self.relu else found)


def _rows(A: Any) -> list[Mapping[Any, Any]] | None:
    """The rows of A as dictionaries, where they are that, or tuples of columns and entries as they are stored; else None."""
    if isinstance(A, list | tuple) and all(isinstance(row, Mapping) for row in A):
        return list(A)
    if isinstance(A, tuple) and all(isinstance(row, tuple) for row in A):
        pairs = all(isinstance(one, tuple) and len(one) == 2 for row in A for one in row)
        return [dict(row) for row in A] if pairs else None
    return None
