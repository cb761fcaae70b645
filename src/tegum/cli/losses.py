"""What `tegum exact-loss` says: a line for each model, or for each grid point where there are many; JSON and CSV as well."""

import csv
import io
import json
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tegum.cli.output import say
from tegum.cli.weights import Weights
from tegum.features import AnticorrelatedSets, CorrelatedSets, Exponential, Features

_MOST_LINES = 20
_SUSPICIOUS = 6.0
_IN_A_LINE = 8

Model = dict[str, Any]
"""One model: the labels that say which, then loss, error, terms, squared_error, and what the file knows."""


@final
@dataclass(frozen=True, eq=False)
class Judged:
    """Which models were judged, in which world, how strictly."""

    file: str
    weights: Weights
    features: Features
    linear: bool
    tol: float
    as_the_file_says: bool


def models_of(judged: Judged, found: xr.Dataset, finite: NDArray[np.bool_]) -> list[Model]:
    """One record for each model, in the order of the arrays."""
    facts = {name: np.broadcast_to(values, found.loss.shape) for name, values in judged.weights.facts.items()}
    if not judged.as_the_file_says:
        facts = {name: values for name, values in facts.items() if name == "status"}
    models = []
    for place in np.ndindex(found.loss.shape):
        axes = zip(judged.weights.axes.items(), place, strict=True)
        model: Model = {name: labels[position] for (name, labels), position in axes}
        model |= {
            "loss": float(found.loss.values[place]),
            "error": float(found.loss_error.values[place]),
            "terms": int(found.terms.values[place]),
            "squared_error": found.squared_error.values[place].tolist(),
        }
        if not finite[place]:
            model |= {"loss": np.nan, "error": np.nan, "squared_error": [np.nan] * judged.weights.n_features}
        models.append(model | {name: values[place].item() for name, values in facts.items()})
    return models


def report(judged: Judged, models: list[Model], per_feature: bool) -> None:
    """Says what the models are, their losses, and what to be careful about."""
    axes = list(judged.weights.axes)
    count = "1 model" if len(models) == 1 else f"{len(models)} models"
    say(f"{count}: {_equation(judged)}{'' if judged.weights.has_bias else '; the file holds no b, so b = 0'}")
    say(f"world: {_world(judged.features)}{', as the file says' if judged.as_the_file_says else ''}")
    if len(models) <= _MOST_LINES:
        _say_each(models, axes, per_feature)
    else:
        _say_grid_points(models, axes, per_feature)
    with_loss = [model for model in models if not np.isnan(model["loss"])]
    if len(with_loss) < len(models):
        say(f"{len(models) - len(with_loss)} diverged: without finite weights there is no loss")
    missed = sum(model["error"] > judged.tol * model["loss"] for model in with_loss)
    if missed:
        say(f"{missed} with an error above {judged.tol:g} of the loss: trust as many digits as the error leaves")
    strays = [
        abs(model["sampled_loss"] - model["loss"]) / model["loss_standard_error"]
        for model in with_loss
        if model.get("loss_standard_error", 0) > 0
    ]
    if strays and np.median(strays) > _SUSPICIOUS:
        say(f"the losses sampled in training differ by {np.median(strays):.0f} standard errors (median): was this their world?")


def _equation(judged: Judged) -> str:
    weights = judged.weights
    inside = "WᵀW x + b" if weights.tied else "G x + b"
    sizes = f"n = {weights.n_features}" + (f", m = {weights.map.shape[-2]}" if weights.tied else "")
    return f"y = {inside if judged.linear else f'ReLU({inside})'}, {sizes}"


def _world(features: Features) -> str:
    """A world in words."""
    kind = f"{features.n_features} independent features"
    if isinstance(features, CorrelatedSets | AnticorrelatedSets):
        name = "correlated" if isinstance(features, CorrelatedSets) else "anticorrelated"
        kind = f"{features.n_sets} {name} sets of {features.set_size}"
    law = features.magnitude
    strength = f"exponential magnitudes of mean {law.mean:g}" if isinstance(law, Exponential) else "uniform magnitudes"
    return f"{kind}, density {_span(features.density)}, importance {_span(features.importance)}, {strength}"


def _span(values: NDArray[np.float64]) -> str:
    low, high = values.min(), values.max()
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _named(model: Model, axes: list[str]) -> str:
    """Which model: ``density 0.1, seed 3``."""
    labels = ((name, model[name]) for name in axes)
    return ", ".join(f"{name} {label:g}" if isinstance(label, float) else f"{name} {label}" for name, label in labels)


def _say_each(models: list[Model], axes: list[str], per_feature: bool) -> None:
    names = [_named(model, axes) for model in models]
    width = max(len(name) for name in names) + 2 if axes else 0
    sampled = "sampled_loss" in models[0]
    say(f"{'':<{width}}{'loss':>16}{'error':>10}{'terms':>7}{'sampled in training' if sampled else '':>24}".rstrip())
    for name, model in zip(names, models, strict=True):
        other = f"{model['sampled_loss']:.6g} ± {model['loss_standard_error']:.1g}" if sampled else ""
        say(f"{name:<{width}}{model['loss']:>16.12g}{model['error']:>10.1e}{model['terms']:>7}{other:>24}".rstrip())
        if per_feature:
            _say_features(model)


def _say_features(model: Model) -> None:
    errors = model["squared_error"]
    for first in range(0, len(errors), _IN_A_LINE):
        part = errors[first : first + _IN_A_LINE]
        which = f"feature {first}" if len(part) == 1 else f"features {first} to {first + len(part) - 1}"
        say(f"  {which}: " + "  ".join(f"{value:.6g}" for value in part))


def _say_grid_points(models: list[Model], axes: list[str], per_feature: bool) -> None:
    """The best, median and worst of the seeds, or of plain models, at each grid point."""
    inside = [name for name in axes if name == "seed" or name.startswith("model")]
    along = [name for name in axes if name not in inside]
    groups: dict[str, list[Model]] = {}
    for model in models:
        groups.setdefault(_named(model, along), []).append(model)
    for name, group in list(groups.items())[:_MOST_LINES]:
        lead = f"{name}: " if name else ""
        ranked = sorted((model for model in group if not np.isnan(model["loss"])), key=lambda model: float(model["loss"]))
        if not ranked:
            say(f"{lead}all diverged")
            continue
        best, middle, worst = ranked[0], np.median([model["loss"] for model in ranked]), ranked[-1]
        who = f" ({_named(best, inside)})" if inside else ""
        error = max(model["error"] for model in ranked)
        say(f"{lead}best {best['loss']:.12g}{who}, median {middle:.12g}, worst {worst['loss']:.12g}, error at most {error:.1e}")
        if per_feature:
            _say_features(best)
    if len(groups) > _MOST_LINES:
        say(f"... and {len(groups) - _MOST_LINES} more grid points; --out FILE.csv writes everything")


def as_json(judged: Judged, models: list[Model]) -> bytes:
    """Everything as JSON; numbers that do not exist are null."""
    everything = {
        "file": judged.file,
        "model": _equation(judged),
        "world": _world(judged.features),
        "tol": judged.tol,
        "models": [{key: _plain(value) for key, value in model.items()} for model in models],
    }
    return json.dumps(everything, indent=1, ensure_ascii=False).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def as_csv(models: list[Model]) -> bytes:
    """One row for each model, one column for each feature's squared error."""
    rows = []
    for model in models:
        row = {name: value for name, value in model.items() if name != "squared_error"}
        rows.append(row | {f"squared_error_{i}": value for i, value in enumerate(model["squared_error"])})
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
