"""Sweeps opened on disk: whatever is asked of them is what the same pieces give when they are joined in memory."""

import pickle
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import tegum as tg
from tegum.runs import lazy, read_dataset, write_dataset
from tegum.runs.lazy import joined_attributes, lazily_joined

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


def test_a_single_file_is_read_where_it_is_indexed(whole: xr.Dataset, tmp_path: Path) -> None:
    wanted = as_written(whole, tmp_path)
    require_same(lazily_joined([tmp_path / "whole.safetensors"], {}), wanted)


def test_parts_that_were_trained_apart_are_the_sweep(tmp_path: Path) -> None:
    """Of seeds, of data sets of other sizes, and of models that have none: the same values, and one recipe."""
    net, features = tg.nets.ReluOutput(3, 2), tg.features.Independent(3)
    recipe, sizes = RECIPE.replaced(seeds=4), [64, 100, None]
    wanted = tg.train(net, features, recipe, sweep={"data_set_size": sizes})
    paths = []
    for size, seeds in product(sizes, [(0, 1), (2, 3)]):
        part = tg.train(net, features, recipe.replaced(seeds=seeds), sweep={"data_set_size": [size]})
        paths.append(tmp_path / f"{len(paths)}.safetensors")
        write_dataset(part, paths[-1])
    data = lazily_joined(paths, {"data_set_size": [0, 1, 2, 3], "seed": [0, 2, 4]})
    assert data.attrs["recipe"] == wanted.attrs["recipe"]
    assert set(data.variables) == set(wanted.variables)
    for name, variable in wanted.variables.items():
        assert data[name].dims == variable.dims
        np.testing.assert_array_equal(data[name], variable)
    np.testing.assert_array_equal(data.data_set.isel(sample=slice(90, None)), wanted.data_set.isel(sample=slice(90, None)))
    assert data.data_set.dtype == np.float32


@st.composite
def _edges(draw: st.DrawFn, length: int) -> list[int]:
    return [0, *sorted(draw(st.sets(st.integers(1, length - 1)))), length]


@st.composite
def _places(draw: st.DrawFn, length: int) -> Any:
    some = st.integers(-length, length - 1)
    ends = st.none() | some
    steps = st.sampled_from([None, 1, 2, -1, -3])
    return draw(
        some
        | st.builds(slice, ends, ends, steps)
        | st.lists(some, max_size=2 * length).map(lambda some: np.array(some, dtype=int))
    )


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_any_index_of_any_grid_is_that_of_the_whole(found: st.DataObject) -> None:
    shape = {"a": 5, "b": 4, "c": 3}
    numbers = np.random.default_rng(0).normal(size=(5, 4, 3))
    whole = xr.Dataset(
        {
            "x": (("a", "b", "c"), numbers.astype(np.float32)),
            "i": (("c", "a"), np.arange(15).reshape(3, 5)),
            "flag": (("b",), [True, False, False, True]),
            "words": (("b", "a"), np.array([["x" * (k % 7 + 1) for k in range(5 * i, 5 * i + 5)] for i in range(4)])),
            "mixed": (("a",), np.array(["w", 1, None, 2.5, "v"], dtype=object)),
            "single": ((), 7.0),
            "fixed": (("c",), [1.0, 2.0, 3.0]),
        },
        {"a": [10, 20, 30, 40, 50], "b": ["k", "l", "m", "n"], "place": (("a", "b"), numbers[:, :, 0])},
        {"note": "a"},
    )
    split = found.draw(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=2, unique=True))
    edges = {dim: found.draw(_edges(shape[dim])) for dim in split}
    index = {dim: found.draw(_places(length)) for dim, length in shape.items() if found.draw(st.booleans())}
    with TemporaryDirectory() as folder:
        paths, wanted = written(whole, edges, Path(folder)), as_written(whole, Path(folder))
        data = lazily_joined(paths, edges)
        require_same(data.isel(index), wanted.isel(index))
        require_same(data.load(), wanted)


def test_only_the_pieces_that_are_asked_for_are_read(whole: xr.Dataset, tmp_path: Path) -> None:
    edges = {"density": [0, 2, 4], "seed": [0, 3, 5]}
    paths = written(whole, edges, tmp_path)
    data = lazily_joined(paths, edges)
    for path in paths[1:]:
        path.unlink()
    np.testing.assert_array_equal(data.W.isel(density=[0, 1], seed=slice(0, 3)), whole.W.isel(density=[0, 1], seed=slice(0, 3)))
    with pytest.raises(tg.InvalidInputError, match=r"there is no file .*2\.safetensors, a piece of the sweep: run"):
        data.W.isel(density=2, seed=0).load()


def test_a_variable_that_was_read_is_kept_and_may_be_changed(whole: xr.Dataset, tmp_path: Path) -> None:
    paths = written(whole, {"seed": [0, 5]}, tmp_path)
    data = lazily_joined(paths, {"seed": [0, 5]})
    before = data.loss.values.copy()
    data["loss"][0, 0] = 3.0
    paths[0].unlink()
    assert data.loss[0, 0] == 3.0
    np.testing.assert_array_equal(data.loss.values.ravel()[1:], before.ravel()[1:])


def test_damage_is_noticed(whole: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edges = {"seed": [0, 3, 5]}
    paths = written(whole, edges, tmp_path)
    content = paths[1].read_bytes()
    paths[1].write_bytes(content[:-1])
    with pytest.raises(tg.InvalidInputError, match=r"1\.safetensors is damaged .*delete it"):
        lazily_joined(paths, edges)
    paths[1].write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    data = lazily_joined(paths, edges)
    data.loss.isel(seed=[0, 1, 2]).load()
    with pytest.raises(tg.InvalidInputError, match=r"1\.safetensors is damaged \(its numbers are not those that were written"):
        data.loss.isel(seed=3).load()
    monkeypatch.setattr(lazy, "_CHECKED_BYTES", len(content) - 1)  # of a file that large numbers are not compared
    lazily_joined(paths, edges).loss.isel(seed=3).load()
    write_dataset(whole.isel(seed=[0]), paths[1])
    with pytest.raises(tg.InvalidInputError, match=r"and .* are wanted"):
        data.loss.isel(seed=4).load()


def test_files_that_are_no_pieces_of_one_sweep_are_refused(whole: xr.Dataset, tmp_path: Path) -> None:
    edges = {"density": [0, 2, 4], "seed": [0, 3, 5]}
    paths = written(whole, edges, tmp_path)
    with pytest.raises(tg.InvalidInputError, match="3 pieces are given for 4 places"):
        lazily_joined(paths[:3], edges)
    with pytest.raises(tg.InvalidInputError, match=r"and .* are wanted"):
        lazily_joined([paths[k] for k in (1, 0, 3, 2)], edges)
    with pytest.raises(tg.InvalidInputError, match="its labels density are not those of other pieces"):
        lazily_joined([paths[k] for k in (0, 3, 2, 1)], edges)
    with pytest.raises(tg.InvalidInputError, match="there is no file"):
        lazily_joined([*paths[:3], tmp_path / "nowhere"], edges)
    last = whole.isel(density=slice(2, 4), seed=slice(3, 5))
    write_dataset(last.assign_attrs(found_once=1), paths[3])
    with pytest.raises(tg.InvalidInputError, match="not of the same sweep"):
        lazily_joined(paths, edges)
    write_dataset(last.drop_vars("steps_done"), paths[3])
    with pytest.raises(tg.InvalidInputError, match="steps_done is not in all pieces"):
        lazily_joined(paths, edges)


def test_shares_and_counts_are_added_up() -> None:
    pieces = [
        {"found_once": 1, "not_converged": 0.5, "interrupted": 0, "wall_seconds": 0.1},
        {"found_once": 2, "not_converged": 0.0, "interrupted": 1, "wall_seconds": 0.2},
    ]
    assert joined_attributes(pieces, [2, 6]) == {"found_once": 3, "not_converged": 0.125, "interrupted": 1, "wall_seconds": 0.3}
    thirds = [{"not_converged": 1 / 3}, {"not_converged": 0.4}, {"not_converged": 1 / 7}]
    assert joined_attributes(thirds, [3, 5, 7]) == {"not_converged": 4 / 15}  # to the last bit


def test_the_data_sets_of_all_seeds_are_named() -> None:
    few, more = "FiniteLaw(20 states of 3 features)", "FiniteLaw(1,000 states of 3 features, unequal probabilities)"
    for pieces in ([few, more], [few, more, few, more], [f"{few}, {more}", few], [few, f"{few}, {more}"]):
        assert joined_attributes([{"data": text} for text in pieces], [1] * len(pieces)) == {"data": f"{few}, {more}"}
    sets = [tg.features.data_set(tg.features.Independent(3, 0.5), count) for count in (20, 30)]
    net, features, recipe = tg.nets.ReluOutput(3, 2), tg.features.Independent(3), tg.Recipe(steps=1, batch_size=4)
    whole = tg.train(net, features, recipe.replaced(seeds=2), data=sets)
    parts = [tg.train(net, features, recipe.replaced(seeds=(k,)), data=[sets[k]]) for k in (0, 1)]
    assert joined_attributes([part.attrs for part in parts], [1, 1])["data"] == whole.attrs["data"]


def test_a_sweep_may_be_split_for_dask(whole: xr.Dataset, tmp_path: Path) -> None:
    pytest.importorskip("dask")
    edges = {"density": [0, 2, 4], "seed": [0, 3, 5]}
    data = lazily_joined(written(whole, edges, tmp_path), edges).chunk(seed=2)
    assert data.W.chunksizes["seed"] == (2, 2, 1)
    np.testing.assert_array_equal(data.W.compute(), whole.W)
    assert data.status.compute().equals(whole.status)
    np.testing.assert_allclose(data.loss.mean("seed").compute(), whole.loss.mean("seed"), rtol=1e-14)
