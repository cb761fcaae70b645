"""Equal features, small; checks of shapes pass on shapes built by hand and fail on random directions."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.caching import Call, caching
from tegum.claims import Claim
from tegum.execution import Pieces
from tegum.experiments.s4_geometry import shared, uniform_geometry
from tegum.experiments.s4_geometry.shared import EXACT, INVERSE, TRAINING, WAYS
from tegum.geometry import polygon, simplex
from tegum.geometry.thomson import stored_solutions
from tegum.maps.three_ways import GRADIENT, three_ways
from tests.oracle.polytopes import summed


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch)


def shrink(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(uniform_geometry, "SIZE", {"quick": (30, 3)})
    patch.setattr(uniform_geometry, "SMALLER", {"quick": (20, 2)})
    patch.setattr(uniform_geometry, "GRID", {"quick": [0, 5, 11, 16, 22, 31, 34, 47]})
    patch.setattr(uniform_geometry, "RECIPE", {"quick": uniform_geometry.QUICK.replaced(steps=600, batch_size=128)})


@pytest.fixture(scope="module")
def data() -> Iterator[xr.Dataset]:
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        yield uniform_geometry.study("quick")


@pytest.fixture(scope="module")
def claims(data: xr.Dataset) -> dict[str, Claim]:
    return {claim.name: claim for claim in uniform_geometry.claims(data)}


def line(x: Any, D_star: Any) -> xr.DataArray:
    return xr.DataArray(np.asarray(D_star, float), {INVERSE: np.asarray(x, float)}, [INVERSE])


def models(*W: NDArray[np.float64], x: Any = None) -> xr.DataArray:
    return xr.DataArray(np.stack(W), {INVERSE: np.arange(len(W)) if x is None else x}, [INVERSE, "hidden", "feature"])


def test_losses_are_exact_and_fall_where_they_are_minimised(data: xr.Dataset) -> None:
    features = tg.features.Independent(30, density=data["density"].values[:, None])
    for way in WAYS:
        one = data.sel(way=way).transpose("seed", "density", ...)
        np.testing.assert_allclose(one["loss"], tg.exact.loss(one["W"].values, one["b"].values, features), rtol=1e-5)
    loss = data["loss"]
    assert (loss.sel(way="exact from trained") <= loss.sel(way=TRAINING) + 1e-9).all()
    assert (data["gradient"].sel(way=EXACT) <= GRADIENT).mean() > 0.8


def test_exact_minimisation_finds_digons_and_shapes_beyond(data: xr.Dataset) -> None:
    W = shared.models_of(data, EXACT)[0]
    assert tg.geometry.identify(W.sel({INVERSE: 2.81}, method="nearest").values).label == "3 digons"
    assert shared.first_place(shared.filled(W, "digon")) < 3
    assert np.isnan(shared.first_place(shared.filled(W, "octagon")))


def test_controls_fail_in_both_ways_and_plain_shapes_are_recognised(claims: dict[str, Claim]) -> None:
    assert not any(control.holds for claim in claims.values() for control in claim.controls)
    assert {name.removesuffix(TRAINING) for name in claims if name.endswith(TRAINING)} == {
        name.removesuffix(EXACT) for name in claims if name.endswith(EXACT)
    }
    for name in ("digons", "packed", "pairs", "factors", "factor-sums"):
        assert claims[f"{name}-{EXACT}"].verdict == "held", claims[f"{name}-{EXACT}"].found


def test_pictures(data: xr.Dataset) -> None:
    figures = uniform_geometry.figures(data)
    assert [trace.name for trace in figures["line"].picture.data] == [*WAYS, "paper"]
    dots = figures["dots-exact"].picture.data[-1]
    assert len(dots.y) == 8 * 30
    titles = [annotation.text for annotation in figures["graphs-exact"].picture.layout.annotations]
    assert titles == [f"1/(1−S) = {x}" for x in ("1.26", "1.68", "2.81", "4.29", "4.94", "9.10")]


def test_a_killed_study_keeps_the_densities_it_has_finished(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: xr.Dataset
) -> None:
    calls = []
    minimise = inspect.unwrap(tg.exact.minimise)

    def dying(call: Call) -> xr.Dataset:
        calls.append(call)
        if call.function is minimise and len(calls) == 4:
            raise KeyboardInterrupt
        return pieces(call)

    equal = tg.nets.ReluOutput(30, 3), tg.features.Independent(30)
    densities, recipe = [10 ** (-k / 49) for k in (0, 16, 22, 31)], uniform_geometry.RECIPE["quick"]
    pieces = Pieces(tmp_path, print)
    with caching(dying), pytest.raises(KeyboardInterrupt):
        three_ways(*equal, densities, recipe)
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*")}
    assert len(stamps) > 2
    again = Pieces(tmp_path, print)
    with caching(again):
        done = three_ways(*equal, densities, recipe)
    assert again.seconds_cached > 0
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    xr.testing.assert_identical(done.drop_attrs(), three_ways(*equal, densities, recipe).drop_attrs())


BUILT: dict[str, list[NDArray[np.float64]]] = {
    "tetrahedra": [simplex(4)] * 4,
    "triangles": [simplex(3), simplex(2), simplex(2)],
    "digons": [simplex(2)] * 5,
    "packed": [simplex(2)] * 5,
    "pairs": [simplex(2)] * 5,
    "solids": [polygon(5), stored_solutions()[8, 3]],
    "factors": [polygon(5), simplex(2), simplex(4)],
    "factor-sums": [polygon(5), simplex(2), simplex(4)],
}


@pytest.mark.parametrize("name", BUILT)
def test_checks_of_shapes_hold_for_shapes_built_by_hand_and_not_for_random_directions(
    name: str, claims: dict[str, Claim]
) -> None:
    def holds(W: NDArray[np.float64]) -> bool:
        built = models(W)
        judged = shared.with_components(built) if name == "factors" else built
        return claims[f"{name}-{EXACT}"].applied_to([judged]).holds

    W = summed(BUILT[name])
    assert holds(W)
    rng = np.random.default_rng(0)
    random = rng.normal(size=W.shape)
    assert not holds(random / np.linalg.norm(random, axis=0))
    assert not holds(W + 0.25 * rng.normal(size=W.shape))


def test_mixed_components_are_not_orthogonal() -> None:
    W = shared.with_components(models(summed([simplex(2)] * 5)))
    assert float(shared.across(W).max()) < 1e-12
    mixed = W.assign_coords(component=(W["component"].dims, np.roll(W["component"].values, 1, axis=1)))
    assert float(shared.across(mixed).min()) > 0.4


def test_as_many_random_directions_as_features_are_learned(data: xr.Dataset) -> None:
    W = np.zeros((3, 30))
    W[:, :5] = summed([polygon(5), simplex(1)])[:, :5]
    random = shared.random_like(shared.models_of(data, EXACT)[0][:1].copy(data=W[None]))
    np.testing.assert_allclose(np.linalg.norm(random[0], axis=0), [1] * 5 + [0] * 25)


def test_six_phases_are_told_apart() -> None:
    digons, pentagon = [simplex(2)] * 4, [polygon(5), simplex(2), simplex(2)]
    rng = np.random.default_rng(0)
    crowd = rng.normal(size=(4, 20)) / 2
    shapes = [summed([simplex(4), simplex(2)]), summed([simplex(3), simplex(2), simplex(2)]), summed(digons), summed(pentagon)]
    six = [np.pad(W, ((0, 0), (0, 20 - W.shape[1]))) for W in (*shapes, crowd, crowd)]
    found = shared.phases(models(*six))
    assert [found[name] for name in shared.LOOKS] == [True, True, True, False]
    assert found["irregular core"] == found["one component"] == 1
    assert found["shapes"][:3] == ["tetrahedron + digon", "triangle + 2 digons", "4 digons"]


def test_the_line_against_the_table() -> None:
    x, paper = np.array(shared.PAPER_X), np.array(shared.PAPER)
    assert (shared.off_the_paper(line(x, paper)) == 0).all()
    off = shared.off_the_paper(line(x, paper + np.where(x == 3.0, 0.1, 0)))
    assert float(off[INVERSE][off.argmax(INVERSE)]) == 3.0
    np.testing.assert_allclose(tg.theory.features_per_dimension(np.array([10.0, 4.3])), [4.343, 2.948], atol=1e-3)


def test_the_plateau_is_counted_on_the_papers_grid_whatever_was_trained() -> None:
    found = shared.sticking(line([1, 2, 3, 4, 9], [1, 0.5, 0.5, 0.5, 0.2]))
    assert 1.93 < found["from"] < 2.03
    assert 4.0 <= found["to"] < 4.5
    assert found["grid points at 1/2"] == 1 + round(49 * np.log10(found["to"].item() / found["from"].item()))
    assert found["dense D*"].values.tolist() == [1]
    twice = shared.sticking(line([1, 2, 2.2, 2.5, 3, 4, 9], [1, 0.5, 0.5, 0.9, 0.5, 0.5, 0.2]))
    assert 2.9 < twice["from"] < 3.1
    assert shared.sticking(line([1, 9], [1, 1]))["grid points at 1/2"] == 0


@pytest.mark.parametrize(("per_dimension", "shares"), [((3, 3.5, 4.2), [1, 1, 1]), ((3, 3.5, 3.6), [1, 1, 0])])
def test_sparse_dots_are_counted_within_their_limits(per_dimension: tuple[float, ...], shares: list[int]) -> None:
    W = [np.zeros((20, 240)) for _ in per_dimension]
    for one, count in zip(W, per_dimension, strict=True):
        one[:, : round(20 * count)] = tight_frame(20, round(20 * count))
    found = shared.sparse_dots(models(*W, x=[5.6, 7.4, 9.5]))
    assert [inside.mean() for inside in found.values()] == shares
    assert list(found) == ["D from 0.31 to 0.35", "D from 0.27 to 0.31", "D from 0.23 to 0.25"]


def tight_frame(m: int, n: int) -> NDArray[np.float64]:
    """Columns of equal norm with W W^T a multiple of 1: every D_i is m/n."""
    angles = 2 * np.pi * np.outer(np.arange(1, m // 2 + 1), np.arange(n)) / n
    return np.concatenate([np.cos(angles), np.sin(angles)])
