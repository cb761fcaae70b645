"""Ctrl-C is noticed by everybody it concerns, even where something else swallows it."""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum import cli, loading
from tegum.compilation import compiled
from tegum.exact import search
from tegum.interruption import came_of_interruption, never_losing_interruption, noticing_interruption
from tegum.runs.files import failures_told
from tegum.threads import in_pieces, in_threads
from tegum.training import pool
from tests.experiments import small


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def test_all_of_nested_blocks_notice_and_the_handler_returns() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), noticing_interruption() as outer, noticing_interruption() as inner:
        press()
    assert outer == inner == [signal.SIGINT]
    assert signal.getsignal(signal.SIGINT) is before


def test_where_it_is_ignored_it_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with noticing_interruption() as seen:
            press()
        assert seen == []
    finally:
        signal.signal(signal.SIGINT, before)


def test_training_ends_though_a_finaliser_swallowed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def swallowing(*_: object) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            press()

    monkeypatch.setattr(pool, "_show", swallowing)
    recipe = tg.Recipe(steps=10**9, batch_size=64, evaluation_samples=64)

    def loop() -> None:
        for _ in range(3):  # one Ctrl-C ends it
            tg.train(tg.nets.ReluOutput(5, 2), tg.features.Independent(5), recipe)

    with pytest.raises(tg.Interrupted, match=r"what was finished is in the exception's \.data") as stop:
        loop()
    data = stop.value.data
    assert isinstance(stop.value, KeyboardInterrupt)
    assert data.attrs["interrupted"] == 1
    assert data.status.item() == "interrupted"


def test_pieces_end_though_it_was_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bar:
        n = 0

        def __init__(self, **_: object) -> None: ...
        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_: object) -> None: ...
        def update(self, _: object) -> None:
            with contextlib.suppress(KeyboardInterrupt):
                press()

    monkeypatch.setattr("tegum.threads.ProgressBar", Bar)
    done: list[int] = []

    def work(_: object, first: int, end: int) -> None:
        time.sleep(0.05)
        done.append(first)

    with pytest.raises(KeyboardInterrupt):
        in_pieces(1000, 1, lambda stop: None, work, threads=2, progress=False)
    assert len(done) < 1000


def test_work_that_does_not_end_is_left_behind() -> None:
    began, release = time.monotonic(), threading.Event()
    assert not in_threads(lambda stop: release.wait(), 1, press)
    release.set()
    assert time.monotonic() - began < 2


def test_a_second_one_leaves_it_at_once() -> None:
    began, release, presses = (
        time.monotonic(),
        threading.Event(),
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)),
    )
    presses.start()
    assert not in_threads(lambda stop: release.wait(), 1, press)
    release.set()
    assert time.monotonic() - began < 0.9


def test_a_search_answers_from_inside_one_descent() -> None:
    """N = 60: one start takes seconds, one piece is one start, and 200 starts take minutes."""
    began = time.monotonic()
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(tg.Interrupted) as stop:
        tg.exact.minimise(tg.nets.ReluOutput(60, 10), tg.features.Independent(60, density=0.1), seeds=200)
    assert time.monotonic() - began < 0.5 + 2
    data = stop.value.data
    assert data.attrs["interrupted"] == 1
    assert not np.isin(data.status.values, ["minimum", "saddle"]).any()
    assert (data.status == "interrupted").any()


def test_all_kinds_of_cells_are_left_alone_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the first kind of distribution of a sweep ends the search; the others are not begun."""
    calls: list[int] = []

    def pressing(*_: object) -> None:
        calls.append(1)
        raise KeyboardInterrupt

    monkeypatch.setattr(search.Search, "_descend", pressing)
    sweep = {"magnitude": tg.Axis(["uniform", "exponential"], magnitude=[tg.features.Uniform(), tg.features.Exponential()])}
    with pytest.raises(tg.Interrupted) as stop:
        tg.exact.minimise(
            tg.nets.ReluOutput(3, 2), tg.features.Independent(3, density=0.1), seeds=2, sweep=sweep, warm_starts=1
        )
    assert len(calls) == 1
    assert (stop.value.data.status == "interrupted").all()


@pytest.mark.parametrize("stage", ["smallest_curvatures", "evaluate"])
def test_nothing_is_certified_that_was_not(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressing(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(search, stage, pressing)
    with pytest.raises(KeyboardInterrupt) as stop:
        tg.exact.minimise(tg.nets.ReluOutput(3, 2), tg.features.Independent(3, density=0.1), seeds=2)
    if stage == "smallest_curvatures":
        data = stop.value.data  # type: ignore[attr-defined]
        assert (data.status == "converged").all()
        assert data.curvature.isnull().all()
        assert data.loss.notnull().all()


def test_a_study_says_so_though_it_was_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def swallowing(_: str) -> xr.Dataset:
        with contextlib.suppress(KeyboardInterrupt):
            press()
        return xr.Dataset(attrs={"interrupted": 0})

    monkeypatch.setattr(small, "study", swallowing)
    assert small.experiment.study("quick").attrs["interrupted"] == 1


def test_nothing_is_raised_inside_the_locks_of_who_waits_for_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = []

    def pressing(*args: Any, **settings: Any) -> Any:
        press()
        waited.append(True)  # not reached where the signal raises, which may leave a lock released twice
        return wait(*args, **settings)

    monkeypatch.setattr("tegum.threads.wait", pressing)
    assert not in_threads(lambda stop: stop.wait(), 2, lambda: None)
    assert waited


def test_a_second_one_is_not_only_noted() -> None:
    with noticing_interruption(only=1) as seen:
        press()
        assert seen == [signal.SIGINT]
        with pytest.raises(KeyboardInterrupt):
            press()


def test_what_a_callback_of_compiled_code_loses_is_raised_after_it_without_a_remark(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: said.append(lost.exc_type))
    with pytest.raises(KeyboardInterrupt):
        never_losing_interruption()(ctypes.CFUNCTYPE(None)(press))()
    never_losing_interruption()(ctypes.CFUNCTYPE(None)(lambda: 1 // 0))()
    assert said == [ZeroDivisionError]


def test_compiling_does_not_lose_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    function = compiled(lambda x: x + 1)
    monkeypatch.setattr(function._cache, "load_overload", lambda *_: ctypes.CFUNCTYPE(None)(press)())
    monkeypatch.setattr(function._cache, "save_overload", lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        function(1)
    assert function(1) == 2


def broken_import(*_: object, **__: object) -> None:
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt as pressed:
        raise ImportError("initialization failed") from pressed


def test_a_library_that_it_kept_from_loading_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ImportError) as broken:
        broken_import()
    assert came_of_interruption(broken.value)
    assert not came_of_interruption(ImportError("no such module"))
    monkeypatch.setattr(cli, "app", broken_import)
    assert cli.run([]) == 130
    assert capsys.readouterr().err == "tegum: interrupted\n"


def test_a_command_says_that_it_was_interrupted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def pressed() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tegum.cli.experiments.every_description", pressed)
    assert cli.run(["list"]) == 130
    assert capsys.readouterr().err == "tegum: interrupted\n"


def test_nor_is_a_part_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = loading.import_module
    load = type(tg).__getattr__
    monkeypatch.setattr(loading, "import_module", lambda name: whole(name) if name == "tegum.interruption" else broken_import())
    with pytest.raises(KeyboardInterrupt):
        load(tg, "maps")
    monkeypatch.setattr(loading, "import_module", lambda name: whole(name if name == "tegum.interruption" else "tegum.nothing"))
    with pytest.raises(ModuleNotFoundError):
        load(tg, "maps")


def test_what_a_library_makes_of_it_is_no_damage_to_a_file() -> None:
    """Pydantic raises "Error building `list` serializer:" where Ctrl-C comes while it gets ready to read."""

    def read() -> None:
        with failures_told(Path("a")):
            try:
                press()
            except KeyboardInterrupt:
                raise ValueError("Error building `list` serializer:") from None

    with pytest.raises(KeyboardInterrupt):
        read()
