"""How options are written: numbers, several with commas, and a name with its number.

>>> number("0.1"), numbers("0.1,0.2,0.3"), curve("geometric:0.9")
(0.1, [0.1, 0.2, 0.3], {'geometric': 0.9})
"""

import re
from collections.abc import Sequence
from decimal import Decimal, DecimalException
from typing import Annotated

from cyclopts import Parameter

from tegum.errors import InvalidInputError

Number = Annotated[int, Parameter(allow_leading_hyphen=True)]
"""A whole number; one below 0 is a wrong value and not an option."""

Text = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""Numbers as the functions below read them."""


CURVES = {"geometric": 0.9, "power_law": 1, "one_odd": 0.1}
"""The curves of importance by name, with a number that they may have."""


def number(text: str) -> float:
    """One number; an `InvalidInputError` where it is none."""
    try:
        return float(text)
    except ValueError:
        advice = "write numbers like 0.1, several with commas and no spaces"
        if text in CURVES:
            advice = f"give {text} its number, such as {text}:{CURVES[text]}"
        raise InvalidInputError(f"{text!r} is not a number", advice) from None


def numbers(text: str) -> list[float]:
    """Numbers with commas between them; an `InvalidInputError` where one is none."""
    return [number(part) for part in text.split(",")]


def densities(words: Sequence[str]) -> list[str]:
    """The words of a command with every --sparsity as the --density that it is: 1 minus it, number by number.

    >>> densities(["train", "--sparsity", "0,0.9"]), densities(["phase", "--sparsity=0:0.99"])
    (['train', '--density', '1,0.1'], ['phase', '--density', '0.01:1'])
    """
    words = [part for word in words for part in (word.split("=", 1) if word.startswith("--sparsity=") else [word])]
    before = ["", *words]
    density = {"--sparsity": "--density"}
    return [_one_minus(word) if last in density else density.get(word, word) for last, word in zip(before, words, strict=False)]


def _one_minus(text: str) -> str:
    """1 minus each number of a list, of a range (which still rises), or after a name: ``0,0.9``, ``0:0.99``, ``seed:0,0.9``."""
    parts = re.split("([:,])", text)
    try:
        parts = [part if k % 2 else _complement(part) for k, part in enumerate(parts)]
    except ValueError:
        name, colon, rest = text.partition(":")
        return f"{name}:{_one_minus(rest)}" if colon else text
    return "".join(parts[::-1] if ":" in parts else parts)


def _complement(text: str) -> str:
    """1 minus a number, in as many digits as it has; of exponents too large for that, in those of a float."""
    try:
        return f"{1 - Decimal(text)}"
    except DecimalException:
        return f"{1 - float(text)}"


def curve(text: str) -> float | list[float] | dict[str, float]:
    """A number, numbers with commas, or a named curve, which becomes a mapping as in a TOML file."""
    name, colon, value = text.partition(":")
    if colon:
        return {name: number(value)}
    values = numbers(text)
    return values[0] if len(values) == 1 else values
