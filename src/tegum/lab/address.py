"""The address of a state of the lab: `#v=1&n=5&m=2&p=0.1&W=...`, which the page reads and writes, and so does this module.

    v       1, the version of this form             how           flow, adam or sample
    n, m    features, hidden dimensions             rate          step of adam and sample
    net     relu or linear; bias: 1 or 0            batch         samples in a step of sample
    sets    independent, correlated:2, ...          seed          of initial weights and samples
    p       density, one or several                 l2            weight of sum W_ki^2
    I       importance: a number, several,          interference  weight of sum_{i != j} <W_i, W_j>^2
            or geometric:0.9                        view          what is drawn large
    x       uniform (on [0, 1]) or signed           W, b          parameters, base64url of float64, rows of W one by one

A key that is left out has its value in `DEFAULTS`; without W the seed makes initial weights.  Numbers are written as Python and
JavaScript both do, with as many digits as make them the same numbers again.

>>> import numpy as np, tegum as tg
>>> net, features = tg.nets.ReluOutput(2, 1), tg.features.Independent(2, density=0.25)
>>> address = link(net, features, np.array([[1.0, -1.0]]), np.zeros(2))
>>> address
'#v=1&n=2&m=1&p=0.25&W=AAAAAAAA8D8AAAAAAADwvw&b=AAAAAAAAAAAAAAAAAAAAAA'
>>> read(address).W
array([[ 1., -1.]])
"""

import base64
import re
from dataclasses import dataclass
from typing import Any, Literal, cast, final
from urllib.parse import unquote

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked, numbers
from tegum.datasets import PARAMETER_DIMS
from tegum.errors import InvalidInputError, Problems
from tegum.features import AnticorrelatedSets, CorrelatedSets, Features, Independent, Uniform, geometric
from tegum.nets import Linear, Net, ReluOutput
from tegum.nets.net import require_same_features

VERSION = "1"
MOST_FEATURES, MOST_HIDDEN = 32, 5
DEFAULTS = {
    "n": "5",
    "m": "2",
    "net": "relu",
    "bias": "1",
    "sets": "independent",
    "p": "0.1",
    "I": "1",
    "x": "uniform",
    "l2": "0",
    "interference": "0",
    "how": "flow",
    "rate": "0.01",
    "batch": "256",
    "seed": "0",
    "view": "",
}
"""What a key that is left out stands for, and no view is the one that suits m; n and m are always written."""

VIEWS = ("arrows", "space", "gram", "norms", "time", "map")
"""What the lab can draw large."""

HOW = ("flow", "adam", "sample")
_LARGEST_SEED = 2**53 - 1
"""Beyond it JavaScript has not every whole number."""

_RANGES = {"l2": (0, 1e6), "interference": (0, 1e6), "rate": (1e-6, 10), "batch": (1, 10**5), "seed": (0, _LARGEST_SEED)}
_NUMBER = re.compile(r"-?\d+(\.\d*)?(e[+-]?\d+)?", re.ASCII)
_SMALLER = "choose fewer, or train it with tegum.train and look at it with tegum.show"


@final
@dataclass(frozen=True, eq=False)
class Setting:
    """What an address says: the net, the features, W (m, n) and b (n,) or None, and the other keys as they are written."""

    net: Net
    features: Features
    W: NDArray[np.float64] | None
    b: NDArray[np.float64] | None
    others: dict[str, str]


@checked
def link(
    net: Net,
    features: Features,
    W: ArrayLike | None = None,
    b: ArrayLike | None = None,
    *,
    view: Literal["arrows", "space", "gram", "norms", "time", "map"] | None = None,
    how: Literal["flow", "adam", "sample"] = "flow",
    seed: int = 0,
    l2: float = 0.0,
    interference: float = 0.0,
    page: str = "",
) -> str:
    """The address of a state of the lab, ``#...``, after that of a ``page`` if one is given, such as ``lab.html``.

    Args:
        net: `ReluOutput` or `Linear`, of at most 32 features and 5 hidden units.
        features: independent ones, correlated or anticorrelated sets, magnitudes uniform on [0, 1], or signed.
        W: weights (m, n); without, the lab makes initial weights of the seed.
        b: biases (n,), by default 0.
        view: what is drawn large; by default arrows up to two dimensions, space beyond.
        how: gradient flow, Adam on the exact loss, or Adam on samples.
        seed: of initial weights and samples.
        l2: weight of the penalty on the sum of all W_ki^2.
        interference: weight of the penalty on the sum of <W_i, W_j>^2 over i != j.
        page: the address of the page.

    Raises:
        InvalidInputError: for a model that the lab does not know.
    """
    if type(net) not in (ReluOutput, Linear):
        raise InvalidInputError(f"the net is {net!r}", "the lab knows ReluOutput and Linear")
    require_same_features(net, features.n_features)
    _require_size(net.n_features, net.n_hidden)
    with Problems() as problems:
        if not 0 <= seed <= _LARGEST_SEED:
            problems.add(f"the seed is {seed}", f"choose from 0 to {_LARGEST_SEED}")
        for name, value in (("l2", l2), ("interference", interference)):
            problems.check_number(f"the weight of {name}", value, 0, 1e6)
    n, m = net.n_features, net.n_hidden
    said = {"v": VERSION, "n": str(n), "m": str(m), "net": "relu" if isinstance(net, ReluOutput) else "linear"}
    said |= {"bias": str(int(net.bias))} | _of_features(features)
    said |= {"l2": _written(l2), "interference": _written(interference), "how": how, "seed": str(seed)}
    said |= {"view": view or ""} | _of_parameters(net, W, b)
    kept = [f"{key}={value}" for key, value in said.items() if key in ("n", "m") or value != DEFAULTS.get(key)]
    return f"{page}#{'&'.join(kept)}"


@checked
def read(address: str) -> Setting:
    """What an address of the lab says; ``address`` may be that of a page, too, with # and all that follows.

    Raises:
        InvalidInputError: for one that the lab did not write.
    """
    _, _, fragment = address.rpartition("#")
    pairs = [entry.partition("=") for entry in unquote(fragment).split("&")]
    said = {key: value for key, _, value in pairs}
    if said.get("v") != VERSION:
        raise InvalidInputError(
            f"{address[:60]!r} is no address of this lab", f"give one with #v={VERSION}&..., as the lab copies it"
        )
    unknown = [key for key in said if key not in (*DEFAULTS, "v", "W", "b")]
    if unknown:
        raise InvalidInputError(f"the address has a key {unknown[0]!r}", f"choose among {', '.join(DEFAULTS)}, W, b")
    said = DEFAULTS | said
    with Problems() as problems:
        for key, known in (
            ("net", ("relu", "linear")),
            ("bias", ("0", "1")),
            ("x", ("uniform", "signed")),
            ("how", HOW),
            ("view", ("", *VIEWS)),
        ):
            if said[key] not in known:
                problems.add(f"{key} is {said[key]!r}", f"choose {' or '.join(known)}")
        for key, (low, high) in _RANGES.items():
            whole = isinstance(low, int) and isinstance(high, int)
            right = (re.fullmatch("[0-9]{1,16}", said[key], re.ASCII) if whole else _NUMBER.fullmatch(said[key])) is not None
            if not right or not low <= float(said[key]) <= high:
                problems.add(f"{key} is {said[key]!r}", f"give a {'whole ' * whole}number from {low:.16g} to {high:.16g}")
        if said["x"] == "signed" and said["sets"].startswith("correlated"):
            problems.add(
                f"sets is {said['sets']!r} and x is 'signed'", "choose one of them: correlated sets are not signed here"
            )
    n, m = (_whole(key, said[key]) for key in ("n", "m"))
    _require_size(n, m)
    net = (ReluOutput if said["net"] == "relu" else Linear)(n, m, said["bias"] == "1")
    W, b = _floats("W", said.pop("W", ""), n * m), _floats("b", said.pop("b", ""), n)
    if b is not None and W is None:
        raise InvalidInputError("there is b and no W", "give both, or none")
    if b is not None and not net.bias and b.any():
        raise InvalidInputError("bias is 0, and b is not", "leave b out, or say bias=1")
    others = {key: said[key] for key in ("l2", "interference", "how", "rate", "batch", "seed", "view")}
    return Setting(net, _features(said, n), None if W is None else W.reshape(m, n), b, others)


def _require_size(n: int, m: int) -> None:
    with Problems() as problems:
        if not 1 <= n <= MOST_FEATURES:
            problems.add(f"there are {n} features", f"the lab has room for {MOST_FEATURES}; {_SMALLER}")
        if not 1 <= m <= MOST_HIDDEN:
            problems.add(f"there are {m} hidden units", f"the lab has room for {MOST_HIDDEN}; {_SMALLER}")


def _written(value: float) -> str:
    """A number as JavaScript writes it: with an exponent below 1e-6 and from 1e21 on, without leading zeros in it."""
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return np.format_float_positional(float(value), trim="-").removeprefix("-" if value == 0 else "")
    return repr(float(value)).replace("e-0", "e-")


def _list(values: NDArray[np.float64]) -> str:
    """One number where all agree, else all of them."""
    return _written(values[0]) if (values == values[0]).all() else ",".join(map(_written, values))


def _of_features(features: Features) -> dict[str, str]:
    """The keys of a distribution."""
    kinds = {Independent: "independent", CorrelatedSets: "correlated", AnticorrelatedSets: "anticorrelated"}
    kind = kinds.get(cast(Any, type(features)))
    if kind is None:
        raise InvalidInputError(f"the features are {features!r}", f"the lab knows {', '.join(one.__name__ for one in kinds)}")
    if features.batch_shape and np.prod(features.batch_shape) != 1:
        raise InvalidInputError(f"the features are {np.prod(features.batch_shape)} distributions", "give one of them")
    law, signed = features.magnitude, features.signed
    unit = isinstance(law, Uniform) and law.is_unit
    both = isinstance(law, Uniform) and (law.low, law.high) == (-1.0, 1.0)
    if not (unit or both) or ((signed or both) and kind == "correlated"):
        what = f"the magnitudes are {law!r}{', signed' if signed else ''}, of {type(features).__name__}"
        raise InvalidInputError(what, "the lab knows Uniform(), and signed ones of features that are not correlated")
    density, importance = (np.atleast_2d(values)[0] for values in (features.density, features.importance))
    sets = kind if kind == "independent" else f"{kind}:{getattr(features, 'set_size')}"  # noqa: B009
    ratio = importance[1] if len(importance) > 1 else 1.0
    curve = len(importance) > 2 and ratio not in (0.0, 1.0) and (importance == geometric(ratio, len(importance))).all()
    weights = f"geometric:{_written(ratio)}" if curve else _list(importance)
    return {"sets": sets, "p": _list(density), "I": weights, "x": "signed" if signed or both else "uniform"}


def _of_parameters(net: Net, W: ArrayLike | None, b: ArrayLike | None) -> dict[str, str]:
    """W and b in base64url."""
    if W is None:
        if b is not None:
            raise InvalidInputError("there is b and no W", "give both, or none")
        return {}
    arrays = {"W": numbers("W", W, PARAMETER_DIMS["W"]).astype(np.float64)}
    if b is not None and (net.bias or np.any(numbers("b", b))):
        arrays["b"] = numbers("b", b).astype(np.float64)
    net.check_parameters({"b": np.zeros(net.n_features)} | arrays if net.bias else arrays)
    for name, one in arrays.items():
        if one.ndim != len(net.parameter_shapes()[name]):
            raise InvalidInputError(f"{name} has shape {one.shape}", "give one model")
        if not np.isfinite(one).all():
            raise InvalidInputError(f"{name} has numbers that are not finite", "give a model that did not diverge")
    return {name: base64.urlsafe_b64encode(one.astype("<f8").tobytes()).decode().rstrip("=") for name, one in arrays.items()}


def _floats(name: str, text: str, count: int) -> NDArray[np.float64] | None:
    """An array of an address; None where it has none."""
    if not text:
        return None
    data = b"" if re.search("[^A-Za-z0-9_-]", text) else base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if len(data) != 8 * count:
        raise InvalidInputError(f"{name} has {len(text)} characters", f"give {count} numbers of 8 bytes in base64url")
    found = np.frombuffer(data, "<f8").astype(np.float64)
    if not np.isfinite(found).all():
        raise InvalidInputError(f"{name} has numbers that are not finite", "copy the address of a model that did not diverge")
    return found


def _whole(key: str, text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text):
        raise InvalidInputError(f"{key} is {text!r}", "give a whole number")
    return int(text)


def _numbers(key: str, text: str) -> list[float]:
    if not all(map(_NUMBER.fullmatch, text.split(","))):
        raise InvalidInputError(f"{key} is {text!r}", "give a number, or several with commas")
    return [float(one) for one in text.split(",")]


def _features(said: dict[str, str], n: int) -> Features:
    """The distribution of an address."""
    name, _, size = said["sets"].partition(":")
    curve, colon, ratio = said["I"].partition(":")
    importance: Any = _numbers("I", ratio if curve == "geometric" and colon else said["I"])
    importance = geometric(importance[0], n) if colon else importance[0] if len(importance) == 1 else importance
    density: Any = _numbers("p", said["p"])
    density = density[0] if len(density) == 1 else density
    fields: dict[str, Any] = {"density": density, "importance": importance, "signed": said["x"] == "signed"}
    if said["sets"] == "independent":
        return Independent(n, **fields)
    kind = {"correlated": CorrelatedSets, "anticorrelated": AnticorrelatedSets}.get(name)
    each = int(size) if re.fullmatch("[0-9]{1,9}", size) else 0
    if kind is None or each < 1 or n % each:
        raise InvalidInputError(
            f"sets is {said['sets']!r}", f"choose independent, correlated:SIZE or anticorrelated:SIZE; SIZE divides {n}"
        )
    return cast(Features, kind(n // each, each, **fields))
