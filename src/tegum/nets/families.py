"""The model families: what stands between x and y, and what y is compared with.

>>> import numpy as np
>>> from tegum.nets import ReluOutput
>>> net = ReluOutput(n_features=2, n_hidden=1)
>>> net.parameter_shapes()
{'W': (1, 2), 'b': (2,)}
>>> digon = {"W": np.array([[1.0, -1.0]]), "b": np.zeros(2)}         # two features in one dimension
>>> net.forward(digon, np.array([[0.5, 0.0], [0.0, 0.5], [0.5, 0.4]]))
array([[0.5, 0. ],
       [0. , 0.5],
       [0.1, 0. ]])

Source: `Toy Models of Superposition`, of each family the section named below.
"""

from dataclasses import dataclass
from typing import final

from tegum.nets.activation import Activation, activation_called
from tegum.nets.net import Net
from tegum.nets.target import TargetMap


@final
@dataclass(frozen=True)
class Linear(Net):
    """y = W^T W x + b, which learns principal components and never superposes (section 2.1)."""


@final
@dataclass(frozen=True)
class ReluOutput(Net):
    """y = ReLU(W^T W x + b), the paper's main subject, in which superposition appears (section 2.1)."""

    output_relu = True


@final
@dataclass(frozen=True)
class ReluHidden(Net):
    """h = ReLU(W x + b_hidden), y = ReLU(W^T h + b), whose hidden units are neurons: a privileged basis (section 8).

    Without ``hidden_bias`` (the default, as in the paper) b_hidden = 0.
    """

    hidden_bias: bool = False

    hidden_relu = True
    output_relu = True

    @property
    def has_hidden_bias(self) -> bool:
        """As asked for."""
        return self.hidden_bias


@final
@dataclass(frozen=True)
class AbsoluteValue(Net):
    """h = ReLU(W1 x), y = ReLU(W2 h + b), compared with |x|: a net that must compute, not only store (section 9).

    W1 (m x n) and W2 (n x m) are free of each other.
    """

    hidden_relu = True
    output_relu = True
    tied = False
    absolute_target = True


@dataclass(frozen=True)
class _Activated(Net):
    activation: str | Activation = "relu"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "activation", activation_called(self.activation))

    @property
    def output_activation(self) -> Activation:
        """As asked for."""
        return activation_called(self.activation)


@final
@dataclass(frozen=True)
class ActivationOutput(_Activated):
    """y = f(W^T W x + b), f an activation by name ("gelu", "softplus", "square", "abs", "tanh", ...) or of your own.

    Phase diagrams for other activations are mentioned in the comments on the paper.
    """


@dataclass(frozen=True)
class _Free(_Activated):
    hidden_bias: bool = False
    target_map: TargetMap | None = None

    tied = False

    @property
    def has_hidden_bias(self) -> bool:
        """As asked for."""
        return self.hidden_bias


@final
@dataclass(frozen=True)
class Untied(_Free):
    """y = f(W2 h + b), h = W1 x + b_hidden: as `ReluOutput`, with an encoder and a decoder that are free of each other.

    W1 (m x n) and W2 (n x m); f is a ReLU unless another ``activation`` is asked for, as in `ActivationOutput`.  Without
    ``hidden_bias`` (the default) b_hidden = 0.  The same map W2 W1 has many such pairs: W1 -> A W1, W2 -> W2 A^-1.  With a
    ``target_map`` y is compared with r(A x + v) in place of x.
    """


@final
@dataclass(frozen=True)
class UntiedNeurons(_Free):
    """y = f(W2 h + b), h = ReLU(W1 x + b_hidden): as `Untied`, with a ReLU in between: a net that can compute.

    Compared with x or, with a ``target_map``, with r(A x + v): `AbsoluteValue` for any other function of that kind.
    """

    hidden_relu = True
