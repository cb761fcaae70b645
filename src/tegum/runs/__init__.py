"""Results on disk: whole files, resumable trainings."""

from tegum.runs.chunks import train_to
from tegum.runs.files import is_dataset, read_dataset, write_atomically, write_dataset

__all__ = ["is_dataset", "read_dataset", "train_to", "write_atomically", "write_dataset"]
