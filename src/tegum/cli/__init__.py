"""The command line: `tegum COMMAND`, as `tegum --help` lists them.

Exit codes: 0 fine, 1 a claim failed (or the doctor found a fault), 2 wrong use, 3 a fault of tegum itself, 130 interrupted.
"""

import sys
import traceback
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from tegum.cli.output import FAULT, INTERRUPTED, WRONG_USE
from tegum.errors import InvalidInputError
from tegum.provenance import tegum_version

app = App(name="tegum", help="The laboratory for toy models of superposition.", version=tegum_version)
# By name and not by function, so that `tegum --help` and a wrong word do not wait until the engines are loaded.
COMMANDS = {
    "list": ("tegum.cli.reproduce:list_experiments", "List the experiments: id, what each shows, what it costs."),
    "show": (
        "tegum.cli.reproduce:show",
        "Show what an experiment trains, what it chooses where the paper is silent, and its verdicts if it has run.",
    ),
    "reproduce": (
        "tegum.cli.reproduce:reproduce",
        "Rebuild the paper's figures and judge its claims; ends with exit code 1 where a claim failed.",
    ),
    "report": (
        "tegum.cli.results:report",
        "Judge and draw a folder of results anew, without training: after an update, or where its page is lost.",
    ),
    "export": (
        "tegum.cli.results:export",
        "Write results in other formats: the data as parquet, csv or netcdf, the pictures as png, svg or pdf.",
    ),
    "experiment": (
        "tegum.cli.experiment:experiment",
        "Start an experiment of your own: a file that runs as it is, to be changed.",
    ),
    "train": ("tegum.cli.training:train", "Train a sweep of models and keep it; the same command again resumes it."),
    "exact-loss": (
        "tegum.cli.exact_loss:exact_loss",
        "Compute the expected loss of models in a file, exactly: no sample, and an error estimate for each.",
    ),
    "identify": (
        "tegum.cli.identify:identify",
        "Name the polytopes that features form: pentagons, digons, tetrahedra, ..., or irregular.",
    ),
    "phase": (
        "tegum.cli.phase:phase",
        "Map the certified optimum over density and the last feature's importance, coloured by its shape.",
    ),
    "doctor": (
        "tegum.cli.doctor:doctor",
        "Check the installation: versions, cores, the engine's gradient against NumPy's, its speed.",
    ),
}
for name, (place, text) in COMMANDS.items():
    app.command(place, name=name, help=text)


def run(words: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    words = sys.argv[1:] if words is None else list(words)
    try:
        if words and words[0] in COMMANDS:
            app[words[0]].help = None  # its own docstring, which has an example
        code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except (InvalidInputError, CycloptsError) as mistake:
        sys.stderr.write(f"tegum: {mistake}\n")
        return WRONG_USE
    except KeyboardInterrupt:
        sys.stderr.write("tegum: interrupted\n")
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def main() -> None:
    """The entry point of the `tegum` command."""
    try:
        code = run()
    except Exception:  # noqa: BLE001
        traceback.print_exc()
        sys.stderr.write("tegum: this is a fault of tegum, not yours; what was finished is kept\n")
        code = FAULT
    sys.exit(code)
