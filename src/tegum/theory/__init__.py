"""Closed forms: special cases in which the expected loss can be written down."""

from typing import TYPE_CHECKING

from tegum.loading import load_on_first_use

if TYPE_CHECKING:
    from tegum.theory.absolute import absolute_without_superposition
    from tegum.theory.candidates import (
        dropped_loss,
        pair_boundary,
        pair_regime_count,
        pair_regime_loss,
        paired_loss,
        simplex_loss,
    )
    from tegum.theory.compressed_sensing import bound_units, features_per_dimension
    from tegum.theory.expansion import sparse_loss
    from tegum.theory.linear import best_linear, linear_loss
    from tegum.theory.two_in_one import two_in_one_loss, two_in_one_minima

__all__ = [
    "absolute_without_superposition",
    "best_linear",
    "bound_units",
    "dropped_loss",
    "features_per_dimension",
    "linear_loss",
    "pair_boundary",
    "pair_regime_count",
    "pair_regime_loss",
    "paired_loss",
    "simplex_loss",
    "sparse_loss",
    "two_in_one_loss",
    "two_in_one_minima",
]

load_on_first_use(__name__)
