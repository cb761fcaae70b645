"""Calls in pieces on disk: what an interrupted study or training goes on from.

>>> from tempfile import TemporaryDirectory
>>> from tegum.caching import cached
>>> @cached()
... def study(n):
...     print("computed")
...     return xr.Dataset({"square": n * n})
>>> with TemporaryDirectory() as folder, caching(Pieces(Path(folder), print)):
...     study(3).square.item(), study(3).square.item()          # killed and called again, it finds what is finished
computed
(9, 9)

A call's sweep is cut along its first axis, along the seeds where there is none.  An instance does not depend on what is trained
beside it, so a sweep may be cut anywhere, and the joined pieces equal the uncut result bit for bit.

A piece's file is named by the fingerprint of the call and of the source code that computes it; resuming is looking whether
it is there.  Interrupted pieces leave no file.
"""

import fcntl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, final

import numpy as np
import xarray as xr

from tegum.caching import Call, caching
from tegum.features import Features
from tegum.nets import Net
from tegum.provenance import science_version
from tegum.runs.files import SUFFIX, locked, read_dataset, read_or_set_aside, write_dataset
from tegum.runs.fingerprint import fingerprint
from tegum.threads import default_threads
from tegum.training import Recipe, train

_INSTANCES_PER_THREAD = 2
_MOST_PIECES = 20


@final
class Pieces:
    """A cache of marked calls in a folder.

    Args:
        folder: where; made at the first piece.
        notice: receives a line for each damaged file, which is set aside and computed again; without it that is an error.
        least: how many instances make a piece at least; by default two per thread.
        partial: whether a call that Ctrl-C ended returns what is finished, with the attribute ``interrupted`` 1, instead of
            raising KeyboardInterrupt.

    Attributes:
        seconds_cached: what the pieces that were found had cost.
    """

    def __init__(
        self, folder: Path, notice: Callable[[str], Any] | None = None, least: int | None = None, partial: bool = False
    ) -> None:
        self.folder = folder
        self.seconds_cached = 0.0
        self._read = read_dataset if notice is None else lambda path: read_or_set_aside(path, notice)
        self._least = least
        self._partial = partial
        self._used: set[str] = set()

    def __call__(self, call: Call) -> xr.Dataset:
        """The call's result, from cached pieces and computed ones.

        Raises:
            KeyboardInterrupt: after Ctrl-C; finished pieces are kept.
            InvalidInputError: where the call is wrong, or the folder cannot be written.
        """
        try:
            _name(call)
        except TypeError:
            return call.run()
        calls, along = _cut(call, _INSTANCES_PER_THREAD * default_threads() if self._least is None else self._least)
        parts: list[xr.Dataset] = []
        for piece in calls:
            parts.append(self._piece(piece))
            if parts[-1].attrs.get("interrupted"):
                if not self._partial:
                    raise KeyboardInterrupt
                break
        return _joined(parts, along, call)

    @contextmanager
    def pruned(self) -> Iterator[None]:
        """Around a study; then removes the pieces that it did not use, of other code or other settings.

        Not where another program makes pieces here: the last one of them does.
        """
        with locked(self.folder, fcntl.LOCK_SH) as number:
            yield
            with suppress(BlockingIOError):
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for path in self.folder.glob(f"*{SUFFIX}"):
                    if path.name not in self._used:
                        path.unlink(missing_ok=True)

    def _piece(self, call: Call) -> xr.Dataset:
        path = self.folder / _name(call)
        self._used.add(path.name)
        found = self._read(path) if path.exists() else None
        if found is not None:
            self.seconds_cached += float(found.attrs.get("wall_seconds", 0.0))
            return found
        data = call.run()
        if not data.attrs.get("interrupted"):
            write_dataset(data, path)
        return data


def train_to(
    folder: Path,
    net: Net,
    features: Features,
    recipe: Recipe,
    *,
    sweep: Mapping[str, Any] | None = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """Trains as `tegum.train` does, keeping finished pieces in ``folder``; a second call goes on where the first ended.

    The folder is made where there is none; all other arguments are those of `tegum.train`.

    Returns:
        The whole dataset; where Ctrl-C ended it, what is finished, with the attribute ``interrupted`` 1.

    Raises:
        InvalidInputError: for wrong arguments, an unwritable folder or damaged pieces; nothing finished is lost.
    """
    with caching(Pieces(folder, least=1, partial=True)):
        return train(net, features, recipe, sweep=sweep, threads=threads, progress=progress)


def _name(call: Call) -> str:
    """The file name of a call's result; raises a TypeError where its arguments cannot be named, for instance functions."""
    return fingerprint((call.function.__module__, call.function.__qualname__, science_version(), call.defining)) + SUFFIX


def _cut(call: Call, least: int) -> tuple[list[Call], str]:
    """The pieces of a call, at most 20 with at least ``least`` instances each, and the dimension along which they join."""
    sweep: dict[str, Any] = dict(call.arguments.get("sweep") or {})
    recipe = call.arguments.get("recipe")
    seeds = recipe.seed_list if recipe is not None else call.arguments.get("seeds", ())
    count = seeds if isinstance(seeds, int) else 64 if seeds is None else len(seeds)
    if sweep and call.splittable:
        first, *others = sweep
        changed = getattr(sweep[first], "fields", (first,))
        if "steps" in changed and recipe is not None and recipe.recorded_steps():
            return [call], ""  # which steps are recorded depends on the longest of the trainings
        parts = _slices(len(sweep[first]), int(np.prod([len(sweep[name]) for name in others], initial=count)), least)
        return [call.replaced(sweep=sweep | {first: sweep[first][part]}) for part in parts], first
    if recipe is not None and call.splittable:
        return [call.replaced(recipe=recipe.replaced(seeds=seeds[part])) for part in _slices(count, 1, least)], "seed"
    return [call], ""


def _slices(length: int, instances: int, least: int) -> list[slice]:
    """Slices of range(length), each position of which is so many instances."""
    count = min(length, _MOST_PIECES, max(1, length * instances // max(1, least)))
    edges = np.linspace(0, length, count + 1).astype(int)
    return [slice(int(a), int(b)) for a, b in pairwise(edges)]


def _joined(parts: Sequence[xr.Dataset], along: str, call: Call) -> xr.Dataset:
    """The results of all pieces as the uncut ``call`` would have returned them."""
    if len(parts) == 1 and not along:
        return parts[0]
    longest = max(part.sizes.get("sample", 0) for part in parts)  # of the data sets; others end with NaN
    parts = [part.pad(sample=(0, longest - part.sizes["sample"])) if "sample" in part.dims else part for part in parts]
    data = xr.concat(
        parts, along, data_vars="minimal", combine_attrs="override", join="exact", coords="different", compat="equals"
    )
    data.attrs["interrupted"] = parts[-1].attrs["interrupted"]
    data.attrs["wall_seconds"] = round(sum(part.attrs["wall_seconds"] for part in parts), 3)
    if (recipe := call.arguments.get("recipe")) is not None:
        data.attrs["recipe"] = recipe.model_dump_json()
    if "found_once" in data.attrs:
        data.attrs["found_once"] = sum(part.attrs["found_once"] for part in parts)
    if "not_converged" in data.attrs:
        sizes = [part["status"].size for part in parts]
        data.attrs["not_converged"] = float(np.average([part.attrs["not_converged"] for part in parts], weights=sizes))
    return data
