"""Maps: the lowest certified minimum at every point of a grid of distributions, its shape, transitions; training beside it."""

from typing import TYPE_CHECKING

from tegum.loading import load_on_first_use

if TYPE_CHECKING:
    from tegum.maps.extra_feature import extra_feature, extra_phase, importances, paper_grid, ratio_axis
    from tegum.maps.minima import lowest_minima
    from tegum.maps.phase_map import phase_map
    from tegum.maps.three_ways import three_ways
    from tegum.maps.transitions_between import transitions_between

__all__ = [
    "extra_feature",
    "extra_phase",
    "importances",
    "lowest_minima",
    "paper_grid",
    "phase_map",
    "ratio_axis",
    "three_ways",
    "transitions_between",
]

load_on_first_use(__name__)
