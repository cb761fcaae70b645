"""`python -m tests.fuzz.race`: commands that write one folder of results at the same time, counted.

Each time two or three commands start within a tenth of a second in a folder in which a killed process has left a half-written
file and another version its pieces.  Every one must end by itself, the page and the ledger must hold every experiment, the
folder what commands one after the other leave in it, bit for bit, and nothing else.
"""

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tegum.runs.programs import this_program
from tests.fuzz.chaos import Child, content, judged, warm

EXPERIMENTS = {"reproduce": "small", "intro": "intro"}
"""The jobs of `tests.fuzz.chaos` that write into one folder, and what they call their section."""
RACES = (("reproduce", "intro"), ("intro", "reproduce"), ("reproduce", "reproduce"), ("reproduce", "intro", "reproduce"))
_STALE, _SHOWN = 40, 20


def abandoned(folder: Path) -> Path:
    """The folder, with what others have left in it."""
    pieces = folder / "pieces" / "quick" / "small"
    pieces.mkdir(parents=True)
    for number in range(_STALE):
        (pieces / f"stale{number}.safetensors").write_bytes(b"of another version")
    (folder / f".x.0123abcd.{this_program().partition('-')[0]}-9999999.part").write_bytes(b"half")
    return folder


def raced(names: Sequence[str], folder: Path, generator: random.Random, whole: dict[str, str]) -> Counter[str]:
    """What became of commands started together, and of their folder."""
    children = []
    for name in names:
        children.append(Child(name, folder))
        time.sleep(generator.choice((0, 0, 0.01, 0.05)))
    counts = Counter[str]()
    for child in children:
        code, _ = child.wait(120)
        counts["hang" if code is None else judged(child.text(), code, {0, 1})] += 1
        counts["set aside"] += "aside" in child.text()
    page = (folder / "index.html").read_text()
    entries = {claim["experiment"] for claim in json.loads((folder / "claims.json").read_text())}
    wanted = {EXPERIMENTS[name] for name in names}
    counts["compared"] += 1
    counts["section lost"] += entries != wanted or not all(f'id="{one}"' in page for one in wanted)
    found = content(folder)
    more, other = found.keys() - whole.keys(), [name for name in whole if found.get(name) != whole[name]]
    if more or other:
        print(f"more {sorted(more)}, other {other}", flush=True)
    counts["leftovers"] += bool(more)
    counts["differs"] += bool(other)
    return counts


def main() -> int:
    """Prints one line; returns 1 where anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    generator, counts = random.Random(asked.seed), Counter[str]()
    with tempfile.TemporaryDirectory() as temporary:
        alone, wholes = Path(temporary) / "alone", {}
        for name in EXPERIMENTS:
            warm(name, Path(temporary) / "warm")
        for written in (("reproduce",), ("intro", "reproduce")):
            for name in (*written, *written):
                child = Child(name, alone)
                if child.wait(600)[0] not in {0, 1}:
                    raise RuntimeError(child.text())
            wholes[written] = content(alone)
        for attempt in range(asked.attempts):
            if attempt % _SHOWN == 0:
                print(f"race: {attempt} of {asked.attempts}", dict(counts), file=sys.stderr, flush=True)
            names = generator.choice(RACES)
            whole = wholes[tuple(sorted(set(names)))]
            counts += raced(names, abandoned(Path(temporary) / str(attempt)), generator, whole)
    print(
        f"race: {asked.attempts} folders;", ", ".join(f"{count} {what}" for what, count in sorted(counts.items())), flush=True
    )
    return int(any(count for what, count in counts.items() if what not in ("ended", "compared")))


if __name__ == "__main__":
    sys.exit(main())
