"""The Thomson problem under the ReLU energy: the kept solutions are what a search finds, and are what they are called."""

import numpy as np
import pytest

from tegum.geometry import dimensionality, identify, relu_energy
from tegum.geometry.catalogue import simplex
from tegum.geometry.matching import matched
from tegum.geometry.thomson import computed_solutions, stored_solutions, thomson_points


@pytest.mark.parametrize("key", stored_solutions(), ids=str)
def test_no_search_finds_less_energy_and_nearby_there_is_more(key: tuple[int, int]) -> None:
    kept = stored_solutions()[key]
    lowest = float(relu_energy(kept))
    np.testing.assert_allclose(np.linalg.norm(kept, axis=0), 1, atol=1e-9)
    assert float(relu_energy(thomson_points(*key, starts=6, seed=1))) >= lowest - 1e-8
    near = kept + 1e-3 * np.random.default_rng(0).normal(size=(200, *kept.shape))
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    assert (relu_energy(near) > lowest - 1e-9).all()


def test_the_stored_solutions_are_computed() -> None:
    again = computed_solutions(starts=3)
    assert set(again) >= {"8 in 3", "9 in 3", "10 in 3", "10 in 4"}
    for name in ("8 in 3", "9 in 3", "10 in 4"):
        dimensions = int(name.split(" in ")[1])
        kept = stored_solutions()[(len(again[name][0]), dimensions)]
        assert matched(np.array(again[name]), kept).max() < 1e-5


@pytest.mark.parametrize("n_points", [4, 5, 6])
def test_up_to_six_points_cost_nothing(n_points: int) -> None:
    assert float(relu_energy(thomson_points(n_points, 3, starts=5))) < 1e-12


def test_seven_points_are_a_pentagonal_bipyramid() -> None:
    U = thomson_points(7, 3, starts=5)
    assert float(relu_energy(U)) == pytest.approx(0.95492, abs=1e-5)
    assert identify(U).polytope == "pentagonal bipyramid"
    np.testing.assert_allclose(sorted(dimensionality(U)), [2 / 5] * 5 + [1 / 2] * 2, atol=1e-4)


def test_the_energy_against_the_sum_written_out() -> None:
    U = np.random.default_rng(0).normal(size=(3, 5))
    U /= np.linalg.norm(U, axis=0)
    written = sum(max(U[:, i] @ U[:, j], 0) ** 2 for i in range(5) for j in range(5) if i != j)
    assert float(relu_energy(U)) == pytest.approx(written)


def test_solutions_are_what_they_are_called() -> None:
    kept = stored_solutions()
    antiprism = np.linalg.svd(kept[8, 3])[1] ** 2
    assert antiprism[0] == pytest.approx(antiprism[1], abs=1e-6)
    np.testing.assert_allclose(dimensionality(kept[8, 3]), 0.374, atol=5e-4)
    D = dimensionality(kept[9, 3])
    caps = np.abs(D - np.median(D)) > 1e-3
    assert caps.sum() == 3
    assert identify(kept[9, 3][:, caps]).label == "triangle"
    prism = kept[9, 3][:, ~caps]
    assert ((prism.T @ prism).round(4) == (prism.T @ prism)[0, 1:].min().round(4)).sum() == 12
    poles = np.argwhere(np.triu(kept[10, 3].T @ kept[10, 3]) < -1 + 1e-6)
    assert len(poles) == 1
    one, other = np.triu_indices(5, 1)
    middles = simplex(5)[:, one] + simplex(5)[:, other]
    assert matched(kept[10, 4], middles / np.linalg.norm(middles, axis=0)).max() < 1e-5
