"""Damaged and hostile files for every reader: read as what they are, or one message; nothing in them is executed.

Whole files of every format are flipped, cut, spliced and filled with noise; then what a format's own structure promises is made
a lie: headers of safetensors and npy, members of zip files, opcodes of pickles, tables of TOML.
"""

import copy
import io
import json
import os
import pickle
import random
import struct
import tempfile
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

import tegum as tg
from tegum.cli.problem import read_tables, training_of
from tegum.report import ResultFolder, read_pictures
from tegum.report.page import page
from tests.experiments import small
from tests.fuzz.calls import trained
from tests.fuzz.hostile import Attempt, Through
from tests.fuzz.torch_files import damages
from tests.fuzz.torch_files import files as torch_files

_NUMBERS = (0, 1, -1, 2, 7, 2**31, 2**62, 2**63, 2**64, 10**30, -(2**63), 0.5, 1e308, float("inf"))
_LIES: tuple[Any, ...] = (
    *_NUMBERS,
    None,
    True,
    "",
    "F32",
    "F999",
    "BF16",
    "W",
    [],
    [1],
    [[]],
    {},
    {"a": 1},
    [2**62, 2**62],
    [-1, 2],
)
_MARK = "executed"
_FITTING = {"toml": ("tables",), "part": ("part", "part", "read_weights", "open"), "pictures": ("pictures",)}


def files(count: int, seed: int) -> Iterator[Attempt]:
    """Every reader gets every kind of file."""
    generator = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        whole, readers = _whole(folder), _readers(folder)
        for number in range(count):
            kind = generator.choice(list(whole))
            content, how = _damaged(kind, whole[kind], generator)
            reader = generator.choice(_FITTING.get(kind) or tuple(name for name in readers if name != "tables"))
            path = folder / f"{number}{generator.choice(('', '.npz', '.safetensors', '.pt'))}"
            yield f"{reader} of a {kind} that is {how} (number {number})", partial(_read, readers[reader], path, content)


def _read(reader: Callable[[Path], Any], path: Path, content: bytes) -> None:
    before = set(path.parent.iterdir())
    path.write_bytes(content)
    try:
        reader(path)
    finally:
        path.unlink(missing_ok=True)
        beside = {one for one in set(path.parent.iterdir()) - before if one != path}
        if _MARK in os.environ or any(_MARK in one.name for one in beside):
            os.environ.pop(_MARK, None)
            raise Through("something in a file was executed")


def _readers(folder: Path) -> dict[str, Callable[[Path], Any]]:
    def judged(path: Path) -> None:
        data = tg.read_weights(path)
        tg.exact.loss(data, features=tg.features.Independent(data.sizes["feature"], density=0.1))

    def part(path: Path) -> None:
        place = folder / "parts"
        place.mkdir(exist_ok=True)
        (place / "a.json").write_bytes(path.read_bytes())
        page(ResultFolder(folder, lambda _: None).parts())
        for one in place.iterdir():
            one.unlink()

    def pictures(path: Path) -> None:
        place = folder / "figures"
        place.mkdir(exist_ok=True)
        (place / "a.js").write_bytes(path.read_bytes())
        read_pictures(folder, "a")

    return {
        "read_weights": tg.read_weights,
        "rows": lambda path: tg.read_weights(path, array="W", bias="none", rows=True),
        "loss": judged,
        "open": tg.open,
        "read_dataset": tg.runs.read_dataset,
        "is_dataset": tg.runs.is_dataset,
        "attributes_in": tg.runs.attributes_in,
        "features_of": lambda path: tg.features_of(tg.open(path)),
        "part": part,
        "pictures": pictures,
        "tables": lambda path: training_of(read_tables(path)),
    }


def _whole(folder: Path) -> dict[str, bytes]:
    """A whole file of each kind, by name."""
    W, b = np.arange(6.0).reshape(2, 3), np.zeros(3)
    whole: dict[str, bytes] = {}
    for name, write in (("npz", np.savez), ("compressed npz", np.savez_compressed)):
        write(file := io.BytesIO(), W=W, b=b)
        whole[name] = file.getvalue()
    np.save(file := io.BytesIO(), W)
    whole["npy"] = file.getvalue()
    whole["safetensors"] = save({"W": W, "b": b, "half": W.astype(np.float16)})
    state = OrderedDict(W=W.astype(np.float32), b=b, step=np.float64(1), seeds=np.array([1, 2]))
    whole |= {f"pickle {k}": pickle.dumps(state, protocol=k) for k in range(2, pickle.HIGHEST_PROTOCOL + 1)}
    tg.runs.write_dataset(trained(), folder / "whole.safetensors")
    whole["dataset"] = (folder / "whole.safetensors").read_bytes()
    whole["toml"] = (Path(__file__).parents[2] / "docs" / "example.toml").read_bytes()
    small_folder = ResultFolder(folder / "small", lambda _: None)
    small_folder.part(small.experiment, "quick")
    whole["part"] = (folder / "small" / "parts" / "small.json").read_bytes()
    whole["pictures"] = (folder / "small" / "figures" / "small.js").read_bytes()
    whole["nothing"] = b""
    written = Path(__file__).parents[1] / "oracle"
    real = {name: (written / f"{name}.pt").read_bytes() for name in ("torch_2_14", "torch_before_1_6", "torch_module")}
    return whole | real | torch_files()


def _damaged(kind: str, content: bytes, generator: random.Random) -> tuple[bytes, str]:
    """The file, damaged in one way, and which."""
    own: dict[str, tuple[Callable[..., bytes], ...]] = {
        "safetensors": (_lying_header, _deep_header),
        "dataset": (_lying_header, _lying_dataset),
        "npz": (_lying_member, _lying_zip, _lying_names),
        "compressed npz": (_lying_member, _lying_zip, _bomb),
        "npy": (_lying_npy,),
        "toml": (_lying_toml,),
        "part": (_lying_part,),
        "pictures": (_lying_pictures,),
        **{name: damages(name) for name in torch_files()},
    }
    ways = (*own.get(kind, ()), *own.get(kind, ()), _flipped, _cut, _spliced, _noisy, _doubled)
    if kind.startswith("pickle"):
        ways = (*ways, _hostile_pickle, _hostile_pickle, _torn_pickle)
    way = generator.choice(ways)
    return way(content, generator), way.__name__.strip("_")


def _flipped(content: bytes, generator: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(generator.choice((1, 1, 2, 8)) if content else 0):
        damaged[generator.randrange(len(damaged))] ^= 1 << generator.randrange(8)
    return bytes(damaged)


def _cut(content: bytes, generator: random.Random) -> bytes:
    return content[: generator.randrange(len(content) + 1)]


def _spliced(content: bytes, generator: random.Random) -> bytes:
    first, last = sorted(generator.randrange(len(content) + 1) for _ in range(2))
    return content[:first] + content[last:] if generator.random() < 0.5 else content[:last] + content[first:]


def _noisy(content: bytes, generator: random.Random) -> bytes:
    at, size = generator.randrange(len(content) + 1), generator.choice((1, 4, 8, 64))
    return content[:at] + generator.choice((generator.randbytes(size), b"\0" * size, b"\xff" * size)) + content[at + size :]


def _doubled(content: bytes, _generator: random.Random) -> bytes:
    return content + content


def _mutated(node: Any, generator: random.Random) -> Any:
    """A structure of mappings and lists with one thing replaced, removed or added."""
    node = copy.deepcopy(node)
    if isinstance(node, dict) and node and generator.random() < 0.9:
        key = generator.choice(list(node))
        how = generator.random()
        if how < 0.6:
            node[key] = _mutated(node[key], generator)
        elif how < 0.8:
            del node[key]
        else:
            node[generator.choice(("W", "b", "", "__metadata__", "dims", "words", "../x"))] = generator.choice(_LIES)
        return node
    if isinstance(node, list) and node and generator.random() < 0.7:
        at = generator.randrange(len(node))
        node[at] = _mutated(node[at], generator)
        return node
    return generator.choice(_LIES)


def _header_of(content: bytes) -> tuple[dict[str, Any], bytes]:
    size = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def _with_header(header: Any, rest: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + rest


def _lying_header(content: bytes, generator: random.Random) -> bytes:
    header, rest = _header_of(content)
    for _ in range(generator.choice((1, 2))):
        header = _mutated(header, generator)
    return _with_header(header, rest)


def _lying_dataset(content: bytes, generator: random.Random) -> bytes:
    """What tegum wrote about its variables is changed, and the digest made anew: a file that somebody made by hand."""
    header, rest = _header_of(content)
    said, which = header["__metadata__"], generator.choice(("variables", "attributes"))
    said[which] = json.dumps(_mutated(json.loads(said[which]), generator))
    arrays = {
        name: np.frombuffer(rest[slice(*one["data_offsets"])], {"F64": "<f8", "F32": "<f4", "I64": "<i8"}[one["dtype"]])
        for name, one in header.items()
        if name != "__metadata__"
    }
    said["digest"] = tg.runs.files._digest(said, arrays)
    return _with_header(header, rest)


def _deep_header(content: bytes, generator: random.Random) -> bytes:
    text = generator.choice((b"[" * 10**5, b'{"a":' * 10**5, b'{"W":{"dtype":"F32","shape":' + b"[" * 10**5))
    return struct.pack("<Q", generator.choice((len(text), len(text) - 1, 2**40))) + text + content


def _lying_npy(content: bytes, generator: random.Random) -> bytes:
    """The header of a .npy says something else; padded to its length, or not."""
    shape = generator.choice(("(2, 3)", "(2**40,)", f"({2**40}, {2**40})", "(-1, 3)", "3", "None", "()", "(0, 3)", "(1e3, 2)"))
    kind = generator.choice(("<f8", "O", ">f8", "<c16", "<U5", "|V8", "<M8[s]", "x", "<f16", "<f2", "b1", [("a", "<f8")], 5))
    header = f"{{'descr': {kind!r}, 'fortran_order': {generator.choice(('False', 'True', '1', 'None'))}, 'shape': {shape}, }}"
    header = generator.choice((header, header[:-1], header + "+", "(" * 200, "__import__('os').putenv('executed', '1')", "{}"))
    major, text = generator.choice((1, 2, 3, 9)), header.encode() + b"\n"
    size = struct.pack("<H" if major == 1 else "<I", generator.choice((len(text), len(text), 2**15)))
    return b"\x93NUMPY" + bytes([major, 0]) + size + text + content[128:]


def _zipped(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(file := io.BytesIO(), "w", method) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name) if method == zipfile.ZIP_STORED else name, content)
    return file.getvalue()


def _members(content: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def _lying_member(content: bytes, generator: random.Random) -> bytes:
    members = _members(content)
    at = generator.randrange(len(members))
    way = generator.choice((_lying_npy, _flipped, _cut, _noisy))
    members[at] = members[at][0], way(members[at][1], generator)
    return _zipped(members, generator.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)))


def _lying_names(content: bytes, generator: random.Random) -> bytes:
    """Members that would lie outside the folder, lie twice, or have no sensible name."""
    names = (
        "../executed.npy",
        "/tmp/executed.npy",
        "W.npy",
        "W.npy/",
        "",
        ".npy",
        "a" * 5000 + ".npy",
        "W\n.npy",
        "\udcff.npy",
    )
    names = tuple(name for name in names if name.isprintable() or "\n" in name)
    return _zipped([(generator.choice(names), one) for _, one in _members(content)])


def _lying_zip(content: bytes, generator: random.Random) -> bytes:
    """Sizes, methods and offsets in the directory of a zip are changed."""
    damaged = bytearray(content)
    place = damaged.find(generator.choice((b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06")))
    at = place + generator.randrange(4, 30)
    if 0 <= at < len(damaged) - 4:
        damaged[at : at + 4] = generator.choice((b"\xff" * 4, b"\0" * 4, generator.randbytes(4)))
    return bytes(damaged)


def _bomb(_content: bytes, generator: random.Random) -> bytes:
    """A small file that inflates to much."""
    head = _lying_npy(b"", random.Random(0))[:10]
    return _zipped([("W.npy", head + b"\0" * generator.choice((10**7, 5 * 10**7)))], zipfile.ZIP_DEFLATED)


class _Runs:
    """What a pickle that wants to run code is made of."""

    def __init__(self, function: Callable[..., Any], *given: Any) -> None:
        self.call = function, given

    def __reduce__(self) -> Any:
        return self.call


def _hostile_pickle(_content: bytes, generator: random.Random) -> bytes:
    mark = "import os; os.environ['executed'] = '1'"
    calls = (
        (exec, mark),
        (eval, "__import__('os').environ.setdefault('executed', '1')"),
        (os.mkdir, "executed"),
        (getattr, 1, "a"),
    )
    calls += ((np.load, "executed"), (np.ones, 10**12), (np.frombuffer, b"", "f8"), (np.loadtxt, "executed"), (np.dtype, "O"))
    function, *given = generator.choice(calls)
    inside = _Runs(function, *given)
    held = generator.choice((inside, {"W": inside}, [inside], {"W": np.ones((2, 3)), "x": inside}, {inside.call[1][0]: 1}))
    return pickle.dumps(held, protocol=generator.randrange(2, 6))


def _torn_pickle(content: bytes, generator: random.Random) -> bytes:
    """Opcodes put in at random, those that take memory among them."""
    known = b"(.012FIJKLMNQRSTUVX]aeubtdlcghijopqrs}\x80\x81"
    known += b"\x82\x85\x86\x87\x88\x8a\x8b\x8c\x8e\x8f\x90\x91\x92\x93\x94\x95\x96\x97"
    codes = [bytes([code]) for code in known]
    codes += [b"\x8e" + struct.pack("<Q", 2**40), b"B" + struct.pack("<I", 2**31), b"r" + struct.pack("<I", 2**31 - 1)]
    codes += [
        b"\x8d" + struct.pack("<Q", 2**50),
        b"\x96" + struct.pack("<Q", 2**45),
        b"cos\nsystem\n",
        b"(" * 10**5,
        b"]" * 10**5,
    ]
    at = generator.randrange(2, len(content))
    return content[:at] + b"".join(generator.choices(codes, k=generator.choice((1, 3)))) + content[at:]


def _lying_part(content: bytes, generator: random.Random) -> bytes:
    """Something else in a part, under a seal made anew."""
    record = json.loads(content)
    record["part"] = _mutated(record["part"], generator)
    return tg.runs.sealed(json.dumps(record | {"seal": tg.runs.UNSEALED}))


def _lying_pictures(content: bytes, generator: random.Random) -> bytes:
    """Something else in the pictures, under a seal made anew."""
    _, _, text = content.decode().partition("tegum.receive(")
    name, drawn = json.loads(f"[{text.strip().removesuffix(');')}]")
    lied = json.dumps(_mutated(drawn, generator))
    return tg.runs.sealed(f"// {tg.runs.UNSEALED}\ntegum.receive({json.dumps(name)}, {lied});\n")


def _lying_toml(content: bytes, generator: random.Random) -> bytes:
    """Values of the recipe file replaced by others."""
    lines = content.decode().splitlines()
    at = generator.choice([k for k, line in enumerate(lines) if "=" in line])
    values = (
        "9223372036854775808",
        "-1",
        "1e400",
        "nan",
        "inf",
        '"a"',
        "true",
        "[]",
        "[[1], [1, 2]]",
        "{}",
        "{ a = 1 }",
        "2020-01-01",
    )
    values += (
        "[true]",
        "[1, 'a']",
        "07:32:00",
        '"\\uD800"',
        "[" * 2000,
        "99999999999999999999999",
        "0x7fffffffffffffff",
        "{ geometric = {} }",
    )
    values += (
        "{ exponential = nan }",
        "{ labels = [1], density = [2] }",
        "{ labels = 3 }",
        "1e308",
        "[9223372036854775807]",
        "''",
    )
    lines[at] = f"{lines[at].partition('=')[0]}= {generator.choice(values)}"
    if generator.random() < 0.2:
        lines.insert(
            at, generator.choice(("[net]", "[a.b]", "net = 5", "[[sweep]]", "self = 1", "[sweep.x]", "density = 1", "cls = 2"))
        )
    return "\n".join(lines).encode()
