"""Stochastic training: a recipe, a sweep, and a compiled engine that trains thousands of small nets at once."""

from typing import TYPE_CHECKING

from tegum.loading import load_on_first_use

if TYPE_CHECKING:
    from tegum.training.cost import compiling_seconds, estimated_seconds, seconds_of_each, slowness
    from tegum.training.own_loss import OwnLoss
    from tegum.training.probe import attacked_samples, engine_samples, loss_and_gradient
    from tegum.training.recipe import Recipe
    from tegum.training.train import train

__all__ = [
    "OwnLoss",
    "Recipe",
    "attacked_samples",
    "compiling_seconds",
    "engine_samples",
    "estimated_seconds",
    "loss_and_gradient",
    "seconds_of_each",
    "slowness",
    "train",
]

load_on_first_use(__name__)
