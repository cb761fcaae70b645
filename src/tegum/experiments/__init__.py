"""The paper's figures, one file each, in the paper's order."""

import difflib
from pathlib import Path

from tegum.errors import Mistake, Problem
from tegum.experiments import (
    absolute_close_up,
    absolute_small,
    absolute_sweep,
    activations,
    adversarial,
    adversarial_training,
    anticorrelated_pairs,
    asymmetric_motif,
    collapse,
    compressed_sensing,
    confused,
    correlated_pairs,
    expansion,
    hidden_bias,
    hidden_codes,
    intro,
    l1,
    levels,
    linear_forces,
    local_bases,
    nonlinear_compression,
    one_density,
    one_importance,
    phase_theory,
    phase_three,
    phase_two,
    polytopes,
    pressure,
    raw_weights,
    sweep_large,
    sweep_small,
    three_pairs,
    transformations,
    uniform_geometry,
)
from tegum.experiments.experiment import Experiment, Figure, Profile
from tegum.experiments.source import code_version, experiment_in, fault_of

EXPERIMENTS: tuple[Experiment, ...] = (
    intro.experiment,
    sweep_small.experiment,
    sweep_large.experiment,
    linear_forces.experiment,
    expansion.experiment,
    phase_theory.experiment,
    phase_two.experiment,
    phase_three.experiment,
    confused.experiment,
    uniform_geometry.experiment,
    polytopes.experiment,
    one_density.experiment,
    one_importance.experiment,
    correlated_pairs.experiment,
    anticorrelated_pairs.experiment,
    three_pairs.experiment,
    local_bases.experiment,
    collapse.experiment,
    levels.experiment,
    transformations.experiment,
    adversarial.experiment,
    adversarial_training.experiment,
    raw_weights.experiment,
    hidden_codes.experiment,
    hidden_bias.experiment,
    absolute_small.experiment,
    absolute_sweep.experiment,
    absolute_close_up.experiment,
    asymmetric_motif.experiment,
    l1.experiment,
    nonlinear_compression.experiment,
    compressed_sensing.experiment,
    activations.experiment,
    pressure.experiment,
)


def experiment_called(name: str) -> Experiment:
    """The experiment with this id, or the one that this Python file defines.

    Raises:
        Mistake: where there is none, with the id that is closest; for a file whose experiment has an id of the paper's.
    """
    if name.endswith(".py"):
        own = experiment_in(Path(name))
        if own.id in [experiment.id for experiment in EXPERIMENTS]:
            taken = f"the experiment in {name} has the id {own.id!r}, as one of the paper's"
            raise Mistake(Problem(taken, "choose another id"))
        return own
    for experiment in EXPERIMENTS:
        if experiment.id == name:
            return experiment
    close = difflib.get_close_matches(name, [experiment.id for experiment in EXPERIMENTS], n=1)
    advice = f"did you mean {close[0]!r}?" if close else "choose one that `tegum list` names, or a file that ends in .py"
    raise Mistake(Problem(f"there is no experiment {name!r}", advice))


__all__ = ["EXPERIMENTS", "Experiment", "Figure", "Profile", "code_version", "experiment_called", "experiment_in", "fault_of"]
