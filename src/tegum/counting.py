"""What all starts found: every minimum with its shape, its loss, and the share of the starts that reached it.

    share     starts that ended in it, of all random or given starts at the grid point
    excess    loss / lowest loss at the grid point - 1

>>> import tegum as tg
>>> net, features = tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.1)
>>> found = census(tg.exact.minimise(net, features, seeds=20, progress=False))
>>> found["shape"].values.tolist(), found["share"].values.tolist(), found["excess"].values.round(3).tolist()
(['pentagon', '2 digons'], [0.9, 0.1], [0.0, 0.416])

Two starts are in one minimum where their status and the label of `tegum.geometry.identify` are the same and their losses lie
within ``same`` of each other, or within what is known of them (``loss_error``).  A trained model is near a minimum, not in it:
where the loss is known exactly, each descends to its own first, by `tegum.exact.minimise_from`.  Where that would take too
long, the loss is not known, or another was trained on (a penalty, adversarial examples, a data set, a loss of your own), losses
are compared as they are, more loosely, and one minimum may be counted in several pieces.

Starts that `tegum.exact.minimise` made of what others had found (neighbours, exchanged features) count for none: what they
alone found has a share of 0.

Nets with an encoder and a decoder of their own, and maps alone, have no shape: their minima are told apart by the loss.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tegum.checking import checked
from tegum.datasets import MODEL_DIMS, MOST_WEIGHTS, OF_MINIMA, OWN_STARTS, PARAMETER_DIMS, RECIPES, Status, dataset, start_axes
from tegum.errors import InvalidInputError
from tegum.exact import evaluate, minimise_from
from tegum.geometry import shape_names
from tegum.geometry.measures import DIVERGED
from tegum.recorded import finite_part, leading, over

SAME_MINIMUM, SAME_TRAINED = 1e-6, 1e-2
_COLUMNS = ("minimum", "shape", "loss", "objective", "excess", "share", "count", "status", "start", "rank")
_MATRICES, _NO_SHAPE = ("W", "W1", "W2", "G"), "untied"


@checked
def census(data: xr.Dataset, same: float | None = None, descend: bool | None = None) -> xr.Dataset:
    """The minima that the starts of a dataset ended in, the best first, grid point by grid point.

    Args:
        data: models along ``seed``, or without it along ``instance``, as `tegum.train`, `tegum.exact.minimise` and
            `tegum.read_weights` return them.  Instances whose features differ are grid points.
        same: losses of one shape that lie within this share of the lowest of them are one minimum; by default 1e-6 in minima,
            and 0.01 for what was trained, whose weights still jitter.  The estimated error of a loss is added.
        descend: whether trained models first descend to the minimum of the expected loss that they are near; by default where
            that was trained on, is known exactly, and the models have at most 40,000 weights in all.

    Returns:
        A dataset over ``minimum``: ``shape``, ``loss`` (the lowest in it, NaN where not known), ``excess`` (NaN above a lowest
        that is 0 as far as is known), ``share``,
        ``count``, ``status`` and the start that has the lowest loss; the coordinates of its grid point and its ``rank`` there.
        Of what was minimised with penalties they are ranked and told apart by ``objective``, which ``excess`` is of too.
        ``to_dataframe()`` is the table.  The attribute ``loss`` says which loss it is.

    Raises:
        InvalidInputError: where there are no starts to count.
    """
    starts = starts_of(data)
    data = data.drop_dims("step", errors="ignore")
    if same is not None and not same >= 0:
        raise InvalidInputError(f"same is {same}", "choose a share of the loss, such as 0.01")
    grid = [axis for axis in leading(data) if axis not in starts]
    if taken := [axis for axis in grid if axis in _COLUMNS]:
        what = f"the models have an axis {taken[0]!r}, and a census has a column of that name"
        raise InvalidInputError(what, f"rename it, data.rename({taken[0]}='my_{taken[0]}')")
    data, which = _at_minima(data, descend)
    order = [*grid, *starts]
    shapes = _shapes(data).transpose(*order)
    status = data["status"] if "status" in data else xr.full_like(shapes, "")
    status = status.broadcast_like(shapes).transpose(*order)
    losses = data["loss"].broadcast_like(shapes).transpose(*order)
    score = data["objective" if "objective" in data else "loss"].broadcast_like(shapes).transpose(*order)
    errors = data.get("loss_error", 0 * losses).broadcast_like(shapes).transpose(*order)
    if same is None:
        same = SAME_MINIMUM if bool(status.isin(OF_MINIMA).any()) else SAME_TRAINED
    random = data.get("start", xr.full_like(shapes, "random")).isin(OWN_STARTS).broadcast_like(shapes).transpose(*order)
    rows: list[dict[str, Any]] = []
    for place in np.ndindex(*(data.sizes[axis] for axis in grid)):
        at = dict(zip(grid, place, strict=True))
        found = (shapes, status, score, losses, errors, random)
        names, kinds, scored, lost, sure, counting = (one.isel(at).values.ravel() for one in found)
        labels = {axis: data[axis].values[k] if axis in data.coords else k for axis, k in at.items()}
        for row in _minima(names, kinds, scored, np.nan_to_num(sure), counting, same):
            if "objective" in data:
                row |= {"objective": row["loss"], "loss": lost[row["start"]]}
            rows.append({**labels, **row})
    first = starts[0] if len(starts) == 1 else "start"
    known = data[first].values if first in data.coords else None
    for row in rows:
        row[first] = row.pop("start") if known is None else known[row.pop("start")]
    return _table(rows, [*grid, "rank"], which, same)


def starts_of(data: xr.Dataset) -> list[str]:
    """The axes along which a dataset's models differ by their start only, none where each instance has features of its own.

    Raises:
        InvalidInputError: where there is neither an axis of seeds nor one of instances.
    """
    models = isinstance(data, xr.Dataset) and any(name in data for name in _MATRICES)
    lead = leading(data) if models else ()
    if not any(axis == "seed" or axis.startswith("instance") for axis in lead):
        held = f"models along {', '.join(lead)}" if lead else "one model" if models else "no models, neither W nor W1 nor G"
        advice = "a census counts starts: give models along seed, or instance, such as tg.train(..., tg.Recipe(seeds=1000))"
        raise InvalidInputError(f"the dataset has {held}", advice)
    return ["seed"] if "seed" in lead else start_axes(data, lead)


def _at_minima(data: xr.Dataset, descend: bool | None) -> tuple[xr.Dataset, str]:
    """The models with ``loss`` and ``status``, in their minima where they can be; in words, which loss it is."""
    data = _without_diverged(data)
    if are_in_minima(data):
        return data, "exact"
    goal = _other_goal(data)
    small = sum(data[name].size for name in _MATRICES if name in data) <= MOST_WEIGHTS
    if descend or (descend is None and small and not goal):
        try:
            without = f", which is not what they were trained on ({goal})" if goal else ""
            return _descended(data), f"exact, in the minimum that each model descends to{without}"
        except InvalidInputError:
            if descend:
                raise
    where = f", where training ended, which was on another loss ({goal})" if goal else ""
    try:
        return data.assign(evaluate(data)[["loss", "loss_error"]]), f"exact{where}"
    except InvalidInputError as mistake:
        why = str(mistake)
    if "loss" in data:
        return data, f"sampled{where}; not exact, because {why}"
    return data.assign(loss=xr.full_like(finite_part(data)[0], np.nan, dtype=np.float64)), f"not known: {why}"


def are_in_minima(data: xr.Dataset) -> bool:
    """Whether models were minimised, so that a census need not descend."""
    return "loss" in data and "status" in data and bool(data["status"].isin(OF_MINIMA).any())


def _without_diverged(data: xr.Dataset) -> xr.Dataset:
    """The models; numbers of those that diverged, which may be finite still, are NaN."""
    if "status" not in data or not bool((data["status"] == Status.DIVERGED).any()):
        return data
    kept = data["status"] != Status.DIVERGED
    return data.assign({name: data[name].where(kept) for name in (*MODEL_DIMS, "loss", "objective") if name in data})


def _other_goal(data: xr.Dataset) -> str:
    """In words, what models were trained on that is not the expected loss of their features; empty where it is."""
    recipes = [json.loads(said) for name, said in data.attrs.items() if RECIPES.fullmatch(str(name)) and str(said)[:1] == "{"]

    def values(field: str, usual: Any) -> list[Any]:
        """The values of a field of the recipes, of all models."""
        own = data.coords[field].values.ravel().tolist() if field in data.coords else None
        return [each.get(field, usual) for each in recipes] if own is None else own

    def some(field: str, usual: Any) -> bool:
        """Whether any model has another value than the usual one."""
        return any(value not in (usual, None) for value in values(field, usual))

    shrinks = [
        optimizer == "adamw" if decoupled is None else decoupled
        for optimizer in values("optimizer", "adamw")
        for decoupled in values("decoupled_decay", None)
    ]
    decays = [any(one.values()) if isinstance(one, dict) else bool(one) for one in values("weight_decay", 0.0)]
    said = {
        f"the loss {data.attrs.get('loss')!r}": bool(recipes) and "loss" in data.attrs,
        "data sets": "data" in data.attrs or some("data_set_size", None),
        "errors of active features": some("loss_on", "all"),
        "adversarial examples": some("attack_size", 0.0),
        "dropout": some("dropout", 0.0),
        "a penalty on activity": some("l1", 0.0),
        "L2 on weights": any(decays) and not all(shrinks),
        "norms pulled to 1": some("unit_norms", 0.0),
    }
    return ", ".join(words for words, so in said.items() if so)


def _shapes(data: xr.Dataset) -> xr.DataArray:
    """What the features of every model form; of models without W a word that is the same for all that are finite."""
    if "W" in data:
        return xr.DataArray(shape_names(over(data, data["W"], PARAMETER_DIMS["W"]), rows=False), dims=leading(data))
    return xr.DataArray(np.where(finite_part(data)[0], _NO_SHAPE, DIVERGED), dims=leading(data))


def _descended(data: xr.Dataset) -> xr.Dataset:
    """Every model in the minimum that it descends to; those without finite weights stay what they are."""
    usable, whole = finite_part(data)
    found = minimise_from(whole, certify=False)
    before = data["status"] if "status" in data else xr.full_like(usable, Status.DIVERGED, dtype=object)
    found = found.assign({name: found[name].where(usable) for name in (*PARAMETER_DIMS, "loss") if name in found})
    return found.assign(status=found["status"].where(usable, before))


def _minima(
    shapes: NDArray[Any],
    status: NDArray[Any],
    losses: NDArray[np.floating],
    errors: NDArray[np.floating],
    counting: NDArray[np.bool_],
    same: float,
) -> list[dict[str, Any]]:
    """The minima of one grid point, best first: starts of one status and shape, cut where the loss leaves the lowest's."""
    found = []
    for kind in dict.fromkeys(zip(status.tolist(), shapes.tolist(), strict=True)):
        mine = np.flatnonzero((status == kind[0]) & (shapes == kind[1]))
        mine = mine[np.argsort(losses[mine], kind="stable")]
        while len(mine):
            lowest = losses[mine[0]]
            close = losses[mine] <= lowest + same * abs(lowest) + errors[mine]
            inside = close if np.isfinite(lowest) else np.ones(len(mine), bool)
            count = int(counting[mine[inside]].sum())
            found.append({"status": kind[0], "shape": kind[1], "loss": lowest, "count": count, "start": int(mine[0])})
            mine = mine[~inside]
    found.sort(key=lambda one: (not np.isfinite(one["loss"]), one["loss"] if np.isfinite(one["loss"]) else 0.0, -one["count"]))
    least, rounding = found[0]["loss"], errors[found[0]["start"]]
    for rank, one in enumerate(found):
        one |= {"rank": rank, "share": one["count"] / max(int(counting.sum()), 1)}
        one["excess"] = 0.0 if one["loss"] == least else one["loss"] / least - 1 if least > rounding else np.nan
    return found


def _table(rows: list[dict[str, Any]], labels: Sequence[str], which: str, same: float) -> xr.Dataset:
    """The rows as a dataset over ``minimum``."""
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    kept = {
        name: ("minimum", values.astype(object) if values.dtype.kind in "US" else values) for name, values in columns.items()
    }
    meanings = {
        "shape": "what the features form",
        "share": "share of the random or given starts at the grid point",
        "count": "starts",
        "excess": "loss above the lowest at the grid point, relative to it",
        "loss": f"lowest loss in the minimum, {which}",
    }
    if "objective" in columns:
        meanings |= {
            "objective": "lowest objective in the minimum: the exact loss and its penalties",
            "loss": "exact loss of the start that has it",
            "excess": "objective above the lowest at the grid point, relative to it",
        }
    variables = {name: (("minimum",), values) for name, (_, values) in kept.items() if name not in labels}
    found = dataset(variables, {name: kept[name] for name in labels}, {"loss": which, "same": same})
    for name, meaning in meanings.items():
        found[name].attrs |= {"long_name": meaning, "units": "" if name in ("shape", "count") else "1"}
    order = ["shape", *(["objective"] if "objective" in columns else []), "loss", "excess", "share", "count"]
    return found[[*order, *(name for name in found.data_vars if name not in order)]]
