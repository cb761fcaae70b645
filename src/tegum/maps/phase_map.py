"""The certified phase diagram of n features in m dimensions: which shape is optimal where, and what parts one from the next.

Importances are (1, ..., 1, r).  At every density and r the lowest minimum of the expected loss is found (`lowest_minima`) and
its shape named; where the names of neighbours differ, the transition between them is located and the jump of the slope of the
loss measured there (`tegum.exact.transitions`).

Example: `phase_map(2, 1, density, ratio)` holds ``shape`` (density, importance_ratio), ``digon`` in sparse worlds and
``dedicated`` in dense ones, parted by first-order transitions.

Source: section 3 of `Toy Models of Superposition` for (2, 1) and (3, 2); other sizes are ours.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tegum.errors import Problems
from tegum.exact import transitions
from tegum.features import Features, Independent
from tegum.geometry import feature_norms, interference, phase_of, shape_names
from tegum.maps.minima import lowest_minima
from tegum.nets import ReluOutput
from tegum.sweep import Axis

GRID = ("density", "importance_ratio")


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
        ``norm``, ``interference`` and ``fate``; and over ``transition`` with ``along`` (which axis), ``at`` (the place on the
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
    importance = _importances(n_features, axes["importance_ratio"])
    sweep = {
        "density": list(axes["density"]),
        "importance_ratio": Axis(list(axes["importance_ratio"]), importance=[tuple(row) for row in importance]),
    }
    settings: dict[str, Any] = {"threads": threads, "progress": progress}
    found = lowest_minima(net, Independent(n_features), sweep, seeds=seeds, rounds=rounds, **settings)
    if found.attrs["interrupted"]:
        return found
    W = found["W"].transpose(*GRID, "hidden", "feature").values
    last = {"norm": feature_norms(W)[..., -1], "interference": interference(W)[..., -1]}
    parts = {"shape": shape_names(W), "fate": phase_of(**last), **last}
    found = found.assign({name: (GRID, values) for name, values in parts.items()})
    return found.merge(_transitions(net, found, progress), combine_attrs="override")


def _importances(n_features: int, ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([np.ones((len(ratio), n_features - 1)), ratio[:, None]], axis=1)


def _transitions(net: ReluOutput, found: xr.Dataset, progress: bool | None) -> xr.Dataset:
    """Every transition between neighbours of different shape or fate, along both axes."""
    label = found["shape"].str.cat(found["fate"], sep="; the last feature ")
    parts = []
    for along, across in (GRID, GRID[::-1]):
        here = found.transpose(across, along, ...)
        names = label.transpose(across, along).values
        row, k = np.nonzero(names[:, :-1] != names[:, 1:])
        at, values = here[across].values[row], here[along].values
        ends = np.stack([values[k], values[k + 1]], axis=1)
        models = [np.stack([here[name].values[row, k], here[name].values[row, k + 1]], axis=1) for name in ("W", "b")]
        part = transitions(net, _worlds(net.n_features, along, at), *models, values=ends, progress=progress)
        words = {"along": np.full(len(row), along, dtype=object), "at": at}
        words |= {"before": names[row, k].astype(object), "after": names[row, k + 1].astype(object)}
        parts.append(part.assign({name: ("transition", column) for name, column in words.items()}))
    return xr.concat(parts, "transition")


def _worlds(n_features: int, along: str, at: NDArray[np.float64]) -> Callable[[NDArray[np.float64]], Features]:
    """Worlds along one axis, each at its own place on the other."""

    def worlds(values: NDArray[np.float64]) -> Features:
        density, ratio = (values, at) if along == "density" else (at, values)
        return Independent(n_features, density=density[:, None], importance=_importances(n_features, ratio))

    return worlds
