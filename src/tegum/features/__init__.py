"""What the world contains: which features are on together, how often, how strongly, and how much each matters."""

from tegum.features.anticorrelated import AnticorrelatedSets
from tegum.features.blocks import Blocks
from tegum.features.correlated import CorrelatedSets
from tegum.features.distribution import Features
from tegum.features.importance import constant, geometric, one_odd, power_law
from tegum.features.independent import Independent
from tegum.features.k_sparse import KSparse
from tegum.features.magnitudes import Constant, Exponential, Magnitude, Uniform

__all__ = [
    "AnticorrelatedSets",
    "Blocks",
    "Constant",
    "CorrelatedSets",
    "Exponential",
    "Features",
    "Independent",
    "KSparse",
    "Magnitude",
    "Uniform",
    "constant",
    "geometric",
    "one_odd",
    "power_law",
]
