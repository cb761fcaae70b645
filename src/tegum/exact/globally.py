"""Certified globally: where the lowest loss of a small model lies, and where all of its minimisers are, proved.

>>> import tegum as tg
>>> net, features = tg.nets.ReluOutput(2, 1), tg.features.Independent(2, density=0.1)
>>> found = tg.exact.certified_globally(net, features)
>>> str(found.status.values), bool(found.loss_low <= tg.exact.loss(found.W, found.b, features) <= found.loss_high)
('certified globally', True)
>>> found.statement.values[()][:41]
'The global minimum lies in [0.00331948399'

`tegum.exact.minimise` certifies a minimum locally: nothing close by is lower.  This is a proof about the whole parameter space,
by interval arithmetic with outward rounding on closed forms (`tegum.exact.bounds`), which share no code with the inversion
behind `tegum.exact.loss`.  An image of a point is what w -> -w and exchanges of equal features make of it.

Two things keep a proof from saying where: another minimum as low as ``tol`` can tell, and a minimum on a kink whose convexity
cannot be shown with one bound for all of its sides, as where a feature is dropped whose importance is at least its density.

Where at most one of n <= 2 m features is active at a time, no proof by bounds is needed: the loss is a sum of terms that are
not negative, and all are 0 if and only if every column of W has norm 1, no two have a positive product, and b = 0.  Such
columns exist (m axes, both ways); for n > 2 m they do not.

Source: for at most 2 m vectors of R^m without a positive product, Rankin, "The closest packing of spherical caps" (1955).
"""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from tegum.checking import checked
from tegum.datasets import dataset
from tegum.errors import Problems
from tegum.exact.bounds.boxes import World
from tegum.exact.bounds.proof import Proof, proved
from tegum.exact.minimise import minimise
from tegum.exact.starts import distribution_at
from tegum.features import Features, Uniform
from tegum.nets import Net, ReluOutput, require_same_features
from tegum.progress import ProgressBar
from tegum.provenance import provenance
from tegum.recorded import said_of
from tegum.selection import best
from tegum.sweep import FeatureGrid, feature_grid

CERTIFIED, BOUNDED = "certified globally", "bounded"
"""Both the loss and where it is attained are proved; or only the loss."""

_SEEDS = 16
_MEANINGS = {
    "loss_low": "lower bound of the global minimum",
    "loss_high": "upper bound of the global minimum, attained",
    "radius": "all global minimisers are within this distance of W and b or of an image",
    "convex_curvature": "lower bound of the curvature in the convex box",
    "convex_box": "half of the side of the box in which the loss is strictly convex",
    "boxes": "boxes that the rest of the space took",
    "statement": "what is proved",
}


@checked
def certified_globally(
    net: Net,
    features: Features,
    *,
    sweep: Mapping[str, Any] | None = None,
    tol: float = 1e-9,
    boxes: int = 3_000_000,
    progress: bool | None = None,
) -> xr.Dataset:
    """The global minimum of a small model between two numbers, and how far from a point all of its minimisers are: proved.

    Args:
        net: a `ReluOutput` with bias.
        features: uniform on [0, 1] where active: two in one dimension; or three in one dimension of which at most one is active
            at a time; or such features, at most two for each dimension, whose minimum is 0.
        sweep: axes of the features by name, see `tegum.sweep`; they become the dimensions.
        tol: what comes as close to the lowest loss, relatively, is not told from it.
        boxes: how many boxes to look at, at each grid point, before giving up; a hundred thousand take about two seconds.
        progress: True for a progress bar, False for none; by default one if standard error is a terminal.

    Returns:
        A dataset over the grid: ``W`` (..., hidden, feature) and ``b`` (..., feature), a point that attains ``loss_high``;
        ``loss_low``, below which no parameters are; ``radius``, within which of that point or of its images all global
        minimisers lie (NaN where that is not proved, or where they are a continuum); ``convex_curvature`` and ``convex_box``:
        in the box of that half side around the point no Hessian has a smaller eigenvalue; ``boxes``; ``status``, "certified
        globally" or, where only the loss is, "bounded"; ``statement``, all of this in a sentence.

    Raises:
        InvalidInputError: for a net or features whose closed forms are not known here.
    """
    with Problems() as problems:
        with problems.collecting():
            require_same_features(net, features.n_features)
        problems.check_fraction("tol", tol)
        problems.check_least("boxes", boxes)
        grid = feature_grid(features, sweep or {})
        for cell in grid.cells:
            _check(net, cell.features, problems)
    began, each = time.perf_counter(), dict[int, Features]()
    for cell in grid.cells:
        each |= {position: distribution_at(cell.features, k) for k, position in enumerate(cell.positions.tolist())}
    free = net.n_features <= 2 * net.n_hidden and _at_most_one(features)
    if free:
        found = [_without_loss(net)] * len(each)
    else:
        census = best(minimise(net, features, sweep=sweep, seeds=_SEEDS, exchanges=2, certify=False, progress=progress))
        x = np.concatenate([census[name].values.reshape(len(each), net.n_features) for name in ("W", "b")], axis=1)
        with ProgressBar(total=len(each), desc="certifying globally", unit="point", progress=progress) as bar:
            found = []
            for k in range(len(each)):
                found.append(proved(World.of(each[k]), x[k], tol, boxes))
                bar.update()
    return _dataset(net, grid, found, free).assign_attrs(
        net=repr(net),
        **said_of(features),
        sweep=", ".join(grid.axes) or "none",
        tol=tol,
        wall_seconds=round(time.perf_counter() - began, 3),
        **provenance(),
    )


def _at_most_one(features: Features) -> bool:
    """Whether at most one feature is active at a time, whatever the densities: one block, one feature in each component."""
    blocks = features.blocks()
    return bool((np.diff(blocks.component_of_feature) > 0).all() and (blocks.block_of_component == 0).all())


def _check(net: Net, features: Features, problems: Problems) -> None:
    """Notes what there are no closed forms for here."""
    if not isinstance(net, ReluOutput) or not net.bias:
        problems.add(f"the net is {net!r}", "give a ReluOutput with bias; tegum.exact.minimise certifies others locally")
    law = getattr(features, "magnitude", None)
    if not (isinstance(law, Uniform) and law.is_unit) or features.signed or not features.has_blocks():
        problems.add(
            f"the features are {type(features).__name__} with magnitude {law!r}" + (", signed" if features.signed else ""),
            "give features with blocks, uniform on [0, 1] where active; tegum.exact.minimise certifies others locally",
        )
        return
    zeros = [name for name in ("feature_density", "importance") if (getattr(features, name) <= 0).any()]
    for name in zeros:
        problems.add(f"{name} is 0 somewhere", "leave that feature out: its weight and its bias may be anything")
    n, m, single = features.n_features, net.n_hidden, _at_most_one(features)
    if not zeros and (n, m) != (2, 1) and not (single and (n <= 2 * m or (n, m) == (3, 1))):
        problems.add(
            f"there are {n} features in m = {m}, {'at most one' if single else 'several'} of them active at a time",
            "give 2 in m = 1; or, one active at most, 3 in m = 1 or 2 m at most; tegum.exact.minimise certifies others locally",
        )


def _without_loss(net: Net) -> Proof:
    """At most one active feature, and at most two for each dimension: both ends of every axis."""
    n = net.n_features
    W = np.zeros((net.n_hidden, n))
    W[np.arange(n) // 2, np.arange(n)] = 1 - 2 * (np.arange(n) % 2)
    radius = 0.0 if (n, net.n_hidden) in ((1, 1), (2, 1)) else np.nan
    return Proof(np.concatenate([W.ravel(), np.zeros(n)]), 0.0, 0.0, radius, np.nan, 0.0, 0)


_FREE = "The global minimum is 0; its minimisers are all W with columns of norm 1, no two with a positive product, and b = 0."
"""What is proved where nothing is lost."""


def _dataset(net: Net, grid: FeatureGrid, found: list[Proof], free: bool) -> xr.Dataset:
    n, m, lead = net.n_features, net.n_hidden, tuple(grid.axes)
    x = np.array([one.x for one in found]).reshape(*grid.shape, m * n + n)

    def over(values: list[Any]) -> tuple[tuple[str, ...], Any]:
        return lead, np.array(values).reshape(grid.shape)

    certified = [CERTIFIED if free or not np.isnan(one.radius) else BOUNDED for one in found]
    return dataset(
        {
            "W": ((*lead, "hidden", "feature"), x[..., : m * n].reshape(*grid.shape, m, n)),
            "b": ((*lead, "feature"), x[..., m * n :]),
            "loss_low": over([one.low for one in found]),
            "loss_high": over([one.high for one in found]),
            "radius": over([one.radius for one in found]),
            "convex_curvature": over([one.curvature for one in found]),
            "convex_box": over([one.box for one in found]),
            "boxes": over([one.boxes for one in found]),
            "status": over(certified),
            "statement": over([_FREE if free else one.statement for one in found]),
        },
        grid.coordinates(),
        meanings=_MEANINGS,
    )
