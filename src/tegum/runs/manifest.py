"""The list of a sweep's pieces: where the sweep is cut, and the names of the files, in a file of its own.

    {"format": "tegum cut 1", "seal": "digest ...", "call": "train", "edges": {"seed": [0, 500, 1000]}, "pieces": ["a", "b"]}

Edges say where pieces begin and end along each axis; pieces are listed with the last axis running fastest.  It is read again by
who goes on with the sweep, and by who opens it.

>>> from tempfile import TemporaryDirectory
>>> with TemporaryDirectory() as folder:
...     path = Path(folder) / f"sweep{MANIFEST}"
...     size = path.write_bytes(manifest_of("train", {"seed": [0, 500, 1000]}, ["a.safetensors", "b.safetensors"]))
...     read_manifest(path)
({'seed': (0, 500, 1000)}, ['a.safetensors', 'b.safetensors'])
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from tegum.runs.files import UNSEALED, sealed, unsealed

MANIFEST, _FORMAT = ".cut", "tegum cut 1"


def manifest_of(call: str, edges: Mapping[str, Sequence[int]], pieces: Sequence[str]) -> bytes:
    """The content of the file, for the pieces of a call of this name."""
    along = {name: list(each) for name, each in edges.items()}
    said = {"format": _FORMAT, "seal": UNSEALED, "call": call, "edges": along, "pieces": list(pieces)}
    return sealed(json.dumps(said))


def read_manifest(path: Path) -> tuple[dict[str, tuple[int, ...]], list[str]]:
    """Edges and names as they were written.

    Raises:
        ValueError, KeyError, TypeError, AttributeError, OSError: where the file is damaged.
    """
    said = json.loads(unsealed(path.read_bytes()))
    if said["format"] != _FORMAT:
        raise ValueError(f"its format is {said['format']!r:.40}")
    edges = {str(name): tuple(int(edge) for edge in each) for name, each in said["edges"].items()}
    names = [str(name) for name in said["pieces"]]
    if len(names) != math.prod(len(each) - 1 for each in edges.values()) or any("/" in name for name in names):
        raise ValueError("its edges are not those of its pieces")
    return edges, names
