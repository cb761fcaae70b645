"""Data sets on disk: what a model was trained on, kept beside it, sparse where it is sparse.

>>> from pathlib import Path
>>> from tempfile import TemporaryDirectory
>>> import tegum as tg
>>> samples = tg.features.data_set(tg.features.Independent(1000, density=0.01), n_samples=20, seed=0)
>>> with TemporaryDirectory() as folder:
...     write_data_set(samples, Path(folder) / "samples.safetensors")
...     again = read_data_set(Path(folder) / "samples.safetensors")
>>> again, bool((again.rows != samples.rows).nnz == 0)
(FiniteLaw(20 states of 1,000 features), True)

A file is one that `write_dataset` writes: whole or not at all, with a digest by which damage is seen.
"""

from pathlib import Path
from typing import Any

import numpy as np
import scipy
import xarray as xr

from tegum.checking import checked, is_sparse, shown
from tegum.errors import InvalidInputError
from tegum.features import FiniteLaw
from tegum.runs.files import read_dataset, write_dataset

_KIND = "tegum data set 1"


@checked
def write_data_set(data: FiniteLaw, path: Path | str) -> None:
    """Writes the states, probabilities and importance of a law of finitely many states.

    Raises:
        InvalidInputError: for what is none, or where the folder cannot be written or the disk is full.
    """
    if data.batch_shape:
        raise InvalidInputError(f"the data set has leading axes {data.batch_shape}", "write one at a time")
    rows, sparse = data.rows, is_sparse(data.states)
    states = (
        {"first": ("row", rows.indptr), "column": ("entry", rows.indices), "value": ("entry", rows.data)}
        if sparse
        else {"states": (("sample", "feature"), data.states)}
    )
    variables = {"probabilities": ("sample", data.probabilities), "importance": ("feature", data.importance)}
    write_dataset(xr.Dataset(states | variables, attrs={"kind": _KIND, "n_features": data.n_features}), path)


@checked
def read_data_set(path: Path | str) -> FiniteLaw:
    """A data set written by `write_data_set`.

    Raises:
        InvalidInputError: where there is no such file, or it is damaged, or holds something else.
    """
    data = read_dataset(path)
    if data.attrs.get("kind") != _KIND:
        raise InvalidInputError(f"{shown(str(path))} holds no data set", "give a file that write_data_set wrote")
    states: Any = None
    if "states" in data:
        states = data["states"].values
    else:
        parts = tuple(data[name].values for name in ("value", "column", "first"))
        states = scipy.sparse.csr_array(parts, shape=(data.sizes["sample"], int(data.attrs["n_features"])))
    return FiniteLaw(states, data["probabilities"].values, np.array(data["importance"].values))
