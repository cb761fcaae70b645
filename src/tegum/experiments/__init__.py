"""The paper's figures, one file each, in folders named by its sections; and groups of other questions, each a folder."""

from typing import TYPE_CHECKING

from tegum.loading import load_on_first_use

if TYPE_CHECKING:
    from tegum.experiments.described import (
        Description,
        described_in,
        every_description,
        experiment_files,
        groups,
        heading_of,
        introduction,
        require_single,
    )
    from tegum.experiments.discovery import (
        code_version,
        every_experiment,
        experiment_called,
        experiments_called,
        faults_of,
    )
    from tegum.experiments.experiment import Experiment, Figure, Profile
    from tegum.experiments.paper_profile import PaperVerdict, paper_verdicts

__all__ = [
    "Description",
    "Experiment",
    "Figure",
    "PaperVerdict",
    "Profile",
    "code_version",
    "described_in",
    "every_description",
    "every_experiment",
    "experiment_called",
    "experiment_files",
    "experiments_called",
    "faults_of",
    "groups",
    "heading_of",
    "introduction",
    "paper_verdicts",
    "require_single",
]

load_on_first_use(__name__)
