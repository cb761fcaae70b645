"""From any feature distribution to the laws whose losses are known, weighted: an expected loss is linear in the law.

    law                                              features
    blocks (compiled), with copies for both signs    uniform or exponential magnitudes; few choices of k of n
    one active at a time: closed forms               one of n, one anticorrelated set
    states: a finite sum                             `FiniteLaw`, constant magnitudes with few combinations
    lattice: met in the middle                       constant magnitudes of up to about 40 binary features
    transform: inversion in NumPy                    magnitudes of your own, uniform ones away from 0, k of n
    second moments                                   everything, of linear nets

`laws_of` finds them, and refuses what none of them covers, saying what to do instead.
"""

from tegum.exact.laws.answer import Answer, Asked, Law, weighted
from tegum.exact.laws.choice import Laws, laws_for, laws_of_net
from tegum.exact.laws.curvature import CurvedBy
from tegum.exact.laws.flat import LawLoss
from tegum.exact.laws.linear import LinearLaw

__all__ = ["Answer", "Asked", "CurvedBy", "Law", "LawLoss", "Laws", "LinearLaw", "laws_for", "laws_of_net", "weighted"]
