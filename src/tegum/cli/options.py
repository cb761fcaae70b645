"""Options of commands about models in a file: which arrays to read, and of which features the models are.

Each group of options is a dataclass, which the commands share; `models` does what they say.
"""

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, final

from cyclopts import Parameter

from tegum.cli.values import Text


@Parameter(name="*")
@final
@dataclass(frozen=True)
class Reading:
    """How to read a file of weights.

    Attributes:
        array: The name of the weights, where the file holds several arrays that could be.
        bias: The name of the output bias, or none for b = 0.
        encoder_bias: The name of a bias of the hidden values, which becomes part of b, or none.
        rows: A row of the array is a feature: (..., n, m).
    """

    array: str | None = None
    bias: str | None = None
    encoder_bias: str | None = None
    rows: bool | None = None


AS_IT_IS = Reading()


@Parameter(name="*")
@dataclass(frozen=True)
class Wanted:
    """The features and the output that models are judged on; by default those that the file says.

    Attributes:
        density: Probability that a feature is active (--sparsity is 1 minus it), or one for each feature (each correlated set)
            with commas.
        importance: A number, one for each feature with commas, or geometric:0.9, power_law:1, one_odd:0.1.
        sets: independent, correlated:SIZE or anticorrelated:SIZE; neighbouring features make a set.
        magnitudes: uniform or exponential:MEAN.
        activation: relu or linear output; by default that of the file, or relu.
    """

    density: Text | None = None
    importance: Text | None = None
    sets: str | None = None
    magnitudes: str | None = None
    activation: Literal["relu", "linear"] | None = None


FILES_OWN = Wanted()


@Parameter(name="*")
@final
@dataclass(frozen=True)
class Judged(Wanted):
    """The same, and what a loss is.

    Attributes:
        mean: Losses are means over features, as of MSELoss; by default sums.
    """

    mean: Annotated[bool, Parameter(negative="")] = False


SUMS = Judged()


def given(*groups: Any) -> list[str]:
    """The options of these groups that are not left out.

    >>> given(Wanted(density="0.1"), Reading(encoder_bias="none"))
    ['--density', '--encoder-bias']
    """
    both = [(one, group) for group in groups for one in fields(group)]
    return [f"--{one.name.replace('_', '-')}" for one, group in both if getattr(group, one.name) != one.default]
