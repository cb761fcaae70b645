"""Named arrays in a file of any program, recognised by what the file begins with and not by its name.

    kind, arrays = arrays_in(Path("weights.npz"))          # npz, npy, safetensors, PyTorch or pickle; {"W": ..., "b": ...}

What a header claims is compared with what the file has before memory is taken.  Nothing in a file is executed: containers of
arrays are read, other objects refused.  Whatever a format's library raises becomes one `InvalidInputError`.
"""

import json
import math
import os
import pickle
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from safetensors import safe_open

from tegum.errors import InvalidInputError
from tegum.runs.files import failures_told
from tegum.runs.pickles import MOST_BYTES, OBJECT, Named, in_old_torch_file, in_pickle, in_torch_archive, require_plausible

_OLD_BEGINS = (b"(", b"}", b"]")
"""Of pickles of protocol 0 and 1, which do not say what they are: a container; each ends with a full stop."""
_TORCH_NUMBER = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"


def arrays_in(path: Path) -> tuple[str, dict[str, NDArray[Any]]]:
    """The format of a file and its arrays; those in nested containers have names with dots, a single one may have none.

    Raises:
        InvalidInputError: where there is no such file, it is too large, damaged, or of no format that this module knows.
    """
    with failures_told(path):
        if not path.is_file():
            raise InvalidInputError(f"there is no file {path}", "check its name")
        if path.stat().st_size > MOST_BYTES:
            raise InvalidInputError(f"{path} has {path.stat().st_size / 1e9:.0f} GB", "write W and b alone, with numpy.savez")
        kind = _kind(path)
        try:
            arrays = list(_READERS[kind](path))
        except MemoryError:  # sizes are what the file says, and a file is no larger than memory
            what = f"{path} is damaged, or too large: it says that it holds more than there is memory"
            raise InvalidInputError(what, "write W and b alone, with numpy.savez") from None
    for name, count in Counter(name for name, _ in arrays).items():
        if count > 1:
            raise InvalidInputError(f"{path} holds {name} twice", "write it again with one array of each name")
    return kind, dict(arrays)


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        begin = file.read(32)
    if begin.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            return "PyTorch" if any(name.endswith("data.pkl") for name in archive.namelist()) else "npz"
    if begin.startswith(b"\x93NUMPY"):
        return "npy"
    if begin[8:9] == b"{":
        return "safetensors"
    if begin[:1] == b"\x80" and 2 <= begin[1] <= pickle.HIGHEST_PROTOCOL:
        return "PyTorch" if begin[2:].startswith(_TORCH_NUMBER) else "pickle"
    if begin[:1] in _OLD_BEGINS and _last_byte(path) == b".":
        return "pickle"
    what = "none of npz, npy, safetensors, PyTorch and pickle" if begin else "empty"
    raise InvalidInputError(f"{path} is {what}", "write W and b with numpy.savez, in one of these formats")


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read()


def _npy_array(file: IO[bytes], size: int) -> NDArray[Any]:
    """What a .npy of so many bytes holds."""
    first = npy.read_magic(file) == (1, 0)
    shape, fortran, dtype = (npy.read_array_header_1_0 if first else npy.read_array_header_2_0)(file)
    if dtype.hasobject:
        return np.broadcast_to(OBJECT, shape)
    claimed = file.tell() + math.prod(shape) * dtype.itemsize
    if claimed != size:
        raise ValueError(f"a header asks for {claimed} bytes and there are {size}")
    return np.frombuffer(file.read(), dtype).reshape(shape, order="F" if fortran else "C")


def _npy(path: Path) -> Named:
    with path.open("rb") as file:
        yield "", _npy_array(file, path.stat().st_size)


def _npz(path: Path) -> Named:
    with zipfile.ZipFile(path) as archive:
        require_plausible(archive)
        for member in archive.infolist():
            if not member.filename.endswith(".npy"):
                raise InvalidInputError(f"{path} holds {member.filename}", "write arrays alone, with numpy.savez")
            with archive.open(member) as file:
                yield member.filename.removesuffix(".npy"), _npy_array(file, member.file_size)


def _safetensors(path: Path) -> Named:
    with safe_open(path, framework="numpy") as file:  # compares names, sizes and places with the file
        for name in file.keys():  # noqa: SIM118 - no mapping
            kind, shape = file.get_slice(name).get_dtype(), file.get_slice(name).get_shape()
            if kind == "BF16":
                yield name, _bfloat16(path, name).reshape(shape)
            else:
                known = re.fullmatch(r"[FIU](16|32|64)|[IU]8|BOOL|C64", kind)
                yield name, file.get_tensor(name) if known else np.broadcast_to(OBJECT, shape)


def _bfloat16(path: Path, name: str) -> NDArray[np.float32]:
    """Numbers that NumPy does not know, which are the upper halves of 32-bit floats."""
    with path.open("rb") as raw:
        begin, end = json.loads(raw.read(int.from_bytes(raw.read(8), "little")))[name]["data_offsets"]
        raw.seek(begin, 1)
        return (np.frombuffer(raw.read(end - begin), "<u2").astype("<u4") << 16).view("<f4")


def _torch(path: Path) -> Named:
    with path.open("rb") as file:
        yield from (in_torch_archive if zipfile.is_zipfile(path) else in_old_torch_file)(file)


def _pickle(path: Path) -> Named:
    with path.open("rb") as file:
        yield from in_pickle(file)


_READERS = {"npz": _npz, "npy": _npy, "safetensors": _safetensors, "PyTorch": _torch, "pickle": _pickle}
