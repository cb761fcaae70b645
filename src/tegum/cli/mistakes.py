"""What the command line says of words that no command takes: what is wrong, the value, and what to do."""

from cyclopts import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownOptionError,
    UnusedCliTokensError,
)

_KINDS = {int: "a whole number", float: "a number"}


def in_words(error: CycloptsError) -> str:
    """A mistake in house words; those of which the parser itself says what may be chosen, as it says them."""
    command = " ".join(("tegum", *(error.command_chain or ())))
    if isinstance(error, UnknownOptionError):
        return _unknown(error, command)
    if isinstance(error, UnusedCliTokensError):
        words = " ".join(error.unused_tokens or ())
        return f"{command} has no use for {words!r}: leave it out, or see `{command} --help` for the option that it belongs to"
    if isinstance(error, RepeatArgumentError):
        name = error.token.keyword
        other = ", or once as --sparsity, which is 1 minus it" if name == "--density" else ""
        return f"{name} is given more than once, be it under its other name: give it once{other}"
    if isinstance(error, CoercionError) and error.token is not None and error.target_type in _KINDS:
        return f"{error.token.keyword} is {error.token.value!r}: give {_KINDS[error.target_type]}"
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        name = error.keyword or error.argument.name
        lacks = f"a value of {name}" if name.startswith("-") else name
        return f"{command} lacks {lacks}: give one, `{command} --help` says what it is"
    return str(error)


def _unknown(error: UnknownOptionError, command: str) -> str:
    """An option that is none; where it is a field of a training, how that is set."""
    option = (error.token.keyword or error.token.value).partition("=")[0]
    if command == "tegum train":
        from tegum.cli.problem import place_of  # loaded before, with the command

        if place := place_of(option.strip("-").replace("-", "_")):
            return f"there is no option {option}: write --set {place}=..."
    _, near, close = str(error).partition("Did you mean ")
    return f"{command} has no option {option}: " + (f"did you mean {close}" if near else f"see `{command} --help`")
