"""Maps of names: every colour and every word is that of its cell, and fine maps stay light."""

import numpy as np
import plotly.graph_objects as go
import pytest
import xarray as xr

from tegum.errors import InvalidInputError
from tegum.figures import category_panels

COLOURS = {"left": "#111111", "right": "#eeeeee"}


def halves(cells: int) -> xr.DataArray:
    r, p = np.geomspace(0.1, 10, cells), np.geomspace(0.01, 1, cells)
    names = np.where((r < p[:, None] * 10), "left", "right")
    return xr.DataArray(names, {"density": p, "importance_ratio": r}, ["density", "importance_ratio"])


def heatmaps(figure: go.Figure) -> tuple[go.Heatmap, go.Heatmap]:
    colours, words = (trace for trace in figure.data if trace.type == "heatmap")
    return colours, words


@pytest.mark.parametrize("cells", [40, 600])
def test_cells_are_coloured_and_named_by_what_holds_there(cells: int) -> None:
    data = halves(cells)
    colours, words = heatmaps(category_panels({"theory": data}, COLOURS))
    np.testing.assert_array_equal(np.array(list(COLOURS))[np.asarray(colours.z)], data.values)
    said = data.sel(density=words.y, importance_ratio=words.x)
    np.testing.assert_array_equal(np.asarray(words.text), said.values)
    assert colours.hoverinfo == "skip"
    assert words.opacity == 0


def test_a_map_of_600_cells_a_side_weighs_below_two_megabytes() -> None:
    assert len(category_panels({"theory": halves(600)}, COLOURS).to_json()) < 2e6


def test_a_name_without_a_colour_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="'left' has no colour"):
        category_panels({"theory": halves(4)}, {"right": "#eeeeee"})
