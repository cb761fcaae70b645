"""PyTorch files made without PyTorch, whole and lying: a pickle whose tensors name numbers that lie beside it.

zip        archive/data.pkl, archive/data/KEY (one storage each), archive/version, archive/byteorder
legacy     five pickles (a number, a version, sizes of types, the object, keys), then a count and the numbers of each key
"""

import io
import pickle
import random
import struct
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

_NUMBER, _VERSION = 0x1950A86A20F9469CFC6C, 1001
_SIZES = {"protocol_version": _VERSION, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
_NONE = b"N"
_NUMBERS = np.arange(6, dtype="<f4").tobytes()


class Tensor(NamedTuple):
    """What a pickle says of one tensor; a liar puts anything in place of a field."""

    kind: Any = "FloatStorage"
    key: Any = "0"
    numel: Any = 6
    offset: Any = 0
    size: Any = (2, 3)
    stride: Any = (3, 1)
    rebuild: Any = "torch._utils _rebuild_tensor_v2"
    place: Any = "cpu"


WHOLE = {"W": Tensor(), "b": Tensor(key="1", numel=3, size=(3,), stride=(1,))}
_LIES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 5, 7, 2**31, 2**40, 2**62, 2**63, 10**30, 0.5, float("nan"), "", "0", "1", "x", "../0", "\n"),
    *((), (2,), (2, 3), (-2, 3), (2**40, 2**40), (0, 0), (1, 2**62), ("a",), (None, 1), (2.0, 3.0), [2, 3], {}, b"a"),
)
_KINDS = (
    "DoubleStorage",
    "HalfStorage",
    "BFloat16Storage",
    "LongStorage",
    "BoolStorage",
    "QInt8Storage",
    "ComplexFloatStorage",
)
_KINDS += ("UntypedStorage", "X", "nn.Linear", "Tensor")
_CALLS = (
    "os system",
    "builtins eval",
    "builtins getattr",
    "torch._utils _rebuild_parameter",
    "torch _rebuild_x",
    "torch.load x",
)
_CALLS += (
    "torch._utils _rebuild_qtensor",
    "torch._utils _rebuild_sparse_tensor",
    "torch._tensor _rebuild_from_type_v2",
    " ",
    "x",
)


def files() -> dict[str, bytes]:
    """A whole file of each kind."""
    return {"PyTorch": zipped(pickled(WHOLE)), "legacy PyTorch": legacy(pickled(WHOLE, _NONE))}


def damages(kind: str) -> tuple[Callable[[bytes, random.Random], bytes], ...]:
    """How a file of this kind may lie."""
    write, view = (zipped, b"") if kind == "PyTorch" else (legacy, _NONE)

    def lying_tensor(_content: bytes, generator: random.Random) -> bytes:
        """One or two of the things that are said of a tensor are others."""
        said: dict[str, Any] = dict(WHOLE)
        for _ in range(generator.choice((1, 1, 2))):
            name, field = generator.choice(list(WHOLE)), generator.choice(Tensor._fields)
            lies = {"kind": _KINDS, "rebuild": _CALLS}.get(field, _LIES)
            said[name] = said[name]._replace(**{field: generator.choice(lies)})
        return write(pickled(said, view))

    def lying_content(_content: bytes, generator: random.Random) -> bytes:
        """Something beside the tensors, or around them."""
        inside = [
            pickled(WHOLE, view)[2:-1],
            *(_plain(lie) for lie in _LIES),
            b"]" * 10**5,
            b"(" * 10**5,
            b"h\x07",
            b"j\xff\xff\xff\x7f",
        ]
        inside += [b"cos\nsystem\n(X\x08\x00\x00\x00executedtR", b"cbuiltins\nexec\n(" + _plain("executed = 1") + b"tR"]
        held = b"}(" + b"".join(_plain(str(k)) + generator.choice(inside) for k in range(3)) + b"u"
        return write(b"\x80\x02" + generator.choice((held, held, generator.choice(inside))) + b".")

    def torn_content(_content: bytes, generator: random.Random) -> bytes:
        """Bytes of the pickle are others, or missing."""
        torn = bytearray(pickled(WHOLE, view))
        for _ in range(generator.choice((1, 2, 8))):
            torn[generator.randrange(len(torn))] = generator.randrange(256)
        return write(bytes(torn[: generator.choice((len(torn), generator.randrange(len(torn))))]))

    def lying_storage(_content: bytes, generator: random.Random) -> bytes:
        """Numbers that are too few, too many, or not there."""
        numbers = generator.choice(({}, {"0": b"", "1": b""}, {"0": _NUMBERS * 1000, "1": _NUMBERS}, {"0": _NUMBERS[:-1]}))
        return write(pickled(WHOLE, view), numbers)

    def lying_members(_content: bytes, generator: random.Random) -> bytes:
        """Members of the zip have other names, lie twice, are compressed; counts in a legacy file are others."""
        if kind != "PyTorch":
            return legacy(pickled(WHOLE, view), count=generator.choice((-1, 0, 1, 2**31, 2**62)))
        folder = generator.choice(("archive", "", "..", "/", "a/b", "x" * 1000))
        method = generator.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
        return zipped(pickled(WHOLE), folder=folder, method=method, again=generator.random() < 0.3)

    return lying_tensor, lying_tensor, lying_content, torn_content, lying_storage, lying_members


def pickled(tensors: Mapping[str, Any], view: bytes = b"") -> bytes:
    """A mapping of tensors as PyTorch pickles it; a legacy storage says also of which it is a view, none."""
    return b"\x80\x02}(" + b"".join(_plain(name) + _tensor(one, view) for name, one in tensors.items()) + b"u."


def zipped(
    content: bytes,
    numbers: Mapping[str, bytes] | None = None,
    folder: str = "archive",
    method: int = zipfile.ZIP_STORED,
    again: bool = False,
) -> bytes:
    """The file that PyTorch writes since 1.6."""
    numbers = {"0": _NUMBERS, "1": _NUMBERS[:12]} if numbers is None else numbers
    members = {"data.pkl": content, "byteorder": b"little", "version": b"3\n"} | {
        f"data/{key}": one for key, one in numbers.items()
    }
    with zipfile.ZipFile(file := io.BytesIO(), "w", method) as archive:
        for name, one in members.items():
            archive.writestr(zipfile.ZipInfo(f"{folder}/{name}"), one, method)
        if again:
            archive.writestr(zipfile.ZipInfo("other/data.pkl"), content)
    return file.getvalue()


def legacy(content: bytes, numbers: Mapping[str, bytes] | None = None, count: int | None = None) -> bytes:
    """The file that it wrote before."""
    numbers = {"0": _NUMBERS, "1": _NUMBERS[:12]} if numbers is None else numbers
    head = b"".join(pickle.dumps(one, 2) for one in (_NUMBER, _VERSION, _SIZES))
    tail = b"".join(struct.pack("<q", len(one) // 4 if count is None else count) + one for one in numbers.values())
    return head + content + pickle.dumps(list(numbers), 2) + tail


def _tensor(tensor: Tensor, view: bytes) -> bytes:
    """The opcodes of one tensor: a function, and what it is called with, a storage by its name among it."""
    storage = b"(" + _plain("storage") + _global(f"torch {tensor.kind}") + _plain(tensor.key) + _plain(tensor.place)
    storage += _plain(tensor.numel) + view + b"tQ"
    rest = _plain(tensor.offset) + _plain(tensor.size) + _plain(tensor.stride) + b"\x89ccollections\nOrderedDict\n)R"
    return _global(tensor.rebuild) + b"(" + storage + rest + b"tR"


def _global(words: str) -> bytes:
    return b"c" + words.replace(" ", "\n", 1).encode() + b"\n"


def _plain(value: Any) -> bytes:
    """The opcodes of a plain value, without those that begin and end a pickle."""
    return pickle.dumps(value, 2)[2:-1]
