"""A distribution as text, and back, bit for bit: what a file says of the features of its models.

>>> from tegum.features import Independent, Mixture
>>> text = written(Mixture([Independent(2, 0.1), Independent(2, [1, 0.5])], weights=[0.9, 0.1]))
>>> text[:60]
'{"Mixture": {"components": [{"Independent": {"n_features": 2'
>>> read(text).components[1].density
array([1. , 0.5])

Arrays of more than a few numbers are compressed.  Distributions and magnitudes of your own have no text: nothing could read it.
"""

import base64
import json
import zlib
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from tegum.checking import is_sparse
from tegum.features.distribution import Features
from tegum.features.magnitudes import Magnitude

_FEW, _PACKED, _ROWS = 32, "array", "rows"
_LONGEST = 50_000_000


def written(value: Any) -> str:
    """A distribution, or a field of one, as text that `read` understands; empty for what is not tegum's, or too long."""
    try:
        text = json.dumps(_plain(value))
    except TypeError:
        return ""
    return text if len(text) <= _LONGEST else ""


def read(text: str) -> Any:
    """What was written.

    Raises:
        ValueError: for text that `written` did not write.
    """
    try:
        return _made(json.loads(text))
    except (KeyError, TypeError, zlib.error) as error:
        raise ValueError(f"no distribution is written as {text[:60]!r}") from error


@cache
def _families() -> dict[str, type]:
    """Distributions and magnitudes of tegum by name."""
    found, waiting = dict[str, type](), [Features, Magnitude]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith(__name__.rpartition(".")[0]):
            found[kind.__name__] = kind
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Features | Magnitude):
        kind = type(value)
        if _families().get(kind.__name__) is not kind:
            raise TypeError(kind)
        names = value.field_names() if isinstance(value, Features) else [field.name for field in fields(_dataclass(value))]
        return {kind.__name__: {name: _plain(getattr(value, name)) for name in names}}
    if isinstance(value, np.ndarray):
        return value.tolist() if value.size <= _FEW else {_PACKED: _packed(value)}
    if is_sparse(value):
        return {_ROWS: [list(value.shape), *(_packed(one) for one in (value.indptr, value.indices, value.data))]}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value.item() if isinstance(value, np.generic) else value


def _dataclass(value: Any) -> Any:
    if not is_dataclass(value):
        raise TypeError(type(value))
    return value


def _packed(array: NDArray[Any]) -> list[Any]:
    numbers = np.ascontiguousarray(array, dtype=np.float64)
    return [list(numbers.shape), base64.b64encode(zlib.compress(numbers.astype("<f8").tobytes())).decode()]


def _made(value: Any) -> Any:
    if isinstance(value, list):
        return [_made(one) for one in value]
    if not isinstance(value, dict):
        return value
    ((name, content),) = value.items()
    if name == _PACKED:
        return _unpacked(*content)
    if name == _ROWS:
        shape, first, columns, values = content[0], *(_unpacked(*one) for one in content[1:])
        return scipy.sparse.csr_array((values, columns.astype(np.int64), first.astype(np.int64)), shape=shape)
    return _families()[name](**{field: _made(one) for field, one in content.items()})


def _unpacked(shape: list[int], text: str) -> NDArray[np.float64]:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype="<f8").astype(np.float64).reshape(shape)
