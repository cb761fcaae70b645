"""What tegum says when it is used wrongly: what is wrong, the value, what to do, all mistakes at once.

>>> with Problems() as problems:
...     problems.add("steps is 0", "train for at least 1 step")
Traceback (most recent call last):
    ...
tegum.errors.InvalidInputError: steps is 0: train for at least 1 step
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from numbers import Integral, Real
from typing import NamedTuple, Self

MOST = 1_000_000
"""How many there may be of anything that is counted: features, seeds, records."""


class Problem(NamedTuple):
    """One thing that is wrong: a statement that contains the value, and what to do about it."""

    what: str
    advice: str

    def __str__(self) -> str:
        return f"{self.what}: {self.advice}"


class InvalidInputError(ValueError):
    """A wrong use of tegum. The command line prints it without a traceback and ends with exit code 2."""

    def __init__(self, what: str | Sequence[Problem], advice: str = "") -> None:
        """Of one problem, in two strings as `Problem` takes them; or of several."""
        problems = (Problem(what, advice),) if isinstance(what, str) else tuple(what)
        self.problems = problems
        lines = [str(problem) for problem in problems]
        if len(lines) > 1:
            lines = [f"{len(lines)} mistakes:", *(f"  {line}" for line in lines)]
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type, tuple[tuple[Problem, ...]]]:
        """How it travels from another process: what it was made of, not what it says."""
        return type(self), (self.problems,)


class Problems:
    """Collects problems so that a user sees all of them in one message: as a block it ends by raising what was noted."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, what: str, advice: str) -> None:
        """Notes a problem."""
        self.found.append(Problem(what, advice))

    def check_count(self, name: str, value: object) -> None:
        """Notes a problem unless the value is a whole number from 1 to a million."""
        if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < 1:
            self.add(f"{name} is {value!r}", "choose a whole number of at least 1")
        elif int(value) > MOST:
            self.add(f"{name} is {value}", f"choose a whole number of at most {MOST:,}")

    def check_number(self, name: str, value: object, low: float, high: float) -> None:
        """Notes a problem unless the value is a number from low to high."""
        if isinstance(value, bool) or not isinstance(value, Real) or not low <= float(value) <= high:
            shown = value if isinstance(value, Real) else repr(value)
            self.add(f"{name} is {shown}", f"choose a number from {low:g} to {high:g}")

    def check_least(self, name: str, value: float | None, least: float = 1) -> None:
        """Notes a problem where a number is given and below the least."""
        if value is not None and value < least:
            self.add(f"{name} is {value}", f"choose at least {least}")

    def check_fraction(self, name: str, value: object) -> None:
        """Notes a problem unless the value is a number between 0 and 1, neither of them."""
        if not isinstance(value, Real) or not 0 < float(value) < 1:
            shown = f"{float(value):g}" if isinstance(value, Real) else repr(value)
            self.add(f"{name} is {shown}", "choose a number between 0 and 1, such as 1e-6")

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Notes the problems of an `InvalidInputError` raised inside the block instead of letting it through."""
        try:
            yield
        except InvalidInputError as mistake:
            self.found.extend(mistake.problems)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, mistake: BaseException | None, _trace: object) -> None:
        if isinstance(mistake, InvalidInputError):
            self.found.extend(mistake.problems)
        if mistake is None or isinstance(mistake, InvalidInputError):
            self.raise_if_any()

    def raise_if_any(self) -> None:
        """Raises one `InvalidInputError` with everything noted so far, each problem once; does nothing where nothing was."""
        if self.found:
            raise InvalidInputError(list(dict.fromkeys(self.found))) from None


class PiecesFailed(Exception):
    """Pieces of a call failed each time they were tried, on this machine or a worker; the others are finished."""


def unknown_field(owner: str, name: str, known: Sequence[str], kind: str = "field") -> Problem:
    """The problem of a field that does not exist, with the closest that does; an owner may be "neither this nor that"."""
    close = get_close_matches(name, known, n=1)
    advice = f"did you mean {close[0]!r}?" if close else f"choose among {', '.join(known)}" if known else "give nothing"
    if name == "sparsity" and "density" in known:
        advice = "give the density, which is 1 - sparsity"
    return Problem(f"{owner} has {'a' if owner.startswith('neither ') else 'no'} {kind} {name!r}", advice)
