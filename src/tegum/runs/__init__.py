"""Results on disk: whole files, trainings and minimisations that can be resumed."""

from tegum.runs.chunks import train_to
from tegum.runs.files import is_dataset, read_dataset, write_atomically, write_dataset
from tegum.runs.minima import lowest_minima
from tegum.runs.phase_map import phase_map

__all__ = ["is_dataset", "lowest_minima", "phase_map", "read_dataset", "train_to", "write_atomically", "write_dataset"]
