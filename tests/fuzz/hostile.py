"""Values that nobody should give: wrong types, extreme numbers, broken arrays; and what a public call may do with them."""

import datetime
import signal
import traceback
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

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
)


@dataclass
class Count:
    """What became of the attempts of one kind."""

    attempts: int = 0
    done: int = 0
    messages: int = 0
    tracebacks: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        words = f"{self.attempts:>7} attempts {self.done:>7} done {self.messages:>7} messages"
        return f"{words} {len(self.tracebacks):>4} tracebacks {len(self.hangs):>4} hangs"


class HangError(Exception):
    """An attempt took longer than it may."""


def _hang(*_: object) -> None:
    raise HangError


def counted(attempts: Iterable[Attempt], seconds: float = 8.0) -> Count:
    """Makes every attempt: done, or one message; anything else, a warning of NumPy too, is a traceback."""
    count = Count()
    signal.signal(signal.SIGALRM, _hang)
    for what, call in attempts:
        count.attempts += 1
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                call()
            count.done += 1
        except InvalidInputError:
            count.messages += 1
        except HangError:
            count.hangs.append(what)
        except Exception as error:  # noqa: BLE001  this is what is counted
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(frame.filename).name}:{frame.lineno}"
            count.tracebacks.append(f"{what[:200]}: {type(error).__name__} at {place}: {str(error)[:200]}")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    return count
