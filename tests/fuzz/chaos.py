"""`python -m tests.fuzz.chaos`: commands stopped at random moments; afterwards the folder ends as an unbroken one.

Each attempt sends one signal, or Ctrl-C several times.  Counted are tracebacks, wrong exit codes, and processes that do not
end; at the end of each command's attempts, half written files that the next run left, and results that differ.
"""

import argparse
import hashlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tegum.runs import read_dataset

TEGUM = [sys.executable, "-m", "tegum"]
COMMANDS = {
    "train": ["train", "-n", "5", "-m", "2", "--density", "1,0.3,0.1", "--seeds", "6", "--steps", "4000", "--out"],
    "phase": ["phase", "-n", "3", "-m", "2", "--points", "4", "--seeds", "8", "--rounds", "1", "--out"],
    "reproduce": ["reproduce", "intro", "--out"],
}
BLOWS = (signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
_PATIENCE = 10.0


def stopped(words: list[str], folder: Path, generator: random.Random, longest: float) -> str:
    """Starts a command, stops it at a random moment, and says in one word what became of it."""
    process = subprocess.Popen([*TEGUM, *words, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(generator.uniform(0.1, longest))
    blow = generator.choice(BLOWS)
    for _ in range(generator.choice((1, 1, 3)) if blow == signal.SIGINT else 1):
        process.send_signal(blow)
        time.sleep(0.01)
    try:
        _, said = process.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return "hang"
    if "Traceback" in said:
        print(said)
        return "traceback"
    expected = {0, -blow} | ({130} if blow == signal.SIGINT else set())
    return "stopped" if process.returncode in expected else f"exit code {process.returncode}"


def content(folder: Path) -> dict[str, str]:
    """A hash of every result in a folder, without when and how long."""
    found = {}
    for path in sorted(folder.rglob("*.safetensors")):
        if "pieces" not in path.parts:
            data = read_dataset(path)
            digest = hashlib.sha256(b"".join(data[name].values.tobytes() for name in sorted(data.variables)))
            found[path.relative_to(folder).as_posix()] = digest.hexdigest()
    found |= {path.name: path.read_text() for path in folder.glob("claims.json")}
    return found


def main() -> int:
    """Prints one line for each command; returns 1 where anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", nargs="*", help=f"of {', '.join(COMMANDS)}; all by default")
    parser.add_argument("--attempts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    wrong = 0
    for name in asked.commands or COMMANDS:
        words, generator, counts = COMMANDS[name], random.Random(asked.seed), Counter[str]()
        with tempfile.TemporaryDirectory() as place:
            whole, folder = Path(place, "whole"), Path(place, "stopped")
            began = time.perf_counter()
            subprocess.run([*TEGUM, *words, str(whole)], check=True, capture_output=True)
            longest = time.perf_counter() - began
            for _ in range(asked.attempts):
                counts[stopped(words, folder, generator, longest)] += 1
            subprocess.run([*TEGUM, *words, str(folder)], check=True, capture_output=True)
            leftovers = list(folder.rglob("*.part"))
            counts["leftovers"] += len(leftovers)
            counts["differs"] += content(folder) != content(whole)
        print(
            f"{name:<10} {asked.attempts} attempts: " + ", ".join(f"{count} {what}" for what, count in counts.items()),
            flush=True,
        )
        wrong += counts.total() - counts["stopped"]
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
