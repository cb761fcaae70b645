"""A process that trains when told to, and says what it cost: of any version of tegum, for any set of instructions.

It reads a line of JSON with the fields of `ask` and answers with seconds of one thread's work, until its input ends.  It uses
only what every version has.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, final

ROOT = Path(__file__).resolve().parents[1]
INSTRUCTIONS = {
    "": {},
    "AVX2": {
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma,+bmi,+bmi2,+popcnt,+sse4.2,+f16c,+lzcnt",
    },
}
"""What makes numba compile for some instructions, on a machine that has them; by default for all that it has."""

LARGE, LENGTH = 1000, 1.15


@final
class Engine:
    """One version of tegum, compiled for one set of instructions, in a process of its own."""

    def __init__(self, source: Path, instructions: str, cache: Path) -> None:
        own = {"PYTHONPATH": str(source), "NUMBA_CACHE_DIR": str(cache), **INSTRUCTIONS[instructions]}
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **own}
        )

    def ask(self, **what: Any) -> float:
        """Seconds of a training: family, n, m, instances, batch, density and steps."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self) -> None:
        """Ends the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def learned(n: int, m: int, density: float) -> dict[str, Any]:
    """Weights as training leaves those of sparse features: directions in superposition, biases three deviations below 0."""
    import numpy as np

    W = np.random.default_rng(0).normal(size=(m, n))
    W *= LENGTH / np.linalg.norm(W, axis=0)
    return {"W": W, "b": np.full(n, -3 * LENGTH**2 * (n * density / 3 / m) ** 0.5)}


def seconds_of_call(family: str, n: int, m: int, instances: int, batch: int, density: float, steps: int) -> float:
    """Seconds of one thread's work for a call of `tegum.train`."""
    import tegum as tg

    net = getattr(tg.nets, family)(n, m)
    features = tg.features.Independent(n, density=density, signed=family == "AbsoluteValue")
    recipe = tg.Recipe(steps=steps, batch_size=batch, seeds=instances, evaluation_samples=64)
    initial = learned(n, m, density) if n >= LARGE else None
    began = time.process_time()
    tg.train(net, features, recipe, initial=initial, threads=1, progress=False)
    return time.process_time() - began


if __name__ == "__main__":
    for line in sys.stdin:
        print(seconds_of_call(**json.loads(line)), flush=True)
