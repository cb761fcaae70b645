"""Where pieces are computed: here, in shards, or on a cluster (`tegum.execution.cluster`).

An executor is asked three things: how many instances make a piece worth its while, which of all pieces are its own, and to
compute them.  It takes a piece when it is ready for one, and hands each back as it is done, in any order; so a piece that
another program has meanwhile taken is never begun.

>>> shard = Shard(2, 3)
>>> [number for number in range(7) if shard.takes(number)]
[1, 4]
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol, final

import xarray as xr

from tegum.caching import Call
from tegum.errors import InvalidInputError
from tegum.threads import default_threads

OWN_EXPERIMENTS = "tegum_own_experiments"
"""The package, in name alone, of experiments in files of one's own; workers cannot import what they define."""

ON_CLUSTER = "given to the cluster: "
"""How the words of a lease begin whose piece a cluster has: it computes it, or will when its turn comes."""

_INSTANCES_PER_THREAD = 2


@final
@dataclass(frozen=True, eq=False)
class Piece:
    """A part of a call, and its name in words: for progress, and for whom it fails."""

    call: Call
    title: str


Outcome = xr.Dataset | Exception
"""What comes of a piece: its result, or what went wrong."""


class Executor(Protocol):
    """Where pieces are computed."""

    @property
    def said(self) -> str:
        """How the words begin that say of a piece that it is computed there."""

    @property
    def least(self) -> int:
        """How many instances make a piece at least."""

    def takes(self, number: int) -> bool:
        """Whether a piece, by its number among all pieces of a study, is computed by this program."""

    def compute(self, pieces: Iterator[Piece]) -> Iterator[tuple[Piece, Outcome]]:
        """Takes pieces and yields them with their results; raises KeyboardInterrupt after Ctrl-C."""


@dataclass(frozen=True)
class Here:
    """In this process, one piece after the other, each on all threads."""

    said = ""

    @property
    def least(self) -> int:
        """Two instances a thread."""
        return _INSTANCES_PER_THREAD * default_threads()

    def takes(self, number: int) -> bool:
        """Every piece."""
        return True

    def compute(self, pieces: Iterator[Piece]) -> Iterator[tuple[Piece, Outcome]]:
        """One after the other."""
        for piece in pieces:
            yield piece, _outcome(piece.call)


@final
@dataclass(frozen=True)
class Shard(Here):
    """In this process every ``count``-th piece, from the ``number``-th on: one of so many calls that share a folder."""

    number: int
    count: int

    @property
    def least(self) -> int:
        """One instance: there may be more shards than threads."""
        return 1

    def takes(self, number: int) -> bool:
        """Those whose turn it is."""
        return number % self.count == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def shard_of(text: str) -> Shard:
    """The shard that is written ``3/16``.

    Raises:
        InvalidInputError: where it is not one of so many.
    """
    number, slash, count = text.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count) < 10**9):
        raise InvalidInputError(f"the shard is {text!r}", "give which of how many, such as 3/16; the first is 1/16")
    return Shard(int(number), int(count))


def _outcome(call: Call) -> Outcome:
    """The result of a call, or its error; what the user has to mend, and Ctrl-C, are raised."""
    try:
        data = call.run()
    except InvalidInputError:
        raise
    except Exception as error:  # noqa: BLE001 - tried again, and reported
        return error
    if data.attrs.get("interrupted"):
        raise KeyboardInterrupt
    return data


_executor: ContextVar[Executor] = ContextVar("executor", default=Here())  # noqa: B039 - it holds nothing


def executor() -> Executor:
    """Where pieces are computed now."""
    return _executor.get()


@contextmanager
def computing(where: Executor) -> Iterator[None]:
    """A block in which pieces are computed there."""
    token = _executor.set(where)
    try:
        yield
    finally:
        _executor.reset(token)
