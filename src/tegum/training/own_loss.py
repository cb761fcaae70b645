"""A loss of your own: any function of outputs and targets, sample by sample, in NumPy; the net and its gradient stay compiled.

    L = mean over samples of value(y, x),      dL/dy = slope(y, x) / samples

>>> import tegum as tg
>>> quartic = tg.training.OwnLoss(
...     "quartic", value=lambda y, x: ((y - x) ** 4).sum(axis=1), slope=lambda y, x: 4 * (y - x) ** 3
... )
>>> net, features = tg.nets.ReluOutput(3, 2), tg.features.Independent(3, density=0.3)
>>> recipe = tg.Recipe(steps=20, batch_size=64, evaluation_samples=640)
>>> data = tg.train(net, features, recipe, loss=quartic, progress=False)
>>> data.attrs["loss"], bool(data.loss.item() > 0)
('quartic', True)

A step hands one panel of 64 samples after the other to Python: about 0.1 ms each, a hundred times the squared error's cost
for a small net.  Importance is the function's own affair.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from tegum.checking import Checked, check_fields
from tegum.errors import InvalidInputError, Problems
from tegum.training.arrays import FeatureNumbers, RecipeNumbers, Scratch, Shape, State
from tegum.training.blocks import PANEL_WIDTH
from tegum.training.kernel import backward_one, forward_one, updated

_STEP, _AGREES = 1e-4, 1e-3

Arrays = NDArray[np.float64]


@final
@dataclass(frozen=True)
class OwnLoss(metaclass=Checked):
    """A loss of each sample and its derivative by the outputs.

    Args:
        name: what results call it.
        value: from outputs y and targets x, both (samples, n), to losses (samples,).
        slope: to the derivatives of each sample's loss by its outputs, (samples, n).
    """

    name: str
    value: Callable[[Arrays, Arrays], Arrays]
    slope: Callable[[Arrays, Arrays], Arrays]

    def __post_init__(self) -> None:
        with Problems() as problems:
            check_fields(self, problems)

    def require_usable(self, n: int) -> None:
        """Raises an `InvalidInputError` where shapes are wrong, or the slope is not the value's derivative."""
        rng, samples = np.random.default_rng(0), 5
        y, x = rng.uniform(0, 1, (2, samples, n))
        value, slope = np.asarray(self.value(y, x)), np.asarray(self.slope(y, x))
        if value.shape != (samples,) or slope.shape != (samples, n):
            what = f"the loss {self.name!r} returns the shapes {value.shape} and {slope.shape} for {samples} samples of {n}"
            raise InvalidInputError(what, f"let value return ({samples},) and slope ({samples}, {n})")
        for i in range(n):
            move = _STEP * np.eye(n)[i]
            expected = (np.asarray(self.value(y + move, x)) - np.asarray(self.value(y - move, x))) / (2 * _STEP)
            wrong = np.abs(slope[:, i] - expected)
            if not (wrong <= _AGREES * (1 + np.abs(expected))).all():
                k = int(wrong.argmax())
                what = f"the slope of the loss {self.name!r} by output {i} is {slope[k, i]:.4g}, its difference quotient"
                raise InvalidInputError(f"{what} {expected[k]:.4g}", "let slope be the derivative of value by y")


def step_of(
    loss: OwnLoss, shape: Shape, scratch: Scratch, features: FeatureNumbers, recipe: RecipeNumbers, state: State, t: int
) -> float:
    """One optimizer step on the batch in ``state.data_set``; returns its loss, and moves nothing if that is not finite."""
    scratch.gradient[:] = 0
    total, batch = 0.0, recipe.batch_size
    for first in range(0, batch, PANEL_WIDTH):
        count = min(PANEL_WIDTH, batch - first)
        forward_one(shape, scratch, features, recipe, state, first)
        x = scratch.inputs[0, :, :count].T.astype(np.float64)
        y = scratch.outputs[0, :, :count].T.astype(np.float64)
        target = np.abs(x) if shape.absolute else x
        if shape.target.mapped:
            target = scratch.targets[:, :count].T.astype(np.float64)
        total += float(np.sum(loss.value(y, target)))
        pull = np.asarray(loss.slope(y, target)).T / batch * scratch.slopes[:, :count]
        scratch.outputs[0] = 0
        scratch.outputs[0, :, :count] = pull
        backward_one(shape, scratch, features, recipe, state, count)
    if np.isfinite(total):
        updated(shape, recipe, state, scratch.gradient, t)
    return total / batch
