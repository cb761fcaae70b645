"""The linear model: it learns principal components and never superposes."""

from dataclasses import dataclass
from typing import final

from tegum.nets.net import Net


@final
@dataclass(frozen=True)
class Linear(Net):
    """y = W^T W x + b.

    Source: `Toy Models of Superposition`, section 2.1.
    """

    hidden_relu = False
    output_relu = False
    tied = True
