"""Which models a picture shows, of a dataset that may hold thousands: the best of each grid point, some of them, and a word.

Figures of single models take a mapping, title to model, or any dataset with weights: of training, minimisation, a flow, a
branch that is followed, a file that was read.  Of seeds the one of lowest loss is drawn; where there are more grid points than
panels, some of them, evenly spaced along each axis.  What was chosen stands above the picture: best of K is never hidden.

>>> W = xr.DataArray(np.ones((3, 2, 2, 5)), dims=["density", "seed", "hidden", "feature"], coords={"density": [1, 0.2, 0.1]})
>>> loss = (("density", "seed"), [[3.0, 2.0], [1.0, 2.0], [0.5, 0.4]])
>>> chosen = drawn_models(xr.Dataset({"W": W, "loss": loss}), most=2)
>>> list(chosen.models), chosen.said
(['density 1', 'density 0.1'], 'of 2 seeds the one of lowest loss at each density; 2 of 3 densities')
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import prod
from textwrap import wrap
from typing import Any, final

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked, numbers, plain_array, require_axes
from tegum.datasets import MODEL_DIMS, Status, instance_dims, many, start_axes
from tegum.errors import InvalidInputError, Problems
from tegum.recorded import said_net

_LARGEST = 1e75
_CARRIED, _MOST_CARRIED = "models", 160
"""Where a figure carries its models, and at most how many weights of each."""

_LINE, _LINE_HEIGHT = 52, 16
"""How many letters of what is said are as wide as a phone, and how high a line is in pixels."""

MOST = 6
"""At most so many models are drawn side by side."""

_LAST = {"W": ("hidden", "feature"), "G": ("output", "feature"), "W1": ("hidden", "feature")}
Models = Mapping[str, Any] | xr.Dataset | xr.DataArray | ArrayLike


@final
@dataclass(frozen=True, eq=False)
class Chosen:
    """Models by title, each a dataset with ``W`` (hidden, feature) and what else is known; how chosen; their grid points."""

    models: dict[str, xr.Dataset]
    said: str
    places: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def weights(self) -> dict[str, NDArray[np.float64]]:
        """W (m, n) by title."""
        return {title: weights_of(model) for title, model in self.models.items()}

    @property
    def titles(self) -> list[str]:
        """The titles, on several lines where models stand at a point of a grid."""
        return [title.replace(", ", "<br>") for title in self.models]

    @property
    def head(self) -> int:
        """How many pixels titles need above the panels."""
        return 40 + 20 * max(1, *(title.count("<br>") + 1 for title in self.titles))

    def noted(self, figure: go.Figure) -> go.Figure:
        """The figure, with lines at its head that say what was chosen, where anything was; it carries its models."""
        carry(figure, self.models)
        if not self.said:
            return figure
        lines = wrap(self.said, _LINE)
        room, above = _LINE_HEIGHT * len(lines) + 10, int(figure.layout.margin.t or 0)
        figure.add_annotation(
            text="<br>".join(lines),
            showarrow=False,
            align="left",
            x=0,
            y=1,
            xref="paper",
            yref="paper",
            xanchor="left",
            yanchor="top",
            yshift=above + room - 6,
            font={"size": 12, "color": "#5a5a60"},
        )
        return figure.update_layout(margin={"t": above + room}, height=figure.layout.height + room)


def carry(figure: go.Figure, models: Mapping[str, xr.Dataset]) -> go.Figure:
    """The figure, which carries what these models are, and of what features; of models along an axis the first and the last."""
    carried = {}
    for title, model in models.items():
        if "W" not in model or "features" not in model.attrs:
            continue
        for where, one in _ends(model).items():
            if one["W"].ndim == 2 and one["W"].size <= _MOST_CARRIED:
                known = {name for name in map(str, one.variables) if name in MODEL_DIMS or name.startswith("feature_")}
                kept = one[sorted(known)].reset_coords().drop_vars({*map(str, one.coords)} - known, errors="ignore")
                attrs = {name: one.attrs[name] for name in ("features", "feature_law") if name in one.attrs}
                attrs |= {"net": said} if (said := said_net(one)) else {}
                named = ", ".join(part for part in (title.replace("<br>", ", "), where) if part)
                carried[named] = kept.assign_attrs(attrs).to_dict()
    if carried:
        figure.update_layout(meta={_CARRIED: carried})
    return figure


def _ends(model: xr.Dataset) -> dict[str, xr.Dataset]:
    """One model as it is; of models along one axis the first and the last, by where they stand."""
    lead = lead_of(model)
    if len(lead) != 1:
        return {"": model}
    (axis,) = lead
    if axis == "time":
        words = ["at the beginning", "at the end"]
    else:
        words = [label_of(axis, model[axis].values[k]) for k in (0, -1)]
    return {word: model.isel({axis: k}) for word, k in zip(words, (0, -1), strict=True)}


def carried_models(figure: go.Figure) -> dict[str, xr.Dataset]:
    """The models that a figure carries, by title: those small enough, of which it is known what their features are.

    >>> import tegum as tg
    >>> recipe = tg.Recipe(steps=2, seeds=1, batch_size=8, evaluation_samples=64)
    >>> data = tg.train(tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.1), recipe, progress=False)
    >>> [(title, dict(model.sizes)) for title, model in carried_models(tg.figures.arrow_panels(data)).items()]
    [('seed 0', {'hidden': 2, 'feature': 5})]
    """
    carried = (figure.layout.meta or {}).get(_CARRIED, {}) if isinstance(figure.layout.meta, dict) else {}
    return {title: xr.Dataset.from_dict(model) for title, model in carried.items()}


def weights_of(model: xr.Dataset, name: str = "W") -> NDArray[np.float64]:
    """W (m, n) of one model."""
    return model[name].transpose(*_last(name)).values.astype(np.float64)


@checked
def drawn_models(models: Models, most: int = MOST, name: str = "W") -> Chosen:
    """The models to draw, at most so many.

    Args:
        models: title to W (m, n), or to a dataset with ``W``; or a dataset with ``W`` (..., hidden, feature), or such an array.
        most: how many are drawn of a dataset; a mapping is drawn whole.
        name: the variable that the picture shows.

    Raises:
        InvalidInputError: where there is nothing of this name, and where no model, or one of a mapping, has finite weights.
    """
    with Problems() as problems:
        problems.check_count("most", most)
    if isinstance(models, Mapping) and not isinstance(models, xr.Dataset):
        if not models:
            raise InvalidInputError("there is no model to draw", "give a dataset, or a title and W (m, n) for each")
        return Chosen({str(title): _one(str(title), model, name) for title, model in models.items()}, "")
    data = _dataset(models, name)
    lead = lead_of(data, name)
    data, said = _best_of_starts(data, lead, name)
    lead = lead_of(data, name)
    places = _spaced({axis: data.sizes[axis] for axis in lead}, most)
    points: dict[str, dict[str, int]] = {}
    for place in _points(places):  # positions of an axis may be called the same
        title = called = _title(data, place)
        number = 1
        while called in points:
            called = f"{title} ({(number := number + 1)})"
        points[called] = place
    found = {title: data.isel(place) for title, place in points.items()}
    finite = {title: model for title, model in found.items() if _is_drawable(model[name])}
    if not finite:
        raise InvalidInputError("no model has finite weights", "a model that diverged has no picture; look at `status`")
    dropped = len(found) - len(finite)
    said += [f"{len(places[axis])} of {data.sizes[axis]} {many(axis)}" for axis in lead if len(places[axis]) < data.sizes[axis]]
    said += [f"without {dropped} that diverged"] if dropped else []
    return Chosen(finite, "; ".join(said), points)


def are_all(models: Any, kind: type[Any]) -> bool:
    """Whether models are by title, each of a figure's own kind."""
    return isinstance(models, Mapping) and all(isinstance(model, kind) for model in models.values())


def parameter_of(data: xr.Dataset) -> str:
    """The name of the weights of a dataset's models: W, or W1 of nets with two matrices, or G where only the map is known."""
    return next((name for name in _LAST if name in data), "W")


def clock_of(data: Any, name: str = "W_history") -> str | None:
    """What a variable was recorded along: steps, time, or another axis of rising or falling numbers, the only one; or None."""
    if not isinstance(data, xr.Dataset) or name not in data:
        return None
    axes = [str(axis) for axis in data[name].dims if axis not in ("hidden", "feature", "output")]
    if "step" in axes:
        return "step"
    if len(axes) != 1 or axes[0] not in data.coords or axes[0] in ("seed", "instance"):
        return None
    values = data[axes[0]].values
    steps = np.diff(values) if values.dtype.kind in "iuf" else np.zeros(1)
    return axes[0] if len(values) > 1 and ((steps > 0).all() or (steps < 0).all()) else None


def lead_of(data: xr.Dataset, name: str = "W") -> list[str]:
    """The axes along which models differ."""
    return [str(axis) for axis in data[name].dims if axis not in _last(name)]


def label_of(axis: str, value: Any) -> str:
    """One position on an axis in words.

    >>> label_of("density", 0.1), label_of("seed", 3), label_of("model", "pentagon")
    ('density 0.1', 'seed 3', 'pentagon')
    """
    if isinstance(value, str):
        return value
    return (
        f"{axis.replace('_', ' ')} {value:.4g}"
        if isinstance(value, float | np.floating)
        else f"{axis.replace('_', ' ')} {value}"
    )


def needed(figure: str, data: xr.Dataset, words: Collection[str] = (), /, **variables: tuple[str, ...]) -> xr.Dataset:
    """The dataset, where it has these variables, of numbers or of words, along these dimensions.

    Raises:
        InvalidInputError: for other datasets, with what the figure draws.
    """
    what = ", ".join(f"{name} ({', '.join(dims)})" for name, dims in variables.items())
    missing = [name for name, dims in variables.items() if name not in data or set(dims) != set(data[name].dims)]
    if missing:
        held = ", ".join(f"{name} {tuple(map(str, data[name].dims))}" if name in data else f"no {name}" for name in missing)
        raise InvalidInputError(f"{figure} got a dataset with {held}", f"give one with {what}")
    for name, dims in variables.items():
        require_axes(f"{name} of the dataset", data[name], dims, name in words)
    return data


def panels_of(
    figure: str, panels: Mapping[str, xr.DataArray] | xr.DataArray, kind: str, *dims: str, words: bool = False
) -> dict[str, xr.DataArray]:
    """Title to numbers, or words, with these dimensions, for a figure that draws such; one array alone has no title.

    Raises:
        InvalidInputError: for anything else, with what the figure draws.
    """
    if isinstance(panels, xr.DataArray):
        panels = {"": panels}
    advice = f"give a title and {kind} ({', '.join(dims)}) for each panel"
    if isinstance(panels, xr.Dataset) or not panels:
        dataset = isinstance(panels, xr.Dataset)
        held = f"a dataset with {', '.join(map(str, panels)) or 'nothing'}" if dataset else "no panels"
        raise InvalidInputError(f"{figure} got {held}", advice)
    for title, values in panels.items():
        if set(values.dims) != set(dims):
            raise InvalidInputError(f"{figure} got values along {', '.join(map(str, values.dims)) or 'nothing'}", advice)
        require_axes(f"panels[{title!r}]", values, dims, words)
    return dict(panels)


def _is_drawable(weights: xr.DataArray) -> bool:
    """Whether all are finite, and small enough for their products."""
    return bool((np.abs(weights.values.astype(np.float64)) < _LARGEST).all())


def _last(name: str) -> tuple[str, ...]:
    return _LAST.get(name, ("hidden", "feature"))


def _dataset(models: Any, name: str) -> xr.Dataset:
    """Models as a dataset with ``name`` (..., hidden, feature)."""
    if isinstance(models, xr.DataArray):
        models = models.rename(name).to_dataset()
    if not isinstance(models, xr.Dataset):
        values = numbers(name, models)
        if values.ndim < 2 or not values.size:
            raise InvalidInputError(f"{name} has shape {values.shape}", "give (..., m, n), a column for each feature")
        return xr.Dataset({name: ((*instance_dims(values.ndim - 2), *_last(name)), values)})
    if name not in models or not {*_last(name)} <= set(models[name].dims):
        held = ", ".join(map(str, models.data_vars)) or "nothing"
        advice = f"this picture shows {name} (..., {', '.join(_last(name))}) of models"
        raise InvalidInputError(f"the dataset has no {name} with axes {' and '.join(_last(name))}, but {held}", advice)
    require_axes(name, models[name], None)
    return models


def _one(title: str, model: Any, name: str) -> xr.Dataset:
    """One model of a mapping."""
    if isinstance(model, xr.Dataset | xr.DataArray):
        data = _dataset(model, name)
        if lead_of(data, name):
            raise InvalidInputError(
                f"{title!r} holds models along {', '.join(lead_of(data, name))}", "give one model, W (m, n)"
            )
    else:
        values = numbers(f"W of {title!r}", plain_array(model))
        if values.ndim != 2 or not values.size:
            raise InvalidInputError(f"W of {title!r} has shape {values.shape}", "give one model, (m, n)")
        data = xr.Dataset({name: (_last(name), values)})
    if not _is_drawable(data[name]):
        raise InvalidInputError(
            f"W of {title!r} has values that are not below {_LARGEST:g}", "a model that diverged has no picture"
        )
    return data


def _best_of_starts(data: xr.Dataset, lead: list[str], name: str) -> tuple[xr.Dataset, list[str]]:
    """Of all starts the one of lowest loss, or objective, at each grid point, where it is known; in words, what was done."""
    starts = start_axes(data, lead)
    axis = next((axis for axis in ("seed", "instance") if axis in starts), None)
    by = "objective" if "objective" in data else "loss"
    if axis is None or by not in data or axis not in data[by].dims or data.sizes[axis] == 1:
        return data, []
    loss = data[by]
    require_axes(f"{by} of the dataset", loss, None)
    if not set(loss.dims) <= set(lead):
        raise InvalidInputError(f"{by} has dimensions {dict(loss.sizes)}", f"give one of each model, by {', '.join(lead)}")
    diverged = data["status"] == Status.DIVERGED if "status" in data else xr.zeros_like(loss, dtype=bool)
    loss = loss.where(~diverged)
    usable = abs(loss) < np.inf
    place, known = loss.where(usable, np.inf).argmin(axis), usable.any(axis)
    others = [other for other in lead if other != axis]
    where = f" at each {' and '.join(other.replace('_', ' ') for other in others)}" if others else ""
    count = f"{data.sizes[axis]} {many(axis)}"
    words = [f"of {count} the one of lowest {by}{where}"] if known.any() else []
    chosen = data.isel({axis: place})
    known = known | ~(abs(chosen[name]) < _LARGEST).all(_last(name))  # what is not drawn is counted later
    if not known.all():
        missing = f" at {int((~known).sum())} of {known.size} points" if known.any() else ""
        why = "all diverged" if bool(diverged.where(~known, True).all()) else f"none has a finite {by}"
        words.append(f"of {count} the first, as {why}{missing}")
    return chosen, words


def _spaced(sizes: dict[str, int], most: int) -> dict[str, list[int]]:
    """Positions along every axis, evenly spaced from the last to the first, in all at most so many points."""
    counts = dict.fromkeys(sizes, 1)
    while True:
        room = [axis for axis in sizes if counts[axis] < sizes[axis]]
        room = [axis for axis in room if prod(counts.values()) // counts[axis] * (counts[axis] + 1) <= most]
        if not room:
            break
        counts[min(room, key=lambda axis: counts[axis])] += 1
    return {axis: np.linspace(sizes[axis] - 1, 0, counts[axis]).round().astype(int)[::-1].tolist() for axis in sizes}


def _points(places: dict[str, list[int]]) -> list[dict[str, int]]:
    """Every combination of positions."""
    points: list[dict[str, int]] = [{}]
    for axis, positions in places.items():
        points = [{**point, axis: position} for point in points for position in positions]
    return points


def _title(data: xr.Dataset, place: dict[str, int]) -> str:
    """Where a model stands; the number of a position that has no label."""
    labels = [label_of(axis, data[axis].values[k] if axis in data.coords else k) for axis, k in place.items()]
    return ", ".join(labels)
