"""The order of a phase transition: does the slope of the lowest loss jump where one minimum takes over from another?

    L(v) = min over W, b of the expected loss,        dL/dv = the partial derivative at the minimum (its weights do not count)

Two minima A and B, each the lowest at one end of an interval of a value v (a density, an importance), are followed inwards: the
middle is minimised from both, and the interval halved towards where their losses are equal.  There

    first order      dL/dv differs between A and B: the losses cross
    continuous       dL/dv is the same, but one of them loses stability: a curvature reaches 0, and the other branches off there
    none             dL/dv is the same, and neither does: the optimum is one minimum that moves smoothly

Example: of two features of importances (1, 0.1) in one dimension the second is dropped above a density of 0.18125, where the
slope of the loss by log density falls by 46 %: first order.  Equal ones stay a symmetric pair up to a density of 0.7064 and
jump to a lopsided one there: first order, too.  Two digons of four
equal features break their symmetry at 0.659695, continuously.

Source: the envelope theorem; section 3 of `Toy Models of Superposition` speaks of phase changes and a jump of the derivative.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked, real_numbers
from tegum.datasets import Status, dataset
from tegum.errors import InvalidInputError
from tegum.exact.constraints import Constraint
from tegum.exact.evaluate import evaluate
from tegum.exact.follow import follow
from tegum.exact.minimise import minimise
from tegum.exact.penalties import Penalty
from tegum.features import Features
from tegum.geometry import gram
from tegum.nets import Net
from tegum.progress import ProgressBar

FIRST_ORDER, CONTINUOUS, NONE = "first order", "continuous", "none"

JUMP = 1e-3
"""A transition is first order where the slope of the loss jumps by more than this share of it."""
_SAME = 1e-4
_MEANINGS = {
    "value": "where the losses of the two minima are equal, or one loses stability; NaN where the same minimum goes on",
    "width": "how far apart the ends of the interval are in which that is",
    "jump": "jump of dL/d log value there, as a share of the larger slope",
    "step": "distance between the weights of the two minima",
    "slope": "dL/d log value of each minimum",
}
_STEP = 1e-3
_HALVINGS = 18

BatchAt = Callable[[NDArray[np.float64]], Features]
"""From values (k,) to distributions with one leading axis of length k."""

Ends = dict[str, NDArray[np.float64]]
"""W (k, 2, m, n) and b (k, 2, n): a minimum at each end of k intervals."""


@checked
def transitions(
    net: Net,
    features_at: BatchAt,
    W: ArrayLike,
    b: ArrayLike,
    values: ArrayLike,
    *,
    penalties: Sequence[Penalty] = (),
    constraints: Sequence[Constraint] = (),
    terms: int = 256,
    progress: bool | None = None,
) -> xr.Dataset:
    """Where the lowest of two minima changes, and by how much the slope of the loss jumps there.

    Args:
        net: `ReluOutput` or `Linear`.
        features_at: from positive values (k,) to distributions with one leading axis of length k.
        W: (k, 2, m, n): a minimum at each end of k intervals, the lowest there.
        b: (k, 2, n).
        values: (k, 2): the ends of each interval.
        penalties: what is added to the loss, see `tegum.exact.penalties`; it does not depend on the value, nor do slopes on it.
        constraints: what W has to fulfil, see `tegum.exact.constraints`.
        terms: terms of the loss that is minimised, a power of two.
        progress: True for a progress bar, False for none; by default one if standard error is a terminal.

    Returns:
        A dataset over ``transition``: ``value`` (where the losses are equal or stability is lost; NaN where ``order`` is none),
        ``width`` (of the interval left), ``slope`` (``transition``, ``side``), the derivative of the loss by the logarithm of
        the value, ``jump`` (their difference over the larger), ``step`` (how far W^T W moves, Frobenius norm) and ``order``.

    Raises:
        InvalidInputError: for values that are not positive, or shapes that do not fit.
    """
    ends = real_numbers("values", values).copy()
    if ends.ndim != 2 or ends.shape[1] != 2 or not ((ends > 0) & (ends < 1e150)).all():
        raise InvalidInputError(f"values has shape {ends.shape}", "give pairs of finite positive numbers, shape (k, 2)")
    m, n = net.n_hidden, net.n_features
    shapes = {"W": (len(ends), 2, m, n), "b": (len(ends), 2, n)}
    models = {name: real_numbers(name, array).copy() for name, array in (("W", W), ("b", b))}
    for name, shape in shapes.items():
        if models[name].shape != shape or not np.isfinite(models[name]).all():
            raise InvalidInputError(f"{name} has shape {models[name].shape}", f"give finite numbers, {shape}")
    under: dict[str, Any] = {"penalties": tuple(penalties), "constraints": tuple(constraints)}
    whole = ends.copy(), {name: array.copy() for name, array in models.items()}
    for _ in ProgressBar(range(_HALVINGS if len(ends) else 0), desc="transitions", progress=progress):
        _halve(net, features_at, ends, models, terms, under)
    found = _measured(net, features_at, ends, models)
    for k in np.flatnonzero(found["order"] != FIRST_ORDER).tolist():
        lost = _lost(net, features_at, k, *whole, terms, under)
        found["value"][k] = lost
        found["order"][k] = NONE if np.isnan(lost) else CONTINUOUS
    return found


def _distance(W: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(gram(W) - gram(other), axis=(-2, -1)))


def _halve(
    net: Net, features_at: BatchAt, ends: NDArray[np.float64], models: Ends, terms: int, under: Mapping[str, Any]
) -> None:
    """Halves every interval in place: the middle becomes the end whose minimum is the lower one there."""
    middle = np.sqrt(ends[:, 0] * ends[:, 1])
    found = minimise(
        net, features_at(middle), seeds=2, initial=models, terms=terms, gradient_tolerance=1e-9, progress=False, **under
    ).transpose(..., "seed", "hidden", "feature")
    there = {name: found[name].values for name in models}
    value = found["objective" if "objective" in found else "loss"].values
    apart = np.abs(value[:, 0] - value[:, 1]) > 1e-9 * value.sum(axis=1)
    apart |= _distance(there["W"][:, 0], there["W"][:, 1]) > _SAME
    near = [_distance(there["W"][:, 0], models["W"][:, side]) for side in (0, 1)]
    first = np.where(apart, value[:, 0] <= value[:, 1], near[0] <= near[1])
    side = np.where(first, 0, 1)
    rows = np.arange(len(ends))
    ends[rows, side] = middle
    for name, array in models.items():
        array[rows, side] = there[name][rows, side]


def _lost(
    net: Net, features_at: BatchAt, k: int, ends: NDArray[np.float64], models: Ends, terms: int, under: Mapping[str, Any]
) -> float:
    """Where the minimum at one end of interval k loses stability on the way to the other end; NaN where neither does."""

    def single(value: float) -> Features:
        features = features_at(np.full(len(ends), value))
        each = {name: np.broadcast_to(one, (len(ends), one.shape[-1])) for name, one in features.batched().items()}
        return features.replaced(**{name: one[k] for name, one in each.items()})

    for side in (0, 1):
        with suppress(InvalidInputError):  # where a start is no minimum, nothing is followed from there
            W, b = (models[name][k, side] for name in ("W", "b"))
            branch = follow(net, single, W, b, ends[k, [side, 1 - side]], terms=terms, progress=False, **under)
            if branch.lost_at is not None and branch.data.attrs["lost_because"] == Status.UNSTABLE:
                return branch.lost_at
    return np.nan


def _slopes(net: Net, features_at: BatchAt, value: NDArray[np.float64], models: Ends) -> NDArray[np.float64]:
    """The derivative of the loss by log value at fixed weights, shape (k, 2); from below, for a density cannot exceed 1."""

    def loss_at(values: NDArray[np.float64]) -> NDArray[np.float64]:
        features = features_at(values)
        whole = {name: np.broadcast_to(one, (len(values), one.shape[-1])) for name, one in features.batched().items()}
        each = features.replaced(**{name: one[:, None] for name, one in whole.items()})
        return np.asarray(evaluate(models["W"], models["b"], each, tol=1e-10, net=net)["loss"].values)

    here, near, far = (loss_at(value * np.exp(-k * _STEP)) for k in range(3))
    return np.asarray(3 * here - 4 * near + far) / (2 * _STEP)


def _measured(net: Net, features_at: BatchAt, ends: NDArray[np.float64], models: Ends) -> xr.Dataset:
    value = np.sqrt(ends[:, 0] * ends[:, 1])
    slopes = _slopes(net, features_at, value, models)
    jump = np.abs(slopes[:, 0] - slopes[:, 1]) / np.maximum(np.abs(slopes).max(axis=1), np.finfo(float).tiny)
    along = ("transition",)
    variables = {
        "value": (along, value),
        "width": (along, np.abs(ends[:, 1] - ends[:, 0])),
        "jump": (along, jump),
        "step": (along, _distance(models["W"][:, 0], models["W"][:, 1])),
        "order": (along, np.where(jump > JUMP, FIRST_ORDER, CONTINUOUS)),
        "slope": ((*along, "side"), slopes),
    }
    return dataset(variables, meanings=_MEANINGS)
