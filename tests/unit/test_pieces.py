"""Cached pieces are found again and join to what the whole call returns; several programs share them."""

import itertools
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import tegum as tg
from tegum.caching import Call, cached, caching
from tegum.errors import PiecesFailed
from tegum.exact import minimise
from tegum.execution import Elsewhere, Here, Pieces, Shard, shard_of
from tegum.execution.cut import cut_for, cut_into
from tegum.execution.executors import computing
from tegum.features import Independent
from tegum.nets import ReluOutput
from tegum.runs import write_dataset
from tests.oracle.datasets import without_time

RECIPE = tg.Recipe(steps=30, batch_size=64, seeds=4, evaluation_samples=640)
RECORDING = RECIPE.replaced(record_steps=3, seeds=3)
NET, FEATURES = ReluOutput(4, 2), Independent(4)
SWEEP: dict[str, Any] = {"density": [1.0, 0.5, 0.1]}
STARTS = np.random.default_rng(0).normal(size=(3, 4, 2, 4)) / 2
CALLS: dict[str, Callable[[], xr.Dataset]] = {
    "train": lambda: tg.train(NET, FEATURES, RECIPE, sweep=SWEEP),
    "train-seeds": lambda: tg.train(NET, FEATURES, RECIPE.replaced(seeds=9)),
    "train-initial": lambda: tg.train(NET, FEATURES, RECIPE, sweep=SWEEP, initial={"W": np.ones((2, 4)) / 2}),
    "minimise": lambda: minimise(NET, FEATURES, seeds=4, sweep=SWEEP),
    "minimise-initial": lambda: minimise(NET, FEATURES, seeds=4, sweep=SWEEP, initial={"W": STARTS, "b": STARTS[:, :1, 0] - 1}),
    "minimise-warm": lambda: minimise(NET, FEATURES, seeds=4, sweep=SWEEP, warm_starts=1),
}
PIECES = {"train": 3, "train-seeds": 2, "train-initial": 3, "minimise": 3, "minimise-warm": 1, "minimise-initial": 3}


def pieces_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def train_to(folder: Path, sweep: dict[str, Any], recipe: tg.Recipe = RECORDING) -> xr.Dataset:
    with computing(Shard(1, 1)), caching(Pieces(folder, pytest.fail)):  # in as many pieces as there may be
        return tg.train(NET, FEATURES, recipe, sweep=sweep)


@pytest.mark.parametrize("name", CALLS)
def test_pieces_join_to_the_whole_result(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tegum.execution.executors.default_threads", lambda: 2)
    whole = CALLS[name]()
    for _ in range(2):
        pieces = Pieces(tmp_path, pytest.fail)
        with caching(pieces):
            xr.testing.assert_identical(without_time(CALLS[name]()), without_time(whole))
        assert len(pieces_in(tmp_path)) == PIECES[name]
    assert pieces.seconds_cached > 0


RESUMED: list[dict[str, Any]] = [
    {"density": [1.0, 0.5, 0.1], "l1": [0.0, 0.1]},
    {},
    {"pair": tg.Axis(["a", "b"], density=[1, 0.1], l1=[0, 0.1])},
    {"data_set_size": [70, 200]},
    {"data": tg.Axis(["fresh", "fixed"], data_set_size=[None, 70], loss_on=["all", "active"])},
]


@pytest.mark.parametrize("sweep", RESUMED, ids=str)
def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path: Path, sweep: dict[str, Any]) -> None:
    whole = tg.train(NET, FEATURES, RECORDING, sweep=sweep)
    first = train_to(tmp_path, sweep)
    pieces = pieces_in(tmp_path)
    assert len(pieces) == first["loss"].size
    pieces[0].unlink()
    stamps = {path: path.stat().st_mtime_ns for path in pieces[1:]}
    xr.testing.assert_identical(without_time(train_to(tmp_path, sweep)), without_time(whole))
    assert {path: path.stat().st_mtime_ns for path in pieces[1:]} == stamps


def test_each_piece_of_the_seeds_has_their_data_sets(tmp_path: Path) -> None:
    features = Independent(4, density=0.5)
    sets, recipe = [tg.features.data_set(features, 70, seed) for seed in range(3)], RECIPE.replaced(seeds=3, batch_size=70)

    def train() -> xr.Dataset:
        return tg.train(NET, features, recipe, data=sets, sweep={"learning_rate": [1e-3, 1e-2]})

    with computing(Shard(1, 1)), caching(Pieces(tmp_path, pytest.fail)):
        pieces = train()
    xr.testing.assert_identical(without_time(pieces), without_time(train()))
    assert len(pieces_in(tmp_path)) > 1


@pytest.mark.parametrize("count", [0, 1, 3, 6])
def test_too_few_or_too_many_data_sets_are_refused_as_in_the_whole(count: int, tmp_path: Path) -> None:
    sets = [tg.features.data_set(FEATURES, 70, seed) for seed in range(count)]
    with computing(Shard(1, 1)), caching(Pieces(tmp_path)), pytest.raises(tg.InvalidInputError) as refused:
        tg.train(NET, FEATURES, RECIPE, data=sets)
    assert str(refused.value) == f"there are {count} data sets and 4 seeds: give one data set, or one for each seed"


def test_trainings_of_different_lengths_are_cut_along_seeds_where_steps_are_recorded(tmp_path: Path) -> None:
    whole = tg.train(NET, FEATURES, RECORDING, sweep={"steps": [10, 30]})
    xr.testing.assert_identical(without_time(train_to(tmp_path, {"steps": [10, 30]})), without_time(whole))
    assert len(pieces_in(tmp_path)) == 3


def test_a_sweep_that_names_a_value_twice_has_both(tmp_path: Path) -> None:
    sweep = {"density": [0.5, 0.1, 0.5]}
    whole = tg.train(NET, FEATURES, RECORDING, sweep=sweep)
    for _ in range(2):
        xr.testing.assert_identical(without_time(train_to(tmp_path, sweep)), without_time(whole))
    assert len(pieces_in(tmp_path)) == 6


def test_another_problem_has_other_pieces(tmp_path: Path) -> None:
    for n_steps, density in ((30, 0.5), (31, 0.5), (30, 0.5000001)):
        train_to(tmp_path, {"density": [density]}, RECIPE.replaced(steps=n_steps, seeds=1))
    assert len(pieces_in(tmp_path)) == 3


def test_an_interrupted_piece_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Call.run
    monkeypatch.setattr(Call, "run", lambda call: run(call).assign_attrs(interrupted=1))
    with pytest.raises(KeyboardInterrupt):
        train_to(tmp_path, SWEEP)
    assert [path.suffix for path in tmp_path.iterdir()] == [".cut"]


def test_ctrl_c_says_where_there_is_no_folder_to_go_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Call.run
    monkeypatch.setattr(Call, "run", lambda call: run(call).assign_attrs(interrupted=1))
    for folder in (None, tmp_path):
        with pytest.raises(KeyboardInterrupt) as stop, tg.executing(folder=folder):
            tg.train(NET, FEATURES, RECIPE)
        assert any("give it a folder to keep that" in note for note in getattr(stop.value, "__notes__", ())) == (folder is None)


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


@given(st.lists(st.integers(1, 7), min_size=1, max_size=3), st.integers(1, 60))
def test_a_cut_has_about_as_many_pieces_as_asked_and_misses_nothing(lengths: list[int], count: int) -> None:
    axes = [(f"axis{k}", length) for k, length in enumerate(lengths)]
    edges = cut_into(count, axes).edges
    pieces = np.prod([len(one) - 1 for one in edges.values()])
    assert min(count, np.prod(lengths)) <= pieces < 2 * count or pieces == 1
    for name, one in edges.items():
        assert one[0] == 0
        assert one[-1] == dict(axes)[name]
        assert all(a < b for a, b in itertools.pairwise(one))


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5), st.integers(1, 20))
@settings(max_examples=15, deadline=None)
def test_wherever_a_call_is_cut_its_joined_pieces_are_the_whole(densities: int, rates: int, seeds: int, count: int) -> None:
    sweep = {"density": np.linspace(0.1, 1, densities).tolist(), "learning_rate": np.linspace(1e-3, 1e-2, rates).tolist()}
    recipe = tg.Recipe(steps=2, batch_size=16, seeds=seeds, evaluation_samples=64, record_steps=2)
    call = Call(tg.train.__wrapped__.__wrapped__, {"net": NET, "features": FEATURES, "recipe": recipe, "sweep": sweep}, True)
    cut = cut_into(count, [("density", densities), ("learning_rate", rates), ("seed", seeds)])
    joined = cut.joined([piece.run() for piece in cut.calls(call)])
    xr.testing.assert_identical(without_time(joined), without_time(call.run()))


W = np.random.default_rng(1).normal(size=(3, 2, 2, 4))
NAMED = xr.DataArray(W, dims=("density", "seed", "hidden", "feature"))
TINY = tg.Recipe(steps=2, batch_size=16, seeds=2, evaluation_samples=64)
UNUSUAL: dict[str, dict[str, Any]] = {
    "arrays": {"sweep": {"importance": [[1, 1, 1, 1], [1, 0.5, 0.2, 0.1], 2]}},  # whose positions are numbered
    "mappings": {"sweep": {"weight_decay": [0.01, {"W": 0.1}, 0.2]}},
    "seeds one by one": {"recipe": TINY.replaced(seeds=(0, 1, 2)), "sweep": {"l1": [0, 0.1]}},
    "named axes": {"sweep": SWEEP, "initial": {"W": NAMED.transpose(..., "feature", "hidden")}},
    "named axes, turned": {"sweep": SWEEP, "initial": {"W": NAMED.transpose("seed", ...), "b": NAMED[:, 0, 0]}},
    "broadcast": {"sweep": SWEEP, "initial": {"W": W[:, :1], "b": W[0, :, 0]}},
    "leading axes": {"features": Independent(4, density=[[1.0], [0.5], [0.1]]), "initial": {"W": W}},
}


@pytest.mark.parametrize("large", [None, 0], ids=["joined", "in pieces"])
@pytest.mark.parametrize("name", UNUSUAL)
def test_labels_seeds_and_initial_weights_are_those_of_the_whole(name: str, large: float | None, tmp_path: Path) -> None:
    arguments = {"features": FEATURES, "recipe": TINY} | UNUSUAL[name]
    whole = tg.train(NET, **arguments)
    with computing(Shard(1, 1)), caching(Pieces(tmp_path, pytest.fail, large)):
        xr.testing.assert_identical(without_time(tg.train(NET, **arguments)).load(), without_time(whole))
    assert len(pieces_in(tmp_path)) == (2 if name == "leading axes" else whole["loss"].size)  # features are not cut


def test_searches_from_given_starts_are_cut_and_keep_them(tmp_path: Path) -> None:
    """Without ``seeds`` there are as many starts as parameters."""
    for initial in (W, NAMED.transpose("seed", ...)):
        arguments = {"initial": {"W": initial}, "sweep": {"density": [0.3, 0.2, 0.1]}}
        whole = minimise(NET, FEATURES, **arguments)
        with computing(Shard(1, 1)), caching(Pieces(tmp_path, pytest.fail, 0)):
            xr.testing.assert_identical(without_time(minimise(NET, FEATURES, **arguments)).load(), without_time(whole))
        assert (whole.sizes["seed"], len(pieces_in(tmp_path))) == (2, 3)


@pytest.mark.parametrize("shape", [(4, 2), (3, 5), (1, 3, 2)])
def test_initial_weights_of_other_axes_are_refused_as_in_the_whole(shape: tuple[int, ...], tmp_path: Path) -> None:
    """Those that are too long would fit where they are cut."""
    for call in (
        lambda: minimise(NET, FEATURES, seeds=-1, sweep=SWEEP),
        lambda: minimise(NET, FEATURES, seeds=0, sweep=SWEEP, initial={"W": np.ones((*shape, 2, 4))}),
        lambda: tg.train(NET, FEATURES, TINY, sweep=SWEEP, initial={"W": np.ones((*shape, 2, 4))}),
        lambda: minimise(NET, FEATURES, seeds=2, sweep=SWEEP, initial={"W": np.ones((*shape, 2, 4))}),
    ):
        with pytest.raises(tg.InvalidInputError) as whole:
            call()
        with computing(Shard(1, 1)), caching(Pieces(tmp_path)), pytest.raises(tg.InvalidInputError) as cut:
            call()
        assert str(cut.value) == str(whole.value)


def test_an_hour_of_work_is_cut_into_minutes() -> None:
    recipe = tg.Recipe(steps=10**6, seeds=200)
    arguments = {"net": ReluOutput(20, 5), "features": Independent(20), "recipe": recipe, "sweep": None}
    call = Call(tg.train.__wrapped__.__wrapped__, arguments, True, lambda **_: 3600.0)
    assert len(cut_for(call, 4).edges["seed"]) - 1 == 60
    assert len(cut_for(call.replaced(recipe=recipe.replaced(seeds=3)), 4).edges["seed"]) - 1 == 3


@pytest.mark.parametrize(
    ("densities", "seeds", "steps", "count"),
    [(30, 14_000, 1, 30), (7, 15_000, 1, 21), (3, 70_000, 1, 21), (1, 20_000, 1, 20), (2, 30_000, 30, 92)],
)
def test_no_piece_has_more_than_20_000_models(densities: int, seeds: int, steps: int, count: int) -> None:
    recipe = tg.Recipe(steps=50, seeds=seeds, record_steps=2)
    sweep = {"density": np.linspace(0.1, 1, densities).tolist()} | ({"steps": list(range(1, steps + 1))} if steps > 1 else {})
    arguments = {"net": ReluOutput(2, 1), "features": Independent(2), "recipe": recipe, "sweep": sweep}
    cut = cut_for(Call(tg.train.__wrapped__.__wrapped__, arguments, True, lambda **_: 0.1), 4)
    largest = [max(b - a for a, b in pairwise(edges)) for edges in cut.edges.values()]
    assert "steps" not in cut.edges
    assert steps * math.prod(largest) * (seeds if "seed" not in cut.edges else 1) <= 20_000
    assert math.prod(len(edges) - 1 for edges in cut.edges.values()) == count


# Several programs in one folder


def test_who_comes_later_follows_the_cut_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train_to(tmp_path, SWEEP)
    made = set(tmp_path.iterdir())
    monkeypatch.setattr("tegum.execution.executors.default_threads", lambda: 64)
    with caching(Pieces(tmp_path, pytest.fail)):
        tg.train(NET, FEATURES, RECORDING, sweep=SWEEP)
    assert set(tmp_path.iterdir()) == made


def test_a_damaged_cut_is_set_aside_and_made_again(tmp_path: Path) -> None:
    train_to(tmp_path, SWEEP)
    (path,) = tmp_path.glob("*.cut")
    whole = path.read_bytes()
    for damaged in (b"", whole[:-3], whole.replace(b"0, 1, 2, 3", b"0, 1, 3, 3"), b"\xff"):
        path.write_bytes(damaged)
        said: list[str] = []
        with computing(Shard(1, 1)), caching(Pieces(tmp_path, said.append)):
            tg.train(NET, FEATURES, RECORDING, sweep=SWEEP)
        assert "is damaged: set aside" in said[0]
        assert path.read_bytes() == whole
    path.write_bytes(b"{}")
    with pytest.raises(tg.InvalidInputError, match="delete it and run the command again"), caching(Pieces(tmp_path)):
        tg.train(NET, FEATURES, RECORDING, sweep=SWEEP)


def test_shards_compute_each_piece_once_and_the_last_call_gathers(tmp_path: Path) -> None:
    whole, seen = tg.train(NET, FEATURES, RECORDING, sweep=SWEEP), set[Path]()
    for number in range(1, 8):
        pieces = Pieces(tmp_path, pytest.fail)
        with computing(Shard(number, 7)), caching(pieces):
            if number < 7:
                with pytest.raises(Elsewhere):
                    tg.train(NET, FEATURES, RECORDING, sweep=SWEEP)
            else:
                tg.train(NET, FEATURES, RECORDING, sweep=SWEEP)  # it has all that it needs
        assert pieces.computed in (1, 2)
        assert len(set(pieces_in(tmp_path)) - seen) == pieces.computed
        seen = set(pieces_in(tmp_path))
    assert len(seen) == 9
    pieces = Pieces(tmp_path, pytest.fail)
    with caching(pieces):
        xr.testing.assert_identical(without_time(tg.train(NET, FEATURES, RECORDING, sweep=SWEEP)), without_time(whole))
    assert pieces.computed == 0
    assert not list(tmp_path.glob("*.lease"))


def test_programs_in_one_folder_share_the_work(tmp_path: Path) -> None:
    """Three threads stand for three programs: each has leases of its own."""
    found: list[tuple[int, xr.Dataset]] = []

    def work() -> None:
        pieces = Pieces(tmp_path, pytest.fail)
        with computing(Shard(1, 1)), caching(pieces):
            data = tg.train(NET, FEATURES, RECIPE, sweep=SWEEP)
        found.append((pieces.computed, data))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(computed for computed, _ in found) == 12  # nothing is done twice
    for _, data in found:
        xr.testing.assert_identical(without_time(data), without_time(found[0][1]))
    assert not list(tmp_path.glob("*.lease"))


DIE = """
import os, sys
from pathlib import Path
from tegum.execution.leases import Leases
for name in sys.argv[1:]:
    assert Leases().take(Path(name), "a piece")
os.kill(os.getpid(), 9)
"""


def test_the_work_of_a_program_that_was_killed_is_taken_over(tmp_path: Path) -> None:
    train_to(tmp_path, SWEEP)
    pieces = pieces_in(tmp_path)
    for path in pieces[:2]:
        path.unlink()
    subprocess.run([sys.executable, "-c", DIE, *map(str, pieces[:2])], check=False, timeout=60)
    assert len(list(tmp_path.glob("*.lease"))) == 2
    train_to(tmp_path, SWEEP)
    assert pieces_in(tmp_path) == pieces
    assert not list(tmp_path.glob("*.lease"))


def test_of_many_that_died_all_are_watched_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On other machines: else a shard would wait half a minute for one after the other."""
    asked: list[list[Path]] = [[]]
    monkeypatch.setattr("tegum.execution.leases.Leases.alive", lambda _, path: bool(asked[-1].append(path) or len(asked) < 3))
    monkeypatch.setattr("tegum.execution.work.time.sleep", lambda _: asked.append([]))
    monkeypatch.setattr("tegum.execution.work._PATIENCE_SECONDS", -1.0)
    with computing(Shard(1, 2)), caching(Pieces(tmp_path, pytest.fail)), pytest.raises(Elsewhere):
        tg.train(NET, FEATURES, TINY, sweep=SWEEP)
    assert len(asked[0]) == 3


def test_pieces_of_another_version_are_not_mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train_to(tmp_path, SWEEP)
    monkeypatch.setattr("tegum.execution.pieces.science_version", lambda: "0123456789abcdef")
    with pytest.raises(tg.InvalidInputError, match=r"holds 9 pieces that another version of tegum computed: use one version"):
        train_to(tmp_path, SWEEP)
    said: list[str] = []
    write_dataset(xr.Dataset(), tmp_path / "mine.safetensors")  # is no piece
    with caching(Pieces(tmp_path, said.append)):
        tg.train(NET, FEATURES, RECORDING, sweep=SWEEP)
    assert said == [f"{tmp_path} holds 9 pieces that another version of tegum computed: they are not used"]


def test_a_piece_that_fails_is_tried_three_times_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, tries = Call.run, list[float]()

    def failing(call: Call) -> xr.Dataset:
        (density,) = call.arguments["sweep"]["density"]
        if density == 0.5:
            tries.append(density)
            if len(tries) <= failures:
                raise ZeroDivisionError("broken")
        return run(call)

    monkeypatch.setattr(Call, "run", failing)

    def shard(folder: Path) -> None:
        with computing(Shard(2, 2)), caching(Pieces(folder, pytest.fail)):
            tg.train(NET, FEATURES, one, sweep=SWEEP)

    one = RECIPE.replaced(seeds=1)
    failures = 3
    with pytest.raises(PiecesFailed) as caught:
        train_to(tmp_path, SWEEP, one)
    assert "1 of 3 pieces failed 3 times; the others are finished and kept" in str(caught.value)
    assert "sweep={'density': [0.5]}): ZeroDivisionError: broken" in str(caught.value)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert len(pieces_in(tmp_path)) == 2
    tries.clear()
    with (
        computing(Shard(1, 1)),
        caching(Pieces(tmp_path / "gone", kept=False)),
        pytest.raises(PiecesFailed, match=r"1 of 3 pieces failed 3 times; the others are finished\n"),
    ):
        tg.train(NET, FEATURES, one, sweep=SWEEP)
    tries.clear()
    with pytest.raises(PiecesFailed, match=r"1 of 1 pieces failed 3 times\n"), tg.executing():
        tg.train(NET, FEATURES, one, sweep={"density": [0.5]})
    tries.clear()
    with pytest.raises(PiecesFailed, match="what else is this shard's is finished"):  # rather than that all of it is
        shard(tmp_path / "shard")
    tries.clear()
    failures = 2
    assert train_to(tmp_path, SWEEP, one).sizes["density"] == 3


@pytest.mark.parametrize("text", ["", "3", "0/4", "5/4", "a/4", "1/b", "-1/4", "1/4/2", "1.5/4", "1/0", "²/4"])
def test_what_is_no_shard(text: str) -> None:
    with pytest.raises(tg.InvalidInputError, match="give which of how many, such as 3/16"):
        shard_of(text)


def test_here_takes_every_piece_and_keeps_all_threads_busy() -> None:
    assert Here().takes(5)
    assert Here().least == 2 * len(os.sched_getaffinity(0))
