"""What is sampled: the loss of a net on its features in the cheapest form that compiled chains know, one copy a thread.

>>> import tegum as tg
>>> target_kind(tg.nets.ReluOutput(6, 2), tg.features.AnticorrelatedSets(1, 6, density=1 / 6))
1
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.checking import require_range
from tegum.errors import InvalidInputError, Problems
from tegum.exact import Objective
from tegum.exact.distributions import distributions_of, is_native
from tegum.exact.kernel.model import enter_distribution
from tegum.exact.kernel.records import require_terms
from tegum.exact.laws.answer import ON_SAMPLES
from tegum.exact.objective import landscape_for
from tegum.exact.parameters import is_compiled, output_of, require_exact
from tegum.features import Features, FiniteLaw, Independent, Uniform
from tegum.nets import ACTIVATIONS, Net, require_same_features
from tegum.nets.net import paired_parameters, parameter
from tegum.posterior.kernel.target import ENGINE, ONE_ACTIVE, STATES, Target

_LARGEST = 1e30
"""A parameter whose fourth power, in a loss, is still a number by far."""
SAMPLE_SECONDS, _PAIR_SECONDS, _ROW_SECONDS, _COUPLING_SECONDS = 6e-9, 4e-8, 8e-7, 1.5e-7
"""For each weight of a sample, each pair in closed form, each row and coupling of an inversion of 64 terms: on one core."""


def target_kind(net: Net, features: Features) -> int:
    """How the loss is computed, one of `tegum.posterior.kernel.target`.

    Raises:
        InvalidInputError: for nets and features that compiled chains do not know.
    """
    require_same_features(net, features.n_features)
    require_exact(net)
    if not is_compiled(net):
        raise InvalidInputError(f"the net is {net!r}", "give a ReluOutput or a Linear net: chains are compiled for W and b")
    if features.batch_shape:
        raise InvalidInputError(f"the features have leading axes {features.batch_shape}", "give a single distribution")
    if isinstance(features, FiniteLaw):
        return STATES
    if not is_native(features):
        what = f"chains are not compiled for {type(features).__name__} features of this kind"
        raise InvalidInputError(what, ON_SAMPLES)
    blocks = features.blocks()
    one = int(blocks.block_of_component[-1]) == 0 and len(blocks.block_of_component) == features.n_features
    closed = one and isinstance(features.magnitude, Uniform) and output_of(net) is ACTIVATIONS["relu"]
    return ONE_ACTIVE if closed else ENGINE


def evaluation_seconds(net: Net, features: Features) -> float:
    """About how long a loss with its gradient takes on one core."""
    n, kind = net.n_features, target_kind(net, features)
    if isinstance(features, FiniteLaw):
        return int(features.states.shape[0]) * n * net.n_hidden * SAMPLE_SECONDS
    return n * n * _PAIR_SECONDS if kind == ONE_ACTIVE else n * _ROW_SECONDS + n * n * _COUPLING_SECONDS


def target_for(net: Net, features: Features, terms: int) -> Target:
    """The loss of a net on features, in memory of its own."""
    kind, n = target_kind(net, features), net.n_features
    finite = isinstance(features, FiniteLaw)
    tables = distributions_of(Independent(n, importance=features.importance) if finite else features)
    landscape = landscape_for(net, tables, terms)
    enter_distribution(landscape.distribution, landscape.point, tables.weight, tables.importance, 0)
    weight = features.probabilities if isinstance(features, FiniteLaw) else np.zeros(0)
    density = np.array(features.feature_density, dtype=np.float64)
    return Target(
        kind=kind,
        landscape=landscape,
        probability=density,
        idle=max(1 - float(density.sum()), 0.0),
        states=np.array(features.table if isinstance(features, FiniteLaw) else np.zeros((0, n))),
        weight=np.array(weight),
        edges=np.cumsum(weight),
        x=np.zeros(n),
        wrong=np.zeros(n),
        hidden=np.zeros(net.n_hidden),
    )


def points_of(
    net: Net, features: Features, W: ArrayLike, b: ArrayLike | None, terms: int
) -> tuple[Objective, NDArray[np.float64]]:
    """The exact loss, and the flat parameters (..., d) that it is asked at.

    Raises:
        InvalidInputError: naming everything that is wrong with net, features, W and b.
    """
    with Problems() as problems:
        with problems.collecting():
            target_kind(net, features)
        with problems.collecting():
            require_terms(terms)
        m, n = net.n_hidden, net.n_features
        arrays, given = {}, {"W": W, "b": np.zeros(n) if b is None else b}
        with problems.collecting():
            given = paired_parameters(given)
        for name, shape in (("W", (m, n)), ("b", (n,))):
            with problems.collecting():
                array = parameter(name, given[name], name).astype(np.float64)
                if array.shape[array.ndim - len(shape) :] != shape:
                    problems.add(f"{name} has shape {array.shape}", f"give {shape}, or with the chains before")
                elif not np.isfinite(array).all():
                    problems.add(f"{name} holds numbers that are not finite", "give a model that has not diverged")
                else:
                    require_range(name, array, -_LARGEST, _LARGEST)
                arrays[name] = array
        if not net.bias and "b" in arrays and arrays["b"].any():
            problems.add("b is not 0, and the net has no bias", "leave b out, or use a net with bias=True")
    leads = arrays["W"].shape[:-2], arrays["b"].shape[:-1]
    if all(leads) and leads[0] != leads[1]:
        raise InvalidInputError(f"W has leading axes {leads[0]} and b {leads[1]}", "give as many of the one as of the other")
    lead = leads[0] or leads[1]
    objective = Objective(net, features, terms)
    x = objective.flat(np.broadcast_to(arrays["W"], (*lead, m, n)), np.broadcast_to(arrays["b"], (*lead, n)))
    return objective, x


def point_of(
    net: Net, features: Features, W: ArrayLike, b: ArrayLike | None, terms: int
) -> tuple[Objective, NDArray[np.float64]]:
    """The same of a single point (d,)."""
    objective, x = points_of(net, features, W, b, terms)
    if x.ndim > 1:
        raise InvalidInputError(f"W and b have leading axes {x.shape[:-1]}", "give one point")
    return objective, x
