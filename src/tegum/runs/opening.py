"""One way to open whatever there is: a result, the folder of a training, or anyone's weights."""

from pathlib import Path

import xarray as xr

from tegum.checking import as_path
from tegum.errors import InvalidInputError
from tegum.runs.files import SUFFIX, is_dataset, read_dataset
from tegum.runs.weights import read_weights

RESULT = f"result{SUFFIX}"


def open(path: Path | str) -> xr.Dataset:  # noqa: A001 - as in tg.open
    """What a folder of `tegum train` or `tegum phase` holds, a dataset that tegum wrote, or the models in any other file.

    >>> import tegum as tg
    >>> data = tg.train(tg.nets.ReluOutput(2, 1), tg.features.Independent(2), tg.Recipe(steps=1), progress=False)
    >>> tg.runs.write_dataset(data, "five/result.safetensors")
    >>> tg.open("five").identical(data)
    True

    Raises:
        InvalidInputError: for a folder without a result, with what it holds, and for files that cannot be read.
    """
    path = result_file(as_path(path))
    return read_dataset(path) if is_dataset(path) else read_weights(path)


def result_file(path: Path) -> Path:
    """The file itself, or the result in a folder; an `InvalidInputError` for a folder without one, with what it holds."""
    if path.is_dir():
        held = sorted([*path.glob(f"*{SUFFIX}"), *path.glob(f"*/*{SUFFIX}")])  # no deeper: it may be the whole disk
        inside = path / RESULT
        if not inside.is_file():
            advice = f"name a file, such as {held[0]}" if held else "give the folder that tegum train wrote, or a file"
            raise InvalidInputError(f"the folder {path} holds no {RESULT}", advice)
        return inside
    return path
