"""The ReLU-hidden model: a nonlinearity on h gives the hidden units a privileged basis, so neurons mean something."""

from dataclasses import dataclass
from typing import final

from tegum.nets.net import Net


@final
@dataclass(frozen=True)
class ReluHidden(Net):
    """h = ReLU(W x + b_hidden), y = ReLU(W^T h + b); without ``hidden_bias`` (the default, as in the paper) b_hidden = 0.

    Source: `Toy Models of Superposition`, section 8.
    """

    hidden_bias: bool = False

    hidden_relu = True
    output_relu = True
    tied = True

    @property
    def has_hidden_bias(self) -> bool:
        """As asked for."""
        return self.hidden_bias
