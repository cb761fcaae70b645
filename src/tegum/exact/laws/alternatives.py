"""What can be active together, as blocks of alternatives: of each block one set of features, or none.

    Independent           a block for each feature: {i}
    sets                  a block for each set: the whole set, or each of its features
    k of n                one block: all choices of k
    mixtures              one block: every set that some component makes active, with its probability
    parts side by side    the blocks of all parts

A feature may be in several alternatives of a block, as in a tree or a mixture, which `tegum.features.Blocks` does not allow.
"""

import itertools
import math
from collections import defaultdict

import numpy as np

from tegum.errors import InvalidInputError
from tegum.exact.laws.answer import ON_SAMPLES
from tegum.features import Features, Joined, KSparse, Magnitude, Mixture

Alternatives = list[tuple[tuple[int, ...], float]]
Kind = tuple[Magnitude, bool]

_MOST = 256


def alternatives(features: Features) -> tuple[list[Alternatives], list[Kind]]:
    """The blocks of a single distribution, and the magnitude law and signs of each feature.

    Raises:
        InvalidInputError: where there would be too many alternatives, or they are not known.
    """
    name = type(features).__name__
    if isinstance(features, Joined):
        blocks, kinds = list[Alternatives](), list[Kind]()
        for part in features.parts:
            own, laws = alternatives(part)
            blocks += [[(tuple(i + len(kinds) for i in members), p) for members, p in block] for block in own]
            kinds += laws
        return blocks, kinds
    if isinstance(features, Mixture):
        parts = [alternatives(one) for one in features.components]
        if any(laws != parts[0][1] for _, laws in parts):
            raise InvalidInputError("a part is a Mixture of different magnitudes", f"mix the whole instead, or {ON_SAMPLES}")
        chance: defaultdict[tuple[int, ...], float] = defaultdict(float)
        for weight, (blocks, _) in zip(features.weights, parts, strict=True):
            for members, p in _together(blocks).items():
                chance[members] += float(weight) * p
        return [_listed(chance)], parts[0][1]
    if not hasattr(features, "magnitude"):
        raise InvalidInputError(f"{name} stands beside other distributions", f"the exact engine takes it alone; {ON_SAMPLES}")
    laws = [(features.magnitude, features.signed)] * features.n_features
    if isinstance(features, KSparse):
        n, k = features.n_features, features.n_active
        if math.comb(n, k) > _MOST:
            what = f"{k} of {n} features have {math.comb(n, k):,} choices beside other distributions"
            raise InvalidInputError(what, f"the exact engine takes up to {_MOST}; {ON_SAMPLES}")
        chosen = list(itertools.combinations(range(n), k))
        return [[(members, 1 / len(chosen)) for members in chosen]], laws
    if not features.has_blocks():
        raise InvalidInputError(f"{name} has no independent blocks", f"give it a method blocks(), or {ON_SAMPLES}")
    table = features.blocks()
    blocks = [[] for _ in range(int(table.block_of_component[-1]) + 1)]
    for component, block in enumerate(table.block_of_component):
        members = tuple(int(i) for i in np.flatnonzero(table.component_of_feature == component))
        blocks[int(block)].append((members, float(table.probability[component])))
    return blocks, laws


def _together(blocks: list[Alternatives]) -> dict[tuple[int, ...], float]:
    """All sets of features that independent blocks make active, with their probabilities."""
    found: dict[tuple[int, ...], float] = {(): 1.0}
    for block in blocks:
        idle = max(1 - sum(p for _, p in block), 0.0)
        more: defaultdict[tuple[int, ...], float] = defaultdict(float)
        for members, chance in found.items():
            for others, p in [*block, ((), idle)]:
                if p > 0:
                    more[tuple(sorted(members + others))] += chance * p
        if len(more) > _MOST:
            what = f"a part that is a Mixture makes more than {_MOST} sets of features active"
            raise InvalidInputError(what, f"let parts be smaller, or {ON_SAMPLES}")
        found = dict(more)
    return found


def _listed(chance: dict[tuple[int, ...], float]) -> Alternatives:
    return [(members, p) for members, p in sorted(chance.items()) if members]
