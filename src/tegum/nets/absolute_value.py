"""The absolute-value model: a net that must compute |x|, not only store x."""

from dataclasses import dataclass
from typing import final

from tegum.nets.net import Net


@final
@dataclass(frozen=True)
class AbsoluteValue(Net):
    """h = ReLU(W1 x), y = ReLU(W2 h + b), compared with |x|; W1 (m x n) and W2 (n x m) are free of each other.

    Source: `Toy Models of Superposition`, section 9.
    """

    hidden_relu = True
    output_relu = True
    tied = False
    absolute_target = True
