"""Arrays in pickles, NumPy's and PyTorch's, read and written without either's code: nothing in a file is executed.

Problem.  A pickle is a program that may call any function, and PyTorch, whose state dicts are pickles, weighs gigabytes.

Idea.  A pickle of arrays calls few functions, each with numbers, words and bytes.  What stands in for them here only notes what
it is called with; any other name is refused.  A file of `torch.save` is an archive: a pickle, in which a tensor is a view of a
storage (its key, where the view begins, sizes, strides), and a file of plain numbers for each storage.

    archive/data.pkl    archive/byteorder    archive/version    archive/data/0    archive/data/1    ...

>>> from io import BytesIO
>>> file = BytesIO(torch_archive({"W": np.eye(2, dtype=np.float32)}))
>>> [(name, values.tolist()) for name, values in in_torch_archive(file)]
[('W', [[1.0, 0.0], [0.0, 1.0]])]
"""

import math
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from io import BytesIO
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Named = Iterator[tuple[str, NDArray[Any]]]
MOST_BYTES = 2**33
MOST_DEFLATED = 1032  # bytes that come out of one
_STORAGES = {"Float": "f4", "Double": "f8", "Half": "f2", "BFloat16": "u2", "ComplexFloat": "c8", "ComplexDouble": "c16"}
_STORAGES |= {"Long": "i8", "Int": "i4", "Short": "i2", "Char": "i1", "Byte": "u1", "Bool": "?"}
_ALIGNED = 64
_NUMBER, _NONE, _MOST_AXES = 8, np.zeros(0), 32
_WHOLE, _MASKED = 5, 7
"""How many things the state of an array has, and of one with a mask."""
OBJECT = np.array(None)
"""What stands for anything that is neither numbers nor words."""


def in_pickle(file: IO[bytes]) -> Named:
    """What a pickle holds, each with its place in containers as its name: arrays, numbers, words, and `OBJECT` for others."""
    most = _most_bytes(file)
    return _arrays(_ArraysAlone(file).load(), most)


def in_torch_archive(file: IO[bytes]) -> Named:
    """The same of what `torch.save` wrote, whose tensors are arrays."""
    with zipfile.ZipFile(file) as archive:
        require_plausible(archive)
        pickled = next(name for name in archive.namelist() if name.endswith("data.pkl"))
        folder = pickled.removesuffix("data.pkl")
        order = f"{folder}byteorder"
        big = order in archive.namelist() and archive.read(order) == b"big"
        reader = _TensorsAlone(
            BytesIO(archive.read(pickled)), lambda key: archive.read(f"{folder}data/{key}"), ">" if big else "<"
        )
        yield from _arrays(reader.load(), _most_bytes(file))


def in_old_torch_file(file: IO[bytes]) -> Named:
    """The same of files from before PyTorch 1.6: five pickles, of which the fourth is the content, then the storages."""
    held: dict[str, bytes] = {}
    _, _, system = (_ArraysAlone(file).load() for _ in range(3))
    reader = _TensorsAlone(file, lambda key: held[key], "<" if system["little_endian"] else ">")
    content = reader.load()
    for key in _ArraysAlone(file).load():
        count = int.from_bytes(file.read(8), "little" if system["little_endian"] else "big")
        held[key] = file.read(count * np.dtype(_STORAGES[reader.kinds[key]]).itemsize)
    yield from _arrays(content, _most_bytes(file))


def _most_bytes(file: IO[bytes]) -> int:
    """How much memory all arrays of a file may take, as much as its bytes can fill; where it is read stays as it is."""
    place = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(place)
    return min(MOST_BYTES, MOST_DEFLATED * size)


def require_plausible(archive: zipfile.ZipFile) -> None:
    """Raises a ValueError where an archive asks for more memory than its bytes can fill."""
    size, held = (sum(getattr(one, field) for one in archive.infolist()) for field in ("file_size", "compress_size"))
    if size > min(MOST_BYTES, MOST_DEFLATED * held):
        raise ValueError(f"it asks for {size} bytes")


class _StandIn:
    """What a pickle would call one of NumPy's functions with; nothing is called."""

    def __init__(self, *given: Any) -> None:
        self.given: tuple[Any, ...] = given
        self.state: Any = ()

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def array(self) -> NDArray[Any]:
        """The array, or one number, that was described; of Python objects, and of what is no array, none but its shape."""
        parts = len(self.state) if isinstance(self.state, tuple) else 1
        if parts == _MASKED:
            return np.broadcast_to(OBJECT, self.state[1])
        if parts not in (0, _WHOLE) or (parts == 0 and len(self.given) < 2):
            return OBJECT
        order: Any
        if self.state:
            _, shape, dtype, fortran, content = self.state
            order = "F" if fortran else "C"
        else:
            content, dtype, shape, order, *_ = self.given if len(self.given) > 2 else (*self.given[::-1], (), "C")
        if not isinstance(dtype, _StandIn):
            return OBJECT
        if dtype.given[0].startswith("O"):
            return np.broadcast_to(OBJECT, shape)
        content = content.encoded() if isinstance(content, _StandIn) else content
        return np.frombuffer(content, dtype.state[1].strip("|") + dtype.given[0]).reshape(shape, order=order)

    def is_number(self) -> bool:
        """Whether it is one of NumPy's numbers, and no array."""
        return not self.state and len(self.given) == 2 and isinstance(self.given[0], _StandIn)

    def encoded(self) -> bytes:
        """The bytes that old protocols write as words."""
        words, coding = self.given
        if coding != "latin1":
            raise ValueError(f"bytes are written in {coding}")
        return bytes(words.encode("latin1"))


class _ArraysAlone(pickle._Unpickler):  # the one in C takes memory for any number that stands in a damaged file
    def find_class(self, module: str, name: str) -> Any:
        """What stands in for any function of NumPy; a failure for all others."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if not module.startswith("numpy") and (module, name) != ("_codecs", "encode"):
            raise pickle.UnpicklingError(f"GLOBAL {module}.{name}")
        return _StandIn


class _TensorsAlone(_ArraysAlone):
    """A pickle of PyTorch; ``bytes_of`` gives the content of a storage by its key."""

    def __init__(self, file: IO[bytes], bytes_of: Callable[[str], bytes], order: str) -> None:
        super().__init__(file)
        self.bytes_of, self.order, self.kinds = bytes_of, order, dict[str, str]()

    def find_class(self, module: str, name: str) -> Any:
        """Tensors, parameters, and the names of storages; a failure for all others but NumPy's."""
        kind = name.removesuffix("Storage")
        if module == "torch" and name.endswith("Storage") and kind in _STORAGES:
            return kind
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return _View
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda tensor, *_: tensor
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> Any:
        """A storage: how its numbers are read, when they are asked for, and how many it has."""
        _, kind, key, _, count, *_ = pid
        self.kinds[str(key)] = str(kind)
        return partial(self._numbers, str(kind), str(key)), int(count)

    def _numbers(self, kind: str, key: str) -> NDArray[Any]:
        numbers = np.frombuffer(self.bytes_of(key), self.order + _STORAGES[kind])
        return (numbers.astype("u4") << 16).view("f4") if kind == "BFloat16" else numbers


class _View:
    """A tensor: a storage, the place in it where the tensor begins, its sizes and strides."""

    def __init__(self, storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> None:
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride

    def is_number(self) -> bool:
        """Whether it has no axes."""
        return not self.size

    def array(self) -> NDArray[Any]:
        """Its numbers; a ValueError where it asks for more than there are, or for one of them more often than that."""
        (read, count), asked = self.storage, math.prod(self.size)
        if asked > count:
            raise ValueError(f"it asks for {asked} numbers of {count}")
        last = self.offset + sum((length - 1) * step for length, step in zip(self.size, self.stride, strict=True))
        numbers = read()
        if min((0, *self.size, *self.stride, self.offset)) < 0 or len(numbers) < count or (asked and last >= count):
            raise ValueError(f"it asks for number {last} of {len(numbers)}")
        if not asked:
            return np.zeros(self.size, numbers.dtype)
        steps = [step * numbers.itemsize for step in self.stride]
        view = np.lib.stride_tricks.as_strided(numbers[self.offset :], self.size, steps, writeable=False)
        return np.array(view, dtype=view.dtype.newbyteorder("="))


def _arrays(content: Any, most: int) -> Named:
    """What leaves hold; a ValueError names the one that does not, or with which all take more bytes than they may."""
    taken = 0
    for name, one, shape in _leaves(content, most // _NUMBER):
        try:
            asked = _NUMBER * math.prod(shape)
            array = _array_of(one) if taken + asked <= most else _NONE
            taken += max(array.nbytes, asked)
            if taken > most:
                raise ValueError(f"with it all arrays take {taken} bytes")
        except ValueError as error:
            raise ValueError(f"{name or 'it'}: {error}") from None
        yield name, array


def _array_of(leaf: Any) -> NDArray[Any]:
    if isinstance(leaf, list | tuple):
        return np.array([_array_of(item) for item in leaf])
    if isinstance(leaf, _StandIn | _View):
        return leaf.array()
    return np.asarray(leaf) if isinstance(leaf, int | float | complex | str | bytes) else OBJECT


def _leaves(content: Any, most: int) -> Iterator[tuple[str, Any, tuple[int, ...]]]:
    """The arrays, lists of numbers, numbers, words and others in nested containers, each with its place as its name.

    Third is the shape, of lists alone.  None is no leaf: nothing is there.
    A container at several places is in all of them, but for places inside itself.  A few bytes can put one into each other
    until there are more places than ever end: a ValueError where there are more than ``most``.
    """
    left, inside, places, shapes = [("", content, False)], set[int](), 0, dict[int, tuple[int, ...] | None]()
    while left:
        name, value, ended = left.pop()
        if ended:
            inside.remove(id(value))
            continue
        if (places := places + 1) > most:
            raise ValueError(f"its containers hold each other at more than {most} places")
        if isinstance(value, list | tuple) and (shape := _shape(value, shapes)) is not None:
            yield name, value, shape
        elif value is not None and not isinstance(value, Mapping | list | tuple):
            yield name, value, ()
        elif value is not None and id(value) not in inside:
            inside.add(id(value))
            left.append((name, value, True))
            inner = value.items() if isinstance(value, Mapping) else enumerate(value)
            left += reversed([(f"{name}.{key}" if name else str(key), item, False) for key, item in inner])


def _shape(value: Any, known: dict[int, tuple[int, ...] | None], depth: int = 0) -> tuple[int, ...] | None:
    """The shape of a number, or of a list of numbers or of such lists of one length; None of anything else."""
    if not isinstance(value, list | tuple):
        alone = value.is_number() if isinstance(value, _StandIn | _View) else isinstance(value, int | float | complex)
        return () if alone else None
    if id(value) not in known:
        known[id(value)] = None  # of a list inside itself
        shapes = {_shape(item, known, depth + 1) for item in value} if depth < _MOST_AXES else set()
        inner = shapes.pop() if len(shapes) == 1 else None
        known[id(value)] = None if inner is None else (len(value), *inner)
    return known[id(value)]


def torch_archive(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """A file of single-precision tensors by name, which ``torch.load(file, weights_only=True)`` reads as a state dict."""
    ordered = b"ccollections\nOrderedDict\n)R"
    program = b"\x80\x02" + ordered + b"("
    for key, (name, values) in enumerate(arrays.items()):
        strides = [step // values.itemsize for step in np.zeros(values.shape, values.dtype).strides]
        storage = (
            b"(" + _word("storage") + b"ctorch\nFloatStorage\n" + _word(str(key)) + _word("cpu") + _whole(values.size) + b"tQ"
        )
        view = storage + _whole(0) + _tuple(values.shape) + _tuple(strides) + b"\x89" + ordered
        program += _word(name) + b"ctorch._utils\n_rebuild_tensor_v2\n(" + view + b"tR"
    members = {"data.pkl": program + b"u.", "byteorder": b"little", "version": b"3\n"}
    members |= {f"data/{key}": values.astype("<f4").tobytes() for key, values in enumerate(arrays.values())}
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            one = zipfile.ZipInfo(f"archive/{name}")
            padding = -(file.tell() + 30 + len(one.filename) + 4) % _ALIGNED  # so that numbers may be mapped into memory
            one.extra = b"FB" + padding.to_bytes(2, "little") + b"Z" * padding
            archive.writestr(one, content)
    return file.getvalue()


def _word(text: str) -> bytes:
    coded = text.encode()
    return b"X" + len(coded).to_bytes(4, "little") + coded


def _whole(number: int) -> bytes:
    return b"J" + number.to_bytes(4, "little", signed=True)


def _tuple(numbers: Any) -> bytes:
    return b"(" + b"".join(_whole(int(one)) for one in numbers) + b"t"
