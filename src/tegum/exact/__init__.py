"""The exact engine: expected losses, gradients, curvatures, minima, flows and branches without a sample."""

from typing import TYPE_CHECKING

from tegum.loading import load_on_first_use

if TYPE_CHECKING:
    from tegum.exact.ablations import ablations
    from tegum.exact.activity import hidden_activity
    from tegum.exact.bias import best_bias
    from tegum.exact.constraints import Coherence, ColumnSparse, NormBudget, Support
    from tegum.exact.crossing import crossing
    from tegum.exact.evaluate import evaluate, loss, loss_and_gradient, squared_errors
    from tegum.exact.flow import Flow, dense_flow, gradient_flow
    from tegum.exact.follow import Branch, follow
    from tegum.exact.globally import certified_globally
    from tegum.exact.hessian import curvatures, hessian_at, hessian_vector_product, rotation_modes, truncation_error
    from tegum.exact.minimise import minimise, minimise_from
    from tegum.exact.moments import moments
    from tegum.exact.noise import noisy
    from tegum.exact.objective import Objective
    from tegum.exact.penalties import L1, L2, Interference, Smooth
    from tegum.exact.tails import tails
    from tegum.exact.transitions import CONTINUOUS, FIRST_ORDER, NONE, transitions

__all__ = [
    "CONTINUOUS",
    "FIRST_ORDER",
    "L1",
    "L2",
    "NONE",
    "Branch",
    "Coherence",
    "ColumnSparse",
    "Flow",
    "Interference",
    "NormBudget",
    "Objective",
    "Smooth",
    "Support",
    "ablations",
    "best_bias",
    "certified_globally",
    "crossing",
    "curvatures",
    "dense_flow",
    "evaluate",
    "follow",
    "gradient_flow",
    "hessian_at",
    "hessian_vector_product",
    "hidden_activity",
    "loss",
    "loss_and_gradient",
    "minimise",
    "minimise_from",
    "moments",
    "noisy",
    "rotation_modes",
    "squared_errors",
    "tails",
    "transitions",
    "truncation_error",
]

load_on_first_use(__name__)
