"""Datasets, assembled in one place: what each variable and axis means, in which unit, and what may have become of a model.

>>> data = dataset({"b_history": (("step", "feature"), [[0.0, 0.0], [0.1, 0.2]])}, {"step": [0, 10]})
>>> data["b_history"].attrs["long_name"], data["step"].attrs["units"]
('output bias, after this many steps', 'step')

Variables and coordinates that the tables know carry ``long_name`` and ``units``.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import xarray as xr

VARIABLES = {
    "W": ("weights; a column is a feature's direction", "1"),
    "b": ("output bias", "1"),
    "W1": ("encoder weights; a row is a neuron's inputs", "1"),
    "W2": ("decoder weights; a column is a neuron's outputs", "1"),
    "b_hidden": ("hidden bias", "1"),
    "loss": ("exact expected loss sum_i I_i E[(x_i - y_i)^2]", "1"),
    "objective": ("exact expected loss with penalties: what is minimised", "1"),
    "multiplier": ("by how much the objective falls per unit of the limit", "1"),
    "violation": ("by how much the worst constraint is missed", "1"),
    "held_gradient": ("derivative of the objective by weights that a constraint holds at 0", "1"),
    "loss_error": ("estimated error of loss", "1"),
    "gradient_error": ("largest estimated error of a derivative by b or by the map", "1"),
    "squared_error": ("expected squared error E[(x_i - y_i)^2] of each feature, unweighted", "1"),
    "terms": ("terms spent on the output that needed most; 0 where all had closed forms", ""),
    "dW": ("derivative of the loss by W", "1"),
    "db": ("derivative of the loss by b", "1"),
    "dW1": ("derivative of the loss by W1", "1"),
    "dW2": ("derivative of the loss by W2", "1"),
    "db_hidden": ("derivative of the loss by b_hidden", "1"),
    "hits": ("random or given starts that reached the lowest loss found", ""),
    "rechecked_gradient_norm": ("norm of the gradient with as many terms as tol asks for", "1"),
    "gradient_norm": ("norm of the gradient by the parameters that move", "1"),
    "curvature": ("smallest curvature beyond the rotation symmetry", "1"),
    "curvature_error": ("estimated error of curvature", "1"),
    "converged": ("whether the gradient is below its tolerance", ""),
    "status": ("what became of the model, see tegum.Status", ""),
    "steps": ("quasi-Newton steps", "step"),
    "evaluations": ("evaluations of loss and gradient", ""),
    "loss_standard_error": ("standard error of loss", "1"),
    "active_loss": ("the part of loss by features that are active in a sample", "1"),
    "data_set": ("samples that the model was trained on", "1"),
    "steps_done": ("optimizer steps done", "step"),
    "order": ("first order or continuous", ""),
    "norm": ("norm of a feature", "1"),
    "interference": ("interference of the other features with it", "1"),
}
"""Of each variable its long name and its unit: "1" for a pure number, "" for a count or a word."""

PARAMETER_DIMS = {
    "W": ("hidden", "feature"),
    "W1": ("hidden", "feature"),
    "W2": ("feature", "hidden"),
    "b": ("feature",),
    "b_hidden": ("hidden",),
}
"""The last dimensions of each parameter, after those of the instances."""

MODEL_DIMS = {"G": ("output", "feature")} | PARAMETER_DIMS
"""The same of everything that models may be given by: of the map G, too, where it alone is known."""

AXES = {
    "density": ("feature density 1 − S", "1"),
    "importance_ratio": ("relative importance of the last feature", "1"),
    "step": ("optimizer step", "step"),
    "time": ("time of the gradient flow", "1"),
    "seed": ("seed", ""),
    "feature_density": ("probability that a feature is active", "1"),
    "feature_importance": ("weight of a feature's squared error", "1"),
}


def instance_dims(count: int) -> tuple[str, ...]:
    """Names of leading axes that have none of their own: ``instance``, or ``instance_0``, ... where there are several."""
    return ("instance",) if count == 1 else tuple(f"instance_{i}" for i in range(count))


def start_axes(data: xr.Dataset, lead: Sequence[str]) -> list[str]:
    """Of the leading axes of models those along which only their start differs: seeds, and instances of the same features."""
    features = [one for name, one in data.variables.items() if str(name).startswith("feature_")]

    def agree(axis: str) -> bool:
        along = [one for one in features if axis in one.dims]
        return all(bool((one == one.isel({axis: 0})).all()) for one in along)

    return [axis for axis in lead if axis == "seed" or (axis.startswith("instance") and agree(axis))]


def many(name: str) -> str:
    """The plural of an axis or a variable, in words: ``densities`` of density, ``attack sizes`` of attack_size, ``losses``.

    Words that are plurals already stay: ``steps``.
    """
    words = name.replace("_", " ")
    if re.search("[^sui]s$", words) and not words.endswith("bias"):  # steps, betas
        return words
    if words.endswith("is"):  # an axis
        return f"{words[:-2]}es"
    return re.sub("(?<=[^aeiou])y$", "ie", words) + ("es" if words.endswith("s") else "s")


class Status(StrEnum):
    """What may have become of a training, a minimisation, a flow or a branch that is followed."""

    FINISHED = "finished"
    """Went all its steps."""
    DIVERGED = "diverged"
    """Its loss became non-finite."""
    INTERRUPTED = "interrupted"
    """Ctrl-C came first."""
    MINIMUM = "minimum"
    """Gradient zero, and no direction curves down."""
    SADDLE = "saddle"
    """Gradient zero, and some direction curves down."""
    CONVERGED = "converged"
    """Gradient zero; curvatures were not asked for."""
    NOT_CONVERGED = "not converged"
    """The steps ended, or no step was found, before the gradient was zero."""
    GAVE_UP = "gave up"
    """The solver of a flow found no step small enough, or its steps are too small to arrive."""
    UNSTABLE = "unstable"
    """Followed to where a direction begins to curve down."""
    ENDED = "ended"
    """Followed to where no minimum is near any more."""


OF_MINIMA = (Status.MINIMUM, Status.SADDLE, Status.CONVERGED, Status.NOT_CONVERGED)
"""What becomes of a minimisation, and of no training."""

RECIPES = re.compile(r"recipe(_\d+)?")
"""What the attributes are called that say how models were trained: one, or those that `joined` keeps."""

OWN_STARTS = ("random", "given")
"""The starts of a search that owe nothing to what others found: what share of them ends where says how sure an end is."""

MOST_FEATURES, MOST_WEIGHTS = 128, 40_000
"""Of models with more features, or more weights in all, nothing is computed unasked beside what was asked for."""


def dataset(
    variables: Mapping[str, tuple[tuple[str, ...], Any]],
    coords: Mapping[str, Any] | None = None,
    attrs: Mapping[str, Any] | None = None,
    meanings: Mapping[str, str] | None = None,
) -> xr.Dataset:
    """A dataset whose variables say what they are; what is recorded on the way is called like ``W_history``.

    Args:
        variables: dimensions and values by name.
        coords: labels by dimension, or dimensions and values.
        attrs: where it comes from.
        meanings: long names for this dataset alone.
    """
    data = xr.Dataset(dict(variables), dict(coords or {}), dict(attrs or {}))
    for name, variable in data.variables.items():
        subject = str(name).removesuffix("_history")
        meaning, units = (AXES if name in data.coords else VARIABLES).get(subject, ("", "1"))
        meaning = (meanings or {}).get(subject, meaning)
        if meaning:
            recorded = ", after this many steps" if subject != name else ""
            variable.attrs |= {"long_name": meaning + recorded, "units": units}
    return data


def joined(parts: Sequence[xr.Dataset], axis: str, **how: Any) -> xr.Dataset:
    """Trainings one after the other along an axis; where their recipes differ, each stays, with the values it is of.

    Attributes that differ are left out, but for ``recipe``: of two there are ``recipe_1`` and ``recipe_2``, and the values of
    the axis as ``recipe_1_density`` and ``recipe_2_density``.

    >>> recipes = {0.5: "a", 0.1: "b"}
    >>> joined([xr.Dataset({}, {"density": [p]}, {"recipe": each}) for p, each in recipes.items()], "density").attrs
    {'recipe_1': 'a', 'recipe_1_density': '0.5', 'recipe_2': 'b', 'recipe_2_density': '0.1'}
    """
    data = xr.concat(parts, axis, combine_attrs="drop_conflicts", **how)
    of: dict[str, list[str]] = {}
    for part in parts:
        of.setdefault(str(part.attrs["recipe"]), []).extend(f"{value:g}" for value in part[axis].values.tolist())
    if len(of) > 1:
        for k, (recipe, values) in enumerate(of.items(), start=1):
            data.attrs |= {f"recipe_{k}": recipe, f"recipe_{k}_{axis}": ", ".join(values)}
    return data
