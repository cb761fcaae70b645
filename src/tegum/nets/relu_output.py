"""The ReLU-output model: the paper's main subject, in which superposition appears."""

from dataclasses import dataclass
from typing import final

from tegum.nets.net import Net


@final
@dataclass(frozen=True)
class ReluOutput(Net):
    """y = ReLU(W^T W x + b).

    Source: `Toy Models of Superposition`, section 2.1.
    """

    hidden_relu = False
    output_relu = True
    tied = True
