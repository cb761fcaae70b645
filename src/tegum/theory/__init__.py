"""Closed forms: special cases in which the expected loss can be written down."""

from tegum.theory.absolute import absolute_without_superposition, one_sided_loss
from tegum.theory.activity import Arrangement, alone, pair
from tegum.theory.candidates import dedicated_loss, dropped_loss, pair_boundary, paired_loss
from tegum.theory.compressed_sensing import bound_units, denoised, half_recovered, recovered, recovery_rate, recovery_threshold
from tegum.theory.expansion import best_polygon, losses_by_count, polygon_loss, regular_polygon, shares_by_count
from tegum.theory.linear import best_linear, feature_benefit, linear_interference, linear_loss
from tegum.theory.nonlinear_compression import LINEAR_ERROR, compression_error, packed, ramped_floor, unpacked
from tegum.theory.one_active import active_error, inactive_error, loss_nothing_active, losses_one_active, sparse_loss
from tegum.theory.pair_regime import pair_regime_count, pair_regime_loss
from tegum.theory.simplices import best_simplex, left_out, phase_losses, shared_loss, simplex_loss
from tegum.theory.two_in_one import basin_shares, every_two_in_one_minimum, two_in_one_loss, two_in_one_minima

__all__ = [
    "LINEAR_ERROR",
    "Arrangement",
    "absolute_without_superposition",
    "active_error",
    "alone",
    "basin_shares",
    "best_linear",
    "best_polygon",
    "best_simplex",
    "bound_units",
    "compression_error",
    "dedicated_loss",
    "denoised",
    "dropped_loss",
    "every_two_in_one_minimum",
    "feature_benefit",
    "half_recovered",
    "inactive_error",
    "left_out",
    "linear_interference",
    "linear_loss",
    "loss_nothing_active",
    "losses_by_count",
    "losses_one_active",
    "one_sided_loss",
    "packed",
    "pair",
    "pair_boundary",
    "pair_regime_count",
    "pair_regime_loss",
    "paired_loss",
    "phase_losses",
    "polygon_loss",
    "ramped_floor",
    "recovered",
    "recovery_rate",
    "recovery_threshold",
    "regular_polygon",
    "shared_loss",
    "shares_by_count",
    "simplex_loss",
    "sparse_loss",
    "two_in_one_loss",
    "two_in_one_minima",
    "unpacked",
]
