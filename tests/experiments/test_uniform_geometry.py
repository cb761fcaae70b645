"""Equal features end to end, small; tests of shapes pass on shapes built by hand and fail on random directions."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.caching import caching
from tegum.experiments.s4_geometry import uniform_geometry, uniform_study
from tegum.experiments.s4_geometry.uniform_claims import STATEMENTS, Statement, first_place_with
from tegum.experiments.s4_geometry.uniform_lines import (
    PAPER,
    PAPER_X,
    _at_half,
    _off_the_table,
    _sparse_dots,
    _stretch,
    features_per_dimension,
)
from tegum.experiments.s4_geometry.uniform_study import EXACT, TRAINING, WAYS, as_many_random, inverse, three_ways, within
from tegum.geometry import polygon, simplex
from tegum.geometry.thomson import kept_solutions
from tegum.runs import Pieces
from tests.oracle.polytopes import summed


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch)


def shrink(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(uniform_geometry, "SIZE", {"quick": (30, 3)})
    patch.setattr(uniform_geometry, "SMALLER", {"quick": (20, 2)})
    patch.setattr(uniform_geometry, "GRID", {"quick": [0, 5, 11, 16, 22, 31, 34, 47]})
    patch.setattr(uniform_geometry, "RECIPE", {"quick": uniform_geometry.BASE.replaced(steps=600, batch_size=128)})


@pytest.fixture(scope="module")
def data() -> Iterator[xr.Dataset]:
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        yield uniform_geometry.study("quick")


def test_losses_are_exact_and_fall_where_they_are_minimised(data: xr.Dataset) -> None:
    worlds = tg.features.Independent(30, density=data["density"].values[:, None])
    for way in WAYS:
        one = data.sel(way=way)
        np.testing.assert_allclose(one["loss"], tg.exact.loss(one["W"].values, one["b"].values, worlds), rtol=1e-5)
    loss = data["loss"]
    assert (loss.sel(way="exact from trained") <= loss.sel(way=TRAINING) + 1e-9).all()
    assert (data["gradient"].sel(way=EXACT) <= uniform_study.GRADIENT).mean() > 0.8


def test_exact_minimisation_finds_digons_and_shapes_beyond(data: xr.Dataset) -> None:
    place = int(np.argmin(abs(inverse(data) - 2.81)))
    W = data["W"].sel(way=EXACT).isel(density=place).values
    assert tg.geometry.identify(W).label == "3 digons"
    assert first_place_with(data, EXACT, "digon", 0.1) < 3
    assert np.isnan(first_place_with(data, EXACT, "octagon", 0.1))


def test_every_statement_is_judged_in_both_ways_with_controls_that_fail(data: xr.Dataset) -> None:
    claims = {claim.name: claim for claim in uniform_geometry.claims(data)}
    for way in (TRAINING, EXACT):
        assert {f"{test.name}-{way}" for test in STATEMENTS} <= set(claims)
    assert all(claim.control is not None and not claim.control.holds for claim in claims.values())
    for name in ("digons", "packed", "pairs", "factors", "factor-sums"):
        assert claims[f"{name}-{EXACT}"].verdict == "held", claims[f"{name}-{EXACT}"].measured


def test_pictures(data: xr.Dataset) -> None:
    figures = uniform_geometry.figures(data)
    ways = {f"{kind}-{way}" for kind in ("dots", "graphs") for way in (TRAINING, EXACT)}
    assert set(figures) == {"line", "sensing", "shares", "factors"} | ways
    assert [trace.name for trace in figures["line"].picture.data] == [*WAYS, "paper"]
    dots = figures["dots-exact"].picture.data[-1]
    assert len(dots.y) == 8 * 30
    titles = [annotation.text for annotation in figures["graphs-exact"].picture.layout.annotations]
    assert titles == [f"1/(1−S) = {x}" for x in ("1.26", "1.68", "2.81", "4.29", "4.94", "9.10")]


def test_a_killed_study_keeps_the_densities_it_has_finished(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: xr.Dataset
) -> None:
    calls = []
    minimise = tg.exact.minimise.__wrapped__  # type: ignore[attr-defined]

    def dying(call: tg.caching.Call) -> xr.Dataset:  # type: ignore[name-defined]
        calls.append(call)
        if call.function is minimise and len(calls) == 4:
            raise KeyboardInterrupt
        return pieces(call)

    densities, recipe = uniform_geometry.densities([0, 16, 22, 31]), uniform_geometry.RECIPE["quick"]
    pieces = Pieces(tmp_path, print)
    with caching(dying), pytest.raises(KeyboardInterrupt):
        three_ways(30, 3, densities, recipe)
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*")}
    assert len(stamps) > 2
    again = Pieces(tmp_path, print)
    with caching(again):
        done = three_ways(30, 3, densities, recipe)
    assert again.seconds_cached > 0
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    xr.testing.assert_identical(done.drop_attrs(), three_ways(30, 3, densities, recipe).drop_attrs())


BUILT: dict[str, list[NDArray[np.float64]]] = {
    "tetrahedra": [simplex(4)] * 4,
    "triangles": [simplex(3), simplex(2), simplex(2)],
    "digons": [simplex(2)] * 5,
    "packed": [simplex(2)] * 5,
    "pairs": [simplex(2)] * 5,
    "solids": [polygon(5), kept_solutions()[8, 3]],
    "factors": [polygon(5), simplex(2), simplex(4)],
    "factor-sums": [polygon(5), simplex(2), simplex(4)],
}


@pytest.mark.parametrize("test", STATEMENTS, ids=lambda test: test.name)
def test_statements_hold_for_shapes_built_by_hand_and_not_for_random_directions(test: Statement) -> None:
    W = summed(BUILT[test.name])
    assert test.ask([W])[1]
    rng = np.random.default_rng(0)
    random = rng.normal(size=W.shape)
    assert not test.ask([random / np.linalg.norm(random, axis=0)])[1]
    assert not test.ask([W + 0.25 * rng.normal(size=W.shape)])[1]


def test_as_many_random_directions_as_features_are_learned(data: xr.Dataset) -> None:
    W = np.zeros((3, 30))
    W[:, :5] = summed([polygon(5), simplex(1)])[:, :5]
    random = as_many_random(data, W)
    assert random.shape == (3, 5)
    np.testing.assert_allclose(np.linalg.norm(random, axis=0), 1)


def test_the_line_against_the_table_and_its_plateaus(data: xr.Dataset) -> None:
    x = np.array(PAPER_X)
    assert _off_the_table(x, np.array(PAPER)) == (0, 1.2)
    assert _off_the_table(x, np.array(PAPER) + np.where(x == 3.0, 0.1, 0))[1] == 3.0
    assert _stretch(np.array([1, 2, 3, 4, 8.0]), np.array([True, False, True, True, True])) == (3, 8)
    assert _stretch(x, np.zeros(len(x), bool)) == (1, 1)
    np.testing.assert_allclose(features_per_dimension(np.array([10.0, 4.3])), [4.343, 2.948], atol=1e-3)
    assert within(data, 1, 1.1) == [0]


def test_the_plateau_is_counted_on_the_papers_grid_whatever_was_trained() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0, 9.0])
    first, last = _at_half(x, np.array([1.0, 0.5, 0.5, 0.5, 0.2]))
    assert 1.93 < first < 2.03
    assert 4.0 <= last < 4.5
    assert _at_half(x, np.ones(5)) == (1, 1)


@pytest.mark.parametrize(("per_dimension", "share"), [((3, 3.5, 4.2), "100%, 100%, 100%"), ((3, 3.5, 3.6), "100%, 100%, 0%")])
def test_dots_of_sparse_worlds_are_counted_within_their_limits(per_dimension: tuple[float, ...], share: str) -> None:
    models = [np.zeros((20, 240)) for _ in per_dimension]
    for W, count in zip(models, per_dimension, strict=True):
        W[:, : round(20 * count)] = tight_frame(20, round(20 * count))
    W = np.stack(models)[None]
    data = xr.Dataset(
        {
            "W": (("way", "density", "hidden", "feature"), W),
            "start_W": (("hidden", "feature"), np.random.default_rng(0).normal(size=(20, 240))),
        },
        {"way": [EXACT], "density": 1 / np.array([5.6, 7.4, 9.5])},
    )
    claim = _sparse_dots(data, EXACT)
    assert claim.measured == share
    assert claim.holds == (share == "100%, 100%, 100%")
    assert claim.evidence == "3 densities, 1 model each"


def tight_frame(m: int, n: int) -> NDArray[np.float64]:
    """Columns of equal norm with W W^T a multiple of 1: every D_i is m/n."""
    angles = 2 * np.pi * np.outer(np.arange(1, m // 2 + 1), np.arange(n)) / n
    return np.concatenate([np.cos(angles), np.sin(angles)])
