"""Mixtures: each sample comes from one of several distributions, chosen at random.  Trees of features are mixtures.

    P(x) = sum_c w_c P_c(x)                the expected loss is linear in it: L = sum_c w_c L_c

>>> from tegum.features import Independent, Mixture, tree
>>> leader = Mixture([Independent(2, [1.0, 0.8]), Independent(2, [0.0, 0.1])], weights=[0.2, 0.8])     # 1 follows 0
>>> leader.joint_density().round(2)
array([[0.2 , 0.16],
       [0.16, 0.24]])

A `tree` has a feature active only together with its parent:

>>> tree([None, 0, 0], density=[0.5, 0.4, 0.1]).joint_density().round(3)
array([[0.5 , 0.2 , 0.05],
       [0.2 , 0.2 , 0.02],
       [0.05, 0.02, 0.05]])
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from tegum.checking import checked, real_numbers
from tegum.errors import InvalidInputError, Problems
from tegum.features.distribution import Features
from tegum.features.finite import require_probabilities
from tegum.features.independent import Independent
from tegum.features.magnitudes import Magnitude, Uniform

_MOST_BRANCHING = 12


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class Mixture(Features):
    """Samples of which each comes from one of several distributions.

    Args:
        components: the distributions, of the same number of features; each a single one, of importance 1.
        weights: how probable each is, (components,), 1 in sum; by default all are equally probable.
        importance: weight of each feature's squared error, at least 0; a number or an array (..., n).

    Raises:
        InvalidInputError: naming every wrong field.
    """

    components: tuple[Features, ...]
    weights: Float[np.ndarray, " components"]

    def __init__(self, components: Sequence[Features], weights: ArrayLike | None = None, importance: ArrayLike = 1.0) -> None:
        parts = require_parts("components", components)
        with Problems() as problems:
            sizes = sorted({one.n_features for one in parts})
            if len(sizes) > 1:
                problems.add(f"the components have {' and '.join(map(str, sizes))} features", "let all have the same")
            w = np.full(len(parts), 1 / len(parts))
            if weights is not None:
                with problems.collecting():
                    w = require_probabilities(real_numbers("weights", weights), len(parts), "component")
            problems.raise_if_any()
            density = np.clip(sum(p * one.feature_density for p, one in zip(w, parts, strict=True)), 0, 1)
            problems.found.extend(self._set_fields(sizes[0], density, importance).found)
        self._fill(components=parts, weights=w, signed=any(one.signed for one in parts))

    def _kept_beside(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Other components of equal weights have equal weights, too, however many there are."""
        even = "components" in changes and bool((self.weights == self.weights[0]).all())
        return super()._kept_beside(changes) | ({"weights": None} if even else {})

    def joint_density(self) -> Float[np.ndarray, "n n"]:
        """Probability that two features are active together, shape (n, n); the diagonal is the density."""
        return np.asarray(sum(p * one.joint_density() for p, one in zip(self.weights, self.components, strict=True)))

    def mean(self) -> Float[np.ndarray, " n"]:
        """E[x_i], shape (n,)."""
        return np.asarray(sum(p * one.mean() for p, one in zip(self.weights, self.components, strict=True)))

    def second_moment(self) -> Float[np.ndarray, "n n"]:
        """E[x_i x_j], shape (n, n)."""
        return np.asarray(sum(p * one.second_moment() for p, one in zip(self.weights, self.components, strict=True)))

    def draw(self, n_samples: int, generator: np.random.Generator) -> Float[np.ndarray, "samples n"]:
        """Samples whose component is drawn first."""
        chosen = generator.choice(len(self.components), size=n_samples, p=self.weights)
        x = np.empty((n_samples, self.n_features))
        for number, one in enumerate(self.components):
            here = chosen == number
            if here.any():
                x[here] = one.draw(int(here.sum()), generator)
        return x

    def active(self, n_samples: int, generator: np.random.Generator) -> Bool[np.ndarray, "samples n"]:
        """Where samples are not 0."""
        return np.asarray(self.draw(n_samples, generator) != 0)


def require_parts(name: str, given: object) -> tuple[Features, ...]:
    """The distributions that a larger one is made of; an `InvalidInputError` where they are none, or batches, or weighted."""
    parts = tuple(given) if isinstance(given, Sequence) else ()
    with Problems() as problems:
        if not parts:
            problems.add(f"{name} is {given!r}", "give a list of distributions, such as [Independent(5, 0.1), ...]")
        for number, one in enumerate(parts):
            if not isinstance(one, Features):
                problems.add(f"{name}[{number}] is {one!r}", "give a distribution, such as tegum.features.Independent(5, 0.1)")
            elif one.batch_shape:
                advice = "give a single distribution; a sweep may vary the whole list"
                problems.add(f"{name}[{number}] has leading axes {one.batch_shape}", advice)
            elif (one.importance != 1).any():
                problems.add(f"{name}[{number}] has an importance of its own", "give the importance to the whole")
    return parts


@checked
def tree(
    parents: Sequence[int | None],
    density: ArrayLike,
    importance: ArrayLike = 1.0,
    magnitude: Magnitude = Uniform(),
    signed: bool = False,
) -> Mixture:
    """Features of which each can be active only together with its parent: a `Mixture` over what the inner ones do.

    Args:
        parents: the parent of each feature, an earlier one, or None for a root.
        density: probability that a feature is active given that its parent is; of a root, that it is active.
        importance: weight of each feature's squared error.
        magnitude: law of the magnitude of an active feature.
        signed: whether an active feature gets a random sign.

    Raises:
        InvalidInputError: for a parent that is no earlier feature, or more than 12 features that have children.
    """
    n = len(parents)
    for i, parent in enumerate(parents):
        if parent is not None and not 0 <= parent < i:
            raise InvalidInputError(
                f"the parent of feature {i} is {parent}",
                f"choose None or an earlier feature, 0 to {i - 1}" if i else "choose None: there is none before it",
            )
    plain = Independent(n, density, magnitude=magnitude, signed=signed)
    if plain.batch_shape:
        raise InvalidInputError(f"density has leading axes {plain.batch_shape}", f"give ({n},)")
    p, inner = plain.density, sorted({parent for parent in parents if parent is not None})
    if len(inner) > _MOST_BRANCHING:
        what = f"{len(inner)} features have children"
        raise InvalidInputError(what, f"choose at most {_MOST_BRANCHING}, or join smaller trees: Joined([tree(...), ...])")
    components, weights = [], []
    for states in itertools.product((1, 0), repeat=len(inner)):
        on, weight = dict(zip(inner, states, strict=True)), 1.0
        given = np.empty(n)
        for i, parent in enumerate(parents):
            chance = p[i] if parent is None or on[parent] else 0.0
            given[i] = on.get(i, chance)
            weight *= 1.0 if i not in on else chance if on[i] else 1 - chance
        if weight > 0:
            components.append(plain.replaced(density=given))
            weights.append(weight)
    return Mixture(components, np.array(weights) / np.sum(weights), importance)
