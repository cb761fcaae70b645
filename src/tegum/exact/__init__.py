"""The exact engine: expected losses, gradients, minima and certificates without a sample."""

from tegum.exact.evaluate import Evaluation, evaluate, loss, loss_and_gradient, squared_errors
from tegum.exact.minimise import minimise
from tegum.exact.objective import Objective

__all__ = ["Evaluation", "Objective", "evaluate", "loss", "loss_and_gradient", "minimise", "squared_errors"]
