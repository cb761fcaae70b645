"""Finished pieces on disk: what an interrupted study or training goes on from.

    with caching(Pieces(folder, print)):
        data = experiment.study("quick")        # killed and called again, it finds every finished piece in the folder

A piece's file is named by the fingerprint of the call and of the source code that computes it; resuming is looking whether
it is there.  Interrupted pieces leave no file.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, final

import xarray as xr

from tegum.caching import Call
from tegum.errors import InvalidInputError
from tegum.provenance import science_version
from tegum.runs.files import SUFFIX, read_dataset, write_dataset
from tegum.runs.fingerprint import fingerprint
from tegum.runs.splitting import joined, pieces_of
from tegum.threads import default_threads

_INSTANCES_PER_THREAD = 2


def piece_name(call: Call) -> str:
    """The file name of a call's result.

    Raises:
        TypeError: where its arguments cannot be named, for instance functions.
    """
    return fingerprint((call.function.__module__, call.function.__qualname__, science_version(), call.defining)) + SUFFIX


@final
class Pieces:
    """Keeps the results of marked calls in a folder.

    Args:
        folder: where; made at the first piece.
        notice: receives a line for each file that is damaged; it is set aside and computed again.

    Attributes:
        seconds_cached: what the pieces that were found had cost.
    """

    def __init__(self, folder: Path, notice: Callable[[str], Any]) -> None:
        self.folder = folder
        self.seconds_cached = 0.0
        self._notice = notice
        self._used: set[str] = set()

    def __call__(self, call: Call) -> xr.Dataset:
        """The call's result, from kept pieces and computed ones.

        Raises:
            KeyboardInterrupt: after Ctrl-C; finished pieces are kept.
            InvalidInputError: where the call is wrong, or the folder cannot be written.
        """
        try:
            piece_name(call)
        except TypeError:
            return call.run()
        calls, along = pieces_of(call, _INSTANCES_PER_THREAD * default_threads())
        return joined([self._piece(piece) for piece in calls], along, call)

    def prune(self) -> None:
        """Removes the pieces that the study, now complete, did not use: those of other code or other settings."""
        for path in self.folder.glob(f"*{SUFFIX}"):
            if path.name not in self._used:
                path.unlink()

    def _piece(self, call: Call) -> xr.Dataset:
        path = self.folder / piece_name(call)
        self._used.add(path.name)
        found = self._found(path)
        if found is not None:
            self.seconds_cached += float(found.attrs.get("wall_seconds", 0.0))
            return found
        data = call.run()
        if data.attrs.get("interrupted"):
            raise KeyboardInterrupt
        write_dataset(data, path)
        return data

    def _found(self, path: Path) -> xr.Dataset | None:
        if not path.exists():
            return None
        try:
            return read_dataset(path)
        except InvalidInputError as mistake:
            self._notice(f"{mistake.problems[0].what}: set aside, and computed again")
            set_aside(path)
            return None


def set_aside(path: Path, why: str = "damaged") -> Path:
    """Renames a file that is in the way, so that nothing is lost; returns its new name, which ends in ``why``."""
    number = 1
    while (other := path.with_name(f"{path.name}.{number}.{why}")).exists():
        number += 1
    return path.replace(other)
