"""Best of K, in the open: choosing one seed at each grid point of a dataset that keeps them all.

>>> import tegum as tg
>>> losses = ("density", "seed"), [[0.3, 0.2], [0.1, np.nan]]
>>> status = ("density", "seed"), [["finished", "finished"], ["finished", "diverged"]]
>>> data = xr.Dataset({"loss": losses, "status": status}, {"density": [1.0, 0.1], "seed": [0, 1]})
>>> tg.best(data).seed.values
array([1, 0])
"""

import warnings

import numpy as np
import xarray as xr

from tegum.checking import checked, require_held
from tegum.datasets import Status
from tegum.errors import InvalidInputError

_USABLE = (Status.FINISHED, Status.MINIMUM, Status.SADDLE, Status.CONVERGED)


@checked
def best(data: xr.Dataset, by: str | None = None) -> xr.Dataset:
    """The finished model with the lowest ``by`` at each grid point; ``seed`` becomes a coordinate that says which.

    Where no seed finished, or ``by`` is NaN for all that did, its numbers are NaN, its status says why, and a warning names how
    many such points there are.

    Args:
        data: a result of `tegum.train` (whose finished models count) or of `tegum.exact.minimise` (whose converged ones do).
        by: a variable with the dimensions of ``status``; by default ``objective``, where penalties are added to the loss, else
            ``loss``.

    Raises:
        InvalidInputError: where no model finished at all, or ``by`` is NaN for all that did.
    """
    by = by or ("objective" if "objective" in data else "loss")
    require_held("data", data, **{by: None})
    if "seed" not in data[by].dims:
        raise InvalidInputError(f"{by} has dimensions {dict(data[by].sizes)}", "give models along a dimension seed")
    require_held("data", data, ("status",), status=tuple(map(str, data[by].dims)))
    finished = data["status"].isin(_USABLE)
    score = data[by].where(finished).fillna(np.inf)
    nothing = score.min("seed") == np.inf
    chosen = data.isel(seed=score.argmin("seed"))
    if not nothing.any():
        return chosen
    place = np.argwhere(nothing.values)[0] if nothing.ndim else ()
    where = ", ".join(f"{name} {data[name].values[i]}" for name, i in zip(nothing.dims, place, strict=True))
    unknown = bool(finished.any("seed").values[tuple(place)])
    what = f"{f'{by} of every finished model is NaN' if unknown else 'no model finished'} at {where or 'the only point'}"
    if nothing.all():
        advice = "look at `status`; train again with a lower learning rate, or minimise with more steps"
        raise InvalidInputError(what, "choose another `by`" if unknown else advice)
    more = f" and {int(nothing.sum()) - 1} more" if nothing.sum() > 1 else ""
    warnings.warn(f"{what}{more} of {nothing.size} grid points: NaN there, see `status`", stacklevel=3)
    numbers = [name for name, one in data.data_vars.items() if "seed" in one.dims and one.dtype.kind == "f"]
    return chosen.assign({name: chosen[name].where(~nothing) for name in numbers})


@checked
def mean_without_worst(data: xr.Dataset, by: str = "loss") -> xr.Dataset:
    """The paper's rule for phase diagrams: at each grid point drop the fit with the highest ``by`` and average the others.

    Fits where ``by`` is NaN or infinite are the worst: all of them are dropped, and where there is one no other is.  Where none
    is left the means are NaN, and a warning names how many such points there are.

    Args:
        data: numbers with a dimension ``seed`` of at least two, ``by`` among them.
        by: what the worst is worst in.

    Raises:
        InvalidInputError: for a dataset without ``by`` for several seeds.
    """
    require_held("data", data, **{by: None})
    if data[by].sizes.get("seed", 1) < 2:
        what = f"{by} has dimensions {dict(data[by].sizes)}"
        raise InvalidInputError(what, "give at least two fits along a dimension seed: one of them is dropped")
    known = abs(data[by]) < np.inf
    worst = data[by].where(known, np.inf).argmax("seed")
    kept = known & (data["seed"] != data["seed"].isel(seed=worst))
    nothing = ~kept.any("seed")
    if nothing.any():
        warnings.warn(f"no fit is left at {int(nothing.sum())} of {nothing.size} grid points: NaN there", stacklevel=3)
    return data.where(kept).mean("seed")
