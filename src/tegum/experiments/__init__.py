"""The paper's figures, one file each, in folders named by the paper's sections."""

from tegum.experiments.discovery import code_version, every_experiment, experiment_called, experiment_files, faults_of
from tegum.experiments.experiment import Experiment, Figure, Profile
from tegum.experiments.paper_profile import PaperVerdict, paper_verdicts

__all__ = [
    "Experiment",
    "Figure",
    "PaperVerdict",
    "Profile",
    "code_version",
    "every_experiment",
    "experiment_called",
    "experiment_files",
    "faults_of",
    "paper_verdicts",
]
