"""`tegum experiment NAME`: a new experiment, as one file to change."""

import re
from importlib.resources import files
from pathlib import Path

from tegum.cli.output import require_writable, say
from tegum.errors import InvalidInputError
from tegum.runs import write_atomically


def experiment(name: str, /, *, out: Path = Path()) -> int:
    """Start an experiment of your own: a file that runs as it is, to be changed.

    Parameters
    ----------
    name
        Its id, such as my-idea; the file is my_idea.py.
    out
        Folder for the file; here by default.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise InvalidInputError(f"the name is {name!r}", "choose small letters, digits and hyphens, such as my-idea")
    path = out / f"{name.replace('-', '_')}.py"
    if path.exists():
        raise InvalidInputError(f"{path} exists", "choose another name, or delete it first")
    require_writable(out)
    text = files("tegum.cli").joinpath("experiment.txt").read_text(encoding="utf-8")
    write_atomically(path, text.replace("NAME", name).encode())
    say(f"{path}: change what it trains, shows and claims")
    say(f"run it with: tegum reproduce {path}")
    return 0
