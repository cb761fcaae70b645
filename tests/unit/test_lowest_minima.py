"""Lowest minima over a grid: no higher than one long minimisation, resumable, improved by neighbours."""

from pathlib import Path

import numpy as np
import pytest

import tegum as tg
from tegum.runs import lowest_minima, minima

NET = tg.nets.ReluOutput(3, 2)
SWEEP = {"density": [0.05, 0.1, 0.2, 0.6]}


def test_rounds_find_what_one_minimisation_finds(tmp_path: Path) -> None:
    found = lowest_minima(tmp_path, NET, tg.features.Independent(3), SWEEP, seeds=20, piece=7)
    census = tg.exact.minimise(NET, tg.features.Independent(3), seeds=20, sweep=SWEEP)
    np.testing.assert_allclose(found["loss"], tg.best(census)["loss"], rtol=1e-8)
    same = (census["loss"] <= found["loss"] * (1 + 1e-6)).mean("seed")
    np.testing.assert_allclose(found["found"], same)
    again = tg.exact.loss(
        found["W"].values, found["b"].values, tg.features.Independent(3, density=np.array([[x] for x in SWEEP["density"]]))
    )
    np.testing.assert_allclose(again, found["loss"], rtol=1e-7)


def test_a_second_call_minimises_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = lowest_minima(tmp_path, NET, tg.features.Independent(3), SWEEP, seeds=8)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(minima, "minimise", refuse)
    second = lowest_minima(tmp_path, NET, tg.features.Independent(3), SWEEP, seeds=8)
    assert first.equals(second)
    with pytest.raises(AssertionError):
        lowest_minima(tmp_path, NET, tg.features.Independent(3), SWEEP, seeds=9)


def test_neighbours_help_where_random_starts_fail(tmp_path: Path) -> None:
    net, features = tg.nets.ReluOutput(8, 3), tg.features.Independent(8)
    sweep = {"density": list(np.geomspace(0.05, 0.2, 5))}
    alone = lowest_minima(tmp_path, net, features, sweep, seeds=1, rounds=0)
    helped = lowest_minima(tmp_path, net, features, sweep, seeds=1)
    assert (helped["loss"] <= alone["loss"]).all()
    assert (helped["loss"] < alone["loss"] * 0.999).any()


def test_every_point_meets_its_neighbours() -> None:
    W = tg.exact.minimise(NET, tg.features.Independent(3), seeds=1, sweep=SWEEP | {"importance": [1.0, 2.0]})["W"].isel(seed=0)
    near = minima._with_neighbours(W, ["density", "importance"])
    assert near.shape == (4, 2, 5, 2, 3)
    np.testing.assert_array_equal(near[1, 0, 0], W[1, 0])
    np.testing.assert_array_equal(near[1, 0, 1:], [W[0, 0], W[2, 0], W[1, 0], W[1, 1]])


def test_no_seeds(tmp_path: Path) -> None:
    with pytest.raises(tg.Mistake, match="seeds is 0"):
        lowest_minima(tmp_path, NET, tg.features.Independent(3), SWEEP, seeds=0)
