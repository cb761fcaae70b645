"""A results folder with one bit of one file flipped: said, or put right, whatever the bit; never believed."""

import random
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import tegum as tg
from tegum.errors import InvalidInputError
from tegum.report import ResultFolder, write_page
from tests.experiments import small
from tests.fuzz.hostile import Attempt, Through

_REPAIRED = ("index.html", "claims.json", "plotly.min.js")


def flips(count: int, seed: int) -> Iterator[Attempt]:
    """As `tegum reproduce` does after it: the files are those of an undamaged folder, or what is made anew was said."""
    generator = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _reproduce(folder, lambda _: None)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        whole = {path: path.read_bytes() for path in files}
        data = [path for path in files if path.suffix == ".safetensors"]
        for number in range(count):
            if number % 4:  # datasets alone, which is quick: pieces, and what `tegum train` writes, are of this kind, too
                path = generator.choice(data)
                bit = generator.randrange(8 * len(whole[path]))
                yield f"bit {bit} of {path.name}, opened", partial(_opened, folder / "flipped.safetensors", whole[path], bit)
                continue
            path = generator.choice(files)
            bit = generator.randrange(8 * len(whole[path]))
            yield f"bit {bit} of {path.name}", partial(_flip, folder, whole, path, bit)


def _reproduce(folder: Path, notice: Callable[[str], object]) -> None:
    results = ResultFolder(folder, notice)
    results.part(small.experiment, "quick")
    write_page(results.parts(), folder)


def _opened(path: Path, whole: bytes, bit: int) -> None:
    path.write_bytes(_flipped(whole, bit))
    try:
        opened = tg.open(path)
    except InvalidInputError:
        return
    finally:
        path.unlink()
    raise Through(f"a dataset with {len(opened.variables)} variables is believed")


def _flipped(whole: bytes, bit: int) -> bytes:
    damaged = bytearray(whole)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def _flip(folder: Path, whole: dict[Path, bytes], path: Path, bit: int) -> None:
    path.write_bytes(_flipped(whole[path], bit))
    if "pieces" in path.parts:
        next(folder.glob("data/*")).unlink()
    said: list[str] = []
    try:
        _reproduce(folder, said.append)
        if not said and path.name not in _REPAIRED and path.parent.name != "figures":
            raise Through("nothing was said")
        if not said:
            different = [one.name for one in whole if one.read_bytes() != whole[one]]
            if different:
                raise Through(f"{different} differ and nothing was said")
    finally:
        for one, content in whole.items():
            one.write_bytes(content)
        for one in [*folder.rglob("*.damaged"), *folder.glob("older/*")]:
            one.unlink()
