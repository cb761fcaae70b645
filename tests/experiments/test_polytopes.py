"""The polytopes on a coarse grid: verdicts, crossings, and a table that shows what it should."""

import numpy as np
import pytest
import xarray as xr

from tegum.experiments.s4_geometry import polytopes
from tegum.figures import fraction_scatter, polytope_table
from tegum.geometry import simplex


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(polytopes, "STARTS", {"quick": (4, 4)})
        patch.setattr(polytopes, "POINTS", list(range(4, 13)))
        patch.setattr(polytopes, "DENSITIES", np.linspace(0.4, 0.7, 13))
        return polytopes.study("quick")


def test_shapes_are_as_they_should_be_and_the_simplex_wins_where_features_are_dense_only(data: xr.Dataset) -> None:
    found = {claim.name: claim for claim in polytopes.claims(data)}
    assert {name: claim.verdict for name, claim in found.items()} == {
        "simplex": "held",
        "polytopes": "held",
        "products": "held",
        "thomson": "held",
        "simplex-is-best": "failed",
    }
    assert [round(polytopes.crossing(data, n), 2) for n in (3, 4, 5)] == [0.52, 0.5, 0.48]


def test_the_pair_costs_what_the_theory_says_or_less(data: xr.Dataset) -> None:
    pair = data["shape_loss"].sel(shape=polytopes.PAIR).dropna("density", how="all")
    assert (pair.fillna(0) <= data["density"] ** 2 / 3).all()
    assert (data["optimum_loss"] <= data["shape_loss"].min("shape").fillna(np.inf) + 1e-12).all()


def test_the_simplex_is_told_from_what_is_almost_one() -> None:
    off = polytopes.off_the_simplex({4: simplex(4), 5: simplex(5)})
    assert np.max([*off["cosines"], *off["D"]]) < 1e-15
    tilted = polytopes.off_the_simplex({4: simplex(4) * [[1], [1], [1.1]]})
    assert min(tilted["cosines"][0], tilted["D"][0]) > 1e-3


def test_points_in_one_place_are_counted() -> None:
    assert polytopes.coincident(simplex(4)) == 0
    assert polytopes.coincident(np.hstack([simplex(4), simplex(4)[:, :2]])) == 2


def test_solids_of_three_dimensions_are_drawn_in_space_with_what_they_ignore(data: xr.Dataset) -> None:
    table = polytopes.figures(data)["table"].picture
    kinds = [trace.type for trace in table.data]
    assert kinds.count("heatmap") == 8
    assert kinds.count("mesh3d") == 5
    text = [annotation.text for annotation in table.layout.annotations]
    assert "<b>triangle</b>   ignores (1 1 1)" in text
    assert "4 dimensions:<br>not drawn in space" in text


def test_the_hull_of_a_cube_has_twelve_edges() -> None:
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]).T / 3**0.5
    figure = polytope_table({"cube": corners}, {})
    edges = next(trace for trace in figure.data if trace.type == "scatter3d" and trace.line.width == 2)
    assert len(edges.x) == 3 * 12


def test_dots() -> None:
    D = [np.full(4, 0.75), np.zeros(0)]
    figure = fraction_scatter([1.0, 10.0], D, "x", line=[1, 0.5], line_name="D*", log=True)
    assert figure.data[-1].y.tolist() == [0.75] * 4
    assert abs(np.log10(figure.data[-1].x)).max() < 0.5
    assert len(polytope_table({"tetrahedron": simplex(4), "digon": simplex(2)}, {}).data) > 10
