"""Lowest minima over a grid: no higher than one long minimisation, resumable, improved by neighbours."""

from pathlib import Path

import numpy as np
import pytest

import tegum as tg
from tegum.caching import caching
from tegum.execution import Pieces
from tegum.maps import lowest_minima, minima

NET = tg.nets.ReluOutput(3, 2)
SWEEP = {"density": [0.05, 0.1, 0.2, 0.6]}


def test_rounds_find_what_one_minimisation_finds() -> None:
    found = lowest_minima(NET, tg.features.Independent(3), SWEEP, seeds=20)
    census = tg.exact.minimise(NET, tg.features.Independent(3), seeds=20, sweep=SWEEP)
    np.testing.assert_allclose(found["loss"], tg.best(census)["loss"], rtol=1e-8)
    same = (census["loss"] <= found["loss"] * (1 + 1e-6)).mean("seed")
    np.testing.assert_allclose(found["found"], same)
    again = tg.exact.loss(
        found["W"].values, found["b"].values, tg.features.Independent(3, density=np.array([[x] for x in SWEEP["density"]]))
    )
    np.testing.assert_allclose(again, found["loss"], rtol=1e-7)


def test_where_nothing_is_lost_every_start_that_arrives_finds_it() -> None:
    found = lowest_minima(tg.nets.ReluOutput(2, 2), tg.features.Independent(2), {"density": [0.1, 0.3]}, seeds=8)
    assert found["loss"].max() < 1e-14
    assert found["found"].values.tolist() == [1, 1]


def test_rounds_are_kept(tmp_path: Path) -> None:
    with caching(Pieces(tmp_path, print)):
        first = lowest_minima(NET, tg.features.Independent(3), SWEEP, seeds=8)
        written = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
        second = lowest_minima(NET, tg.features.Independent(3), SWEEP, seeds=8)
    assert first.equals(second)
    assert len(written) >= 2
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == written


def test_neighbours_help_where_random_starts_fail() -> None:
    net, features = tg.nets.ReluOutput(8, 3), tg.features.Independent(8)
    sweep = {"density": list(np.geomspace(0.05, 0.2, 5))}
    alone = lowest_minima(net, features, sweep, seeds=1, rounds=0)
    helped = lowest_minima(net, features, sweep, seeds=1)
    assert (helped["loss"] <= alone["loss"]).all()
    assert (helped["loss"] < alone["loss"] * 0.999).any()


def test_every_point_meets_its_neighbours() -> None:
    W = tg.exact.minimise(NET, tg.features.Independent(3), seeds=1, sweep=SWEEP | {"importance": [1.0, 2.0]})["W"].isel(seed=0)
    near = minima._with_neighbours(W, ["density", "importance"])
    assert near.shape == (4, 2, 5, 2, 3)
    np.testing.assert_array_equal(near[1, 0, 0], W[1, 0])
    np.testing.assert_array_equal(near[1, 0, 1:], [W[0, 0], W[2, 0], W[1, 0], W[1, 1]])


def test_no_seeds() -> None:
    with pytest.raises(tg.InvalidInputError, match="seeds is 0"):
        lowest_minima(NET, tg.features.Independent(3), SWEEP, seeds=0)
