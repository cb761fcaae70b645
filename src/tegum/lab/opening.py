"""The lab opened on what there is: a setting, a model of a dataset or a file, a training that was recorded on its way.

>>> import tegum as tg
>>> data = tg.exact.minimise(tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.1), seeds=4, progress=False)
>>> found = model_of(data)
>>> found.address.partition("&W=")[0], found.said
('#v=1&n=5&m=2', 'of 4 seeds the one of lowest loss')

A recorded model is shown as it was, step by step: ``page(record=record_of(data))``.
"""

import base64
import json
import re
import tempfile
import webbrowser
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from tegum.checking import as_path, checked
from tegum.errors import InvalidInputError, Problems
from tegum.features import Features
from tegum.figures import drawn_models
from tegum.figures.models import clock_of
from tegum.lab.address import link
from tegum.lab.document import Record, page
from tegum.nets import Net
from tegum.recorded import features_of, net_of
from tegum.runs import open as opened
from tegum.runs import write_atomically
from tegum.spoken import spoken

_MOST_FRAMES = 300
_UNNAMED = "the lab needs W (m, n) of one model, with its features"


class Model(NamedTuple):
    """A model as the lab opens it: its address, what was chosen of several, and the dataset it is from."""

    address: str
    said: str
    data: xr.Dataset


def address_in(path: Path) -> str:
    """The address that the lab wrote into a file of weights; nothing in any other file."""
    try:
        with safe_open(path, framework="np") as file:
            return str((file.metadata() or {}).get("tegum.lab", ""))
    except (SafetensorError, OSError):
        return ""


@checked
def model_of(data: xr.Dataset, features: Features | None = None, net: Net | None = None) -> Model:
    """One model of a dataset, the best where there are several.

    Args:
        data: of `tegum.train`, `tegum.exact.minimise`, `tegum.exact.gradient_flow`, `tegum.read_weights`, ...
        features: what its features are, where it does not say.
        net: what its net is, where it does not say; `ReluOutput` for weights of somebody else's.

    Raises:
        InvalidInputError: where there is no model that the lab knows, or where it was found with penalties or constraints that
            the lab does not know.
    """
    if "W" not in data:
        raise InvalidInputError(f"the dataset holds {', '.join(map(str, data.data_vars)) or 'nothing'}", _UNNAMED)
    clock = clock_of(data, "W")
    last = data.isel({clock: -1}) if clock not in (None, "step") else data
    chosen = drawn_models(last, most=1)
    model = next(iter(chosen.models.values()))
    W = model["W"].transpose("hidden", "feature").values.astype(np.float64)
    b = model["b"].values.astype(np.float64) if "b" in model else None
    known = net_of(model) if net is None else net
    if b is None and known.bias:
        raise InvalidInputError(
            "the dataset holds W without b", f"give both; of a file in which b = 0 say so with {spoken('bias', 'none')}"
        )
    law = features_of(model) if features is None else features
    if law.batch_shape and np.prod(law.batch_shape) == 1:
        law = law.singles()[0].replaced(importance=law.importance.reshape(-1))
    return Model(link(known, law, W, b, **_penalties_of(data)), chosen.said, model if clock in (None, "step") else data)


@checked
def record_of(data: xr.Dataset, features: Features | None = None, net: Net | None = None) -> Record:
    """What `page` shows of a recorded model: at most 300 of its steps or times.

    Args:
        data: a training with ``record=("W", "b")``, of whose seeds the best is shown, or a gradient flow.
        features: as `model_of` takes them.
        net: likewise.

    Raises:
        InvalidInputError: where weights were not recorded.
    """
    found = model_of(data, features, net)
    model = found.data
    clock = clock_of(model) or clock_of(model, "W")
    if clock is None:
        advice = 'train with Recipe(record=("loss", "W", "b"), record_steps=100), or give a gradient flow'
        raise InvalidInputError("the dataset has no W along steps or time", advice)
    if clock not in ("step", "time"):
        what = f"the models are recorded along {clock!r}, and each has a setting of its own"
        raise InvalidInputError(what, f"give one of them to tegum.lab.open, such as data.isel({{{clock!r}: [0]}})")
    W, b = (model.get(f"{name}_history", model.get(name)) for name in ("W", "b"))
    assert W is not None
    steps = np.unique(np.linspace(0, model.sizes[clock] - 1, _MOST_FRAMES).astype(int))
    W = W.isel({clock: steps}).transpose(clock, "hidden", "feature")
    zeros = np.zeros((len(steps), W.sizes["feature"]))
    biases = zeros if b is None or clock not in b.dims else b.isel({clock: steps}).transpose(clock, "feature").values
    if not np.isfinite(W.values).all():
        raise InvalidInputError("the recorded weights are not finite", "choose a model that did not diverge")
    times = tuple(float(one) for one in model[clock].values[steps])
    return Record(found.address, clock, times, _written(W.values), _written(biases))


@checked
def replay(data: xr.Dataset | Path | str, path: Path | str | None = None, *, features: Features | None = None) -> Path:
    """Writes a page that plays a recorded training or flow, opens it in the browser, and returns its path.

    Args:
        data: a training with ``record=("loss", "W", "b")``, or a gradient flow; or the path of a result.
        path: where the page goes; by default a temporary file.
        features: what the features are, where the dataset does not say.

    Raises:
        InvalidInputError: where weights were not recorded, or the lab does not know the model.
    """
    data = data if isinstance(data, xr.Dataset) else opened(data)
    return shown_at(page(record=record_of(data, features)), path)


@checked
def open(  # noqa: A001
    what: xr.Dataset | Path | str | None = None, path: Path | str | None = None, *, features: Features | None = None
) -> Path:
    """Writes the page of the lab, opens it in the browser, and returns its path.

    Args:
        what: where it begins: an address that `link` wrote, a dataset with a model, or the path of a result or of weights; by
            default five features in two dimensions.
        path: where the page goes; by default a temporary file.
        features: what the features are, where the dataset or file does not say.

    Raises:
        InvalidInputError: where there is no model that the lab knows.
    """
    return shown_at(page(beginning(what, features)), path)


def beginning(what: xr.Dataset | Path | str | None, features: Features | None) -> str:
    """The address at which a lab begins that is opened on something; arguments and errors as in `open`."""
    if what is None or (isinstance(what, str) and what.startswith("#")):
        return what or ""
    if not isinstance(what, xr.Dataset) and features is None and (address := address_in(as_path(what))):
        return address
    return model_of(what if isinstance(what, xr.Dataset) else opened(what), features).address


def shown_at(text: str, path: Path | str | None) -> Path:
    """Writes a page where it is wanted and opens it; returns where."""
    place = Path(tempfile.mkdtemp(prefix="tegum-lab-")) / "lab.html" if path is None else as_path(path)
    write_atomically(place, text.encode())
    webbrowser.open(place.resolve().as_uri())
    return place


def _penalties_of(data: xr.Dataset) -> dict[str, Any]:
    """Weights of the penalties under which models were minimised or flowed; those that the lab does not know are refused."""
    minimised = json.loads(data.attrs.get("minimise", "{}"))
    found = {"l2": 0.0, "interference": 0.0}
    with Problems() as problems:
        for name in ("penalties", "constraints"):
            said = ", ".join(minimised.get(name, ())) or str(data.attrs.get(name, "none"))  # as branches and flows have it
            if said == "none":
                continue
            known = re.findall(r"(?:^|, )(L2|Interference)\(weight=([^()]*)\)", said) if name == "penalties" else []
            if ", ".join(f"{kind}(weight={weight})" for kind, weight in known) != said:
                advice = (
                    "the lab knows L2 and Interference; tegum.lab.link(net, features, W, b) is its address under the loss alone"
                )
                problems.add(f"the models were found with the {name} {said}", advice)
                continue
            for kind, weight in known:
                found[kind.lower()] += float(weight)
    return found


def _written(values: NDArray[np.floating]) -> str:
    """Numbers in base64 of float32."""
    return base64.b64encode(values.astype("<f4").tobytes()).decode()
