"""Cached pieces are found again, join to what the whole call returns, and are told apart by everything that defines them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.caching import Call, cached, caching
from tegum.exact import minimise
from tegum.features import Independent
from tegum.nets import ReluOutput
from tegum.runs import Pieces, fingerprint
from tests.oracle.datasets import without_time

RECIPE = tg.Recipe(steps=30, batch_size=64, seeds=4, evaluation_samples=640)
NET, FEATURES = ReluOutput(4, 2), Independent(4)
SWEEP = {"density": [1.0, 0.5, 0.1]}
CALLS = {
    "train": lambda: tg.train(NET, FEATURES, RECIPE, sweep=SWEEP),
    "train-seeds": lambda: tg.train(NET, FEATURES, RECIPE.replaced(seeds=9)),
    "train-initial": lambda: tg.train(NET, FEATURES, RECIPE, sweep=SWEEP, initial={"W": np.ones((2, 4)) / 2}),
    "minimise": lambda: minimise(NET, FEATURES, seeds=4, sweep=SWEEP),
    "minimise-warm": lambda: minimise(NET, FEATURES, seeds=4, sweep=SWEEP, warm_starts=1),
}
PIECES = {"train": 3, "train-seeds": 2, "train-initial": 1, "minimise": 3, "minimise-warm": 1}


@pytest.mark.parametrize("name", CALLS)
def test_pieces_join_to_the_whole_result(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tegum.runs.pieces.default_threads", lambda: 2)
    whole = CALLS[name]()
    for _ in range(2):
        pieces = Pieces(tmp_path, pytest.fail)
        with caching(pieces):
            xr.testing.assert_identical(without_time(CALLS[name]()), without_time(whole))
        assert len(list(tmp_path.iterdir())) == PIECES[name]
    assert pieces.seconds_cached > 0


def test_what_the_study_no_longer_uses_is_removed(tmp_path: Path) -> None:
    with caching(Pieces(tmp_path, pytest.fail)):
        CALLS["train"]()
    before = set(tmp_path.iterdir())
    pieces = Pieces(tmp_path, pytest.fail)
    with pieces.pruned(), caching(pieces):
        CALLS["minimise"]()
    assert not before & set(tmp_path.iterdir())


def test_nothing_is_removed_that_another_study_may_be_making(tmp_path: Path) -> None:
    other, pieces = Pieces(tmp_path, pytest.fail), Pieces(tmp_path, pytest.fail)
    with other.pruned():
        with caching(other):
            CALLS["train"]()
        made = set(tmp_path.iterdir())
        with pieces.pruned(), caching(pieces):
            CALLS["minimise"]()
        assert made < set(tmp_path.iterdir())
    assert set(tmp_path.iterdir()) == made  # the last one removes what it did not use


def test_a_call_that_cannot_be_named_is_computed(tmp_path: Path) -> None:
    @cached()
    def study(function: Any) -> xr.Dataset:
        return xr.Dataset({"a": function(2)})

    with caching(Pieces(tmp_path, pytest.fail)):
        assert int(study(lambda x: x + 1)["a"]) == 3
    assert list(tmp_path.iterdir()) == []


def test_threads_and_progress_define_no_result() -> None:
    def function() -> xr.Dataset:
        return xr.Dataset()

    call = Call(function, {"net": NET, "threads": 2, "progress": None}, True)
    assert call.defining == {"net": NET}


def test_a_cache_sees_the_outer_call_only() -> None:
    seen: list[str] = []

    @cached()
    def inner() -> xr.Dataset:
        return xr.Dataset()

    @cached()
    def outer() -> xr.Dataset:
        return inner()

    def cache(call: Call) -> xr.Dataset:
        seen.append(call.function.__name__)
        return call.run()

    with caching(cache):
        outer()
    inner()
    assert seen == ["outer"]


VALUES: list[Any] = [
    1,
    1.0,
    True,
    "1",
    None,
    np.float32(1),
    np.array([1.0]),
    np.array([1]),
    np.array([[1.0]]),
    [1],
    (1,),
    [1, [2]],
    [[1], 2],
    {"a": 1},
    {"a": 2},
    {"b": 1},
    RECIPE,
    RECIPE.replaced(steps=31),
    FEATURES,
    Independent(4, density=0.5),
    Independent(4, density=np.nextafter(0.5, 1)),
    NET,
    ReluOutput(4, 3),
    tg.Axis(["x"], density=[0.5]),
    tg.Axis(["y"], density=[0.5]),
    xr.DataArray([1.0], dims="x"),
    xr.DataArray([1.0], dims="y"),
    xr.Dataset({"a": ("x", [1.0])}),
]


def test_different_values_have_different_fingerprints() -> None:
    prints = [fingerprint(value) for value in VALUES]
    assert len(set(prints)) == len(VALUES)
    assert prints == [fingerprint(value) for value in VALUES]
    with pytest.raises(TypeError, match="function has no fingerprint"):
        fingerprint({"a": [lambda: 1]})
