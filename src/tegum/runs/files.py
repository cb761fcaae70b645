"""Datasets on disk: one safetensors file each, written whole or not at all.

Numbers are tensors, everything else (dimensions, labels, words, attributes) is JSON in the file's header, so any program
that reads safetensors can use the weights.  A file is written under a temporary name, flushed to the disk and renamed: a
killed program leaves the old file or the new one, never half of one.

>>> from tempfile import TemporaryDirectory
>>> data = xr.Dataset({"loss": ("density", [0.2, 0.1])}, {"density": [1.0, 0.1]}, {"net": "Linear"})
>>> with TemporaryDirectory() as folder:
...     path = Path(folder) / "data.safetensors"
...     write_dataset(data, path)
...     read_dataset(path).identical(data), attributes_in(path)
(True, {'net': 'Linear'})
"""

import errno
import fcntl
import hashlib
import json
import os
import re
import secrets
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from tegum.checking import as_path, shown
from tegum.errors import InvalidInputError
from tegum.interruption import noticing_interruption
from tegum.runs.programs import has_died, this_program
from tegum.runs.storable import plain, require_storable

SUFFIX = ".safetensors"
_OTHERS = (".nc", ".h5", ".csv", ".parquet", ".json", ".npz", ".npy", ".pt", ".pth", ".pkl")
UNSEALED = f"digest {'0' * 32}"
_FORMAT = "tegum dataset 1"
_OURS = {"format", "digest", "variables", "attributes"}
_OF_A_FILE = (None, errno.EINVAL, errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.ELOOP)
"""What an OSError says of the file that is read, and not of the machine: places that a damaged file names are EINVAL."""

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_PART, _DAY = ".part", 86400.0
_HALF_WRITTEN = re.compile(r"\.(probe|.+\.[0-9a-f]{8})\.(?P<program>[0-9a-f]{8}-\d+)\.part", re.DOTALL)
"""What tegum calls files that it is writing; no other program's are called so."""

_WRITTEN_IN = ("", "data/", "export/", "figures/", "older/", "parts/", "pieces/", "pieces/*/*/")
"""Where tegum writes in a folder of results."""


class Damaged(InvalidInputError):
    """A file has a content that tegum did not write, or cannot use any more."""


def machine_fails(error: BaseException) -> bool:
    """Whether memory, a disk or open files are at their end, which says nothing of the file that was read."""
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno not in _OF_A_FILE)


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all; an `InvalidInputError` where the folder cannot be written or the disk is full."""
    if not path.name:
        raise InvalidInputError(f"{path} is a folder", "name a file in it")
    temporary = half_written(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise InvalidInputError(f"{path} cannot be written ({error.strerror})", "choose another folder, or make room") from None


def half_written(path: Path) -> Path:
    """A name, in the same folder, for what shall become a file; `remove_leftovers` knows it."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.{this_program()}{_PART}")


def require_folder(folder: Path) -> None:
    """Makes a folder where there is none; an `InvalidInputError` where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInputError(f"the folder {folder} cannot be made ({error.strerror})", "choose another folder") from None


def require_writable(folder: Path, advice: str = "choose another with --out") -> None:
    """Makes the folder; raises an `InvalidInputError`, which ends in ``advice``, where nothing can be written there.

    What killed programs left half written in it is removed.
    """
    probe = folder / f".probe.{this_program()}{_PART}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
        remove_leftovers(folder)
    except OSError as error:
        what = f"the folder {folder} cannot be written ({error.strerror})"
        raise InvalidInputError(what, advice) from None


def remove_leftovers(folder: Path) -> None:
    """Removes what killed programs of tegum left half written in a folder of results; of other machines after a day."""
    for place in _WRITTEN_IN:
        for path in folder.glob(f"{place}.*{_PART}"):
            if (named := _HALF_WRITTEN.fullmatch(path.name)) is None:
                continue
            with suppress(FileNotFoundError):
                died = has_died(named["program"])
                if died or (died is None and path.stat().st_mtime < time.time() - _DAY):
                    path.unlink()


@contextmanager
def locked(folder: Path, kind: int = fcntl.LOCK_EX) -> Iterator[int]:
    """A block in which other programs that ask for the same wait: of a folder, which is made where there is none.

    Where the disk knows no locks, nobody waits; files are whole all the same.
    """
    folder.mkdir(parents=True, exist_ok=True)
    number = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(number, kind)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        yield number
    finally:
        os.close(number)


def sealed(text: str) -> bytes:
    """A text that contains `UNSEALED`, with a hash of its content there, by which damage anywhere in it is seen."""
    return text.replace(UNSEALED, f"digest {_hash(text.encode())}", 1).encode()


def unsealed(content: bytes) -> str:
    """The text that was `sealed`.

    Raises:
        ValueError: where it is damaged.
    """
    found = re.search(rb"digest [0-9a-f]{32}", content)
    whole = content if found is None else content.replace(found[0], UNSEALED.encode(), 1)
    if found is None or found[0] != f"digest {_hash(whole)}".encode():
        raise ValueError("its content is not what was written")
    return whole.decode()


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def write_dataset(data: xr.Dataset, path: Path | str) -> None:
    """Writes a dataset as safetensors; coordinates, words and attributes come back as they were.

    Tuples and arrays in attributes come back as lists.

    Raises:
        InvalidInputError: for a name of another format, where the folder cannot be written or the disk is full, or where
            something would not come back.
    """
    path = as_path(path)
    if not isinstance(data, xr.Dataset):
        raise InvalidInputError(f"data is {shown(data)}", "give a Dataset")
    if path.suffix in _OTHERS:
        advice = f"call it {path.with_suffix(SUFFIX).name}; `tegum export` makes netcdf, csv and parquet of it"
        raise InvalidInputError(f"{path} would be safetensors inside", advice)
    require_storable(data)
    tensors: dict[str, np.ndarray[Any, Any]] = {}
    variables: dict[str, Any] = {}
    for name, variable in data.variables.items():
        attributes = json.loads(json.dumps(variable.attrs, default=plain))
        described: dict[str, Any] = {"dims": variable.dims, "attrs": attributes, "coordinate": name in data.coords}
        if variable.dtype.kind in "biuf":
            tensors[str(name)] = np.asarray(variable.values, variable.dtype.newbyteorder("="), order="C")
        else:
            described |= {"words": variable.values.tolist(), "objects": variable.dtype.kind == "O"}
            described |= {} if variable.size else {"shape": variable.shape}
        variables[str(name)] = described
    header = {"variables": json.dumps(variables), "attributes": json.dumps(data.attrs, default=plain)}
    header |= {"format": _FORMAT, "digest": digest_of(header, ((name, tensors[name]) for name in sorted(tensors)))}
    write_atomically(path, save(tensors, metadata=header))


def digest_of(header: Mapping[str, str], tensors: Iterable[tuple[str, np.ndarray[Any, Any]]]) -> str:
    """A hash of the whole content, its numbers by name in alphabetical order; by it damage inside a file is seen."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update((header["variables"] + header["attributes"]).encode())
    for name, numbers in tensors:
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(numbers).data)
    return digest.hexdigest()


def is_dataset(path: Path) -> bool:
    """Whether a file's header says that tegum wrote it, in whatever version; False for files that are no safetensors."""
    header = _header(path)
    return header.get("format", "").startswith("tegum dataset") or len(_OURS & set(header)) > 1  # one of them may be damaged


def attributes_in(path: Path) -> dict[str, Any] | None:
    """A dataset's attributes, from the file's header alone; None where the file is missing, damaged or not ours."""
    header = _header(path)
    try:
        attributes = json.loads(header["attributes"]) if header.get("format") == _FORMAT else None
    except (ValueError, KeyError):
        return None
    return attributes if isinstance(attributes, dict) else None


def _header(path: Path) -> dict[str, str]:
    """What the header of a safetensors file says besides its tensors; nothing where there is none."""
    try:
        with safe_open(path, framework="numpy") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError):
        return {}


@contextmanager
def failures_told(
    path: Path, advice: str = "write it again, with torch.save(model.state_dict(), ...) or numpy.savez"
) -> Iterator[None]:
    """Turns whatever a format's library raises about a file into one `InvalidInputError`; after Ctrl-C it is none.

    It is `Damaged` where the content is at fault.  Errors of the machine pass as they are.
    """
    pressed: list[int] = []
    try:
        with warnings.catch_warnings(), noticing_interruption() as pressed:
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        if pressed:
            raise KeyboardInterrupt from None
        if isinstance(error, InvalidInputError) or machine_fails(error):
            raise
        if isinstance(error, PermissionError):
            raise InvalidInputError(f"{path} cannot be read", "ask for the right to read it") from None
        if isinstance(error, FileNotFoundError):
            raise InvalidInputError(f"{path} cannot be read ({error.strerror})", advice) from None
        if refused := re.search(r"GLOBAL (\S+)", str(error)):
            what = f"{path} holds {refused[1]}, and objects can run code when they are loaded"
            alone = "write arrays alone: torch.save(model.state_dict(), ...), or numpy.savez(..., W=W, b=b)"
            raise InvalidInputError(what, alone) from None
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise Damaged(f"{path} is damaged ({reason[:160]})", advice) from None


def read_dataset(path: Path | str) -> xr.Dataset:
    """A dataset written by `write_dataset`.

    Raises:
        InvalidInputError: where there is no such file, or it is not one of ours or damaged.
    """
    path = as_path(path)
    with failures_told(path, "delete it and run the command again"), opened_dataset(path) as (file, header):
        variables = json.loads(header["variables"])
        attributes = json.loads(header["attributes"])
        tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
        require_digest(header, tensors.items())
        content = {
            name: (tuple(said["dims"]), words_of(said) if "words" in said else tensors[name], said["attrs"])
            for name, said in variables.items()
        }
        data = xr.Dataset(content, attrs=attributes)
        return data.set_coords([name for name, said in variables.items() if said["coordinate"]])


@contextmanager
def opened_dataset(path: Path) -> Iterator[tuple[Any, dict[str, str]]]:
    """The file of a dataset, open for reading numbers by name, and what its header says.

    Raises:
        InvalidInputError: where there is no such file, or another program or version wrote it.
        SafetensorError: where it is cut short, or no safetensors.
    """
    if not path.is_file():
        raise (Damaged if path.exists() else InvalidInputError)(f"there is no file {path}", "check its name")
    with path.open("rb"):  # safetensors calls a file missing that cannot be opened
        pass
    with safe_open(path, framework="numpy") as file:
        header = file.metadata() or {}
        if header.get("format") != _FORMAT:
            raise Damaged(f"{path} is not a dataset of this version of tegum", "train it again")
        yield file, header


def require_digest(header: Mapping[str, str], tensors: Iterable[tuple[str, np.ndarray[Any, Any]]]) -> None:
    """Raises a ValueError where the content of a file, as in `digest_of`, is not what was written."""
    if header["digest"] != digest_of(header, tensors):
        raise ValueError("its numbers are not those that were written")


def words_of(described: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """The words of a variable, as a header describes it."""
    kind = object if described.get("objects") else None
    return np.empty(described["shape"], kind or "U1") if "shape" in described else np.array(described["words"], dtype=kind)


def read_or_set_aside(path: Path, notice: Callable[[str], Any]) -> xr.Dataset | None:
    """A dataset written by `write_dataset`; None for a file that is gone, or damaged: it is set aside, saying so.

    Raises:
        InvalidInputError: where it cannot be read, which says nothing of its content.
    """
    try:
        return read_dataset(path)
    except Damaged as mistake:
        notice(f"{mistake.problems[0].what}: set aside as {set_aside(path).name}, and made again")
    except InvalidInputError:
        if path.exists():
            raise
    return None


def keep_other(path: Path, key: str, own: str, notice: Callable[[str], Any]) -> None:
    """Sets a file aside, saying so, that stands where a dataset is to be written and is damaged, or of another ``key``."""
    found = read_or_set_aside(path, notice) if path.exists() else None
    if found is not None and found.attrs.get(key) != own:
        keep_older(path, key, notice)


def keep_older(path: Path, what: str, notice: Callable[[str], Any]) -> None:
    """Sets a file aside, saying so, that is of another training or map, as ``what`` says."""
    notice(f"{path} was not of this {what}: it is kept as {set_aside(path, 'older').name}")


def keep_foreign(path: Path, ours: Callable[[bytes], bool], notice: Callable[[str], Any]) -> Path:
    """Sets a file aside, saying so, whose content is none of ``ours``, where one of ours is to be written; returns the path."""
    if path.is_file():
        try:
            foreign = not ours(path.read_bytes())
        except OSError:  # what cannot be read may be anything
            foreign = True
        if foreign:
            notice(f"{path} was not written by tegum: it is kept as {set_aside(path, 'older').name}")
    return path


def set_aside(path: Path, why: str = "damaged") -> Path:
    """Renames a file that is in the way, so that nothing is lost; returns its new name, which ends in ``why``.

    Another program may have done so at the same time.
    """
    number = 1
    while (other := path.with_name(f"{path.name}.{number}.{why}")).exists():
        number += 1
    with suppress(FileNotFoundError):
        path.replace(other)
    return other
