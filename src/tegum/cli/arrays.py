"""One array of weights out of a file from anywhere, for `tegum identify`.

    result of tegum (.safetensors)       its W, with the names of the axes
    .safetensors, .npz                   the array called W, the only matrix, or the one asked for
    .npy                                 the array
    .pt, .pth                            likewise, from a PyTorch state dict; needs PyTorch

Nothing in a file is executed: pickled objects are refused.
"""

import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from tegum.errors import InvalidInputError
from tegum.runs import is_dataset, read_dataset

_SUFFIXES = (".safetensors", ".npz", ".npy", ".pt", ".pth")
_FLOATS = ("F16", "F32", "F64")
_UNREADABLE = (pickle.UnpicklingError, RuntimeError, LookupError, ValueError, EOFError, TypeError, AttributeError)
"""What PyTorch raises for files that are no state dict."""
_MOST_NAMES = 12


@final
@dataclass(frozen=True, eq=False)
class Matrices:
    """W of one or many models.

    Attributes:
        name: what the array is called in its file; the empty string in a .npy.
        W: (..., m, n), float64.
        axes: names and labels of the leading axes.
    """

    name: str
    W: NDArray[np.float64]
    axes: dict[str, tuple[Any, ...]]


def read_matrices(path: Path, array: str | None = None, rows: bool = False) -> Matrices:
    """The weights in a file.

    Args:
        path: where it is.
        array: the name of the array; by default W, or the only one with two axes or more.
        rows: whether a row is a feature, W (..., n, m).

    Raises:
        InvalidInputError: where the file cannot be read or holds no such array.
    """
    if path.suffix not in _SUFFIXES:
        raise InvalidInputError(f"{path} is none of {', '.join(_SUFFIXES)}", "save weights in one of these formats")
    if not path.is_file():
        raise InvalidInputError(f"there is no file {path}", "check its name")
    if path.suffix == ".safetensors" and is_dataset(path):
        return _of_dataset(path, array or "W", rows)
    try:
        names, load = _contents(path)
        name = _chosen(names, array, path)
        values = load(name)
    except (SafetensorError, zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
        if isinstance(error, InvalidInputError):
            raise
        reason = "pickled objects, or no array" if "pickle" in str(error) else str(error)
        raise InvalidInputError(f"{path} is damaged, or no {path.suffix[1:]} file ({reason})", "write it again") from None
    what = name or str(path)
    if values.dtype.kind not in "fiu":
        raise InvalidInputError(f"{what} holds {values.dtype} values", "give real numbers")
    if values.ndim < 2 or values.size == 0:
        raise InvalidInputError(f"{what} has shape {values.shape}", "give (..., m, n), a column for each feature")
    lead = values.shape[:-2]
    axes = {("model" if len(lead) == 1 else f"model_{i}"): tuple(range(length)) for i, length in enumerate(lead)}
    W = values.astype(np.float64)
    return Matrices(name, np.swapaxes(W, -1, -2) if rows else W, axes)


def _of_dataset(path: Path, name: str, rows: bool) -> Matrices:
    data = read_dataset(path)
    if name not in data:
        raise InvalidInputError(f"{path} holds no {name}", f"choose --array among {', '.join(map(str, data.data_vars))}")
    W = data[name]
    if not {"hidden", "feature"} <= set(W.dims) or rows:
        raise InvalidInputError(
            f"{name} in {path} has axes {', '.join(map(str, W.dims))}{' and --rows was given' if rows else ''}",
            "choose an array with the axes hidden and feature; results of tegum need no --rows",
        )
    W = W.transpose(..., "hidden", "feature")
    axes = {str(axis): tuple(data[axis].values.tolist()) for axis in W.dims[:-2]}
    return Matrices(name, W.values.astype(np.float64), axes)


def _contents(path: Path) -> tuple[dict[str, int], Any]:
    """How many axes each array of a plain file has, and what loads one of them by name."""
    if path.suffix == ".npy":
        values = np.load(path, allow_pickle=False)
        return {"": values.ndim}, lambda _: values
    if path.suffix == ".npz":
        with zipfile.ZipFile(path):
            pass
        with np.load(path, allow_pickle=False) as loaded:
            arrays: Mapping[str, NDArray[Any]] = {name: loaded[name] for name in loaded.files}
        return {name: array.ndim for name, array in arrays.items()}, arrays.__getitem__
    if path.suffix == ".safetensors":
        with safe_open(path, framework="numpy") as file:
            shapes = {name: len(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - no mapping
        return shapes, lambda name: _safetensor(path, name)
    tensors = _state_dict(path)
    return {name: tensor.ndim for name, tensor in tensors.items()}, lambda name: tensors[name].detach().double().numpy()


def _safetensor(path: Path, name: str) -> NDArray[Any]:
    with safe_open(path, framework="numpy") as file:
        if (kind := file.get_slice(name).get_dtype()) not in _FLOATS:
            raise InvalidInputError(f"{name} in {path} is {kind}", "save it as 32- or 64-bit floats")
        return np.asarray(file.get_tensor(name))


def _state_dict(path: Path) -> dict[str, Any]:
    """Name to tensor; the names of nested dictionaries are joined by dots."""
    try:
        torch = import_module("torch")
    except ImportError:
        raise InvalidInputError(
            f"{path} is a PyTorch file and PyTorch is not installed", "install torch, or save W with numpy.save"
        ) from None
    try:
        left = [("", torch.load(path, map_location="cpu", weights_only=True))]
    except _UNREADABLE:
        raise InvalidInputError(
            f"{path} is damaged, or no state dict", "write it with torch.save(model.state_dict(), ...)"
        ) from None
    found: dict[str, Any] = {}
    while left:
        name, value = left.pop()
        if isinstance(value, torch.Tensor):
            found[name] = value
        elif isinstance(value, Mapping):
            left += [(f"{name}.{key}" if name else str(key), inner) for key, inner in value.items()]
    return found


def _chosen(axes: dict[str, int], array: str | None, path: Path) -> str:
    """The name of the array to read."""
    matrices = [name for name, count in axes.items() if count >= 2]
    if array in axes and not (array is None or path.suffix == ".npy"):
        return array
    if array is None and "W" in axes:
        return "W"
    if array is None and len(matrices) == 1:
        return matrices[0]
    shown = ", ".join(sorted(axes)[:_MOST_NAMES]) + (", ..." if len(axes) > _MOST_NAMES else "")
    if path.suffix == ".npy":
        raise InvalidInputError(f"{path} holds one array without a name", "give a .npy a matrix, and no --array")
    if array is not None:
        raise InvalidInputError(f"{path} has no array {array!r}", f"choose among {shown or 'none: it is empty'}")
    raise InvalidInputError(f"{path} holds {shown or 'no arrays'}", "say which is W, with --array NAME")
