"""A picture of anything: whatever training, minimisation, a flow, a map or a file of weights gave, as one page.

>>> import tegum as tg
>>> recipe = tg.Recipe(steps=20, seeds=3, batch_size=64, evaluation_samples=64, record_steps=5)
>>> data = tg.train(tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.1), recipe, progress=False)
>>> shown = show(data)
>>> list(shown.figures)
['census', 'arrows', 'gram', 'dimensionality', 'loss']
>>> shown.write("five.html").name, shown.absent["film"].partition(":")[0]
('five.html', 'the dataset has no W along steps or time')

In a notebook what `show` returns displays itself; `write` makes one file of it that needs no other and no network.  Of
thousands of models some are drawn, and the page says which: the best of each grid point, beside how all of them ended.
"""

from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

import tegum.figures as figures
from tegum.checking import checked, numbers
from tegum.counting import are_in_minima, census
from tegum.datasets import MODEL_DIMS, MOST_FEATURES, MOST_WEIGHTS, start_axes
from tegum.errors import MOST, InvalidInputError
from tegum.exact import evaluate
from tegum.figures import Chosen, drawn_models
from tegum.figures.models import Models, clock_of, parameter_of, weights_of
from tegum.geometry import shape_names
from tegum.recorded import features_of, finite_part, in_words, leading, plain_axis, said_net
from tegum.report.part import made_of
from tegum.report.shown import Shown, Table
from tegum.runs import open as opened

_MOST_ROWS, _EXACT_POINTS = 20, 12
"""Exact losses of larger models are not computed on the way, nor those of all starts where they have more weights together."""

_NAMES = {
    "map": "The map",
    "phases": "The last feature",
    "arrows": "Features as arrows",
    "gram": "What each input does to each output",
    "overlaps": "What the weights of two features have in common",
    "matrix": "The map of each model",
    "neurons": "Weights of the neurons",
    "graph": "Inputs, neurons and outputs",
    "dimensionality": "Dimensionality of the features",
    "loss": "The loss on the way",
    "levels": "Dimensionality on the way",
    "film": "The film",
    "census": "Where all starts ended",
}


@checked
def show(data: Models | Path | str | Any, title: str | None = None) -> Shown:
    """Pictures of whatever there is: features, W^T W, dimensionalities, losses, the film of a training, where starts ended.

    Args:
        data: a dataset of `tegum.train`, `tegum.exact.minimise`, `tegum.exact.gradient_flow`, `tegum.maps.phase_map` or
            `tegum.read_weights`, a branch or a flow, weights W (..., m, n), a mapping from titles to single models, or the path
            of a result or of weights.
        title: what the page is called.

    Returns:
        The pictures, which a notebook displays; ``.figures`` has them by name, ``.write("page.html")`` makes a page.

    Raises:
        InvalidInputError: where there is no model to draw.
    """
    name = title or (str(data) if isinstance(data, Path | str) else None)
    data = _as_dataset(data)
    data = _ranked_exactly(data) if isinstance(data, xr.Dataset) else data
    chosen = drawn_models(data, name=parameter_of(data) if isinstance(data, xr.Dataset) else "W")
    whole = data if isinstance(data, xr.Dataset) else None
    absent: dict[str, str] = {}
    exact, why = _exact_losses(chosen)
    if why:
        absent["exact loss"] = why
    tables = [_models_table(chosen, exact)]
    found: dict[str, go.Figure] = {}
    captions: dict[str, tuple[str, str]] = {}

    def draw(name: str, text: str, picture: Callable[[], go.Figure]) -> None:
        """Draws one picture, or notes why it cannot be."""
        try:
            found[name] = picture()
            captions[name] = _NAMES[name], text
        except InvalidInputError as mistake:
            absent[name] = str(mistake)

    if whole is not None and _has_starts(whole):
        if whole.sizes["feature"] > MOST_FEATURES and not are_in_minima(whole):
            absent["census"] = f"models of more than {MOST_FEATURES} features take long: tegum.census(data)"
        else:
            counted = census(whole)
            tables.append(_census_table(counted))
            draw("census", _CAPTIONS["census"], lambda: figures.census_bars(counted))
    if whole is not None and "shape" in whole and "transition" in whole.dims:
        draw("map", _CAPTIONS["map"], lambda: figures.geometry_map(whole))
        draw("phases", _CAPTIONS["phases"], lambda: figures.phase_panels(whole, label="importance of the last feature"))
    _draw_models(draw, data if whole is not None else chosen.models, chosen)
    if whole is not None:
        if "W_history" in whole and not any(str(name).endswith("loss_history") for name in whole):
            absent["loss"] = "of these features and this net no losses were recorded on the way"
        elif "step" in whole.dims or clock_of(whole, "loss"):
            draw("loss", _CAPTIONS["loss"], lambda: figures.loss_curves(whole, _exact_on_the_way(chosen, exact)))
        elif "recipe" in whole.attrs:
            absent["loss"] = "nothing was recorded on the way: train with Recipe(record_steps=40)"
        if "W_history" in whole or clock_of(whole, "W"):
            draw("levels", _CAPTIONS["levels"], lambda: figures.level_panels(whole))
        if "W" in whole and ("recipe" in whole.attrs or clock_of(whole, "W")):
            draw("film", _CAPTIONS["film"], lambda: figures.arrow_film(whole))
    made = {} if whole is None else made_of(whole)
    return Shown(name or _kind_of(whole), _lead(whole, chosen), tables, found, captions, absent, made)


_CAPTIONS = {
    "map": "The shape of the lowest minimum found at every point, and what becomes of the last feature; marks are transitions.",
    "phases": "Norm and interference of the last feature: grey is not learned, blue has a dimension of its own, red is in "
    "superposition.",
    "arrows": "Each feature is an arrow, its column of W; where features differ in importance, yellow is most important.",
    "directions": "In pairs: the direction in which each feature goes into the hidden space, its column of W₁, and the one in "
    "which each output reads it, its row of W₂. Stretched and turned in opposite ways they make the same map.",
    "gram": "Above, WᵀW, and set apart the bias: a red diagonal is a feature that passes through, blue off it are opposites. "
    "Below, the norm of each feature, coloured by its interference with the others: dark is alone.",
    "overlaps": "Above, WᵀW, and set apart the bias: the overlaps of the features' weights. What an input does to an output is "
    "less or more, because of hidden ReLUs. Below, the norm of each feature, coloured by its interference with the others.",
    "matrix": "What each input does to each output: red adds, blue takes away.",
    "neurons": "A bar for each neuron, a rectangle for each of its weights; neurons on grey serve several features.",
    "graph": "An edge for each weight: red excites, blue inhibits; each neuron is rescaled, its largest input weight is 1.",
    "dimensionality": "The share of a dimension that each feature has; dotted lines are at those of regular shapes.",
    "loss": "Of each grid point drawn the start of lowest loss in colour, others grey; diamonds are exact losses.",
    "levels": "Above, the dimensionality of every feature on the way; below, the loss. Sudden changes of level are shaded.",
    "film": "Press play, or move the slider: the features of each model on the way.",
    "census": "Each bar is one minimum, as long as the share of the starts that end in it; the best stands first.",
}


def _draw_models(draw: Callable[[str, str, Callable[[], go.Figure]], None], data: Any, chosen: Chosen) -> None:
    """The pictures of single models that there are for their kind of net."""
    first = next(iter(chosen.models.values()))
    if "W" in first:
        if first.sizes["hidden"] <= 3:
            draw("arrows", _CAPTIONS["arrows"], lambda: figures.arrow_panels(data))
        bends = (said_net(first) or "").startswith("ReluHidden(")  # what inputs do together is not what each does
        draw("overlaps" if bends else "gram", _CAPTIONS["overlaps" if bends else "gram"], lambda: figures.strips(data))
        draw("dimensionality", _CAPTIONS["dimensionality"], lambda: figures.dimensionality_histogram(data))
    elif "W1" in first and _is_linear(first):
        if first.sizes["hidden"] <= 3:
            draw("arrows", _CAPTIONS["directions"], lambda: figures.arrow_panels(_directions(chosen), turn=False))
        draw("matrix", _CAPTIONS["matrix"], lambda: figures.gram_panels(_with_map(data)))
    elif "W1" in first:
        draw("neurons", _CAPTIONS["neurons"], lambda: figures.stack_panels(data, matrix=True))
        if "W2" in first:
            draw("graph", _CAPTIONS["graph"], lambda: figures.weight_graphs(data))
    else:
        draw("matrix", _CAPTIONS["matrix"], lambda: figures.gram_panels(data))


def _is_linear(data: xr.Dataset) -> bool:
    """Whether the hidden units of models of two matrices are linear, so that they are directions and not neurons."""
    net = said_net(data)
    return not net or net.startswith("Untied(")


def _directions(chosen: Chosen) -> dict[str, xr.Dataset]:
    """Of models of two matrices the direction of each feature into the hidden space, and that of each output out of it."""
    found = {}
    for title, model in chosen.models.items():
        lead = f"{title}, " if title else ""
        found[f"{lead}features (W₁)"] = model["W1"].to_dataset(name="W")
        found[f"{lead}outputs (W₂)"] = model["W2"].transpose("hidden", "feature").to_dataset(name="W")
    return found


def _with_map(data: xr.Dataset) -> xr.Dataset:
    """The models of two matrices with G = W₂ W₁."""
    first, second = (data[name].reset_coords(drop=True) for name in ("W1", "W2"))
    return data.assign(G=xr.dot(second.rename(feature="output"), first, dim="hidden"))


def _has_starts(data: xr.Dataset) -> bool:
    """Whether there are several starts to count."""
    axes = leading(data) if any(name in data for name in MODEL_DIMS) else ()
    return any(data.sizes[axis] > 1 for axis in start_axes(data, axes))


def _as_dataset(data: Any) -> Any:
    """A dataset, or title to models; what is in a file, a branch's data, a flow at some times."""
    if isinstance(data, Path | str):
        return opened(data)
    if isinstance(data, xr.DataArray):
        return data.to_dataset(name="W")
    if isinstance(data, Mapping):
        return data
    for name in ("data", "dataset"):  # a branch has its data, a flow can make them
        own = getattr(data, name, None)
        own = own() if callable(own) else own
        if isinstance(own, xr.Dataset):
            return own
    return drawn_models(data, most=MOST).models if numbers("W", data).ndim == 2 else _of_array(data)


def _of_array(data: Any) -> xr.Dataset:
    """Weights (..., m, n) as a dataset with instances."""
    models = drawn_models(data, most=MOST).models
    return xr.concat([model["W"] for model in models.values()], "instance", coords="minimal", compat="override").to_dataset(
        name="W"
    )


def _ranked_exactly(data: xr.Dataset) -> xr.Dataset:
    """The dataset; where its losses were sampled, and there are exact ones, ``loss`` is exact, by which the best are chosen.

    What was sampled is ``sampled_loss`` then.  A loss of somebody's own stays, and losses of models that are many or large.
    """
    weights = sum(data[name].size for name in MODEL_DIMS if name in data)
    if "loss_standard_error" not in data or "loss" in data.attrs or weights > MOST_WEIGHTS:
        return data
    if data.sizes["feature"] > MOST_FEATURES:
        return data
    try:
        exact = evaluate(data.drop_dims("step", errors="ignore"))["loss"]
    except InvalidInputError:
        return data
    return data.assign(loss=exact.variable, sampled_loss=data["loss"].variable)


def _exact_losses(chosen: Chosen) -> tuple[dict[str, float], str]:
    """The exact loss of each model drawn, by title; none, and why, where there is none."""
    found = {}
    for title, model in chosen.models.items():
        if model.sizes["feature"] > MOST_FEATURES:
            return {}, f"models of more than {MOST_FEATURES} features take long: tegum.exact.loss(data)"
        try:
            found[title] = float(evaluate(_alone(model))["loss"])
        except InvalidInputError as mistake:
            return {}, str(mistake)
    return found, ""


def _alone(model: xr.Dataset) -> xr.Dataset:
    """One model without what was recorded on the way."""
    kept = [name for name in MODEL_DIMS if name in model]
    return model[kept].assign_coords({name: one for name, one in model.coords.items() if "step" not in one.dims})


def _exact_on_the_way(chosen: Chosen, exact: Mapping[str, float]) -> dict[str, xr.DataArray]:
    """Exact losses of the models drawn, at some recorded steps where all parameters were recorded, else at the end."""
    found = {}
    for title, model in chosen.models.items():
        if title not in exact or "step" not in model.dims:
            continue
        steps = np.unique(np.linspace(0, model.sizes["step"] - 1, _EXACT_POINTS).astype(int))
        path = model.isel(step=steps)
        recorded = {f"{name}_history": name for name in MODEL_DIMS if name in model}
        if recorded.keys() <= set(model):
            at = path[list(recorded)].rename(recorded)
            if bool(finite_part(at)[0].all()):
                found[title] = evaluate(at)["loss"]
        else:
            found[title] = xr.DataArray([exact[title]], {"step": path["step"].values[-1:]}, ["step"])
    return found


def _models_table(chosen: Chosen, exact: Mapping[str, float]) -> Table:
    """A row for each model drawn: its losses and its shape."""
    columns, rows = ["model", "loss", "exact loss", "shape"], []
    for title, model in chosen.models.items():
        known = model.get("sampled_loss", model.get("loss"))
        loss = known.item() if known is not None and not known.ndim else np.nan
        shape = str(shape_names(weights_of(model), rows=False).item()) if "W" in model else "-"
        seed = (
            f", seed {model['seed'].item()}"
            if "seed" in model.coords and not model["seed"].ndim and "seed" not in title
            else ""
        )
        rows.append([(title + seed).removeprefix(", ") or "the model", _number(loss), _number(exact.get(title, np.nan)), shape])
    empty = [k for k in (1, 2, 3) if all(row[k] == "-" for row in rows)]
    empty += [1] if all(row[1] == row[2] for row in rows) else []  # a loss that is exact stands there once
    kept = [k for k in range(len(columns)) if k not in empty]
    return Table("The models drawn", [columns[k] for k in kept], [[row[k] for k in kept] for row in rows], chosen.said)


def _census_table(counted: xr.Dataset) -> Table:
    """The first minima of a census."""
    frame = counted.to_dataframe().reset_index(drop=True)
    grid = [str(name) for name in counted.coords if name not in ("minimum", "rank")]
    first = (
        frame if len(frame) <= _MOST_ROWS else frame[frame["rank"] < max(1, _MOST_ROWS // max(1, (frame["rank"] == 0).sum()))]
    )
    first = first.head(_MOST_ROWS)
    rows = [
        [
            *(_number(row[name]) if isinstance(row[name], float) else str(row[name]) for name in grid),
            str(row["shape"]),
            _number(row["loss"]),
            f"{100 * row['excess']:.3g} %" if np.isfinite(row["excess"]) else "-",
            f"{100 * row['share']:.3g} %",
            str(row["status"]),
        ]
        for row in first.to_dict("records")
    ]
    note = f"Loss: {counted.attrs['loss']}. Starts are in one minimum where shape and status are the same, and losses "
    note += f"to {counted.attrs['same']:g} of the lowest."
    note += f" {len(frame) - len(first)} more: tegum.census(data)." if len(first) < len(frame) else ""
    return Table(
        "Where the starts ended",
        [*(name.replace("_", " ") for name in grid), "shape", "loss", "excess", "share", "status"],
        rows,
        note,
    )


def _number(value: float) -> str:
    return f"{value:.6g}" if np.isfinite(value) else "-"


def _kind_of(data: xr.Dataset | None) -> str:
    """What a dataset is, by what it says of itself."""
    if data is None:
        return "Models"
    if "transition" in data.dims:
        return "Phase map"
    clock = clock_of(data, "W")
    kinds = {"recipe": "Training", "minimise": "Minimisation", "weights": "Weights"}
    if clock:
        return "Gradient flow" if clock == "time" else f"A branch along {clock.replace('_', ' ')}"
    return next((kind for name, kind in kinds.items() if name in data.attrs), "Models")


def _features_in_words(data: xr.Dataset) -> str:
    """What the features of the models are, with the values between which they differ and the axes along which they do."""
    if plain_axis(data) is not None:
        return f"{data.attrs['features']}, of another kind along {plain_axis(data)}"
    try:
        return in_words(features_of(data))
    except InvalidInputError:  # a distribution of somebody's own, which a dataset cannot hold
        return str(data.attrs["features"])


def _counted(sizes: set[int], what: str) -> str:
    """How many of something there are: ``3 features``, or ``3 to 5 features`` where models differ."""
    low, high = min(sizes), max(sizes)
    return f"{low} to {high} {what}s" if low < high else f"{high} {what}{'s' if high != 1 else ''}"


def _lead(data: xr.Dataset | None, chosen: Chosen) -> list[str]:
    """What is shown, in sentences."""
    drawn = [*chosen.models.values()]
    n, m = ({one.sizes[axis] for one in drawn if axis in one.sizes} for axis in ("feature", "hidden"))
    count = len(chosen.models) if data is None else prod(data.sizes[axis] for axis in leading(data))
    words = f"{count:,} model{'s' if count != 1 else ''} of {_counted(n, 'feature')}"
    words += f" in {_counted(m, 'dimension')}" if m else ""
    lines = [words + "."]
    if data is not None and data.attrs.get("features"):
        lines.append(f"Features: {_features_in_words(data)}.")
    if data is not None and data.attrs.get("understood"):
        lines.append(f"Read as {data.attrs['understood']}.")
    if chosen.said:
        lines.append(f"Drawn: {chosen.said}.")
    return lines
