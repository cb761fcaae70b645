"""Results on disk: whole files, trainings that can be resumed."""

from tegum.runs.files import (
    attributes_in,
    is_dataset,
    plain,
    read_dataset,
    read_or_set_aside,
    set_aside,
    write_atomically,
    write_dataset,
)
from tegum.runs.fingerprint import fingerprint
from tegum.runs.opening import RESULT, open  # noqa: A004
from tegum.runs.pieces import Pieces, train_to
from tegum.runs.weights import read_weights

__all__ = [
    "RESULT",
    "Pieces",
    "attributes_in",
    "fingerprint",
    "is_dataset",
    "open",
    "plain",
    "read_dataset",
    "read_or_set_aside",
    "read_weights",
    "set_aside",
    "train_to",
    "write_atomically",
    "write_dataset",
]
