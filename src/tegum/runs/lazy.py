"""A sweep on disk as one dataset that is read where it is looked at, piece by piece.

Problem.  A sweep computed in pieces may be larger than memory, and most questions are about a few of its numbers.

Format.  Each piece is a file of `write_dataset`, a slice of the whole along one dimension or several.  Edges say where slices
begin and end: ``{"density": [0, 2, 4], "seed": [0, 500, 1000]}`` are 2 x 2 pieces of 2 densities and 500 seeds, listed in
C order (the last dimension fastest).

Idea.  Coordinates and attributes are read at once, of other variables only what they are.  An index into one of them is
divided among the pieces that it touches, and of a piece no more is read than the box around what is asked of it: ``isel``,
``sel`` and, where Dask is installed, ``chunk`` take memory for what they return, not for the sweep.  A variable that was read
as a whole is kept, as those of `xarray.open_dataset` are.

Damage.  A file that is cut short is noticed when it is opened.  Numbers are compared with the file's digest when a piece is
first read, one variable in memory at a time; of files above 256 MB they are not, because it means to read all of them.

Cost.  A sweep of 500 MB in 20 files opens in 0.02 s.  Ten seeds of its 2,100, 2.4 MB, take 0.9 s and 50 MB at the first time,
nearly all of which is for comparing 10 files with their digests; 2,000 small files open in 0.6 s.

>>> from tempfile import TemporaryDirectory
>>> from tegum.runs import write_dataset
>>> whole = xr.Dataset({"loss": ("seed", [0.4, 0.3, 0.2, 0.1])}, {"seed": [0, 1, 2, 3]})
>>> with TemporaryDirectory() as folder:
...     paths = [Path(folder) / "first.safetensors", Path(folder) / "second.safetensors"]
...     write_dataset(whole.isel(seed=slice(0, 3)), paths[0])
...     write_dataset(whole.isel(seed=slice(3, 4)), paths[1])
...     data = lazily_joined(paths, {"seed": [0, 3, 4]})
...     data.loss.sel(seed=[0, 3]).values.tolist(), data.identical(whole)
([0.4, 0.1], True)
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, final

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from safetensors import SafetensorError
from xarray.backends import BackendArray
from xarray.core import indexing

from tegum.errors import InvalidInputError
from tegum.runs.files import machine_fails, opened_dataset, require_digest, words_of
from tegum.training import Recipe

_CHECKED_BYTES = 256 * 2**20
_RAGGED = "sample"
"""The dimension whose length may differ among pieces: data sets of different sizes, of which the shorter end with NaN."""

Positions = list[NDArray[np.int64]]
"""Places along each dimension of an array: all their combinations are meant."""


def lazily_joined(paths: Sequence[Path], edges: Mapping[str, Sequence[int]]) -> xr.Dataset:
    """The pieces of a sweep as one dataset, whose variables are read where they are indexed.

    Values, labels and attributes are those of the pieces joined in memory: attributes are the first piece's, but for what
    `joined_attributes` adds up; a variable without a split dimension is the first piece's, coordinates must be the same in all.

    Args:
        paths: files of `write_dataset`, in C order of the grid that the edges span.
        edges: by dimension, in order, where pieces begin and end along it: 0, ..., its length.  Of a single file none.

    Raises:
        InvalidInputError: where a file is missing, damaged, or no piece of this sweep, now or when it is read.
    """
    grid = _Grid(tuple(path.absolute() for path in paths), {dim: np.array(along) for dim, along in edges.items()})
    if len(paths) != grid.numbers.size:
        raise InvalidInputError(f"{len(paths)} pieces are given for {grid.numbers.size} places", "give one for each place")
    variables: dict[str, _Variable] = {}
    attributes, models = [], []
    for index, number in np.ndenumerate(grid.numbers):
        with grid.opened(int(number)) as piece:
            attributes.append(json.loads(piece.header["attributes"]))
            if attributes[-1].keys() != attributes[0].keys():
                raise ValueError("it is not of the same sweep as the first")
            models.append(int(np.prod(piece.shape("status"))) if "status" in piece.described else 1)
            for name in piece.described:
                if name not in variables:
                    variables[name] = _Variable.of(name, piece)
                one = variables[name]
                one.extend(piece, grid.lengths(index), tuple(k for k, dim in zip(index, edges, strict=True) if dim in one.dims))
    content = {
        name: xr.Variable(one.dims, one.labels(grid) if one.coordinate else one.values(grid), one.attrs)
        for name, one in variables.items()
    }
    data = xr.Dataset(content, attrs=joined_attributes(attributes, models))
    return data.set_coords([name for name, one in variables.items() if one.coordinate])


def joined_attributes(attributes: Sequence[Mapping[str, Any]], models: Sequence[int]) -> dict[str, Any]:
    """The attributes of a sweep, from those of its pieces and how many models each has.

    Seconds and counts are summed, shares averaged, seeds and data sets put together.

    >>> joined_attributes([{"net": "Linear", "wall_seconds": 1.5}, {"net": "Linear", "wall_seconds": 2}], [1, 1])
    {'net': 'Linear', 'wall_seconds': 3.5}
    """
    joined = dict(attributes[0])

    def each(name: str) -> list[Any]:
        return [one[name] for one in attributes]

    joined |= makers(attributes)
    if "interrupted" in joined:
        joined["interrupted"] = attributes[-1]["interrupted"]
    if "wall_seconds" in joined:
        joined["wall_seconds"] = round(sum(each("wall_seconds")), 3)
    if "found_once" in joined:
        joined["found_once"] = sum(each("found_once"))
    if "not_converged" in joined:
        counts = [round(share * count) for share, count in zip(each("not_converged"), models, strict=True)]
        joined["not_converged"] = sum(counts) / sum(models)
    if len(set(each("data") if "data" in joined else ())) > 1:  # data sets of seeds, "FiniteLaw(...), FiniteLaw(...)"
        sets = [one for text in each("data") for one in re.split(r"(?<=\)), ", text)]
        joined["data"] = ", ".join(dict.fromkeys(sets))
    if len(set(each("recipe") if "recipe" in joined else ())) > 1:  # sweeps that are split along their seeds
        recipes = [Recipe(**json.loads(text)) for text in each("recipe")]
        seeds = tuple(dict.fromkeys(seed for one in recipes for seed in one.seed_list))
        count = len(seeds)
        joined["recipe"] = recipes[0].replaced(seeds=count if seeds == tuple(range(count)) else seeds).model_dump_json()
    return joined


def makers(attributes: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The machines and libraries that made some datasets, each once, from what these say of themselves.

    >>> makers([{"machine": "a, 2 cores"}, {"machine": "b, 8 cores"}, {"machine": "a, 2 cores"}])
    {'machine': 'a, 2 cores; b, 8 cores'}
    """
    found: dict[str, dict[str, None]] = {}
    for one in attributes:
        for name in ("python", "libraries", "machine"):
            if name in one:
                found.setdefault(name, {}).update(dict.fromkeys(str(one[name]).split("; ")))
    return {name: "; ".join(values) for name, values in found.items()}


@final
class _Piece:
    """One file, open for reading."""

    def __init__(self, file: Any, header: Mapping[str, str]) -> None:
        self.header = header
        self._file = file
        self._numbers = frozenset(file.keys())

    @cached_property
    def described(self) -> dict[str, Any]:
        """What the header says of each variable."""
        return dict(json.loads(self.header["variables"]))

    @cached_property
    def _words(self) -> dict[str, NDArray[Any]]:
        return {name: words_of(said) for name, said in self.described.items() if "words" in said}

    def require_whole(self) -> None:
        """Raises a ValueError where numbers are not those that were written."""
        require_digest(self.header, ((name, self._file.get_tensor(name)) for name in sorted(self._numbers)))

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a variable."""
        return tuple(self._file.get_slice(name).get_shape()) if name in self._numbers else self._words[name].shape

    def dtype(self, name: str) -> np.dtype[Any]:
        """The kind of a variable's values."""
        if name not in self._numbers:
            return self._words[name].dtype
        kind = self._file.get_slice(name).get_dtype()  # BOOL, or a letter and bits: F32
        return np.dtype(bool) if kind == "BOOL" else np.dtype(f"{kind[0].lower()}{int(kind[1:]) // 8}")

    def values(self, name: str) -> NDArray[Any]:
        """A whole variable."""
        return np.asarray(self._file.get_tensor(name)) if name in self._numbers else self._words[name]

    def at(self, name: str, places: Positions) -> NDArray[Any]:
        """A variable at some places; only the box around them is read, but words, which are in the header, whole."""
        if name not in self._numbers or not places:
            return np.asarray(self.values(name)[_index(places)])
        box = tuple(slice(int(along.min()), int(along.max()) + 1) for along in places)
        held = self._file.get_slice(name)[box]
        return np.asarray(held[_index([along - side.start for along, side in zip(places, box, strict=True)])])


@final
class _Grid:
    """The files of a sweep, where each of them lies in it, and which were found to be whole."""

    def __init__(self, paths: tuple[Path, ...], edges: dict[str, NDArray[np.int64]]) -> None:
        self.paths, self.edges = paths, edges
        shape = tuple(len(along) - 1 for along in edges.values())
        self.numbers = np.arange(int(np.prod(shape))).reshape(shape)
        self._whole: set[int] = set()

    @contextmanager
    def opened(self, number: int, checked: bool = False) -> Iterator[_Piece]:
        """A piece, compared with its digest at the first time that it is to be ``checked``, if it is not too large."""
        path = self.paths[number]
        if not path.is_file():
            raise InvalidInputError(f"there is no file {path}, a piece of the sweep", "run the command again: it makes it")
        try:
            with opened_dataset(path) as (file, header):
                piece = _Piece(file, header)
                if checked and number not in self._whole and path.stat().st_size <= _CHECKED_BYTES:
                    piece.require_whole()
                    self._whole.add(number)
                yield piece
        except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, InvalidInputError) or machine_fails(error):
                raise
            reason = next(iter(str(error).splitlines()), "") or type(error).__name__
            raise InvalidInputError(f"{path} is damaged ({reason[:160]})", "delete it and run the command again") from None

    def lengths(self, index: tuple[int, ...]) -> dict[str, int]:
        """How long a piece is along each dimension that is split."""
        return {dim: int(along[k + 1] - along[k]) for k, (dim, along) in zip(index, self.edges.items(), strict=True)}

    def divided(self, dims: Sequence[str], places: Positions) -> Iterator[tuple[tuple[int, ...], Positions, Positions]]:
        """Each piece that the places touch: where it is in the grid, which of the places it has, and where they are in it.

        Along split dimensions that are not among ``dims`` it is the first piece.
        """
        parts = {dim: self._divided_along(dim, along) for dim, along in zip(dims, places, strict=True)}
        for chosen in product(*parts.values()):
            piece = {dim: k for dim, (k, _, _) in zip(dims, chosen, strict=True)}
            index = tuple(piece.get(dim, 0) for dim in self.edges)
            yield index, [which for _, which, _ in chosen], [inside for _, _, inside in chosen]

    def _divided_along(self, dim: str, along: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
        if dim not in self.edges:
            return [(0, np.arange(len(along)), along)]
        edges = self.edges[dim]
        piece = np.searchsorted(edges, along, side="right") - 1
        order = np.argsort(piece, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(piece[order])) + 1)
        return [(k := int(piece[which[0]]), which, along[which] - edges[k]) for which in groups]


@final
@dataclass
class _Variable:
    """What is known of a variable of the whole sweep; of a coordinate also its values, by piece."""

    name: str
    dims: tuple[str, ...]
    attrs: dict[str, Any]
    coordinate: bool
    dtype: np.dtype[Any]
    lengths: dict[str, int]
    pieces: int = 0
    known: dict[tuple[int, ...], NDArray[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, piece: _Piece) -> "_Variable":
        """What the first piece says that has it."""
        said, dims = piece.described[name], tuple(piece.described[name]["dims"])
        lengths = dict(zip(dims, piece.shape(name), strict=True))
        return cls(name, dims, said["attrs"], bool(said["coordinate"]), piece.dtype(name), lengths)

    def extend(self, piece: _Piece, split: Mapping[str, int], index: tuple[int, ...]) -> None:
        """Adds what a piece has: as long as ``split`` says along split dimensions, at ``index`` of those that are its own.

        Raises:
            ValueError: where it does not fit.
        """
        self.require_shape(piece, split)
        self.pieces += 1
        self.dtype = np.result_type(self.dtype, piece.dtype(self.name))
        if _RAGGED in self.dims:
            self.lengths[_RAGGED] = max(self.lengths[_RAGGED], piece.shape(self.name)[self.dims.index(_RAGGED)])
        if self.coordinate:
            values = piece.values(self.name)
            if not _same(self.known.setdefault(index, values), values):
                raise ValueError(f"its labels {self.name} are not those of other pieces")

    def require_shape(self, piece: _Piece, split: Mapping[str, int]) -> None:
        """Raises a ValueError where a piece has a variable of other dimensions or lengths than the sweep."""
        dims = tuple(piece.described[self.name]["dims"])
        found = dict(zip(dims, piece.shape(self.name), strict=True))
        wanted = {dim: found.get(dim) if dim == _RAGGED else split.get(dim, self.lengths[dim]) for dim in self.dims}
        if dims != self.dims or found != wanted:
            raise ValueError(f"its {self.name} has the axes {found}, and {wanted} are wanted")

    def labels(self, grid: _Grid) -> NDArray[Any]:
        """The values of a coordinate, put together."""
        values = np.empty(self.shape(grid), self.dtype)
        own = [dim for dim in grid.edges if dim in self.dims]
        for index, part in self.known.items():
            place = {dim: slice(*grid.edges[dim][k : k + 2]) for dim, k in zip(own, index, strict=True)}
            values[tuple(place.get(dim, slice(None)) for dim in self.dims)] = part
        return values

    def values(self, grid: _Grid) -> Any:
        """An array that is read where it is indexed, and kept once it was read as a whole."""
        if self.pieces < grid.numbers.size and self.dtype.kind != "f":
            raise InvalidInputError(f"{self.name} is not in all pieces", "give the pieces of one sweep")
        arrays: Any = indexing  # whose types do not say that these may be put into each other
        return arrays.MemoryCachedArray(arrays.CopyOnWriteArray(arrays.LazilyIndexedArray(_Joined(grid, self))))

    def shape(self, grid: _Grid) -> tuple[int, ...]:
        """The shape in the whole sweep."""
        return tuple(int(grid.edges[dim][-1]) if dim in grid.edges else self.lengths[dim] for dim in self.dims)


@final
class _Joined(BackendArray):
    """A variable of the sweep, as xarray reads from it: of a piece that does not have it, NaN."""

    def __init__(self, grid: _Grid, variable: _Variable) -> None:
        self._grid, self._variable = grid, variable
        self.shape, self.dtype = variable.shape(grid), variable.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        if isinstance(key, indexing.BasicIndexer | indexing.OuterIndexer):
            return self._read(key.tuple)
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

    def _read(self, key: tuple[Any, ...]) -> NDArray[Any]:
        """The values at integers, slices or lists of integers, one for each dimension and independent of each other."""
        places = [np.atleast_1d(np.arange(length)[along]) for length, along in zip(self.shape, key, strict=True)]
        values = np.empty([len(along) for along in places], self.dtype)
        if values.size:
            for index, which, inside in self._grid.divided(self._variable.dims, places):
                values[_index(which)] = self._in_piece(index, inside)
        return values[(*(0 if np.ndim(along) == 0 and not isinstance(along, slice) else slice(None) for along in key), ...)]

    def _in_piece(self, index: tuple[int, ...], places: Positions) -> NDArray[Any]:
        grid, name = self._grid, self._variable.name
        with grid.opened(int(grid.numbers[index]), checked=True) as piece:
            if name in piece.described:
                self._variable.require_shape(piece, grid.lengths(index))
                held = [along < length for along, length in zip(places, piece.shape(name), strict=True)]
                if all(within.all() for within in held):
                    return piece.at(name, places)
            else:
                held = [np.zeros(len(along), dtype=bool) for along in places]
            values = np.full([len(along) for along in places], np.nan, self.dtype)  # what is not held: numbers, not words
            if all(within.any() for within in held):
                values[np.ix_(*held)] = piece.at(name, [along[within] for along, within in zip(places, held, strict=True)])
            return values


def _index(places: Positions) -> tuple[Any, ...]:
    """An index of places along each dimension: slices where they follow each other."""
    if all((np.diff(along) == 1).all() for along in places):
        return tuple(slice(int(along[0]), int(along[-1]) + 1) for along in places)
    return np.ix_(*places)


def _same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return np.array_equal(one, other, equal_nan=one.dtype.kind == other.dtype.kind == "f")
