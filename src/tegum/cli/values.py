"""How options are written: numbers, several with commas, and a name with its number.

0.1        0.1,0.2,0.3        geometric:0.9
"""

from tegum.errors import InvalidInputError


def number(text: str) -> float:
    """One number.

    Raises:
        InvalidInputError: where it is none.
    """
    try:
        return float(text)
    except ValueError:
        raise InvalidInputError(
            f"{text!r} is not a number", "write numbers like 0.1, several with commas and no spaces"
        ) from None


def numbers(text: str) -> list[float]:
    """Numbers with commas between them.

    Raises:
        InvalidInputError: where one of them is none.
    """
    return [number(part) for part in text.split(",")]


def curve(text: str) -> float | list[float] | dict[str, float]:
    """A number, numbers with commas, or a named curve: ``geometric:0.9`` becomes ``{"geometric": 0.9}``, as in a TOML file.

    Raises:
        InvalidInputError: where a number is none.
    """
    name, colon, value = text.partition(":")
    if colon:
        return {name: number(value)}
    values = numbers(text)
    return values[0] if len(values) == 1 else values
