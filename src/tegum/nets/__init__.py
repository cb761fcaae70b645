"""The model families: equation, parameters, initialisation and a plain NumPy forward pass."""

from tegum.nets.activation import ACTIVATIONS, RELU, Activation
from tegum.nets.families import AbsoluteValue, ActivationOutput, Linear, ReluHidden, ReluOutput, Untied, UntiedNeurons
from tegum.nets.initialisation import Initialisation, active_parameters, initial_parameters
from tegum.nets.net import Net, Parameters, require_same_features
from tegum.nets.target import TargetMap

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
    "TargetMap",
    "Untied",
    "UntiedNeurons",
    "active_parameters",
    "initial_parameters",
    "require_same_features",
]
