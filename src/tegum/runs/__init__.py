"""Results on disk: whole files, anyone's weights."""

from typing import TYPE_CHECKING

from tegum.loading import load_on_first_use

if TYPE_CHECKING:
    from tegum.runs.data_sets import read_data_set, write_data_set
    from tegum.runs.files import (
        UNSEALED,
        attributes_in,
        is_dataset,
        locked,
        read_dataset,
        read_or_set_aside,
        remove_leftovers,
        require_writable,
        sealed,
        set_aside,
        unsealed,
        write_atomically,
        write_dataset,
    )
    from tegum.runs.fingerprint import fingerprint
    from tegum.runs.opening import RESULT, SWEEP, open  # noqa: A004
    from tegum.runs.state_dict import write_state_dict
    from tegum.runs.storable import plain
    from tegum.runs.weights import read_weights

__all__ = [
    "RESULT",
    "SWEEP",
    "UNSEALED",
    "attributes_in",
    "fingerprint",
    "is_dataset",
    "locked",
    "open",
    "plain",
    "read_data_set",
    "read_dataset",
    "read_or_set_aside",
    "read_weights",
    "remove_leftovers",
    "require_writable",
    "sealed",
    "set_aside",
    "unsealed",
    "write_atomically",
    "write_data_set",
    "write_dataset",
    "write_state_dict",
]

load_on_first_use(__name__)
