"""The phase diagram of n features in m dimensions, from certified minima: which shape is optimal where, and where it changes.

Importances are (1, ..., 1, r).  At every density and r the lowest minimum of the expected loss is found (`lowest_minima`) and
its shape named; where the names of neighbours differ, the transition between them is located and the jump of the slope of the
loss measured there (`transitions_between`).

Example: `phase_map(2, 1, density, ratio)` holds ``shape`` (density, importance_ratio), ``digon`` where features are sparse
and ``dedicated`` where they are dense, with first-order transitions between them.

Source: section 3 of `Toy Models of Superposition` for (2, 1) and (3, 2); other sizes are ours.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from tegum.checking import checked
from tegum.errors import Problems
from tegum.features import Independent
from tegum.geometry import shape_names
from tegum.maps.extra_feature import GRID, extra_feature, extra_phase, ratio_axis
from tegum.maps.minima import lowest_minima
from tegum.maps.transitions_between import transitions_between
from tegum.nets import ReluOutput


@checked
def phase_map(
    n_features: int,
    n_hidden: int,
    density: Sequence[float],
    ratio: Sequence[float],
    *,
    seeds: int = 32,
    rounds: int = 6,
    threads: int | None = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """The lowest minimum, its shape and the transitions between shapes, for importances (1, ..., 1, r).

    Args:
        n_features: n.
        n_hidden: m.
        density: densities, increasing, above 0.
        ratio: importances r of the last feature, increasing, above 0.
        seeds: random starts at each point.
        rounds: most rounds of starts from neighbouring points.
        threads: how many starts at a time; by default one per core.
        progress: True for progress bars, False for none; by default some if standard error is a terminal.

    Returns:
        A dataset over ``density`` and ``importance_ratio`` with what `lowest_minima` finds, ``shape``, and the last feature's
        ``norm``, ``interference`` and ``phase``; and over ``transition`` with ``along`` (which axis), ``at`` (the place on the
        other), ``value``, ``before``, ``after`` (the shapes), ``jump``, ``order`` and what else `transitions` measures.

    Raises:
        InvalidInputError: for sizes or axes that make no map.
    """
    axes = {"density": np.asarray(density, dtype=np.float64), "importance_ratio": np.asarray(ratio, dtype=np.float64)}
    problems = Problems()
    with problems.collecting():
        net = ReluOutput(n_features, n_hidden)
    for name, values in axes.items():
        if values.ndim != 1 or not values.size or not (values > 0).all() or not (np.diff(values) > 0).all():
            problems.add(f"{name} is {values.tolist()}", "give increasing numbers above 0")
    if (axes["density"] > 1).any():
        problems.add(f"the highest density is {axes['density'].max():g}", "choose densities up to 1")
    problems.raise_if_any()
    sweep = {"density": list(axes["density"]), "importance_ratio": ratio_axis(n_features, axes["importance_ratio"])}
    found = lowest_minima(net, Independent(n_features), sweep, seeds=seeds, rounds=rounds, threads=threads, progress=progress)
    extra = extra_feature(found)
    shape = shape_names(found["W"].transpose(*GRID, "hidden", "feature").values, rows=False)
    found = found.assign(extra).assign(shape=(GRID, shape), phase=extra_phase(extra))
    names = found["shape"].str.cat(found["phase"], sep="; the last feature ")
    parts = []
    for along, across in (GRID, GRID[::-1]):
        part = transitions_between(net, found, names.transpose(across, along), along, progress=progress)
        parts.append(part.assign(along=("transition", np.full(part.sizes["transition"], along, dtype=object))))
    return found.merge(xr.concat(parts, "transition"), combine_attrs="override")
