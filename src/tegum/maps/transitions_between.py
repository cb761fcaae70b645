"""The transitions of a map: where, between neighbouring points, the minimum of one name takes over from that of another.

Example: with ``names`` the phase of the last feature over (density, importance_ratio), `transitions_between(net, minima,
names)` finds, for each importance, the density at which one phase ends and the next begins.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tegum.checking import checked, require_held
from tegum.errors import InvalidInputError
from tegum.exact import transitions
from tegum.features import Independent
from tegum.maps.extra_feature import GRID, importances
from tegum.nets import Net


@checked
def transitions_between(
    net: Net, minima: xr.Dataset, names: xr.DataArray, along: str = "density", *, progress: bool | None = None
) -> xr.Dataset:
    """Every transition between neighbours along one axis whose minima have different names.

    Args:
        net: of the minima.
        minima: ``W`` and ``b`` of the lowest minimum at each ``density`` and ``importance_ratio``, for importances
            (1, ..., 1, r).
        names: over the same two dimensions, what each minimum is called: words, numbers, or true and false.
        along: ``density`` or ``importance_ratio``.
        progress: True for a progress bar, False for none; by default one if standard error is a terminal.

    Returns:
        What `tegum.exact.transitions` measures, over ``transition``, in the order of the entries of ``names``; with ``at``
        (the place on the other axis), and the names ``before`` and ``after``.
    """
    if along not in GRID:
        raise InvalidInputError(f"along is {along!r}", f"choose {' or '.join(GRID)}")
    require_held("minima", minima, W=(*GRID, "hidden", "feature"), b=(*GRID, "feature"))
    if set(names.dims) != set(GRID) or any(names.sizes[axis] != minima.sizes[axis] for axis in GRID):
        raise InvalidInputError(f"names has dimensions {dict(names.sizes)}", "give a name for each minimum")
    first, second = (names.isel({along: part}).values for part in (slice(None, -1), slice(1, None)))
    places = dict(zip(names.dims, np.nonzero(first != second), strict=True))
    (across,) = (dim for dim in GRID if dim != along)
    at = minima[across].values[places[across]]

    def distributions(values: NDArray[np.float64]) -> Independent:
        density, ratio = (values, at) if along == "density" else (at, values)
        return Independent(net.n_features, density=density[:, None], importance=importances(net.n_features, ratio))

    both = {dim: np.stack([place, place + (dim == along)], axis=1) for dim, place in places.items()}
    ends = {dim: xr.DataArray(place, dims=("transition", "end")) for dim, place in both.items()}
    models = minima[["W", "b"]].isel(ends).transpose("transition", "end", "hidden", "feature")
    values = minima[along].values[both[along]]
    found = transitions(net, distributions, models["W"].values, models["b"].values, values, progress=progress)
    called = names.isel(ends).transpose("transition", "end").values
    columns = {"at": at, "before": called[:, 0], "after": called[:, 1]}
    return found.assign({name: ("transition", column) for name, column in columns.items()})
