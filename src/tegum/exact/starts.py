"""Where a search begins: random weights, the same at every grid point, given ones, what neighbours found, or exchanges."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.checking import real_numbers
from tegum.errors import InvalidInputError, Problems
from tegum.exact.evaluate import loss
from tegum.exact.kernel.model import LARGEST_WEIGHT
from tegum.exact.parameters import flat, named, shapes_of, size_of
from tegum.features import Features
from tegum.nets import Initialisation, Net, initial_parameters
from tegum.nets.net import Axes, parameter
from tegum.sweep import FeatureGrid


def initial_points(
    net: Net,
    grid: FeatureGrid,
    seeds: tuple[int, ...],
    initialisation: Initialisation,
    scale: float,
    root_seed: int,
    initial: Mapping[str, ArrayLike] | None,
    axes: Axes,
) -> NDArray[np.float64]:
    """Where the search begins, shape (points, starts, d); ``axes`` are the models', as of `tegum.nets.net.parameter`."""
    points, m, n = int(np.prod(grid.shape, dtype=int)), net.n_hidden, net.n_features
    shapes = shapes_of(net)
    if initial is None:
        generators = [np.random.default_rng([root_seed, seed, m, n]) for seed in seeds]
        drawn = [initial_parameters(net, generator, initialisation, scale) for generator in generators]
        x = flat(net, *([one.get(name, np.zeros(own)) for one in drawn] for name, own in shapes.items()))
        return np.broadcast_to(x, (points, *x.shape)).copy()
    problems = Problems()
    parts = []
    for name in initial:
        if name not in shapes:
            problems.add(f"initial has {name!r}", f"give {' or '.join(shapes)}")
        elif name == "b" and not net.bias and np.any(real_numbers("initial b", initial[name])):
            problems.add("initial b is given to a net without bias", "leave it out, or use a net with bias=True")
    for name, own in shapes.items():
        lead = (*grid.shape, len(seeds))
        array = parameter(name, initial.get(name, np.zeros(own)), f"initial {name}", axes).astype(np.float64)
        try:
            full = np.broadcast_to(array, (*lead, *own))
        except ValueError:
            problems.add(f"initial {name} has shape {array.shape}", f"give a shape that broadcasts to {(*lead, *own)}")
            continue
        if not (np.abs(array) < LARGEST_WEIGHT).all():
            problems.add(f"initial {name} holds numbers that are not finite", f"start from numbers below {LARGEST_WEIGHT:g}")
        parts.append(full.reshape(points, len(seeds), -1))
    problems.raise_if_any()
    return np.concatenate(parts, axis=-1)


EXCHANGES = 8
"""How many exchanges are tried a round."""

FIELDS = ("density", "importance")
"""The fields of distributions that may have leading axes."""

_MOST_PAIRS, _ROUGH = 512, 1e-3


def exchanged_columns(n: int) -> NDArray[np.int64]:
    """For each pair of n features their order when the two have changed places, (pairs, n); of very many pairs for 512."""
    pairs = np.stack(np.triu_indices(n, 1), axis=-1)
    if len(pairs) > _MOST_PAIRS:
        pairs = pairs[np.sort(np.random.default_rng(0).choice(len(pairs), _MOST_PAIRS, replace=False))]
    order = np.tile(np.arange(n), (len(pairs), 1))
    rows = np.arange(len(pairs))
    order[rows, pairs[:, 0]], order[rows, pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
    return order


def neighbours_of(grid: FeatureGrid) -> tuple[NDArray[np.int64], list[str]]:
    """For each grid point the points before and after it along each axis (itself at the rim), shape (points, 2 axes)."""
    axes = [(i, name) for i, name in enumerate(grid.axes) if grid.shape[i] > 1]
    if not axes:
        raise InvalidInputError("warm_starts is set and the grid has one point", "sweep something, or leave warm_starts at 0")
    places = np.arange(np.prod(grid.shape)).reshape(grid.shape)
    found, names = [], []
    for i, name in axes:
        for move, word in ((-1, "before"), (1, "after")):
            found.append(places.take(np.arange(grid.shape[i]) + move, axis=i, mode="clip").ravel())
            names.append(f"best of the point {word} along {name}")
    return np.stack(found, axis=-1), names


def least_size(net: Net, features: Features) -> float:
    """What a model of zeros loses under a batch of distributions, the least above 0: how large losses and gradients are."""
    zeros = named(net, np.zeros((1, size_of(net))))
    fields = [name for name in FIELDS if name in features.field_names()]
    each = features.replaced(**{name: np.atleast_2d(getattr(features, name)) for name in fields})
    sizes = np.asarray(loss(zeros, features=each, tol=_ROUGH, net=net))
    return float(sizes[sizes > 0].min(initial=np.inf))


def distribution_at(features: Features, which: int) -> Features:
    """One of the distributions of a batch, by its place among all."""
    if not features.batch_shape:
        return features

    def one(array: NDArray[np.float64]) -> NDArray[np.float64]:
        whole = np.broadcast_to(array, (*features.batch_shape, array.shape[-1]))
        return np.array(whole.reshape(-1, array.shape[-1])[which])

    return features.replaced(**{name: one(getattr(features, name)) for name in FIELDS if name in features.field_names()})
