"""Which law a distribution has: mixtures taken apart, equal blocks put together, everything else refused by name."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tegum.errors import InvalidInputError, Problems
from tegum.exact.laws.absolute import AbsoluteLaw
from tegum.exact.laws.alternatives import alternatives
from tegum.exact.laws.answer import ON_SAMPLES, Answer, Asked, Law, weighted
from tegum.exact.laws.blocks import alternatives_law, blocks_law, in_engine
from tegum.exact.laws.lattice import MOST_HALF, LatticeLaw, Part, halves
from tegum.exact.laws.linear import LinearLaw
from tegum.exact.laws.magnitude import Transform
from tegum.exact.laws.neuron import NeuronLaw, beside_neuron, magnitude_beside, neuron_law
from tegum.exact.laws.one_active import OneActiveLaw
from tegum.exact.laws.smooth import smooth_law
from tegum.exact.laws.states import StatesLaw
from tegum.exact.laws.target import TargetLaw
from tegum.exact.laws.transform import choices_law, transform_law
from tegum.exact.parameters import is_neuron, map_of, outputs_of, pulled_back
from tegum.features import Blocks, Constant, Features, FiniteLaw, Joined, KSparse, Mixture, Uniform, UnitLength
from tegum.nets import ACTIVATIONS, Activation, Net, TargetMap

_FEW_STATES = 512
_MOST_STATES = 2**22
_FEW_CHOICES = 1000

Weighted = list[tuple[float, Any]]


@final
@dataclass(frozen=True, eq=False)
class Laws:
    """A batch of distributions in Python: the law of each, as a weighted sum, and its importance (count, n)."""

    each: tuple[Weighted, ...]
    importance: NDArray[np.float64]

    def answer(self, which: int, G: NDArray[np.float64], b: NDArray[np.float64], asked: Asked) -> Answer:
        """The squared errors of one model on distribution ``which``."""
        return weighted([(w, law.answer(G, b, self.importance[which], asked)) for w, law in self.each[which]])

    def knows_weights(self, which: int) -> bool:
        """Whether `answer_of_weights` is right: for finite laws of outputs with a ReLU."""
        return all(isinstance(law, StatesLaw) and law.knows_weights for _, law in self.each[which])

    def answer_of_weights(
        self, which: int, W: NDArray[np.float64], b: NDArray[np.float64], asked: Asked
    ) -> tuple[Answer, NDArray[np.float64], NDArray[np.float64]]:
        """The squared errors of y = r(W^T W x + b), and the derivatives of the loss by W and b; nothing n x n is made."""
        importance = self.importance[which]
        found = [(w, law.answer_of_weights(W, b, importance, asked)) for w, law in self.each[which]]
        answer = weighted([(w, one) for w, (one, _, _) in found])
        return answer, np.sum([w * by for w, (_, by, _) in found], axis=0), answer.db

    def answer_of(
        self, which: int, net: Net, parameters: Sequence[NDArray[np.float64]], asked: Asked
    ) -> tuple[Answer, tuple[NDArray[np.float64], ...]]:
        """The squared errors of one net by its parameters, and the derivatives of the loss by these."""
        law = self.each[which][0][1]
        if not isinstance(law, NeuronLaw):
            if net.tied and self.knows_weights(which):
                W, bias = parameters
                found, *slopes = self.answer_of_weights(which, W, bias, asked)
                return found, tuple(slopes)
            found = self.answer(which, *map_of(net, parameters), asked)
            return found, pulled_back(net, parameters, found.dG, found.db)
        matrices, (b, *hidden) = parameters[: 1 if net.tied else 2], parameters[1 if net.tied else 2 :]
        c = float(hidden[0][0]) if hidden else 0.0
        one = law.answer(matrices[-1].ravel(), b, matrices[0].ravel(), c, self.importance[which], asked)
        by = [one.by_w + one.by_g] if net.tied else [one.by_g, one.by_w]
        slopes = [part.reshape(own.shape) for part, own in zip(by, matrices, strict=True)]
        by_hidden = [np.array([one.by_c])] if hidden else []
        nothing = np.zeros((0, 0)), np.zeros(0)
        return Answer(*one[:4], *nothing), (*slopes, one.by_b, *by_hidden)


def laws_for(features: Features, output: Activation = ACTIVATIONS["relu"], target: TargetMap | None = None) -> Laws:
    """The laws of a batch of distributions, its leading axes flattened, for nets whose outputs go through ``output``.

    They are compared with the features or a ``target``, whose ReLU changes nothing where neither it nor features are negative.

    Raises:
        InvalidInputError: for what no law covers.
    """
    batch, n = features.batch_shape, features.n_features
    count = math.prod(batch)
    importance = np.broadcast_to(features.importance, (*batch, n)).reshape(count, n)
    with Problems() as problems:
        each = tuple[Weighted, ...]()
        for one in features.singles():
            with problems.collecting():
                each += (_laws_of(one, output) if target is None else _laws_compared(one, output, target),)
    if len(each) == 1:
        each *= count
    return Laws(each, importance)


def laws_of_net(net: Net, features: Features) -> Laws:
    """The laws of a batch of distributions for a net.

    Raises:
        InvalidInputError: for nets that the exact engine does not know, and for what no law covers.
    """
    if not is_neuron(net):
        return laws_for(features, *outputs_of(net))
    list(leaves(features, 1.0))
    count = math.prod(features.batch_shape)
    importance = np.broadcast_to(features.importance, (*features.batch_shape, features.n_features)).reshape(count, -1)
    with Problems() as problems:
        each = tuple[Weighted, ...]()
        for one in features.singles():
            with problems.collecting():
                each += ([(1.0, neuron_law(one, _relu_laws(beside_neuron(one))))],)
    return Laws(each * count if len(each) == 1 else each, importance)


def leaves(features: Features, weight: float) -> Iterator[tuple[float, Features]]:
    """The distributions that a mixture is made of, with their weights.

    Raises:
        InvalidInputError: for samples of unit length, whose law is not known.
    """
    if isinstance(features, UnitLength):
        features.mean()
    if isinstance(features, Mixture):
        for share, one in zip(features.weights, features.components, strict=True):
            if share > 0:
                yield from leaves(one, weight * float(share))
    else:
        yield weight, features


def _laws_of(features: Features, output: Activation) -> Weighted:
    """The law of a single distribution: of a linear net second moments are enough."""
    if output is ACTIVATIONS["identity"]:
        return [(1.0, LinearLaw(features.mean(), features.second_moment()))]
    if output is ACTIVATIONS["relu"]:
        return _relu_laws(features)
    if output is ACTIVATIONS["abs"]:
        return [(1.0, AbsoluteLaw(tuple(_relu_laws(features)), np.diag(features.second_moment())))]
    found: Weighted = []
    with Problems() as problems:
        for weight, leaf in leaves(features, 1.0):
            with problems.collecting():
                found.append((weight, _finite_law(leaf, output) or smooth_law(leaf, output)))
    return found


def _laws_compared(features: Features, output: Activation, target: TargetMap) -> Weighted:
    """The law of a single distribution, of outputs that are compared with a linear map of the features."""
    if target.relu:
        _require_positive(features)
    if output is ACTIVATIONS["identity"]:
        return [(1.0, LinearLaw(features.mean(), features.second_moment(), target))]
    found: Weighted = []
    with Problems() as problems:
        for weight, leaf in leaves(features, 1.0):
            with problems.collecting():
                found.append((weight, _law_compared(leaf, output, target)))
    return found


def _law_compared(leaf: Features, output: Activation, target: TargetMap) -> Law:
    """The same of a distribution that is no mixture, and outputs that bend."""
    states = _finite_law(leaf, output)
    if isinstance(states, StatesLaw):
        return replace(states, target=target)
    law = magnitude_beside(leaf)
    parts, always = tuple(_relu_laws(beside_neuron(leaf))), (law.moment(1), law.moment(2))
    compared = TargetLaw(parts, leaf.mean(), leaf.second_moment(), always, target)
    return compared if output is ACTIVATIONS["relu"] else AbsoluteLaw(((1.0, compared),), compared.square)


def _require_positive(features: Features) -> None:
    """Raises where features may be negative, so that r(A x + v) is not A x + v even where A and v are positive."""
    for _, leaf in leaves(features, 1.0):
        if isinstance(leaf, Joined):
            for part in leaf.parts:
                _require_positive(part)
            continue
        if isinstance(leaf, FiniteLaw):
            negative = leaf.signed
        else:
            negative = leaf.signed or leaf.magnitude.quantile(np.zeros(1))[0] < 0
        if negative:
            what = f"the net is compared with r(A x + v), and features may be negative: {leaf!r}"
            advice = "the exact engine knows A x + v, TargetMap(..., relu=False); tegum.expected_loss samples it"
            raise InvalidInputError(what, advice)


def _finite_law(features: Features, output: Activation) -> Law | None:
    """The law of a distribution of few states, for any output; None for others."""
    if isinstance(features, FiniteLaw):
        return StatesLaw(features.states, features.probabilities, output)
    if isinstance(features, Joined) or not isinstance(features.magnitude, Constant):
        return None
    try:
        law = of_constants(features)
    except InvalidInputError:
        return None
    return replace(law, output=output) if isinstance(law, StatesLaw) else None


def _relu_laws(features: Features) -> Weighted:
    """The law of a single distribution, of outputs with a ReLU."""
    alike: dict[Any, tuple[Blocks, list[NDArray[np.float64]], list[float]]] = {}
    found: Weighted = []
    with Problems() as problems:
        for weight, leaf in leaves(features, 1.0):
            with problems.collecting():
                if isinstance(leaf, Joined) and not (leaf.has_blocks() and hasattr(leaf, "magnitude")):
                    found.append((weight, of_parts(leaf)))
                elif isinstance(leaf, FiniteLaw):
                    found.append((weight, StatesLaw(leaf.states, leaf.probabilities)))
                elif isinstance(leaf.magnitude, Constant):
                    found.append((weight, of_constants(leaf)))
                elif isinstance(leaf.magnitude, Uniform) and _one_at_a_time(leaf):
                    found.append((weight, OneActiveLaw(leaf.feature_density, Transform(leaf.magnitude, leaf.signed))))
                elif _in_engine(leaf):
                    blocks, rows, shares = _rows(leaf)
                    where = blocks.component_of_feature.tobytes(), blocks.block_of_component.tobytes()
                    kind = (*where, leaf.magnitude, leaf.signed)
                    _, all_rows, all_shares = alike.setdefault(kind, (blocks, [], []))
                    all_rows.append(rows)
                    all_shares.extend(weight * share for share in shares)
                elif isinstance(leaf, KSparse):
                    found.append((weight, choices_law(leaf)))
                else:
                    found.append((weight, transform_law(leaf)))
    for (_, _, law, signed), (blocks, all_rows, all_shares) in alike.items():
        found.append((1.0, blocks_law(blocks, np.concatenate(all_rows), np.array(all_shares), law, signed)))
    return found


def _one_at_a_time(features: Features) -> bool:
    """Whether at most one feature is ever active."""
    if isinstance(features, KSparse):
        return features.n_active == 1
    if not features.has_blocks():
        return False
    blocks = features.blocks()
    return int(blocks.block_of_component[-1]) == 0 and len(blocks.block_of_component) == features.n_features


def _in_engine(features: Features) -> bool:
    """Whether the compiled engine takes a distribution, with copies where they are needed."""
    few = not isinstance(features, KSparse) or math.comb(features.n_features, features.n_active) <= _FEW_CHOICES
    return in_engine(features.magnitude) and few and (features.has_blocks() or isinstance(features, KSparse))


def _rows(features: Features) -> tuple[Blocks, NDArray[np.float64], list[float]]:
    """Blocks, the probabilities of their components in one or more distributions, and the weight of each of these."""
    if not isinstance(features, KSparse):
        blocks = features.blocks()
        return blocks, blocks.probability.reshape(1, -1), [1.0]
    n, k = features.n_features, features.n_active
    each = np.arange(n)
    if k == 1:  # one block of which one feature is always active
        return Blocks(each, np.zeros(n, dtype=np.int64), np.full(n, 1 / n)), np.full((1, n), 1 / n), [1.0]
    chosen = np.array(list(itertools.combinations(range(n), k)))
    rows = np.zeros((len(chosen), n))
    np.put_along_axis(rows, chosen, 1.0, axis=1)
    return Blocks(each, each, rows), rows, [1 / len(chosen)] * len(chosen)


def of_parts(features: Joined) -> Law:
    """The law of distributions side by side that have no blocks, or different magnitudes."""
    if all(_is_finite(part) for part in features.parts):
        parts, first = list[Part](), 0
        for part in features.parts:
            own = (
                [Part(part.table, part.probabilities, np.arange(part.n_features))]
                if isinstance(part, FiniteLaw)
                else _parts(part.blocks(), part.magnitude.moment(1), (1.0, -1.0) if part.signed else (1.0,))
            )
            parts += [one._replace(members=one.members + first) for one in own]
            first += part.n_features
        return _of_states(parts, features.n_features)
    blocks, kinds = alternatives(features)
    laws = {type(law) for law, _ in kinds}
    if len(laws) > 1 or not in_engine(kinds[0][0]) or not all(in_engine(law) for law, _ in kinds):
        names = " and ".join(dict.fromkeys(repr(law) for law, _ in kinds))
        what = f"distributions of {names} magnitudes stand side by side"
        raise InvalidInputError(what, f"the exact engine takes uniform ones around 0, or exponential ones; {ON_SAMPLES}")
    return alternatives_law(blocks, kinds)


def _is_finite(features: Features) -> bool:
    constant = isinstance(getattr(features, "magnitude", None), Constant) and features.has_blocks()
    return constant or isinstance(features, FiniteLaw)


def of_constants(features: Features) -> Law:
    """The law of constant magnitudes: few states as they are, more met in the middle."""
    value = features.magnitude.moment(1)
    signs = (1.0, -1.0) if features.signed else (1.0,)
    n = features.n_features
    if isinstance(features, KSparse):
        k = features.n_active
        count = math.comb(n, k) * len(signs) ** k
        if count * n > _MOST_STATES:
            raise InvalidInputError(f"{k} of {n} features of constant magnitude have {count:,} states", ON_SAMPLES)
        rows = []
        for chosen in itertools.combinations(range(n), k):
            for s in itertools.product(signs, repeat=k):
                x = np.zeros(n)
                x[list(chosen)] = s
                rows.append(value * x)
        return StatesLaw(np.array(rows), np.full(count, 1 / count))
    return _of_states(_parts(features.blocks(), value, signs), n)


def _of_states(parts: list[Part], n: int) -> Law:
    """The law of independent blocks of states: few of them one by one, more met in the middle."""
    count = math.prod(len(part.probabilities) for part in parts)
    if count <= _FEW_STATES:
        states, chance = np.zeros((count, n)), np.ones(count)
        for choice, row in zip(
            itertools.product(*(range(len(part.probabilities)) for part in parts)), range(count), strict=True
        ):
            for part, k in zip(parts, choice, strict=True):
                states[row, part.members] = part.values[k]
                chance[row] *= part.probabilities[k]
        return StatesLaw(states, chance)
    first, second = halves(parts)
    if max(math.prod(first.shape), math.prod(second.shape)) > MOST_HALF:
        what = f"{n} features of few values have {count:.2g} states together"
        raise InvalidInputError(what, f"the exact engine meets 2^20 in the middle, up to 40 binary features; {ON_SAMPLES}")
    return LatticeLaw(first.filled(), second.filled())


def _parts(blocks: Blocks, value: float, signs: tuple[float, ...]) -> list[Part]:
    """The states of each block of constant magnitudes: nothing, or one component with its signs; impossible ones left out."""
    parts = []
    for block in range(int(blocks.block_of_component[-1]) + 1):
        components = np.flatnonzero(blocks.block_of_component == block)
        members = np.flatnonzero(np.isin(blocks.component_of_feature, components))
        p = blocks.probability[components]
        rows, chance = [np.zeros(len(members))], [max(1 - float(p.sum()), 0.0)]
        for component, share in zip(components, p, strict=True):
            inside = blocks.component_of_feature[members] == component
            size = int(inside.sum())
            if share == 0:
                continue
            if len(signs) ** size > MOST_HALF:
                raise InvalidInputError(f"a set of {size} signed features has 2^{size} combinations of signs", ON_SAMPLES)
            for chosen in itertools.product(signs, repeat=size):
                row = np.zeros(len(members))
                row[inside] = value * np.array(chosen)
                rows.append(row)
                chance.append(float(share) / len(signs) ** size)
        possible = np.array(chance) > 0
        parts.append(Part(np.array(rows)[possible], np.array(chance)[possible], members))
    return parts
