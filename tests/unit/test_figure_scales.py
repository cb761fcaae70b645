"""Scales reach as far as the numbers, or say that they do not; what a figure says of its data is so."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
import xarray as xr

import tegum as tg
from tegum.figures.census import _kind

TIMES = [1.0, 10.0, 100.0]


def on_the_way(size: float, m: int = 4) -> xr.Dataset:
    W = size * np.random.default_rng(0).uniform(0.5, 1, (3, m, 6))
    return xr.Dataset({"W": (("time", "hidden", "feature"), W), "loss": ("time", [3.0, 2.0, 1.0])}, {"time": TIMES})


def one(size: float) -> dict[str, Any]:
    return {"": np.diag([np.sqrt(size), np.sqrt(size) / 2])}


PICTURES = {
    "gram_panels": lambda size: tg.figures.gram_panels(one(size)),
    "strips": lambda size: tg.figures.strips(one(size)),
    "stack_panels": lambda size: tg.figures.stack_panels({"": 1.5 * size * np.eye(2)}, matrix=True),
    "arrow_film": lambda size: tg.figures.arrow_film(on_the_way(np.sqrt(size / 4))),
    "level_slider": lambda size: tg.figures.level_slider(on_the_way(np.sqrt(size / 4))),
}


def scale_of(figure: go.Figure) -> tuple[float, Any, float]:
    """Where the colours of matrices end, what the last tick says, and the largest number drawn."""
    maps = [trace for trace in figure.data if trace.type == "heatmap"]
    largest = max(float(np.nanmax(np.abs(np.asarray(trace.z, float)))) for trace in maps)
    scale, most = (figure.layout.coloraxis, "cmax") if maps[0].coloraxis else (maps[0], "zmax")
    words = scale.colorbar.ticktext
    return scale[most], words and (words[0], words[-1]), largest


@pytest.mark.parametrize("name", PICTURES)
def test_colours_reach_the_largest_number_or_say_that_more_lies_beyond(name: str) -> None:
    usual = 1.5 if name == "stack_panels" else 1.0
    most, words, _ = scale_of(PICTURES[name](0.9))
    assert (most, words) == (usual, None)
    most, words, largest = scale_of(PICTURES[name](9.0))
    assert most >= largest - 0.01
    assert largest > 1.8 * usual
    assert words is None
    if name in ("gram_panels", "strips", "stack_panels"):
        most, words, largest = scale_of(PICTURES[name](1.5))
        assert (most, words) == (usual, (f"≤ -{usual:g}", f"≥ {usual:g}"))
        assert largest == pytest.approx(1.5 * usual)


def test_arrows_over_each_other_lie_in_their_panel() -> None:
    for size, reach in ((1.0, 1.45), (4.0, 5.0)):
        W = xr.DataArray(
            size * np.stack([tg.geometry.polygon(5)] * 2), {"density": [0.1, 0.2]}, ["density", "hidden", "feature"]
        )
        assert tg.figures.arrow_overlay({"": W}).layout.xaxis.range == pytest.approx((-reach, reach))


@pytest.mark.parametrize(("errors", "low", "high"), [([0.02, 1e-3], -15.7, -1.599), ([30.0, 0.0], -16.1, 1.577)])
def test_errors_lie_on_their_axis(errors: list[float], low: float, high: float) -> None:
    dims = ("kind", "curve", "case", "effort")
    values = {"error": (dims, np.reshape(errors, (1, 1, 1, 2))), "terms": (dims, np.reshape([2.0, 4.0], (1, 1, 1, 2)))}
    axis = tg.figures.error_curves(xr.Dataset(values, {"kind": ["a"], "curve": ["m"]})).layout.yaxis
    assert axis.range == pytest.approx((low, high), abs=2e-3)
    assert np.log10(axis.tickvals[-1]) >= high - 2
    assert (axis.ticktext[0], axis.ticktext[-1]) == ("10⁻¹⁶", "10⁰" if high < 0 else "10²")


def test_the_legend_of_a_film_has_its_features_only() -> None:
    film = tg.figures.arrow_film(on_the_way(1.0, m=2))
    assert [trace.name for trace in film.data if trace.showlegend is not False] == [f"feature {i}" for i in range(6)]


def test_features_are_by_importance_where_it_falls() -> None:
    for importance, words in (([1.0, 0.5], "feature, by importance"), ([0.1, 0.2], "feature"), ([1.0, 1.0], "feature")):
        model = xr.Dataset({"W": (("hidden", "feature"), np.eye(2)), "feature_importance": ("feature", importance)})
        assert tg.figures.strips(model).layout.yaxis2.title.text == words
    assert tg.figures.strips({"": np.eye(2)}).layout.yaxis2.title.text == "feature"
    assert tg.figures.stack_panels({"": np.eye(2)}, matrix=True).layout.yaxis.title.text == "feature"


def test_sparsity_is_one_minus_density_to_its_last_digit() -> None:
    said = {"0.001": "99.9", "0.996": "0.4", "1e-05": "99.999", "1": "0", "0.1": "90", "0.0316": "96.84"}
    for density, sparsity in said.items():
        (title,) = tg.figures.arrow_panels({f"density {density}": np.eye(2)}).layout.annotations
        assert title.text == f"density {density}<br>sparsity {sparsity} %"
    (title, other) = tg.figures.arrow_panels({"density e": np.eye(2), "density 5": np.eye(2)}).layout.annotations
    assert (title.text, other.text) == ("density e", "density 5")


def test_several_shapes_have_the_colour_of_one() -> None:
    kinds = {"2 tetrahedra": "tetrahedron", "3 digons": "digon", "2 dedicated": "dedicated", "2 crowded": "irregular"}
    assert {label: _kind(label) for label in kinds} == kinds
    assert _kind("digon + tetrahedron") == "another shape"


def test_a_path_without_losses_is_drawn() -> None:
    figure = tg.figures.path_slider(on_the_way(1.0, m=3).drop_vars("loss"))
    assert "no losses were recorded" in [note.text for note in figure.layout.annotations]
    assert np.isfinite(figure.layout.yaxis.range).all()
    known = tg.figures.path_slider(on_the_way(1.0, m=3))
    assert "no losses were recorded" not in [note.text for note in known.layout.annotations]
    assert known.layout.yaxis.range == pytest.approx(np.log10([0.8, 3.75]))


def test_a_model_that_diverged_stays_at_its_last_frame_while_others_go_on() -> None:
    recipe = tg.Recipe(steps=60, seeds=1, batch_size=64, evaluation_samples=64, record=("loss", "W"), record_steps=5)
    net, features = tg.nets.ReluOutput(3, 2), tg.features.Independent(3, density=0.2)
    data = tg.train(net, features, recipe, sweep={"learning_rate": [0.01, 0.02]}, progress=False)
    whole = tg.figures.arrow_film(data)
    for lost in (0, 1):
        W = data["W_history"].copy()
        W[{"learning_rate": lost, "step": slice(3, None)}] = np.nan
        film = tg.figures.arrow_film(data.assign(W_history=W))
        assert [frame.name for frame in film.frames] == [frame.name for frame in whole.frames]
        ended = [title.text.endswith("diverged after optimizer step 3") for title in film.layout.annotations]
        assert ended == [lost == 0, lost == 1]
        for k, (frame, same) in enumerate(zip(film.frames, whole.frames, strict=True)):
            for which in range(2):
                expected = whole.frames[2] if which == lost and k > 2 else same
                np.testing.assert_array_equal(frame.data[which].x, expected.data[which].x)


def test_a_branch_that_falls_is_drawn_as_one_that_rises() -> None:
    rising = on_the_way(1.0, m=2).rename(time="density")
    falling = rising.isel(density=slice(None, None, -1))
    films = [tg.figures.arrow_film(each) for each in (rising, falling)]
    assert [frame.name for frame in films[0].frames] == [frame.name for frame in films[1].frames]
    np.testing.assert_array_equal(films[0].frames[0].data[-1].x, films[1].frames[0].data[-1].x)
    assert {"film", "levels"} <= set(tg.show(falling).figures)
