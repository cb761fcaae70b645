"""Sweeps opened on disk: whatever is asked of them is what the same pieces give when they are joined in memory."""

import pickle
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.runs import read_dataset, write_dataset
from tegum.runs.lazy import lazily_joined

RECIPE = tg.Recipe(steps=3, batch_size=64, evaluation_samples=64, record=("loss", "W"), record_steps=2)


def trained(seeds: int = 5, **sweep: Sequence[object]) -> xr.Dataset:
    """Models of three features, the sweep as given."""
    axes = sweep or {"density": [1.0, 0.5, 0.1, 0.05]}
    return tg.train(tg.nets.ReluOutput(3, 2), tg.features.Independent(3), RECIPE.replaced(seeds=seeds), sweep=axes)


def written(whole: xr.Dataset, edges: Mapping[str, Sequence[int]], folder: Path) -> list[Path]:
    """The files of the pieces that the edges cut a dataset into."""
    paths = []
    for number, corners in enumerate(product(*(range(len(along) - 1) for along in edges.values()))):
        part = {dim: slice(*along[k : k + 2]) for k, (dim, along) in zip(corners, edges.items(), strict=True)}
        paths.append(folder / f"{number}.safetensors")
        write_dataset(whole.isel(part), paths[-1])
    return paths


def as_written(data: xr.Dataset, folder: Path) -> xr.Dataset:
    """A dataset from its file: words are as long as the longest."""
    write_dataset(data, folder / "whole.safetensors")
    return read_dataset(folder / "whole.safetensors")


def require_same(one: xr.Dataset, other: xr.Dataset) -> None:
    """Fails where two datasets differ in anything: values bit for bit, kinds, axes, labels, attributes."""
    assert one.identical(other)
    assert list(one.variables) == list(other.variables)
    for name, variable in one.variables.items():
        assert variable.dtype == other[name].dtype
        assert variable.dims == other[name].dims
        if variable.dtype.kind in "biuf":
            assert np.ascontiguousarray(variable.values).tobytes() == np.ascontiguousarray(other[name].values).tobytes()


@pytest.fixture(scope="module")
def whole() -> xr.Dataset:
    return trained()


@pytest.mark.parametrize(
    "edges", [{"density": [0, 1, 4]}, {"seed": [0, 2, 3, 5]}, {"density": [0, 2, 4], "seed": [0, 1, 5]}, {"density": [0, 4]}]
)
def test_a_split_sweep_is_the_whole(edges: dict[str, list[int]], whole: xr.Dataset, tmp_path: Path) -> None:
    paths = written(whole, edges, tmp_path)
    wanted = as_written(whole, tmp_path).assign_attrs(wall_seconds=round(len(paths) * whole.attrs["wall_seconds"], 3))
    require_same(lazily_joined(paths, edges), wanted)
    require_same(lazily_joined(paths, edges).load(), wanted)
    data = lazily_joined(paths, edges)
    require_same(data.isel(seed=slice(1, 3)), wanted.isel(seed=slice(1, 3)))
    require_same(data.sel(density=[0.05, 1.0], seed=[4, 0, 2]), wanted.sel(density=[0.05, 1.0], seed=[4, 0, 2]))
    require_same(data.isel(seed=-1, density=0, hidden=[1]), wanted.isel(seed=-1, density=0, hidden=[1]))
    require_same(data.isel(seed=slice(None, None, -2)), wanted.isel(seed=slice(None, None, -2)))
    require_same(data.isel(seed=[]), wanted.isel(seed=[]))
    require_same(data.mean("seed"), wanted.mean("seed"))
    require_same(data.transpose("feature", ...), wanted.transpose("feature", ...))
    pointwise = {"seed": xr.DataArray([0, 4, 4], dims="k"), "density": xr.DataArray([3, 0, 3], dims="k")}
    require_same(data.isel(pointwise), wanted.isel(pointwise))
    require_same(pickle.loads(pickle.dumps(lazily_joined(paths, edges))), wanted)


def test_the_cache_of_pieces_joins_alike(tmp_path: Path) -> None: ...
