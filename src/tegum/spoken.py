"""How options of reading are called when somebody is told to give one: arguments in Python, options on the command line.

>>> spoken("encoder_bias", "b_enc"), spoken("rows", True), spoken("array")
("encoder_bias='b_enc'", 'rows=True', 'array')
>>> with on_the_command_line():
...     spoken("encoder_bias", "b_enc"), spoken("rows", False), spoken("array", "D @ E"), spoken("array")
('--encoder-bias b_enc', '--no-rows', "--array 'D @ E'", '--array')
"""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_COMMAND = ContextVar("_COMMAND", default=False)


@contextmanager
def on_the_command_line() -> Iterator[None]:
    """Within it options are called as a command has them."""
    token = _COMMAND.set(True)
    try:
        yield
    finally:
        _COMMAND.reset(token)


def spoken(option: str, value: str | bool | None = None) -> str:
    """An option with its value, or its name alone."""
    if not _COMMAND.get():
        return option if value is None else f"{option}={value!r}"
    name = option.replace("_", "-")
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no-{name}"
    return f"--{name}" if value is None else f"--{name} {shlex.quote(value)}"
