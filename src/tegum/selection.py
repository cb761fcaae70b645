"""Best of K, in the open: choosing one seed at each grid point of a dataset that keeps them all."""

import numpy as np
import xarray as xr

from tegum.errors import InvalidInputError

_DONE = ("finished", "minimum", "saddle", "converged")


def best(data: xr.Dataset, by: str = "loss") -> xr.Dataset:
    """The finished model with the lowest ``by`` at each grid point; ``seed`` becomes a coordinate that says which.

    Args:
        data: a result of `tegum.train` (whose finished models count) or of `tegum.exact.minimise` (whose converged ones do).
        by: a variable with the dimensions of ``status``.

    Raises:
        InvalidInputError: where no seed of a grid point finished, naming the first such point.
    """
    score = data[by].where(data["status"].isin(_DONE), np.inf)
    nothing = score.min("seed") == np.inf
    if nothing.any():
        place = np.argwhere(nothing.values.reshape(nothing.shape))[0]
        where = (
            ", ".join(f"{name} {data[name].values[i]}" for name, i in zip(nothing.dims, place, strict=True)) or "the only point"
        )
        raise InvalidInputError(
            f"no model finished at {where}",
            "look at `status`; train again with a lower learning rate, or minimise with more steps",
        )
    return data.isel(seed=score.argmin("seed"))


def mean_without_worst(data: xr.Dataset, by: str = "loss") -> xr.Dataset:
    """The paper's rule for phase diagrams: at each grid point drop the fit with the highest ``by`` and average the others.

    Args:
        data: numbers with a dimension ``seed``, ``by`` among them; fits where ``by`` is NaN count as worst.
        by: what the worst is worst in.
    """
    score = data[by].fillna(np.inf)
    kept = data["seed"] != data["seed"].isel(seed=score.argmax("seed"))
    return data.where(kept).mean("seed")
