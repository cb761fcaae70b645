"""A results folder with one bit of one file flipped: said, or put right, whatever the bit; never believed."""

import random
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tegum.report import ResultFolder, write_page
from tests.experiments import small
from tests.fuzz.hostile import Attempt

_REPAIRED = ("index.html", "claims.json", "plotly.min.js")


def flips(count: int, seed: int) -> Iterator[Attempt]:
    """As `tegum reproduce` does after it: the files are those of an undamaged folder, or what is made anew was said."""
    generator = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _reproduce(folder, lambda _: None)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        whole = {path: path.read_bytes() for path in files}
        for _ in range(count):
            path = generator.choice(files)
            bit = generator.randrange(8 * len(whole[path]))
            yield f"bit {bit} of {path.name}", partial(_flip, folder, whole, path, bit)


def _reproduce(folder: Path, notice: Callable[[str], object]) -> None:
    results = ResultFolder(folder, notice)
    results.part(small.experiment, "quick")
    write_page(results.parts(), folder)


def _flip(folder: Path, whole: dict[Path, bytes], path: Path, bit: int) -> None:
    damaged = bytearray(whole[path])
    damaged[bit // 8] ^= 1 << bit % 8
    path.write_bytes(damaged)
    if "pieces" in path.parts:
        next(folder.glob("data/*")).unlink()
    said: list[str] = []
    try:
        _reproduce(folder, said.append)
        if not said and path.name not in _REPAIRED and path.parent.name != "figures":
            raise AssertionError("nothing was said")
        if not said:
            different = [one.name for one in whole if one.read_bytes() != whole[one]]
            if different:
                raise AssertionError(f"{different} differ and nothing was said")
    finally:
        for one, content in whole.items():
            one.write_bytes(content)
        for one in [*folder.rglob("*.damaged"), *folder.glob("older/*")]:
            one.unlink()
