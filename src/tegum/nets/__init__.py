"""The model families: equation, parameters, initialisation and a plain NumPy forward pass."""

from tegum.nets.absolute_value import AbsoluteValue
from tegum.nets.activation import ACTIVATIONS, RELU, Activation
from tegum.nets.activation_output import ActivationOutput
from tegum.nets.initialisation import Initialisation, alive_parameters, initial_parameters
from tegum.nets.linear import Linear
from tegum.nets.net import Net, Parameters, require_same_features
from tegum.nets.relu_hidden import ReluHidden
from tegum.nets.relu_output import ReluOutput

__all__ = [
    "ACTIVATIONS",
    "RELU",
    "AbsoluteValue",
    "Activation",
    "ActivationOutput",
    "Initialisation",
    "Linear",
    "Net",
    "Parameters",
    "ReluHidden",
    "ReluOutput",
    "alive_parameters",
    "initial_parameters",
    "require_same_features",
]
