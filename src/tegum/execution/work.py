"""Computing the pieces of one call: those that nobody else has, until every one has a file.

Who begins a piece takes its lease (`tegum.execution.leases`).  What others have is waited for, and taken over where they died.
A piece that fails is tried again after all others; a shard leaves what is not its own.
"""

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self, final

from tegum.caching import Call
from tegum.errors import PiecesFailed
from tegum.execution.executors import Executor, Piece
from tegum.execution.leases import SUFFIX as LEASE
from tegum.execution.leases import Leases
from tegum.progress import ProgressBar
from tegum.runs import write_dataset

_LOOKS_PER_SECOND = 1000
"""Files that are looked for while others are waited for: more would be a burden on a disk that many machines share."""

_TRIES, _BEAT_SECONDS, _PATIENCE_SECONDS, _SHOWN = 3, 0.2, 10.0, 5


class Elsewhere(BaseException):
    """A call needs pieces that are other shards' to compute; what was this one's is computed.

    Like KeyboardInterrupt it ends a study, and is no error that one would handle.
    """

    def __init__(self, missing: int) -> None:
        super().__init__(f"{missing} pieces are other shards' to compute")
        self.missing = missing


@final
class Work:
    """What is left to do of a call; as a context it gives its leases back.

    Args:
        where: what computes.
        calls: the pieces by the file of each.
        first: how many pieces the study had before these.
        progress: as `tegum.train` takes it.
        kept: whether the files outlive the program.

    Attributes:
        computed: how many pieces this program computed.
    """

    def __init__(
        self, where: Executor, calls: Mapping[Path, Call], first: int, progress: bool | None, kept: bool = True
    ) -> None:
        self._where, self._calls, self._kept = where, calls, kept
        self._turn = {path: first + k for k, path in enumerate(calls)}
        self._missing = {path: None for path in calls if not path.exists()}  # in order, and found at once
        self._failures: Counter[Path] = Counter()
        self._errors: dict[Path, Exception] = {}
        self.computed = 0
        self._leases = Leases()
        shown = progress if len(self._missing) > 1 else False
        self._bar = ProgressBar(total=len(self._missing), desc="pieces", unit="piece", progress=shown)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
        self._leases.close()

    def complete(self) -> None:
        """Returns when every piece has a file, whoever made it.

        Raises:
            KeyboardInterrupt: after Ctrl-C.
            Elsewhere: in a shard, where nobody is at work on what is left.
            PiecesFailed: where pieces failed three times.
        """
        others_seen = -math.inf
        while self._look():
            mine = [path for path in self._missing if self._where.takes(self._turn[path])]
            before = self.computed, self._failures.total()
            self._compute(mine)
            if (self.computed, self._failures.total()) != before:
                continue
            alive = [path for path in self._missing if self._leases.alive(path)]  # of all, so that each is watched from now on
            if alive:
                others_seen = time.monotonic()
            if all(path.exists() for path in mine) and time.monotonic() - others_seen > _PATIENCE_SECONDS:
                self._look()
                break
            self._bar.set_postfix_str("waiting for other programs")
            time.sleep(max(_BEAT_SECONDS, len(self._missing) / _LOOKS_PER_SECOND))
        for path in () if self._missing else self._calls:
            with suppress(OSError):  # the folder may be read only
                path.with_name(path.name + LEASE).unlink(missing_ok=True)  # of a program that was killed after it wrote
        if failed := [path for path, count in self._failures.items() if count >= _TRIES]:
            raise PiecesFailed(self._said(failed)) from self._errors[failed[0]]
        if self._missing:
            raise Elsewhere(len(self._missing))

    def _look(self) -> int:
        """How many pieces have no file, but for those that failed too often; the others are counted as done."""
        before = len(self._missing)
        self._missing = {path: None for path in self._missing if not path.exists() and self._failures[path] < _TRIES}
        self._bar.update(before - len(self._missing))
        return len(self._missing)

    def _compute(self, paths: list[Path]) -> None:
        """Computes the pieces that nobody else has, and writes each as it comes."""
        at: dict[Piece, Path] = {}
        for piece, outcome in self._where.compute(self._free(paths, at)):
            path = at.pop(piece)
            if isinstance(outcome, Exception):
                self._failures[path] += 1
                self._errors[path] = outcome
                self._bar.set_postfix(failed=self._failures.total())
            else:
                write_dataset(outcome, path)
                self.computed += 1
                del self._missing[path]
                self._bar.update()
            self._leases.give_back(path)

    def _free(self, paths: list[Path], at: dict[Piece, Path]) -> Iterator[Piece]:
        """The pieces that this program may begin, each when it is asked for; notes the file of each."""
        for number, path in enumerate(paths, start=1):
            call = self._calls[path]
            title = f"{call.function.__name__} {number}/{len(paths)}"
            if path.exists() or not self._leases.take(path, self._where.said + title):
                continue
            if path.exists():  # it was finished while we asked
                self._leases.give_back(path)
                continue
            at[piece := Piece(call, title)] = path
            yield piece

    def _said(self, failed: list[Path]) -> str:
        """What to say of pieces that failed: how many, and what was asked of the first ones."""
        others = "what else is this shard's is" if self._missing else "the others are"
        rest = f"; {others} finished{' and kept' if self._kept else ''}" if len(failed) < len(self._calls) else ""
        told = [f"{len(failed)} of {len(self._calls)} pieces failed {_TRIES} times{rest}"]
        for path in failed[:_SHOWN]:
            call, error = self._calls[path], self._errors[path]
            asked = ", ".join(f"{name}={value!r:.200}" for name, value in call.defining.items() if value is not None)
            told.append(f"  {call.function.__name__}({asked}): {type(error).__name__}: {error}")
        return "\n".join(told)
