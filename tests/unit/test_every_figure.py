"""Every figure on every kind of dataset: it draws, or says in one message what it needs."""

import re
from collections.abc import Callable
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
import xarray as xr

import tegum as tg

FIVE = tg.features.Independent(5, density=0.1)
QUICK = tg.Recipe(steps=4, seeds=3, batch_size=64, evaluation_samples=64, learning_rate=0.01)
RECORDED = QUICK.replaced(record=("loss", "W", "b"), record_steps=(1, 2, 4))


def trained(n: int, m: int, recipe: tg.Recipe = QUICK, **options: Any) -> xr.Dataset:
    return tg.train(tg.nets.ReluOutput(n, m), tg.features.Independent(n, density=0.1), recipe, progress=False, **options)


def read(folder: Path) -> xr.Dataset:
    np.savez(folder / "w.npz", W=np.random.default_rng(0).normal(size=(9, 2, 5)), b_final=np.zeros((9, 1, 5)))
    return tg.read_weights(folder / "w.npz")


def mapped(folder: Path) -> xr.Dataset:
    np.savez(folder / "g.npz", G=np.eye(4), b=np.zeros(4))
    return tg.read_weights(folder / "g.npz")


def followed() -> xr.Dataset:
    W, b = tg.geometry.polygon(5), np.full(5, -0.05)
    return tg.exact.follow(tg.nets.ReluOutput(5, 2), FIVE, W, b, [0.1, 0.11, 0.12], progress=False).data


def flowing() -> xr.Dataset:
    start = 0.3 * np.random.default_rng(0).normal(size=(2, 5))
    return tg.exact.gradient_flow(tg.nets.ReluOutput(5, 2), FIVE, start, np.zeros(5), 100, times=12, progress=False)


def diverged() -> xr.Dataset:
    data = trained(5, 2)
    return data.assign(W=data["W"] * np.nan, loss=data["loss"] * np.nan, status=xr.full_like(data["status"], "diverged"))


def of_two_matrices(net: tg.nets.Net) -> xr.Dataset:
    return tg.train(net, tg.features.Independent(4, density=0.2), QUICK, progress=False)


KINDS: dict[str, Callable[[Path], xr.Dataset]] = {
    "seeds": lambda _: trained(5, 2),
    "one dimension": lambda _: trained(5, 1, RECORDED),
    "recorded": lambda _: trained(5, 2, RECORDED, sweep={"density": [1.0, 0.3, 0.1]}),
    "space": lambda _: trained(6, 3, RECORDED),
    "four": lambda _: trained(6, 4, RECORDED, sweep={"density": [0.3, 0.1], "importance": [1.0, 0.5]}),
    "one feature": lambda _: trained(1, 1, RECORDED),
    "many features": lambda _: trained(200, 4, QUICK.replaced(seeds=1)),
    "one model": lambda _: trained(5, 2, QUICK.replaced(seeds=1)).isel(seed=0),
    "sets": lambda _: tg.train(tg.nets.ReluOutput(4, 2), tg.features.CorrelatedSets(2, 2, density=0.1), QUICK, progress=False),
    "many starts": lambda _: trained(3, 2, QUICK.replaced(seeds=100, steps=1)),
    "minimised": lambda _: tg.exact.minimise(
        tg.nets.ReluOutput(5, 2), FIVE, seeds=4, sweep={"density": [0.3, 0.1]}, progress=False
    ),
    "flow": lambda _: flowing(),
    "branch": lambda _: followed(),
    "file": read,
    "map of a file": mapped,
    "relu hidden": lambda _: of_two_matrices(tg.nets.ReluHidden(4, 2)),
    "absolute": lambda _: of_two_matrices(tg.nets.AbsoluteValue(4, 6)),
    "phase map": lambda _: tg.maps.phase_map(2, 1, [0.1, 0.5, 1.0], [0.5, 1.0, 2.0], seeds=3, rounds=1, progress=False),
    "diverged": lambda _: diverged(),
}

CALLS: dict[str, Callable[[xr.Dataset], Any]] = {
    "arrow_film": tg.figures.arrow_film,
    "arrow_overlay": tg.figures.arrow_overlay,
    "arrow_panels": tg.figures.arrow_panels,
    "branch_scatter": lambda data: tg.figures.branch_scatter(data, data, ["pentagon"], "density", {}),
    "category_panels": lambda data: tg.figures.category_panels(data.get("shape", data)),  # type: ignore[arg-type]
    "census_bars": lambda data: tg.figures.census_bars(tg.census(data)),
    "census_dots": lambda data: tg.figures.census_dots(data, ["pentagon"], "?", "exact minimum"),
    "curve_panel": lambda data: tg.figures.curve_panel({"loss": data["loss"]} if "loss" in data else data, "x", "loss"),
    "dimensionality_histogram": tg.figures.dimensionality_histogram,
    "error_curves": tg.figures.error_curves,
    "fraction_scatter": tg.figures.fraction_scatter,
    "geometry_map": tg.figures.geometry_map,
    "gram_panels": tg.figures.gram_panels,
    "level_panels": tg.figures.level_panels,
    "level_slider": tg.figures.level_slider,
    "loss_curves": tg.figures.loss_curves,
    "network_panels": tg.figures.network_panels,
    "path_slider": tg.figures.path_slider,
    "phase_panels": tg.figures.phase_panels,
    "polytope_table": tg.figures.polytope_table,
    "set_arrows": tg.figures.set_arrows,
    "shape_shares": tg.figures.shape_shares,
    "stack_panels": tg.figures.stack_panels,
    "strips": tg.figures.strips,
    "stuck_panels": lambda data: tg.figures.stuck_panels(data.get("found", data)),  # type: ignore[arg-type]
    "surface_panels": lambda data: tg.figures.surface_panels(data, {}),
    "vulnerability_panels": lambda data: tg.figures.vulnerability_panels({"W": data["loss"]} if "loss" in data else data, data),  # type: ignore[arg-type]
    "weight_graphs": tg.figures.weight_graphs,
}

WITH_W = set(KINDS) - {"map of a file", "absolute", "diverged"}
ON_THE_WAY = {"one dimension", "recorded", "space", "four", "one feature", "flow", "branch"}
MUST_DRAW = {
    **dict.fromkeys(("dimensionality_histogram", "fraction_scatter", "network_panels", "polytope_table", "strips"), WITH_W),
    "weight_graphs": WITH_W | {"absolute"},
    "stack_panels": WITH_W | {"absolute"},
    "gram_panels": WITH_W | {"map of a file"},
    "arrow_panels": WITH_W - {"four", "many features"},
    "set_arrows": {"sets"},
    "arrow_film": ON_THE_WAY,
    "level_panels": ON_THE_WAY,
    "level_slider": ON_THE_WAY,
    "path_slider": {"space"},
    "loss_curves": ON_THE_WAY,
    "arrow_overlay": {"branch"},
    "census_bars": {
        "seeds",
        "one dimension",
        "recorded",
        "space",
        "four",
        "one feature",
        "many features",
        "sets",
        "minimised",
        "file",
    }
    | {"many starts", "diverged", "relu hidden", "absolute"},
    "shape_shares": {"recorded", "minimised", "branch"},
    "curve_panel": {
        "flow",
        "branch",
        "seeds",
        "one dimension",
        "space",
        "one feature",
        "sets",
        "many starts",
        "many features",
        "diverged",
    }
    | {"relu hidden", "absolute"},
    "geometry_map": {"phase map"},
    "phase_panels": {"phase map"},
    "category_panels": {"phase map"},
    "stuck_panels": {"phase map"},
}
SHOWN = {"recorded", "space", "flow", "branch", "file", "map of a file", "absolute", "phase map"}
"""Kinds of which the page is made, too; all figures in it are tried for every kind."""


@cache
def made(kind: str, folder: Path) -> xr.Dataset:
    return KINDS[kind](folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


def test_every_figure_is_tried() -> None:
    others = {
        "CONFIG",
        "DARK",
        "Chosen",
        "Marks",
        "NeuronPanel",
        "WeightGraph",
        "colours_of",
        "drawn_models",
        "transition_marks",
    }
    assert set(CALLS) == set(tg.figures.__all__) - others


@pytest.mark.parametrize("kind", sorted(SHOWN))
def test_a_kind_has_a_page(kind: str, folder: Path) -> None:
    shown = tg.show(made(kind, folder))
    assert len(shown.figures) > 0
    page = shown.html()
    assert "default-src 'none'" in unescape(page[:2000])
    outside = re.sub(r"<(script|style)>.*?</\1>", "", page, flags=re.DOTALL)
    assert not re.search(r"""(src|href)=["'](?!data:)""", outside)
    assert set(re.findall(r'data-figure="(\w+)"', outside)) == set(shown.figures)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_dataset(kind: str, folder: Path) -> None:
    data, wrong = made(kind, folder), []
    for name, call in CALLS.items():
        try:
            found = call(data)
            assert isinstance(found, go.Figure)
            assert len(found.data) > 0
            assert found.to_json()
            says = ""
        except tg.InvalidInputError as mistake:
            says = str(mistake)
            assert ": " in says, name
            assert "mistakes" not in says, name
        if (says == "") != (kind in MUST_DRAW.get(name, set())):
            wrong.append(f"{name}: {says or 'draws'}")
    assert wrong == []


def test_hidden_units_that_are_linear_are_directions_and_no_neurons() -> None:
    data = of_two_matrices(tg.nets.Untied(4, 2))
    shown = tg.show(data)
    assert {"arrows", "matrix"} <= set(shown.figures)
    assert not {"neurons", "graph"} & set(shown.figures)
    best = data.isel(seed=int(tg.exact.loss(data).argmin("seed")))
    np.testing.assert_allclose(shown.figures["matrix"].data[0].z, best["W2"].values @ best["W1"].values, rtol=1e-6)
    titles = [note.text for note in shown.figures["arrows"].layout.annotations]
    assert [title.partition(" ")[0] for title in titles if "(" in title] == ["features", "outputs"]
    assert {"neurons", "graph"} <= set(tg.show(of_two_matrices(tg.nets.UntiedNeurons(4, 2))).figures)


def test_the_best_start_is_that_of_lowest_exact_loss(folder: Path) -> None:
    data = made("seeds", folder)
    exact = tg.exact.loss(data)
    low, high = int(exact.argmin("seed")), int(exact.argmax("seed"))
    misled = data.assign(loss=-exact)
    lowest = exact.min().item()
    assert tg.show(misled).tables[0].rows[0][:3] == [f"seed {low}", f"{-lowest:.6g}", f"{lowest:.6g}"]
    own = misled.assign_attrs(loss="my loss")  # which no exact loss ranks
    assert tg.show(own).tables[0].rows[0][0] == f"seed {high}"


def test_of_what_was_minimised_with_penalties_the_lowest_objective_is_drawn() -> None:
    W = xr.DataArray(np.stack([np.eye(2), 2 * np.eye(2)]), dims=["seed", "hidden", "feature"])
    data = xr.Dataset({"W": W, "loss": ("seed", [1.0, 2.0]), "objective": ("seed", [3.0, 2.5])})
    chosen = tg.figures.drawn_models(data)
    assert chosen.said == "of 2 seeds the one of lowest objective"
    np.testing.assert_array_equal(chosen.weights[""], 2 * np.eye(2))


def test_nothing_is_drawn_that_is_no_number(folder: Path) -> None:
    """Models that diverged are left out, and the picture says so."""
    data = made("recorded", folder).copy(deep=True)
    data["W"][0] = np.nan
    data["loss"][0] = np.nan
    figure = tg.figures.strips(data)
    assert [
        note.text if "density " in note.text[:8] else note.text.replace("<br>", " ") for note in figure.layout.annotations
    ] == [
        "density 0.3",
        "density 0.1",
        "of 3 seeds the one of lowest loss at each density; without 1 that diverged",
    ]
    assert all(np.isfinite(trace.x).all() for trace in figure.data if trace.type == "bar")


def test_what_is_drawn_is_the_best(folder: Path) -> None:
    data = made("recorded", folder)
    best = data["W"].isel(seed=int(data["loss"].sel(density=0.1).argmin("seed"))).sel(density=0.1)
    chosen = tg.figures.drawn_models(data, most=2)
    assert list(chosen.models) == ["density 1", "density 0.1"]
    np.testing.assert_array_equal(chosen.weights["density 0.1"], best)
    assert chosen.said == "of 3 seeds the one of lowest loss at each density; 2 of 3 densities"
    grid = tg.figures.drawn_models(made("four", folder), most=3)
    assert list(grid.models) == ["density 0.3, importance 0.5", "density 0.1, importance 0.5"]


@pytest.mark.parametrize("precision", ["float16", "float32", "float64"])
def test_models_in_any_precision_are_drawn(precision: str) -> None:
    W = np.stack([np.eye(2), np.full((2, 2), np.inf)]).astype(precision)
    assert tg.figures.drawn_models(W).said == "without 1 that diverged"
    with pytest.raises(tg.InvalidInputError, match="no model has finite weights"):
        tg.figures.drawn_models(W[1:])
    assert len(tg.figures.gram_panels({"a": W[0]}).data)
    with pytest.raises(tg.InvalidInputError, match=r"values that are not below 1e\+75"):
        tg.figures.gram_panels({"a": np.full((2, 2), 1e80) if precision == "float64" else W[1]})


def test_long_features_are_not_cut(folder: Path) -> None:
    del folder
    figure = tg.figures.strips({"long": np.array([[3.0, -1.0]])})
    assert figure.layout.xaxis2.range[1] > 3
    assert figure.layout.coloraxis.cmax == 9
    table = tg.figures.polytope_table({"long": np.array([[3.0, -1.0]])})
    assert table.layout.scene.xaxis.range[1] > 3
    assert table.layout.coloraxis.colorbar.lenmode == "pixels"  # one row is as high as its colour bar
    assert table.layout.coloraxis.colorbar.len < table.layout.height


def test_a_colour_bar_of_importance_needs_a_difference() -> None:
    equal = tg.figures.arrow_panels({"": tg.geometry.polygon(5)})
    assert not any(trace.marker.colorbar.title.text for trace in equal.data)
    W = xr.Dataset({"W": (("hidden", "feature"), np.eye(2)), "feature_importance": ("feature", [1.0, 0.5])})
    assert tg.figures.arrow_panels(W).data[-1].marker.colorbar.title.text == "importance"


def test_a_shape_has_one_bin_of_the_histogram_of_dimensionalities() -> None:
    for size, fraction in ((2, 1 / 2), (3, 2 / 3), (5, 2 / 5)):
        angles = 2 * np.pi * np.arange(size) / size
        turns = np.linspace(0, 1, 40)[:, None]
        W = np.stack([np.cos(angles + turns), np.sin(angles + turns)], axis=1)
        W = W if size > 2 else np.stack([W[:, 0, :], 0 * W[:, 0, :]], axis=1)
        for one in W:
            (bars,) = tg.figures.dimensionality_histogram(one).data
            place = int(np.argmax(bars.y))
            assert bars.y[place] == size
            assert abs(bars.x[place] - fraction) <= bars.width / 4
