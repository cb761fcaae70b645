"""Starting is cheap: importing tegum loads nothing heavy, and a second process does not compile again."""

import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from tegum import cli
from tegum.cli import COMMANDS

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


def test_the_list_of_commands_waits_for_no_engine() -> None:
    said = run("import sys; from tegum.cli import run; run(['--help']); print(*sys.modules)")
    loaded = said.split()
    assert "exact-loss" in loaded
    assert not [name for name in HEAVY if name in loaded and name != "cyclopts"]


ENGINES = ("numba", "tegum.training.kernel", "tegum.exact.kernel.model")
"""What loads or compiles the engines."""

FOR_ALL = ("xarray", "pandas", "scipy")
RARE = ("plotly", "networkx", "scipy.stats", "scipy.optimize", "distributed", "kaleido")


def loaded_by(*words: str, after: str = "") -> set[str]:
    """The modules that a command has loaded when it ends."""
    return set(
        run(f"import sys; from tegum.cli import run; run({[*words]!r}); {after}print(*sys.modules)").split("\n")[-1].split()
    )


@pytest.mark.parametrize("words", [("list",), ("show", "intro"), ("show", "open-problems")])
def test_experiments_are_listed_and_shown_without_libraries(words: tuple[str, ...], tmp_path: Path) -> None:
    where = ("--out", str(tmp_path)) if words[0] == "show" else ()
    assert not loaded_by(*words, *where) & {*ENGINES, *FOR_ALL, *RARE, "numpy", "pydantic"}


def test_the_doctor_loads_no_engine_where_it_has_found_before(tmp_path: Path) -> None:
    again = f"""
import os, sys
from tegum import provenance
from tegum.cli import doctor, run
doctor._place = lambda: __import__("pathlib").Path({str(tmp_path / "known")!r})
known = {{"same": doctor._same(provenance.provenance()), "when": "now", "lines": ["right"], "compiled": {{}}}}
doctor._keep(known)
run(["doctor"])
print(*sys.modules)
"""
    *said, loaded = run(again).split("\n")
    assert said[-1] == "right"
    assert not {*loaded.split()} & {*ENGINES, *FOR_ALL, *RARE, "pydantic"}


def test_an_exact_loss_waits_for_no_picture_and_no_solver(tmp_path: Path) -> None:
    file = tmp_path / "five.npz"
    np.savez(file, W=np.eye(2, 5), b=np.zeros(5))
    loaded = loaded_by("exact-loss", str(file), "--density", "0.1")
    assert "tegum.exact.kernel.model" in loaded
    unwanted = {"tegum.training.kernel", "tegum.exact.minimise", "tegum.report", *RARE}
    assert not loaded & unwanted


def test_training_waits_for_no_picture_and_no_exact_engine() -> None:
    loaded = set(run(f"import sys{TRAIN}print(*sys.modules)").split("\n")[-1].split())
    assert "tegum.training.kernel" in loaded
    assert not loaded & {"tegum.exact.kernel.model", "tegum.report", *RARE}


def test_a_name_like_that_of_its_module_is_the_name() -> None:
    program = "import tegum.exact.minimise, tegum.training.train, tegum as tg; from tegum.exact.kernel import model; "
    assert run(f"{program}print(tg.exact.minimise.__name__, callable(tg.training.train), 'loss' in dir(tg.exact))") == (
        "minimise True True"
    )


def test_a_commands_help_has_its_example() -> None:
    assert "Example: tegum train -n 5 -m 2" in run("from tegum.cli import run; run(['train', '--help'])")


@pytest.mark.parametrize(("given", "found"), [("", "1"), ("import os; os.environ['OPENBLAS_NUM_THREADS'] = '2'; ", "2")])
def test_a_command_multiplies_in_one_thread_unless_told_otherwise(given: str, found: str) -> None:
    program = "import os, sys; from tegum import __main__, cli; print('numpy' in sys.modules); cli.main = lambda *_: None; "
    said = run(f"{given}{program}__main__.main(); print(os.environ['OPENBLAS_NUM_THREADS'])")
    assert said.split() == ["False", found], "NumPy, which reads it when it is loaded, comes later"


def test_a_command_ends_at_once_and_leaves_nothing_unsaid() -> None:
    program = (
        "import atexit, sys; from tegum import __main__, cli; atexit.register(print, 'last'); "
        "cli.main = lambda *_: (print('first'), sys.exit(3)); __main__.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.returncode) == (["first", "last"], 3)


def test_a_fault_of_tegum_is_no_failed_claim(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> int:
        raise RuntimeError("worn out")

    monkeypatch.setattr(cli, "run", broken)
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert signal.set_wakeup_fd(-1) == -1, "nothing is left that ends the process at the next Ctrl-C"
    finally:
        signal.signal(signal.SIGINT, before)
    assert left.value.code == cli.FAULT == 3
    assert "worn out" in (said := capsys.readouterr().err)
    assert said.endswith("tegum: this is a fault of tegum, not yours; what was finished is kept\n")


def test_an_interrupt_inside_an_exec_has_the_same_exit_code(tmp_path: Path) -> None:
    """Libraries that write code are many; Python notes that Ctrl-C fell into it, and at its end kills itself."""
    (tmp_path / "interrupted.py").write_text(
        "from tegum import cli\n"
        "def run():\n"
        "    try:\n"
        "        exec('raise KeyboardInterrupt')\n"
        "    except KeyboardInterrupt:\n"
        "        return cli.INTERRUPTED\n"
        "cli.run = run\n"
        "cli.main()\n"
    )
    assert subprocess.run([sys.executable, "-m", "interrupted"], cwd=tmp_path, check=False).returncode == cli.INTERRUPTED == 130


@pytest.mark.parametrize("moment", ["_end_in_any_case", "_prepare_streams", "run"])
def test_an_interrupt_has_its_exit_code_and_no_traceback_at_any_moment(moment: str) -> None:
    program = (
        f"import os, signal; from tegum import cli; cli.{moment} = lambda: os.kill(os.getpid(), signal.SIGINT); cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", program, "list"], capture_output=True, text=True, check=False)
    assert done.returncode == cli.INTERRUPTED
    assert done.stderr in ("", "tegum: interrupted\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says_of_itself(name: str) -> None:
    module, function = COMMANDS[name].split(":")
    said = getattr(import_module(f"tegum.cli.{module}"), function).__doc__ or ""
    assert cli.first_line(COMMANDS[name]) == said.splitlines()[0]
