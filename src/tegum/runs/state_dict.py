"""Models as a state dict of PyTorch: the other way than `tegum.read_weights`, without PyTorch."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from safetensors.numpy import save

from tegum.checking import as_path
from tegum.datasets import MODEL_DIMS
from tegum.errors import InvalidInputError
from tegum.runs.files import SUFFIX, write_atomically
from tegum.runs.pickles import torch_archive


def write_state_dict(data: xr.Dataset, path: Path | str) -> None:
    """Writes W (or G), b and other parameters of models as a state dict of PyTorch, in single precision, without PyTorch.

    The axes of a sweep and the seeds come first, as W has them; what all models share has none.  ``torch.load(path)`` reads a
    name in .pt or .pth, ``safetensors.torch.load_file`` one in .safetensors.

    >>> import tegum as tg
    >>> data = tg.train(tg.nets.ReluOutput(5, 2), tg.features.Independent(5), tg.Recipe(steps=1, seeds=3), progress=False)
    >>> tg.write_state_dict(data, "models.pt")
    >>> tg.read_weights("models.pt").understood
    'PyTorch: W (3, 2, 5), a column for each feature, n = 5, m = 2, 3 instances; b (3, 5), one for each instance'

    Raises:
        InvalidInputError: for other names, a dataset without parameters, and where the file cannot be written.
    """
    path, held = as_path(path), {name: np.ascontiguousarray(one, np.float32) for name, one in _ordered(data).items()}
    if not held:
        raise InvalidInputError("the dataset holds no parameters of models", f"give one with {', '.join(MODEL_DIMS)}")
    if path.suffix not in (".pt", ".pth", SUFFIX):
        raise InvalidInputError(f"{path} is no state dict", f"choose a name that ends in .pt, .pth or {SUFFIX}")
    write_atomically(path, save(held) if path.suffix == SUFFIX else torch_archive(held))


def _ordered(data: xr.Dataset) -> dict[str, xr.DataArray]:
    """The parameters that a dataset holds, each with its own axes last, and before them all those of the weights, or none."""
    found, lead = dict[str, xr.DataArray](), list[Any]()
    for name, one in ((name, data[name]) for name in MODEL_DIMS if name in data):
        lead = lead if found else [axis for axis in one.dims if axis not in MODEL_DIMS[name]]
        axes = lead if set(lead) & set(one.dims) else []
        whole = one.expand_dims({axis: data.sizes[axis] for axis in axes if axis not in one.dims})
        found[name] = whole.transpose(*axes, ..., *MODEL_DIMS[name])
    return found
