"""Feature distributions: which features are active together, how often, how strongly, and how much each matters."""

from tegum.features.blocks import Blocks
from tegum.features.distribution import Features
from tegum.features.finite import Empirical, FiniteLaw, data_set
from tegum.features.importance import constant, geometric, one_odd, power_law
from tegum.features.independent import Independent
from tegum.features.joined import Joined
from tegum.features.k_sparse import KSparse
from tegum.features.magnitudes import Constant, Exponential, Magnitude, Uniform
from tegum.features.mixture import Mixture, tree
from tegum.features.sets import AnticorrelatedSets, CorrelatedSets
from tegum.features.unit_length import UnitLength

__all__ = [
    "AnticorrelatedSets",
    "Blocks",
    "Constant",
    "CorrelatedSets",
    "Empirical",
    "Exponential",
    "Features",
    "FiniteLaw",
    "Independent",
    "Joined",
    "KSparse",
    "Magnitude",
    "Mixture",
    "Uniform",
    "UnitLength",
    "constant",
    "data_set",
    "geometric",
    "one_odd",
    "power_law",
    "tree",
]
