"""Transitions between neighbours of a map: where names differ, along either axis, as the engine locates each alone."""

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.maps import extra_feature, extra_phase, ratio_axis, transitions_between

NET = tg.nets.ReluOutput(2, 1)
DENSITY, RATIO = [0.1, 0.3, 0.6], [0.1, 0.5]


@pytest.fixture(scope="module")
def minima() -> xr.Dataset:
    sweep = {"density": DENSITY, "importance_ratio": ratio_axis(2, RATIO)}
    return tg.best(tg.exact.minimise(NET, tg.features.Independent(2), seeds=16, sweep=sweep))


def test_they_lie_at_the_known_densities_and_name_both_sides(minima: xr.Dataset) -> None:
    phase = extra_phase(extra_feature(minima))
    found = transitions_between(NET, minima, phase.transpose("importance_ratio", "density"))
    np.testing.assert_allclose(found["value"], [0.18125, 0.48463], rtol=1e-4)
    assert found["at"].values.tolist() == RATIO
    assert set(found["before"].values) == {"superposition"}
    assert set(found["after"].values) == {"not learned"}


def test_each_is_what_the_engine_finds_between_the_two_minima(minima: xr.Dataset) -> None:
    names = minima["density"] + 0 * minima["importance_ratio"] >= 0.3
    found = transitions_between(NET, minima, names)
    ends = minima.sel(importance_ratio=0.5, density=[0.1, 0.3])

    def distributions(density: np.ndarray) -> tg.features.Independent:
        return tg.features.Independent(2, density=density[:, None], importance=np.array([[1.0, 0.5]]))

    W, b = (ends[name].transpose("density", ...).values[None] for name in ("W", "b"))
    alone = tg.exact.transitions(NET, distributions, W, b, [[0.1, 0.3]])
    for name in alone:
        np.testing.assert_array_equal(found[name].isel(transition=[1]), alone[name])
    assert found["before"].values.tolist() == [False, False]


def test_along_importance_the_losses_tie_at_the_same_boundary(minima: xr.Dataset) -> None:
    names = extra_phase(extra_feature(minima))
    found = transitions_between(NET, minima, names, "importance_ratio")
    assert found["at"].values.tolist() == [0.3]
    assert (found["before"].item(), found["after"].item()) == ("not learned", "superposition")
    feature = tg.features.Independent(2, density=0.3, importance=np.array([1.0, found["value"].item()]))
    lowest = float(tg.exact.minimise(NET, feature, seeds=16)["loss"].min())
    assert lowest == pytest.approx(float(tg.theory.dropped_loss(0.3, found["value"].item())), rel=1e-5)


def test_where_no_names_differ_there_are_none(minima: xr.Dataset) -> None:
    found = transitions_between(NET, minima, xr.zeros_like(minima["loss"]))
    assert found.sizes["transition"] == 0
    assert found["at"].size == found["before"].size == 0
