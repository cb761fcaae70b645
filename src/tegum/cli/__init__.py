"""The command line: `tegum COMMAND`, as `tegum --help` lists them.

Exit codes: 0 fine, 1 a claim failed (or the doctor found a fault), 2 wrong use, 3 a fault of tegum itself, 130 interrupted,
141 where whoever reads the output has gone.
"""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import Any

from cyclopts import App, CycloptsError

from tegum.cli.output import FAULT, INTERRUPTED, PIPE_CLOSED, WRONG_USE
from tegum.cli.values import densities
from tegum.errors import InvalidInputError, PiecesFailed
from tegum.interruption import came_of_interruption
from tegum.provenance import tegum_version
from tegum.spoken import on_the_command_line

COMMANDS = {
    "list": "experiments:list_experiments",
    "show": "showing:show",
    "reproduce": "results:reproduce",
    "report": "results:report",
    "export": "results:export",
    "experiment": "experiments:start",
    "train": "training:train",
    "exact-loss": "exact_loss:exact_loss",
    "identify": "identify:identify",
    "inspect": "inspect:inspect",
    "phase": "phase:phase",
    "lab": "lab:lab",
    "status": "clusters:status",
    "sbatch": "clusters:sbatch",
    "doctor": "doctor:doctor",
}
"""The function of each command, by name, so that `tegum --help` and a wrong word do not wait until the engines are loaded."""


_LEAST_COLUMNS = 20
_PATIENCE_SECONDS = 1.5
_pressed: list[int] = []  # libraries make errors of their own of Ctrl-C, which do not say that they are


def first_line(place: str) -> str:
    """The first line of a function's docstring, read from the file."""
    module, _, name = place.partition(":")
    text = Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8")
    return text.partition(f"\ndef {name}(")[2].partition('"""')[2].partition("\n")[0].removesuffix('"""')


app = App(
    name="tegum",
    help="The laboratory for toy models of superposition.",
    version=tegum_version,
    suppress_keyboard_interrupt=False,
)
for name, place in COMMANDS.items():
    app.command(f"tegum.cli.{place}", name=name, help=first_line(place))


def run(words: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    words = densities(sys.argv[1:] if words is None else words)
    try:
        if words and words[0] in COMMANDS:
            app[words[0]].help = None  # its own docstring, which has an example
        with on_the_command_line():
            code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - raised again where it is a fault of tegum
        return _code_for(error)
    return code if isinstance(code, int) else 0


def _code_for(error: Exception | KeyboardInterrupt) -> int:
    """Says what is wrong; returns the exit code.  Raises what is not for the user to mend."""
    if came_of_interruption(error) or _pressed:
        sys.stderr.write("tegum: interrupted\n")
        return INTERRUPTED
    if isinstance(error, CycloptsError):
        from tegum.cli.mistakes import in_words  # only where there is one

        sys.stderr.write(f"tegum: {in_words(error)}\n")
        return WRONG_USE
    if isinstance(error, InvalidInputError):
        sys.stderr.write(f"tegum: {error}\n")
        return WRONG_USE
    if isinstance(error, PiecesFailed):
        sys.stderr.write(f"tegum: {error}\n")
        return FAULT
    if isinstance(error, OSError | MemoryError) and not isinstance(error, BrokenPipeError):
        what = error if isinstance(error, MemoryError) else f"{error.filename or 'a file'} ({error.strerror})"
        sys.stderr.write(f"tegum: this machine fails: {what or 'no memory is left'}; what was finished is kept\n")
        return WRONG_USE
    raise error


def _end_in_any_case() -> Callable[[], None]:
    """Lets a thread end the process where Ctrl-C has not done so: compiling, a long step, a library that lost the exception.

    Python's own handlers wait until compiled code returns; what they are told by, a byte in a pipe, does not.  Returns what
    ends the thread.
    """
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    ended = threading.Event()

    def listen() -> None:
        while (byte := os.read(heard, 1)) not in (bytes([signal.SIGINT]), b""):
            pass
        if byte and not ended.wait(_PATIENCE_SECONDS):
            os.write(2, b"tegum: interrupted\n")
            os._exit(INTERRUPTED)
        os.close(heard)

    threading.Thread(target=listen, name="tegum-interrupt", daemon=True).start()
    said = sys.unraisablehook
    sys.unraisablehook = lambda lost: None if isinstance(lost.exc_value, KeyboardInterrupt) else said(lost)

    def end() -> None:
        ended.set()
        signal.set_wakeup_fd(-1)
        os.close(told)
        sys.unraisablehook = said

    return end


def _interrupt(number: int, frame: FrameType | None) -> None:
    """What Ctrl-C does: the first ends the command cleanly; another ends the process, and no file is half written."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    _pressed.append(number)
    signal.default_int_handler(number, frame)


def _prepare_streams() -> None:
    """Makes every word writable: where a stream is closed, nowhere; where its encoding is narrow, as an escape."""
    if os.environ.get("COLUMNS", "").isdigit() and int(os.environ["COLUMNS"]) < _LEAST_COLUMNS:
        del os.environ["COLUMNS"]
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _leave_at_once() -> None:
    """Ends the process after Ctrl-C: to take down all that is loaded needs longer than many a command.

    Python's own end has another exit code where Ctrl-C fell into code that is made while it runs, as that of dataclasses.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(INTERRUPTED)


def main(own: Any = None) -> None:
    """The entry point of the `tegum` command; ``own`` is what Ctrl-C does in this process, where it does something else now."""
    watched: Callable[[], None] | None = None
    if (own or signal.getsignal(signal.SIGINT)) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))  # nothing is there yet that would be left half done
        watched = _end_in_any_case()
    _prepare_streams()
    try:
        if watched is not None:
            signal.signal(signal.SIGINT, _interrupt)
        code = run()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # while the interpreter ends
    except KeyboardInterrupt as error:  # before the command began, or after it
        code = _code_for(error)
    except BrokenPipeError:  # whoever reads has seen enough, as in `tegum list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = PIPE_CLOSED
    except SystemExit as left:  # the help's library ends with 1 where the pipe is closed
        code = PIPE_CLOSED if isinstance(left.__context__, BrokenPipeError) else int(left.code or 0)
    except Exception:  # noqa: BLE001
        traceback.print_exc()
        sys.stderr.write("tegum: this is a fault of tegum, not yours; what was finished is kept\n")
        code = FAULT
    if code == INTERRUPTED:
        _leave_at_once()
    if watched is not None:
        watched()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)
