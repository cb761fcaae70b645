"""Calls in pieces on disk: what an interrupted study goes on from, and what several programs work on together.

>>> from tempfile import TemporaryDirectory
>>> from tegum.caching import cached, caching
>>> @cached()
... def study(n):
...     print("computed")
...     return xr.Dataset({"square": n * n})
>>> with TemporaryDirectory() as folder, caching(Pieces(Path(folder), print)):
...     study(3).square.item(), study(3).square.item()          # killed and called again, it finds what is finished
computed
(9, 9)

    VERSION-CALL.cut             how a call is cut (`tegum.execution.cut`)
    VERSION-PIECE.safetensors    the result of a piece
    ....lease                    who is making it (`tegum.execution.leases`)

A file is named by the code that computes and by the fingerprint of the call; resuming is looking whether it is there.  A piece
that was interrupted leaves no file.  Programs that work in one folder each take pieces that nobody has, and wait for the last.
"""

import fcntl
import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, final

import xarray as xr

from tegum.caching import Call
from tegum.errors import InvalidInputError
from tegum.execution.cut import agreed, cut_for
from tegum.execution.executors import Executor, Here, Shard, executor
from tegum.execution.leases import SUFFIX as LEASE
from tegum.execution.work import Work
from tegum.provenance import git_commit, science_version, tegum_version
from tegum.runs import attributes_in, fingerprint, locked, read_dataset, read_or_set_aside
from tegum.runs.files import SUFFIX, require_folder
from tegum.runs.lazy import lazily_joined, makers
from tegum.runs.manifest import MANIFEST

LARGE_BYTES = 2**27
"""Of results that are kept in their pieces, and not joined in memory."""

_NAMED = re.compile(r"[0-9a-f]{8}-[0-9a-f]{32}")
"""What pieces are called, and nothing else in a folder."""


@final
class Pieces:
    """A cache of marked calls in a folder.

    Args:
        folder: where; made at the first piece.
        notice: receives a line for each damaged file, which is set aside and computed again; without it that is an error.
        large: results of more bytes (by default 128 MB) stay in their pieces, and are read where they are looked at.
        kept: whether the folder outlives the program; of one that does not, no result stays in its pieces.

    Attributes:
        manifest: of the last call, the list of its pieces, where its result is that large; else None.
        seconds_cached: what the pieces that were found had cost.
        computed: how many pieces were computed by this program.
    """

    def __init__(
        self, folder: Path, notice: Callable[[str], Any] | None = None, large: float | None = None, kept: bool = True
    ) -> None:
        self.folder = folder
        self.manifest: Path | None = None
        self._large = (LARGE_BYTES if large is None else large) if kept else math.inf
        self._kept = kept
        self.seconds_cached = 0.0
        self.computed = 0
        self._notice = notice
        self._read = read_dataset if notice is None else lambda path: read_or_set_aside(path, notice)
        self._used: set[str] = set()
        self._makers: list[dict[str, str]] = []
        self._before = 0
        self._told = False

    def __call__(self, call: Call) -> xr.Dataset:
        """The call's result, from cached pieces and computed ones.

        Raises:
            KeyboardInterrupt: after Ctrl-C; finished pieces are kept.
            InvalidInputError: where the call is wrong, or the folder cannot be written.
            Elsewhere: in a shard, where others have to compute the rest.
            PiecesFailed: where pieces failed three times.
        """
        try:
            name = _name(call)
        except TypeError:
            return call.run()
        where = executor()
        self._require_one_version(where)
        require_folder(self.folder)
        cut, calls = agreed(self._path(name + MANIFEST), call, lambda: cut_for(call, where.least), _file_name, self._notice)
        paths = [self._path(name) for name, _ in calls]
        pieces = {path: piece for path, (_, piece) in zip(paths, calls, strict=True)}
        first, self._before = self._before, self._before + len(pieces)
        found = [path.exists() for path in paths]
        made_again = set[Path]()
        while True:
            with Work(where, pieces, first, call.arguments.get("progress"), self._kept) as work:
                try:
                    work.complete()
                finally:
                    self.computed += work.computed
            if cut.edges and sum(path.stat().st_size for path in paths) > self._large:
                self.manifest = self._path(name + MANIFEST)
                data = lazily_joined(paths, cut.edges)
                self.seconds_cached += float(data.attrs["wall_seconds"]) * found.count(True) / len(found)
                break
            self.manifest = None
            parts = {path: self._read(path) for path in pieces}
            if twice := sorted(path for path in made_again if parts[path] is None):
                advice = "its disk does not keep what is written: choose another folder with --out"
                raise InvalidInputError(f"{twice[0]} is damaged again as soon as it is made", advice)
            made_again |= {path for path, part in parts.items() if part is None}
            whole = [part for path in paths if (part := parts[path]) is not None]
            if len(whole) == len(paths):
                data = cut.joined(whole)
                self.seconds_cached += sum(_seconds(part) for part, was in zip(whole, found, strict=True) if was)
                break
        if "recipe" in data.attrs and (recipe := call.arguments.get("recipe")) is not None:
            data.attrs["recipe"] = recipe.model_dump_json()  # its seeds as they were given, by number or one by one
        self._makers.append(makers([data.attrs]))
        return data

    def made_by(self) -> dict[str, str]:
        """The machines and libraries that computed all pieces that were used so far, as attributes of a dataset."""
        return makers(self._makers)

    @contextmanager
    def pruned(self) -> Iterator[None]:
        """Around a study; then removes the pieces that it did not use, of other code or other settings.

        Not where another program makes pieces here: the last one of them does.
        """
        with locked(self.folder, fcntl.LOCK_SH) as number:
            yield
            with suppress(OSError):  # others are here, or the disk knows no locks
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for path in [*self.folder.iterdir()]:
                    if path.suffix in (SUFFIX, MANIFEST, LEASE) and path.name not in self._used:
                        path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        self._used.add(name)
        return self.folder / name

    def _require_one_version(self, where: Executor) -> None:
        """Says that pieces of another version are here; where several programs make pieces, raises an `InvalidInputError`."""
        if self._told:
            return
        self._told = True
        pieces = [path for path in self.folder.glob(f"*{SUFFIX}") if _NAMED.fullmatch(path.stem)]
        others = [path for path in pieces if not path.name.startswith(version_mark())]
        if not others:
            return
        what = f"{self.folder} holds {len(others)} pieces that another version of tegum computed"
        if not isinstance(where, Here) or isinstance(where, Shard):
            made = attributes_in(others[0]) or {}
            theirs = _said(str(made.get("tegum", "unknown")), str(made.get("commit", "")), others[0].name[:8])
            ours = _said(tegum_version(), git_commit(), version_mark())
            advice = (
                f"use one version for all (theirs is {theirs}, this one {ours}), delete those pieces, or choose another --out"
            )
            raise InvalidInputError(what, advice)
        if self._notice is not None:
            self._notice(f"{what}: they are not used")


def _seconds(part: xr.Dataset) -> float:
    return float(part.attrs.get("wall_seconds", 0))


def _said(version: str, commit: str, code: str) -> str:
    """A version in words; two states of one commit have different code."""
    return f"{version} {commit}".strip() + f" (code {code})"


def version_mark() -> str:
    """How the names of all files of this version of the code begin."""
    return science_version()[:8]


def _name(call: Call) -> str:
    """The name of a call's files; raises a TypeError where its arguments cannot be named, for instance functions."""
    return f"{version_mark()}-{fingerprint((call.function.__module__, call.function.__qualname__, call.defining))}"


def _file_name(piece: Call) -> str:
    """The name of the file of a piece's result."""
    return _name(piece) + SUFFIX
