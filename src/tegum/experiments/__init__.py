"""The paper's figures, one file each, in folders named by the paper's sections."""

from tegum.experiments.discovery import code_version, every_experiment, experiment_called, experiment_files, faults_of
from tegum.experiments.experiment import Experiment, Figure, Profile

__all__ = [
    "Experiment",
    "Figure",
    "Profile",
    "code_version",
    "every_experiment",
    "experiment_called",
    "experiment_files",
    "faults_of",
]
