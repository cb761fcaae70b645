"""``python -m tegum``, and the `tegum` command: the command line, loaded where Ctrl-C cannot leave a traceback."""

import sys


def main() -> None:
    """Loads the command line and runs it."""
    try:
        from tegum.cli import main as run  # loading takes longer than many a command
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
