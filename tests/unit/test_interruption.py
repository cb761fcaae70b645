"""Ctrl-C is noticed by everybody it concerns, even where something else swallows it."""

import contextlib
import signal
import threading
import time
from concurrent.futures import wait
from typing import Any

import pytest
import xarray as xr

import tegum as tg
from tegum.interruption import noticing_interruption
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
    assert in_pieces(1000, 1, lambda: None, lambda *_: time.sleep(0.05), threads=2, progress=False) < 1000


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
    assert not in_threads(threading.Event.wait, 2, lambda: None)
    assert waited == [True]


def test_a_second_one_is_not_only_noted() -> None:
    with noticing_interruption(raising=False) as seen:
        press()
        assert seen == [signal.SIGINT]
        with pytest.raises(KeyboardInterrupt):
            press()
