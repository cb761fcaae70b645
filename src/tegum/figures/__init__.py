"""Pictures: datasets in, plotly figures out."""

from typing import TYPE_CHECKING

from tegum.loading import load_on_first_use

if TYPE_CHECKING:
    from tegum.figures.arrows import arrow_overlay, arrow_panels, set_arrows
    from tegum.figures.branches import branch_scatter
    from tegum.figures.category_map import Marks, category_panels, colours_of, geometry_map, transition_marks
    from tegum.figures.census import census_bars, census_dots
    from tegum.figures.curves import curve_panel, error_curves, loss_curves, vulnerability_panels
    from tegum.figures.dynamics import level_panels, level_slider, path_slider
    from tegum.figures.fractions import dimensionality_histogram, fraction_scatter, shape_shares
    from tegum.figures.gram_panels import gram_panels, strips
    from tegum.figures.models import Chosen, drawn_models
    from tegum.figures.networks import network_panels
    from tegum.figures.paths import arrow_film
    from tegum.figures.phase_map import phase_panels, stuck_panels
    from tegum.figures.polytopes import polytope_table
    from tegum.figures.stacks import NeuronPanel, stack_panels
    from tegum.figures.surface import surface_panels
    from tegum.figures.theme import CONFIG, DARK
    from tegum.figures.weight_graph import WeightGraph, weight_graphs

__all__ = [
    "CONFIG",
    "DARK",
    "Chosen",
    "Marks",
    "NeuronPanel",
    "WeightGraph",
    "arrow_film",
    "arrow_overlay",
    "arrow_panels",
    "branch_scatter",
    "category_panels",
    "census_bars",
    "census_dots",
    "colours_of",
    "curve_panel",
    "dimensionality_histogram",
    "drawn_models",
    "error_curves",
    "fraction_scatter",
    "geometry_map",
    "gram_panels",
    "level_panels",
    "level_slider",
    "loss_curves",
    "network_panels",
    "path_slider",
    "phase_panels",
    "polytope_table",
    "set_arrows",
    "shape_shares",
    "stack_panels",
    "strips",
    "stuck_panels",
    "surface_panels",
    "transition_marks",
    "vulnerability_panels",
    "weight_graphs",
]

load_on_first_use(__name__)
