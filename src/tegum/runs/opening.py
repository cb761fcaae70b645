"""One way to open whatever there is: a result, the folder of a training, a sweep in pieces, or anyone's weights."""

from pathlib import Path

import xarray as xr

from tegum.checking import as_path
from tegum.errors import InvalidInputError
from tegum.runs.files import SUFFIX, failures_told, is_dataset, read_dataset
from tegum.runs.lazy import lazily_joined
from tegum.runs.manifest import MANIFEST, read_manifest
from tegum.runs.weights import read_weights

RESULT, SWEEP = f"result{SUFFIX}", f"result{MANIFEST}"
"""What a folder holds: a result in one file, or the list of its pieces."""


def open(path: Path | str) -> xr.Dataset:  # noqa: A001 - as in tg.open
    """What a folder of `tegum train` or `tegum phase` holds, a dataset that tegum wrote, or the models in any other file.

    A sweep that was too large for one file is read from its pieces where it is looked at, as in ``open(folder).loss[0]``.

    >>> import tegum as tg
    >>> data = tg.train(tg.nets.ReluOutput(2, 1), tg.features.Independent(2), tg.Recipe(steps=1), progress=False)
    >>> tg.runs.write_dataset(data, "five/result.safetensors")
    >>> tg.open("five").identical(data)
    True

    Raises:
        InvalidInputError: for a folder without a result, with what it holds, and for files that cannot be read.
    """
    path = result_file(as_path(path))
    if path.suffix == MANIFEST:
        return _sweep(path)
    return read_dataset(path) if is_dataset(path) else read_weights(path)


def result_file(path: Path) -> Path:
    """The file itself, or the result in a folder; an `InvalidInputError` for a folder without one, with what it holds."""
    if path.is_dir():
        held = sorted([*path.glob(f"*{SUFFIX}"), *path.glob(f"*/*{SUFFIX}")])  # no deeper: it may be the whole disk
        inside = next((path / name for name in (RESULT, SWEEP) if (path / name).is_file()), None)
        lists = sorted(path.glob(f"*{MANIFEST}"))
        if inside is None and len(lists) == 1:
            inside = lists[0]
        if inside is None:
            if lists:
                held = lists
            advice = f"name a file, such as {held[0]}" if held else "give the folder that tegum train wrote, or a file"
            raise InvalidInputError(f"the folder {path} holds no {RESULT}", advice)
        return inside
    return path


def _sweep(path: Path) -> xr.Dataset:
    """The sweep whose pieces a file lists: beside it, or in the folder ``pieces``."""
    with failures_told(path, "delete it and run the command again"):
        edges, names = read_manifest(path)
    inside = path.parent / "pieces"
    place = inside if path.name == SWEEP and inside.is_dir() else path.parent
    missing = [name for name in names if not (place / name).is_file()]
    if missing:
        what = f"{len(missing)} of the {len(names)} pieces of {path} are missing, such as {place / missing[0]}"
        raise InvalidInputError(what, "run the command again: it makes them")
    return lazily_joined([place / name for name in names], edges) if edges else read_dataset(place / names[0])
