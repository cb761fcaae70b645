"""The paper's figures, one file each, in folders named by its sections; and groups of other questions, each a folder."""

from tegum.experiments.discovery import (
    code_version,
    every_experiment,
    experiment_called,
    experiment_files,
    experiments_called,
    faults_of,
    groups,
    heading_of,
    introduction,
)
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
    "experiments_called",
    "faults_of",
    "groups",
    "heading_of",
    "introduction",
    "paper_verdicts",
]
