"""Singular learning theory on models whose loss is known exactly: estimators and phase transitions with answers beside them.

What a sampler says of a local learning coefficient is compared with half the rank of an exact Hessian, or with how fast the
volume of nearly as good parameters shrinks; what is in print of Bayesian and dynamical transitions is rebuilt without noise.
"""

HEADING = "Posterior"
