"""Values that nobody should give: wrong types, extreme numbers, broken arrays; and what a public call may do with them."""

import datetime
import faulthandler
import os
import resource
import signal
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tegum.errors import InvalidInputError

Attempt = tuple[str, Callable[[], Any]]

VALUES: tuple[Any, ...] = (
    *(None, True, False, np.True_, "", "a", "3", "\udcff", b"a", 1j, object(), datetime.date(2020, 1, 1), Exception, len),
    *(-1, 0, 1, 2, 3, 2**31, 2**63, 2**64, 10**30, -(2**63), np.int64(2), np.int8(-1), np.uint64(2**63)),
    *(
        0.5,
        -0.5,
        1e-300,
        1e30,
        1e300,
        float("nan"),
        float("inf"),
        -float("inf"),
        np.float32(0.25),
        np.float16(3),
        np.longdouble(1),
    ),
    *(
        [],
        [1],
        [1, 2],
        [[1], [1, 2]],
        [None],
        ["a", "b"],
        [0.1, float("nan")],
        (1, 1),
        range(3),
        {},
        {"a": 1},
        {"W": "a"},
        {1, 2},
    ),
    *(np.zeros(0), np.zeros((0, 2)), np.ones(2), np.ones((2, 2, 2)), np.ones(2) * 1j, np.array(["a"]), np.array([None])),
    *(np.full((1, 2), 1e200), np.full((1, 2), np.nan), np.ones((3, 2), ">f4"), np.ma.array([1.0, 2.0], mask=[0, 1])),
    *(np.ones((2, 3)), np.ones((5, 2, 3)), np.ones((3, 3)), np.zeros((2, 2)), np.full((2, 2), -1.0), np.array(2.0)),
    *(np.array([2**63], np.uint64), np.ones(2, np.float16), np.full((2, 2), np.inf), np.broadcast_to(0.5, (10**6, 10**6))),
    *(xr.Dataset(), xr.Dataset({"W": "a"}), xr.Dataset({"W": (("x", "y"), np.ones((2, 2)))}), xr.DataArray(1.0)),
    *(xr.DataArray(np.ones((2, 2)), dims=("feature", "hidden")), xr.DataArray(["a"], {"density": ["b"]}, ["density"])),
    *({"a": np.ones((2, 2))}, {"a": [1, 2]}, {1: 2}, {"a": None}, {"density": [0.5]}, {"x": xr.DataArray([1.0])}, Path("a")),
)


@dataclass
class Count:
    """What became of the attempts of one kind; ``stopped`` are those that had long to do and obeyed Ctrl-C."""

    attempts: int = 0
    done: int = 0
    messages: int = 0
    stopped: int = 0
    tracebacks: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    places: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        words = f"{self.attempts:>7} attempts {self.done:>7} done {self.messages:>7} messages {self.stopped:>4} stopped"
        return f"{words} {len(self.tracebacks):>4} tracebacks {len(self.hangs):>4} hangs {megabytes():>5} MB"

    def note(self, place: str, what: str) -> None:
        """Notes that something got through: one example for each place is shown."""
        self.places[place] += 1
        self.tracebacks.append(f"{place}: {what}")

    def lines(self) -> list[str]:
        """What got through, most frequent place first, each with its first example."""
        first = {place: next(line for line in self.tracebacks if line.startswith(place)) for place in self.places}
        found = [f"{count} x {first[place]}" for place, count in self.places.most_common()]
        return found + [f"{what}: hangs" for what in self.hangs]


class Through(Exception):
    """What an attempt may not do, in words; it counts as a traceback."""


class HangError(BaseException):
    """An attempt took longer than it may, and did not obey Ctrl-C."""


PATIENCE, OBEYS = 4.0, 4.0
"""After so many seconds Ctrl-C is pressed; so many later a call that goes on hangs."""

MOST_MEGABYTES = 2000


def megabytes() -> int:
    """The most memory that this process had."""
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def counted(attempts: Iterable[Attempt]) -> Count:
    """Makes every attempt: done, or one message; anything else, a warning of NumPy too, is a traceback."""
    count, pressed, large = Count(), [False], [False]

    def ring(*_: object) -> None:
        if pressed[0]:
            raise HangError
        pressed[0] = True
        signal.setitimer(signal.ITIMER_REAL, OBEYS)
        os.kill(os.getpid(), signal.SIGINT)

    signal.signal(signal.SIGALRM, ring)
    for what, call in attempts:
        count.attempts += 1
        pressed[0] = False
        faulthandler.dump_traceback_later(60, exit=True)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                call()
            count.done += 1
        except InvalidInputError:
            count.messages += 1
        except KeyboardInterrupt:
            count.stopped += 1
        except HangError:
            count.hangs.append(what[:300])
        except Exception as error:  # noqa: BLE001  this is what is counted
            frames = traceback.extract_tb(error.__traceback__)
            ours = [frame for frame in frames if "/tegum/" in frame.filename] or frames
            place = f"{type(error).__name__} at {Path(ours[-1].filename).name}:{ours[-1].lineno}"
            if isinstance(error, Through):
                place = "got through"
            count.note(place, f"{what[:250]}: {str(error)[:200]!r}")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if megabytes() > MOST_MEGABYTES and not large[0]:
            large[0] = True
            count.note("memory", f"{what[:250]}: {megabytes()} MB")
    faulthandler.cancel_dump_traceback_later()
    return count
