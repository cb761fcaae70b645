"""The command line: `tegum COMMAND`, as `tegum --help` lists them.

Exit codes: 0 fine, 1 a claim failed (or the doctor found a fault), 2 wrong use, 130 interrupted.
"""

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from tegum.cli.doctor import doctor
from tegum.cli.exact_loss import exact_loss
from tegum.cli.experiment import experiment
from tegum.cli.identify import identify
from tegum.cli.phase import phase
from tegum.cli.reproduce import list_experiments, reproduce, show
from tegum.cli.results import export, report
from tegum.cli.training import train
from tegum.errors import Mistake
from tegum.provenance import tegum_version

WRONG_USE = 2
INTERRUPTED = 130

app = App(name="tegum", help="The laboratory for toy models of superposition.", version=tegum_version)
app.command(list_experiments, name="list")
app.command(show)
app.command(reproduce)
app.command(report)
app.command(export)
app.command(experiment)
app.command(train)
app.command(exact_loss)
app.command(identify)
app.command(phase)
app.command(doctor)


def run(words: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    try:
        code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except (Mistake, CycloptsError) as mistake:
        sys.stderr.write(f"tegum: {mistake}\n")
        return WRONG_USE
    except KeyboardInterrupt:
        sys.stderr.write("tegum: interrupted\n")
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def main() -> None:
    """The entry point of the `tegum` command."""
    sys.exit(run())
