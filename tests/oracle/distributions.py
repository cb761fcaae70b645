"""Every feature distribution with every option: the battery that a new distribution joins."""

import numpy as np

from tegum.features import AnticorrelatedSets, Constant, CorrelatedSets, Exponential, Features, Independent, KSparse

MIXED = np.array([1.0, 0.9, 0.31, 0.05, 0.004, 0.0])


def distributions() -> list[Features]:
    """One distribution of each kind, magnitudes and signs varied."""
    return [
        Independent(6, density=MIXED),
        Independent(6, density=MIXED, signed=True),
        Independent(4, density=0.2, magnitude=Exponential(0.7)),
        Independent(4, density=0.2, magnitude=Constant(1.5), signed=True),
        CorrelatedSets(3, 2, density=np.array([0.9, 0.2, 0.03])),
        CorrelatedSets(2, 3, density=0.3, signed=True, magnitude=Exponential(2.0)),
        AnticorrelatedSets(2, 3, density=np.array([0.5, 0.3, 0.2, 0.1, 0.0, 0.05])),
        AnticorrelatedSets(2, 2, density=0.4, signed=True),
        AnticorrelatedSets(1, 3, density=1 / 3, magnitude=Constant(2.0)),
        KSparse(6, 2),
        KSparse(5, 5, signed=True),
        KSparse(7, 1, magnitude=Exponential()),
    ]
