"""What is known to be wrong with an estimate of a learning coefficient at a regular or flat minimum, by cause.

There a chain is linear, with gradient noise of covariance C / B in batches of B, and step sizes P (a matrix; e times 1 for
SGLD, diagonal for RMSProp):

    w' = w - P/2 (M w + n_beta noise) + P^(1/2) N(0, 1),     M = n_beta H + gamma

so that u = P^(-1/2) w has the stationary covariance S with, in the eigenvectors of K = P^(1/2) M P^(1/2), eigenvalues k,

    S_ab [1 - (1 - k_a / 2)(1 - k_b / 2)] = 1_ab + n_beta^2 / (4 B) (P^(1/2) C P^(1/2))_ab
    estimate = n_beta / 2 tr(H P^(1/2) S P^(1/2))            infinite where some k >= 4: it diverges

localisation: the same with P -> 0 and no noise, minus rank / 2; step size: with P and no noise, minus that; batches: the rest,
C taken at the point: a minimum of loss 0 has none there, and batches cost more than is said.
distance: how much lower n_beta L is at the chain's centre than at the point, where a rounded minimum has left a gradient.
H are the directions that are bent: what rounding leaves in rotations and in flat ones is no curvature.

>>> import tegum as tg
>>> from tegum.posterior.bowl import bowl_at
>>> objective = tg.exact.Objective(tg.nets.ReluOutput(2, 1), tg.features.AnticorrelatedSets(1, 2, density=0.5))
>>> x = objective.flat([[1.0, -1.0]], [0.0, 0.0])
>>> bowl = bowl_at(objective.net, objective.features, x, objective.hessian(x), rank=4)
>>> {name: round(one, 3) + 0.0 for name, one in known_biases(bowl, objective, 1e4, 100.0, Langevin(1e-5)).items()}
{'localisation': -0.066, 'distance': 0.0, 'step size': 0.062, 'batches': 0.0}
"""

import numpy as np
from numpy.typing import NDArray

from tegum.exact import Objective
from tegum.exact.parameters import free_of
from tegum.posterior.bowl import Bowl, Loss
from tegum.posterior.noise import gradient_covariance
from tegum.posterior.sample import metric_at
from tegum.posterior.samplers import Langevin, RMSProp, Sampler

Floats = NDArray[np.float64]

_ROUNDS, _SETTLED = 50, 1e-6


def known_biases(bowl: Bowl, objective: Objective, n_beta: float, localisation: float, sampler: Sampler) -> dict[str, float]:
    """What is wrong with an estimate at a regular or flat minimum, by cause, for chains on an objective."""
    c, x, net, features = bowl.curvature, bowl.x, objective.net, objective.features
    gamma = bowl.held_by(localisation, n_beta)
    found = {"localisation": -0.5 * float((gamma / (n_beta * c + gamma)).sum())}
    found["distance"] = -bowl.distance(bowl.slope_of(Loss(net, features, objective.terms)), n_beta, localisation)
    if isinstance(sampler, Langevin | RMSProp):
        held = len(c) / 2 + found["localisation"]
        moves = np.ix_(*[free_of(net)] * 2)
        H = (bowl.directions * c @ bowl.directions.T)[moves]
        A = metric_at(objective, x, n_beta, localisation, sampler.metric)[moves]
        C = np.zeros_like(H)
        if sampler.batch_size:
            C = gradient_covariance(net, features, *objective.parameters(x))[moves] / sampler.batch_size
        moving = predicted(H, C, n_beta, gamma, sampler, A)
        smooth = predicted(H, C, n_beta, gamma, sampler, A, noisy=False)
        found |= {"step size": smooth - held, "batches": moving - smooth if np.isfinite(smooth) else 0.0}
    return found


def predicted(
    H: Floats, C: Floats, n_beta: float, gamma: float, sampler: Langevin | RMSProp, A: Floats, noisy: bool = True
) -> float:
    """What a biased sampler estimates in a quadratic bowl of Hessian H, batches adding noise of covariance C to the gradient.

    ``A`` are the coordinates of the sampler's metric.  Infinite where it diverges.  RMSProp's step sizes depend on the
    gradients that it sees, and these on the step sizes: they are iterated.
    """
    d = len(H)
    H, C, M = A.T @ H @ A, A.T @ C @ A, A.T @ (n_beta * H + gamma * np.eye(d)) @ A
    squares = np.diag(C)
    value = float("nan")
    for _ in range(_ROUNDS if isinstance(sampler, RMSProp) else 1):
        step = np.full(d, sampler.step_size)
        if isinstance(sampler, RMSProp):
            step = step / (np.sqrt(squares) + sampler.stability)
        root = np.sqrt(step)
        k, Q = np.linalg.eigh(root[:, None] * M * root)
        if k[-1] >= 4:
            return float("inf")
        noise = n_beta**2 / 4 * root[:, None] * C * root if noisy else np.zeros_like(C)
        shrunk = 1 - k / 2
        S = Q @ ((np.eye(d) + Q.T @ noise @ Q) / (1 - np.outer(shrunk, shrunk))) @ Q.T
        spread = root[:, None] * S * root
        before, value = value, 0.5 * n_beta * float(np.trace(H @ spread))
        squares = np.diag(C) + np.maximum(np.diag(H @ spread @ H), 0)
        if abs(before - value) < _SETTLED * abs(value):
            break
    return value
