"""``python -m tegum``, and the `tegum` command: the command line, loaded where Ctrl-C cannot leave a traceback."""

import os
import signal


def main() -> None:
    """Loads the command line and runs it."""
    own = signal.getsignal(signal.SIGINT)
    if own is signal.default_int_handler:  # loading takes longer than many a command, and libraries may swallow an exception
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from tegum.cli import main as run

    run(own)


if __name__ == "__main__":
    main()
