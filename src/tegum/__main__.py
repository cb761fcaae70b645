"""``python -m tegum``, and the `tegum` command: the command line, loaded where Ctrl-C cannot leave a traceback."""

import atexit
import gc
import os
import signal
import sys
from contextlib import suppress

BLAS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""How many threads NumPy's products take, for each library that may be behind it; read when that is loaded."""


_OBJECTS = 100_000
"""How many objects are made before Python looks for garbage among them: libraries that load make as many, and drop none."""


def main() -> None:
    """Loads the command line and runs it; NumPy's products keep to one thread, unless the user has said otherwise.

    The engines have threads of their own.  Threads of a product of small matrices mostly wait for each other, and they wait
    running: on a machine that does other work too, gradient ascent on 300 examples took 2.6 s of the processor, and 0.07 with
    one.
    """
    for name in BLAS:
        os.environ.setdefault(name, "1")
    own = signal.getsignal(signal.SIGINT)
    if own is signal.default_int_handler:  # loading takes longer than many a command, and libraries may swallow an exception
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    gc.set_threshold(_OBJECTS)
    from tegum.cli import main as run

    try:
        run(own)
    except SystemExit as end:
        _leave(int(end.code or 0))


def _leave(code: int) -> None:
    """Ends the process, and leaves all that is loaded where it is: to take it down lasts a fifth of a second."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
