"""How sets of features that belong together lie: members orthogonal, opposite, side by side, or collapsed into one direction.

Features come in sets of equal size, neighbours in W, numbered as `CorrelatedSets` and `AnticorrelatedSets` do.  What the
members of one set are to one another (c the cosine between every two of them):

    absent        a member's norm is below 1/4
    collapsed     c > 0.95, norms within 0.08 of each other: one direction stands for the set
    antipodal     c < -0.95
    orthogonal    |c| < 0.15
    adjacent      0.15 <= c <= 0.95
    mixed         anything else (diverged: norms that are not finite)

What the sets form together:

    local bases        members orthogonal, each feature opposite (c < -0.95) to one of another set
    antipodal pairs    members antipodal, sets orthogonal to each other (|c| < 0.15)
    polygon            in two dimensions, members side by side around the circle, at gaps of 360/n degrees within a fifth
    k collapsed        k sets collapsed, the others adjacent or orthogonal
    k absent           k features of norm below 1/4
    unnamed            none of these

>>> import numpy as np, tegum as tg
>>> found = tg.geometry.arrangement_of(np.array([[1.0, 0, -1, 0], [0, 1, 0, -1]]), set_size=2)
>>> found.name, str(found)
('local bases', '2 orthogonal')

Source: the experiments with correlated features in section 5 of `Toy Models of Superposition`; names and thresholds are ours.
"""

from collections import Counter
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from tegum.arraylike import takes_arrays
from tegum.errors import InvalidInputError
from tegum.geometry.measures import DIVERGED, cosines, feature_norms, polar_angles

ABSENT, COLLAPSED, ANTIPODAL = "absent", "collapsed", "antipodal"
ORTHOGONAL, ADJACENT, MIXED = "orthogonal", "adjacent", "mixed"
LOCAL_BASES, ANTIPODAL_PAIRS, POLYGON, UNNAMED_SETS = "local bases", "antipodal pairs", "polygon", "unnamed"

_LEARNED, _SAME_NORM = 0.25, 0.08
_PARALLEL, _RIGHT_ANGLE, _UNEVEN = 0.95, 0.15, 0.2


@final
@dataclass(frozen=True)
class Arrangement:
    """What sets form together, by name, and what the members of each are to one another, both as listed above."""

    name: str
    relations: tuple[str, ...]

    @property
    def collapsed(self) -> int:
        """How many sets are collapsed."""
        return self.relations.count(COLLAPSED)

    def __str__(self) -> str:
        """The relations in words, "2 collapsed, 1 orthogonal"."""
        return ", ".join(f"{count} {relation}" for relation, count in Counter(self.relations).items())


@takes_arrays
def set_relations(W: Float[np.ndarray, "m n"], set_size: int) -> tuple[str, ...]:
    """What the members of each set are to one another; takes and refuses what `arrangement_of` does."""
    n = W.shape[1]
    if set_size < 2 or n % set_size:
        raise InvalidInputError(f"set_size is {set_size} for {n} features", "choose a divisor of at least 2")
    norms, c = feature_norms(W).reshape(-1, set_size), cosines(W)
    pairs = np.triu_indices(set_size, 1)
    within = [c[k : k + set_size, k : k + set_size][pairs] for k in range(0, n, set_size)]
    return tuple(_relation(own, between) for own, between in zip(norms, within, strict=True))


def _relation(norms: NDArray[np.floating], c: NDArray[np.floating]) -> str:
    if not np.isfinite(norms).all():
        return DIVERGED
    if (norms < _LEARNED).any():
        return ABSENT
    if (c > _PARALLEL).all():
        return COLLAPSED if np.ptp(norms) <= _SAME_NORM else MIXED
    if (c < -_PARALLEL).all():
        return ANTIPODAL
    if (abs(c) < _RIGHT_ANGLE).all():
        return ORTHOGONAL
    return ADJACENT if ((c >= _RIGHT_ANGLE) & (c <= _PARALLEL)).all() else MIXED


def around_by_sets(W: Float[np.ndarray, "2 n"], set_size: int) -> bool:
    """Whether, going around the plane, the members of every set of consecutive features are neighbours: aabbcc."""
    sets = np.argsort(polar_angles(W)) // set_size
    return bool((sets != np.roll(sets, 1)).sum() == W.shape[1] // set_size)


@takes_arrays
def circle_gaps(W: Float[np.ndarray, "2 n"]) -> Float[np.ndarray, " n"]:
    """The angles between neighbours around the plane, degrees, adding up to 360."""
    angles = np.sort(polar_angles(W))
    return np.asarray(np.diff(angles, append=angles[0] + 360))


@takes_arrays
def arrangement_of(W: Float[np.ndarray, "m n"], set_size: int) -> Arrangement:
    """What the sets form together, by name; ``set_size`` consecutive features are a set.

    Raises:
        InvalidInputError: for sets of one, and where sets of this size do not fill the n features.
    """
    relations = set_relations(W, set_size)
    return Arrangement(_name(W, set_size, relations), relations)


def _name(W: NDArray[np.floating], set_size: int, relations: tuple[str, ...]) -> str:
    n = W.shape[1]
    absent = int((feature_norms(W) < _LEARNED).sum())
    if absent:
        return f"{absent} {ABSENT}"
    kinds, c = set(relations), cosines(W)
    if DIVERGED in kinds:
        return DIVERGED
    sets = np.arange(n) // set_size
    across = sets[:, None] != sets
    if kinds == {ORTHOGONAL} and ((c < -_PARALLEL) & across).any(axis=1).all():
        return LOCAL_BASES
    if kinds == {ANTIPODAL} and (abs(c[across]) < _RIGHT_ANGLE).all():
        return ANTIPODAL_PAIRS
    if kinds == {ADJACENT} and len(W) == 2 and around_by_sets(W, set_size):
        return POLYGON if (abs(circle_gaps(W) - 360 / n) <= _UNEVEN * 360 / n).all() else UNNAMED_SETS
    if COLLAPSED in kinds and kinds <= {COLLAPSED, ADJACENT, ORTHOGONAL}:
        return f"{relations.count(COLLAPSED)} {COLLAPSED}"
    return UNNAMED_SETS


def collapsed_at(W: Float[np.ndarray, "m n"], set_size: int, radius: float) -> int:
    """How many sets are collapsed with every member's norm within 0.08 of ``radius`` (1/sqrt(2) for a pair on its own axis)."""
    found = np.array(set_relations(W, set_size)) == COLLAPSED
    near = np.asarray(abs(feature_norms(W) - radius) <= _SAME_NORM).reshape(-1, set_size)
    return int((found & near.all(axis=1)).sum())
