"""Starting is cheap: importing tegum loads nothing heavy, and a second process does not compile again."""

import subprocess
import sys

HEAVY = ("numba", "xarray", "pandas", "plotly", "scipy", "pydantic", "cyclopts")

TRAIN = """
import tegum as tg
from tegum.training.kernel import advance, evaluate
tg.train(tg.nets.ReluOutput(3, 2), tg.features.Independent(3), tg.Recipe(steps=2, batch_size=64, evaluation_samples=64))
print(*(sum(function.stats.cache_misses.values()) for function in (advance, evaluate)))
"""


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_tegum_loads_nothing_heavy() -> None:
    loaded = run("import sys, tegum; print(*sys.modules)").split()
    assert not [name for name in HEAVY if name in loaded]


def test_every_public_name_loads() -> None:
    assert run("import tegum; [getattr(tegum, name) for name in tegum.__all__]; print('all')") == "all"


def test_a_second_process_does_not_compile_again() -> None:
    run(TRAIN)
    assert run(TRAIN) == "0 0"
