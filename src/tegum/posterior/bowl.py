"""How near to a minimum its loss is the parabola of its Hessian: how local a posterior must be, and how exact its loss.

Across what is still (rotations, and flat directions) a posterior of n_beta samples that is held by gamma is the Gaussian

    v = sum_a z_a d_a,        z_a ~ N(0, 1 / (n_beta h_a + gamma)),        h_a, d_a: bent eigenvectors of the Hessian

as far as the loss is L(w) + v . g + sum h_a z_a^2 / 2 where it goes, g the gradient that a rounded minimum has left.  An
estimate n_beta (E L - L(w)) of the coefficient rank / 2 is right to a share of it if n_beta times what is missing is less.

At a kinked minimum there is no parabola, and the posterior no Gaussian; its width is about that of the mean Hessian's, and what
matters is that L - L(w) - v . g is |v|^2 times one shape, the same where a posterior of ten times as many samples is.

>>> import tegum as tg
>>> net, features = tg.nets.ReluOutput(2, 1), tg.features.AnticorrelatedSets(1, 2, density=0.5)
>>> objective = tg.exact.Objective(net, features)
>>> x = objective.flat([[1.0, -1.0]], [0.0, 0.0])
>>> bowl = bowl_at(net, features, x, objective.hessian(x), rank=4)
>>> bowl.directions.shape, local_n_beta(bowl, 100.0)
((4, 4), 10000000.0)
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.exact.hessian import complement, still_directions
from tegum.exact.parameters import free_of
from tegum.features import Features
from tegum.nets import Net
from tegum.posterior.kernel.target import loss_of
from tegum.posterior.targets import target_for

Floats = NDArray[np.float64]

N_BETA, MOST_LOCAL = 1e7, 1e12
"""The least n_beta that is tried, and the largest."""
TERMS, SHARP_TERMS = 64, 1024
"""The fewest terms of a loss that is inverted, and the most."""
NEAR = 0.01
"""The share of the coefficient to which an estimate is to be right."""
_TRIED, _LOOSEST, _MORE = 64, 1e-9, 10.0


class Loss:
    """The loss as chains compute it with so many terms, and its gradient: a function of flat parameters."""

    def __init__(self, net: Net, features: Features, terms: int) -> None:
        """Of a net on features."""
        self.net, self.features = net, features
        self._target = target_for(net, features, terms)

    def __call__(self, x: Floats) -> tuple[float, Floats]:
        """At x (d,)."""
        gradient = np.zeros_like(x)
        return loss_of(self._target, np.ascontiguousarray(x), gradient), gradient


class Bowl(NamedTuple):
    """A loss as chains compute it, with ``SHARP_TERMS``, next to a minimum x (d,), in directions (d, rank) that are bent.

    ``curvature`` and ``slope`` (rank,) are along these.
    """

    loss: Loss
    x: Floats
    curvature: Floats
    directions: Floats
    slope: Floats

    @property
    def near(self) -> float:
        """A hundredth of the coefficient."""
        return NEAR * len(self.curvature) / 2

    def held_by(self, localisation: float, n_beta: float) -> float:
        """Gamma, which is never so small that directions that are not bent have no width."""
        return max(localisation, _LOOSEST * n_beta * float(self.curvature.max(initial=0.0)))

    def draws(self, n_beta: float, localisation: float) -> Floats:
        """Coordinates (64, rank) of the Gaussian, always the same but for its width."""
        normal = np.random.default_rng(0).normal(size=(_TRIED, len(self.curvature)))
        return np.asarray(normal / np.sqrt(n_beta * self.curvature + self.held_by(localisation, n_beta)))

    def slope_of(self, loss: Loss) -> Floats:
        """The gradient of a loss at x along the directions."""
        return np.asarray(self.directions.T @ loss(self.x)[1])

    def rises(self, loss: Loss, moved: Floats) -> Floats:
        """By how much a loss is higher at coordinates (..., rank) than at x."""
        return np.array([loss(self.x + self.directions @ one)[0] for one in moved]) - loss(self.x)[0]

    def distance(self, slope: Floats, n_beta: float, localisation: float) -> float:
        """By how much n_beta L is lower at the centre of its posterior than at x, where it has slopes (rank,)."""
        stiff = n_beta * self.curvature + self.held_by(localisation, n_beta)
        return float((n_beta * slope**2 / stiff * (1 - n_beta * self.curvature / stiff / 2)).sum() * n_beta)


def bowl_at(net: Net, features: Features, x: Floats, H: Floats, rank: int) -> Bowl:
    """The bowl of a point whose Hessian H bends so many directions; the others are still, whatever is rounded in theirs."""
    across = complement(still_directions(net, x, free_of(net)))
    curvature, directions = np.linalg.eigh(across @ H @ across.T)
    kept = slice(len(curvature) - rank, None)
    bowl = Bowl(Loss(net, features, SHARP_TERMS), x, np.maximum(curvature[kept], 0.0), across.T @ directions[:, kept], x)
    return bowl._replace(slope=bowl.slope_of(bowl.loss))


def missing(bowl: Bowl, n_beta: float, localisation: float, kinked: bool) -> float:
    """How far n_beta L is from its shape next to x in draws of the Gaussian, root mean square, as a share of the coefficient.

    From its Hessian's parabola; where the Hessian jumps at x, from what ten times as large an n_beta sees.
    """
    moved = bowl.draws(n_beta, localisation)
    own = bowl.rises(bowl.loss, moved) - moved @ bowl.slope
    if kinked:
        nearer = moved / np.sqrt(_MORE)
        shape = _MORE * (bowl.rises(bowl.loss, nearer) - nearer @ bowl.slope)
    else:
        shape = moved**2 @ bowl.curvature / 2
    return float(n_beta * np.sqrt(np.mean((own - shape) ** 2))) / max(len(bowl.curvature) / 2, 0.5)


def local_n_beta(bowl: Bowl, localisation: float, kinked: bool = False) -> float:
    """The n_beta from which on the loss has its shape next to x in draws of the Gaussian that the posterior then is.

    To a hundredth of the coefficient, root mean square; but none by which the minimum that x is rounded from is lower than x by
    more than that.  Where there is none, the one that is nearest to it.
    """
    tried: dict[float, float] = {}
    n_beta = N_BETA
    while True:
        tried[n_beta] = missing(bowl, n_beta, localisation, kinked)
        if tried[n_beta] <= NEAR:
            return n_beta
        n_beta *= _MORE
        if n_beta > MOST_LOCAL or bowl.distance(bowl.slope, n_beta, localisation) > bowl.near:
            return min(tried, key=tried.__getitem__)


def enough_terms(bowl: Bowl, n_beta: float, localisation: float) -> int:
    """With how many terms the loss is lower elsewhere, and wrong in the mean where the posterior is, by no more than it may be.

    By a hundredth of the coefficient / n_beta.  A point of many symmetries keeps its place with few terms, and its loss, while
    that of all points next to it is another one.
    """
    moved = bowl.draws(n_beta, localisation)
    rises, terms = bowl.rises(bowl.loss, moved), TERMS
    while terms < SHARP_TERMS:
        loss = Loss(bowl.loss.net, bowl.loss.features, terms)
        wrong = n_beta * abs(float(np.mean(bowl.rises(loss, moved) - rises)))
        if max(bowl.distance(bowl.slope_of(loss) - bowl.slope, n_beta, localisation), wrong) <= bowl.near:
            break
        terms *= 2
    return terms
