"""The paper's figures, one file each, in the paper's order."""

from tegum.errors import Mistake, Problem
from tegum.experiments import confused, intro, phase_three, phase_two, sweep_large, sweep_small
from tegum.experiments.experiment import Experiment, Figure, Profile

EXPERIMENTS: tuple[Experiment, ...] = (
    intro.experiment,
    sweep_small.experiment,
    sweep_large.experiment,
    phase_two.experiment,
    phase_three.experiment,
    confused.experiment,
)


def experiment_called(name: str) -> Experiment:
    """The experiment with this id.

    Raises:
        Mistake: where there is none, with the ids that exist.
    """
    for experiment in EXPERIMENTS:
        if experiment.id == name:
            return experiment
    raise Mistake(Problem(f"there is no experiment {name!r}", f"choose among {', '.join(e.id for e in EXPERIMENTS)}"))


__all__ = ["EXPERIMENTS", "Experiment", "Figure", "Profile", "experiment_called"]
