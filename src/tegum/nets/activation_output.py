"""The ReLU-output model with another function in the ReLU's place."""

from dataclasses import dataclass
from typing import final

from tegum.nets.activation import Activation, activation_called
from tegum.nets.net import Net


@final
@dataclass(frozen=True)
class ActivationOutput(Net):
    """y = f(W^T W x + b), f an activation by name ("gelu", "softplus", "square", "abs", "tanh", ...) or of your own.

    tg.nets.ActivationOutput(2, 1, activation="gelu")
    tg.nets.ActivationOutput(2, 1, activation=tg.nets.Activation("cube", value=..., slope=...))

    Source: the comments on `Toy Models of Superposition`, where phase diagrams for other activations are mentioned.
    """

    activation: str | Activation = "relu"

    hidden_relu = False
    output_relu = False
    tied = True

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "activation", activation_called(self.activation))

    @property
    def output_activation(self) -> Activation:
        """As asked for."""
        return activation_called(self.activation)
