"""``--on`` and ``--shard``: options of every command that computes in pieces, and what is said where a shard is done."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cyclopts import Parameter

from tegum.cli.output import say
from tegum.execution import Elsewhere, placed


@Parameter(name="*")
@dataclass(frozen=True)
class Where:
    """Where the pieces of a command are computed.

    Args:
        on: A Dask cluster that computes the pieces: dask://host:port, or dask for one of processes on this machine.
        shard: Which share of the pieces this call computes, such as 3/16: one of so many calls with the same --out.
    """

    on: str | None = None
    shard: str | None = None

    @contextmanager
    def computing(self) -> Iterator[None]:
        """A block in which pieces are computed there."""
        with placed(self.on, self.shard):
            yield

    def done(self, left: Elsewhere) -> str:
        """That this shard has done what it can, in words."""
        return f"shard {self.shard}: its pieces are finished, {left.missing} are the others'"

    def say_how_to_gather(self) -> int:
        """Says how the results of all shards come together; returns the exit code."""
        words = sys.argv[1:]
        place = next((k for k, word in enumerate(words) if word.partition("=")[0] == "--shard"), len(words))
        others = words[:place] + words[place + (1 if "=" in "".join(words[place : place + 1]) else 2) :]
        say(f"when all shards are done, the same command without --shard goes on: tegum {shlex.join(others)}")
        return 0
