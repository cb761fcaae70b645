"""How a chain moves, as values that are passed to `tegum.posterior.sample`.

    HMC                exact    trajectories of a few steps; what to use
    MALA               exact    a single step, accepted or rejected
    Langevin           biased   SGLD: with the exact gradient, or with that of batches of fresh samples
    RMSProp            biased   the same with a step size for each parameter, by the size of its gradient

*Exact* ones have the posterior as their law and find their step size while they warm up; *biased* ones are wrong by what their
step size is, and are here because they are what is used: step sizes and batches mean what they mean in devinterp's SGLD,

    w <- w - step_size / 2 (n_beta L' + localisation (w - w*)) + N(0, step_size)

A ``metric`` says in which coordinates a chain moves: "identity" in those of W and b; "hessian" in those in which the posterior
next to the start is round, by the exact Hessian.  It changes no exact sampler's law, only how far it comes in a step.

>>> HMC(leaps=2), Langevin(1e-4, batch_size=64)
(HMC(leaps=2, accept=0.9, metric='hessian'), Langevin(step_size=0.0001, batch_size=64, metric='identity'))
"""

from dataclasses import dataclass
from typing import Literal, final, get_args

from tegum.checking import Checked, check_fields
from tegum.errors import Problems

Metric = Literal["hessian", "identity"]

_MOST_STEP = 1e12


class Sampler(metaclass=Checked):
    """What all of them are: frozen, checked when they are made."""

    metric: Metric

    def __post_init__(self) -> None:
        with Problems() as problems:
            check_fields(self, problems)
            problems.raise_if_any()
            if self.metric not in get_args(Metric):
                problems.add(f"metric is {self.metric!r}", f"choose among {', '.join(get_args(Metric))}")
            self._check(problems)

    def _check(self, problems: Problems) -> None:
        """Notes what is wrong with the fields of its own."""


@final
@dataclass(frozen=True)
class HMC(Sampler):
    """Hamiltonian trajectories.

    Args:
        leaps: steps of a trajectory, at least 1.
        accept: how often trajectories are to be accepted; the step size is found while the chain warms up.
        metric: in which coordinates.
    """

    leaps: int = 3
    accept: float = 0.9
    metric: Metric = "hessian"

    def _check(self, problems: Problems) -> None:
        problems.check_count("leaps", self.leaps)
        problems.check_number("accept", self.accept, 0.01, 0.999)


@final
@dataclass(frozen=True)
class MALA(Sampler):
    """Langevin steps, each accepted or rejected: trajectories of a single step.

    Args:
        accept: how often steps are to be accepted.
        metric: in which coordinates.
    """

    accept: float = 0.574
    metric: Metric = "hessian"

    def _check(self, problems: Problems) -> None:
        problems.check_number("accept", self.accept, 0.01, 0.999)


@final
@dataclass(frozen=True)
class Langevin(Sampler):
    """SGLD: Langevin steps, none rejected.

    Args:
        step_size: of a step, in the coordinates of the metric.
        batch_size: samples that each gradient is of, drawn from the features' law; 0 for the exact gradient.
        metric: in which coordinates.
    """

    step_size: float
    batch_size: int = 0
    metric: Metric = "identity"

    def _check(self, problems: Problems) -> None:
        _check_steps(self.step_size, self.batch_size, problems)


@final
@dataclass(frozen=True)
class RMSProp(Sampler):
    """SGLD whose step size for each parameter is ``step_size / (sqrt(v) + stability)``, v the running mean of L'^2.

    Args:
        step_size: as above.
        batch_size: samples that each gradient is of; 0 for the exact gradient.
        decay: of the running mean.
        stability: what is added to sqrt(v), above 0.
        metric: in which coordinates.
    """

    step_size: float
    batch_size: int = 0
    decay: float = 0.99
    stability: float = 0.1
    metric: Metric = "identity"

    def _check(self, problems: Problems) -> None:
        _check_steps(self.step_size, self.batch_size, problems)
        problems.check_number("decay", self.decay, 0.0, 0.999999)
        problems.check_number("stability", self.stability, 1e-12, _MOST_STEP)


def _check_steps(step_size: float, batch_size: int, problems: Problems) -> None:
    problems.check_number("step_size", step_size, 1e-15, _MOST_STEP)
    problems.check_least("batch_size", batch_size, 0)
