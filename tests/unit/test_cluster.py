"""A Dask cluster computes the same bits; what it lacks, and what goes wrong in it, is said."""

import logging
import os
import pickle
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import xarray as xr
from distributed import CancelledError, Client, LocalCluster
from distributed.comm import CommClosedError

import tegum as tg
from tegum.caching import Call
from tegum.cli import run
from tegum.execution import OWN_EXPERIMENTS, Piece, cluster
from tegum.execution.leases import Leases
from tegum.nets import Net
from tests.oracle.datasets import without_time
from tests.oracle.families import families, label

NET, FEATURES = tg.nets.ReluOutput(4, 2), tg.features.Independent(4)
RECIPE = tg.Recipe(steps=200, batch_size=64, seeds=4, evaluation_samples=640, record_steps=3)
SWEEP = {"density": [1.0, 0.5, 0.1]}


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as workers,
        Client(workers) as client,
    ):
        yield client


def test_a_cluster_computes_the_same_bits(client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tg.train(NET, FEATURES, RECIPE, sweep=SWEEP)
    said: list[str] = []
    take = Leases.take
    monkeypatch.setattr(Leases, "take", lambda leases, file, work: said.append(work) or take(leases, file, work))
    with tg.executing(client, folder=tmp_path):
        xr.testing.assert_identical(without_time(tg.train(NET, FEATURES, RECIPE, sweep=SWEEP)), without_time(whole))
    assert {words.partition("train")[0] for words in said} == {"given to the cluster: "}
    assert len(list(tmp_path.glob("*.safetensors"))) == 12
    assert not list(tmp_path.glob("*.lease"))


def test_minima_and_flows_go_there_too(client: Any) -> None:
    minima = lambda: tg.exact.minimise(NET, FEATURES, seeds=4, sweep={"density": [0.5, 0.1]})  # noqa: E731
    start = tg.best(minima())
    flow = lambda: tg.exact.gradient_flow(NET, FEATURES, start["W"][0] / 2, start["b"][0], 1.0, times=3)  # noqa: E731
    with tg.executing(client):
        there = minima(), flow()
    for found, here in zip(there, (minima(), flow()), strict=True):
        xr.testing.assert_identical(without_time(found), without_time(here))


def test_a_worker_that_dies_loses_its_piece_and_no_more(client: Any, tmp_path: Path) -> None:
    recipe = RECIPE.replaced(steps=20_000)
    victim = next(iter(client.run(os.getpid).values()))

    def kill_when_begun() -> None:
        while not list(tmp_path.glob("*.safetensors")):
            time.sleep(0.01)
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill_when_begun)
    killer.start()
    with tg.executing(client, folder=tmp_path):
        data = tg.train(NET, FEATURES, recipe, sweep=SWEEP)
    killer.join()
    xr.testing.assert_identical(without_time(data), without_time(tg.train(NET, FEATURES, recipe, sweep=SWEEP)))


def test_a_result_that_died_with_its_worker_is_waited_for(client: Any) -> None:
    """It was done when it was looked for, and is lost now: not the scheduler has gone, but what comes next is the result."""
    data = xr.Dataset({"loss": 1.0})
    place = cluster.Cluster(client)
    assert place._outcome(SimpleNamespace(status="lost", result=lambda: data)) is data

    def gone() -> None:
        raise CancelledError

    with pytest.raises(tg.InvalidInputError, match="does not answer any more"):
        place._outcome(SimpleNamespace(status="lost", result=gone))


def test_a_mistake_is_told_as_it_is_here(client: Any) -> None:
    for _ in range(2):
        with tg.executing(client), pytest.raises(tg.InvalidInputError, match="density is 2"):
            tg.train(NET, FEATURES, RECIPE, sweep={"density": [0.5, 2]})
    wrong = lambda: tg.train(NET, FEATURES, RECIPE, initial={"W": np.ones((7, 2, 4))})  # noqa: E731  # which workers find
    with pytest.raises(tg.InvalidInputError) as here:
        wrong()
    with tg.executing(client), pytest.raises(tg.InvalidInputError) as there:
        wrong()
    assert str(there.value) == str(here.value)


def test_workers_with_another_version_are_refused(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "science_version", lambda: "another")
    with pytest.raises(tg.InvalidInputError, match="install one version on all machines"), tg.executing(client):
        pass


def test_a_worker_that_comes_later_with_another_version_is_refused() -> None:
    with pytest.raises(tg.InvalidInputError, match=r"another version of tegum than this one, 0\.0\.9: "):
        cluster._result(b"", "0.0.9", "another")


OWN_CLASS = """
import tegum
class Own(tegum.features.Features):
    def __init__(self): self.set_fields(2, 0.5, 1.0)
    def active(self, n_samples, generator): return generator.random((n_samples, 2)) < 0.5
"""


def test_classes_of_an_experiment_of_ones_own_travel_with_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType(f"{OWN_EXPERIMENTS}.mine")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(OWN_CLASS, module.__dict__)
    sent = cluster._sent(Call(tg.train, {"features": module.Own(), "threads": 8}, False))
    monkeypatch.delitem(sys.modules, module.__name__)  # as on a worker
    _, _, arguments = pickle.loads(sent)
    assert arguments["features"].n_features == 2
    assert arguments["threads"] == 1


@pytest.mark.parametrize("net", families(3, 2), ids=label)
def test_every_net_travels(net: Net) -> None:
    recipe = tg.Recipe(steps=5, batch_size=64, evaluation_samples=64)
    arguments = {"net": net, "features": tg.features.Independent(3, 0.3), "recipe": recipe, "progress": False}
    there = cluster._result(cluster._sent(Call(tg.train, arguments, False)), *cluster._version())
    here = tg.train(**arguments)
    for name in net.parameter_shapes():
        np.testing.assert_array_equal(there[name], here[name])


def test_what_is_no_cluster(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE_SECONDS", 0.5)
    words = ["train", "-n", "2", "-m", "1", "--steps", "1", "--out", str(tmp_path), "--on"]
    for on, message in (
        ("dask://127.0.0.1:9", "no scheduler answers at dask://127.0.0.1:9"),
        ("slurm", "on is 'slurm': give dask, dask://host:port, or a Client"),
        ("dask://", "on is 'dask://': give dask"),
        ("dask://127.0.0.1", "on is 'dask://127.0.0.1': give dask, dask://host:port"),
        ("tcp://127.0.0.1:9", "on is 'tcp://127.0.0.1:9': give dask, dask://host:port"),
    ):
        assert run([*words, on]) == 2
        assert message in capsys.readouterr().err
    assert run([*words, "dask", "--shard", "1/2"]) == 2
    assert "choose one: a cluster shares the pieces out itself" in capsys.readouterr().err


def test_a_client_that_is_closed_or_whose_cluster_has_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"n_workers": 0, "processes": False, "dashboard_address": ":0", "silence_logs": 50}
    with LocalCluster(**here) as workers, Client(workers) as first, Client(workers) as second:
        first.close()
        with pytest.raises(tg.InvalidInputError, match="is closed, not running: make a new one"), tg.executing(first):
            pass
        with monkeypatch.context() as patch:
            patch.setattr(second, "run", Mock(side_effect=CommClosedError))
            with pytest.raises(tg.InvalidInputError, match=r"does not answer \(CommClosedError"), tg.executing(second):
                pass
        workers.close()
        with pytest.raises(tg.InvalidInputError, match="make a new one"), tg.executing(second):
            pass


def test_workers_that_do_not_answer_are_named_and_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    woken = threading.Event()
    workers = {"tcp://a:1": {"last_seen": time.time() + 60}, "tcp://b:1": {"last_seen": 0.0}}
    client = SimpleNamespace(run=lambda _: woken.wait(60), scheduler_info=lambda: {"workers": workers})
    monkeypatch.setattr(cluster, "_PATIENCE_SECONDS", 0.1)
    cluster._require_same_version(client)
    woken.set()
    said = "workers do not answer (tcp://b:1): pieces that go to them wait until they do, or are ended\n"
    assert capsys.readouterr().err == said


def test_a_large_piece_is_sent_without_advice_of_dask(recwarn: pytest.WarningsRecorder) -> None:
    def submit(*_: Any, **__: Any) -> int:
        warnings.warn("Sending large graph of size 15.41 MiB.\nConsider loading the data with Dask", stacklevel=1)
        return 7

    client = SimpleNamespace(submit=submit)
    assert cluster.Cluster(client)._submitted(Piece(Call(tg.train, {}, False), "train 1/1"), cluster._version()) == 7
    assert not recwarn


def test_a_cluster_without_workers_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    workers: dict[str, int] = {}
    here = cluster.Cluster(SimpleNamespace(status="running", nthreads=lambda: workers))
    assert here._room() == 1  # at first it is waited for them
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(cluster, "_PATIENCE_SECONDS", -1.0)
    for _ in range(2):
        here._room()
    assert capsys.readouterr().err == "the cluster has no workers: pieces wait until `dask worker ADDRESS` starts some\n"
    workers["a"] = 3
    assert here._room() == 12
    monkeypatch.setattr(here._client, "nthreads", Path("/nowhere/at/all").read_text)  # as where the scheduler has died
    assert here._room() == 1


def test_what_dask_says_of_it_is_not_heard() -> None:
    logger = logging.getLogger("distributed.client")
    before = logger.level
    with cluster._quiet("distributed"):
        assert not logger.isEnabledFor(logging.ERROR)
    assert logger.level == before


def test_a_scheduler_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which the wait for its pieces may be the first to notice."""

    def wait(*_: Any, **__: Any) -> None:
        future.status = "cancelled"
        raise CancelledError("scheduler-connection-lost")

    future = type("Future", (), {"status": "pending", "done": lambda self: self.status == "cancelled"})()
    scheduler = SimpleNamespace(address="tcp://a:1")
    client = SimpleNamespace(status="running", nthreads=lambda: {"a": 1}, scheduler=scheduler, submit=lambda *_, **__: future)
    monkeypatch.setattr("distributed.wait", wait)
    pieces = iter([Piece(Call(tg.train, {}, False), "train 1/1")])
    with pytest.raises(tg.InvalidInputError, match="the scheduler at tcp://a:1 does not answer any more: start it, and"):
        next(cluster.Cluster(client).compute(pieces))


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(tg.InvalidInputError, match=r"pip install 'tegum\[distributed\]'"), tg.executing("dask"):
        pass
