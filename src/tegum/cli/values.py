"""How options are written: numbers, several with commas, and a name with its number.

>>> number("0.1"), numbers("0.1,0.2,0.3"), curve("geometric:0.9")
(0.1, [0.1, 0.2, 0.3], {'geometric': 0.9})
"""

from typing import Annotated

from cyclopts import Parameter

from tegum.errors import InvalidInputError

Number = Annotated[int, Parameter(allow_leading_hyphen=True)]
"""A whole number; one below 0 is a wrong value and not an option."""

Text = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""Numbers as the functions below read them."""


def number(text: str) -> float:
    """One number; an `InvalidInputError` where it is none."""
    try:
        return float(text)
    except ValueError:
        raise InvalidInputError(
            f"{text!r} is not a number", "write numbers like 0.1, several with commas and no spaces"
        ) from None


def numbers(text: str) -> list[float]:
    """Numbers with commas between them; an `InvalidInputError` where one is none."""
    return [number(part) for part in text.split(",")]


def curve(text: str) -> float | list[float] | dict[str, float]:
    """A number, numbers with commas, or a named curve, which becomes a mapping as in a TOML file."""
    name, colon, value = text.partition(":")
    if colon:
        return {name: number(value)}
    values = numbers(text)
    return values[0] if len(values) == 1 else values
