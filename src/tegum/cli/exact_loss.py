"""`tegum exact-loss`: the expected loss of models in a file, without a sample."""

from pathlib import Path
from typing import Annotated

import xarray as xr
from cyclopts import Parameter

from tegum.cli.losses import as_csv, as_json, report
from tegum.cli.models import as_wanted, finite_models_in, wanted_features, wanted_net, with_loss_again
from tegum.cli.options import AS_IT_IS, SUMS, Judged, Reading
from tegum.cli.output import say
from tegum.datasets import start_axes
from tegum.errors import InvalidInputError, Problems
from tegum.exact import evaluate
from tegum.features import Features
from tegum.nets import Net
from tegum.recorded import features_of, in_words, labelled_with, leading, plain_axis
from tegum.runs import require_writable, write_atomically


def exact_loss(
    file: Path,
    /,
    *,
    wanted: Judged = SUMS,
    reading: Reading = AS_IT_IS,
    tol: Annotated[float, Parameter(allow_leading_hyphen=True)] = 1e-9,
    per_feature: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
    out: Path | None = None,
) -> int:
    """Compute the expected loss of models in a file, exactly: no sample, and an error estimate for each.

    Example: tegum exact-loss weights.npz --density 0.1 --importance geometric:0.9

    Args:
        file: A result of tegum or its folder, or W (..., m, n) or G (..., n, n), and b (..., n): npz, npy, safetensors, PyTorch
            or pickle.
        wanted: Options of features.
        reading: Options of reading.
        tol: Tolerated relative error of each loss.
        per_feature: Show the squared error of each feature, too.
        json: Print JSON, everything about every model.
        out: Write everything about every model to this .csv or .json file.
    """
    data: xr.Dataset | None = None
    with Problems() as problems:
        with problems.collecting():
            data = finite_models_in(file, reading)
            net = wanted_net(data, wanted)
        features = wanted_features(data, wanted, problems)
        problems.check_fraction("tol", tol)
        _require_format(out)
    assert data is not None
    found, data = judged(data, features, net, tol, wanted)
    found = found.assign_attrs(file=str(file))
    if out is not None:
        write_atomically(out, as_csv(found) if out.suffix == ".csv" else as_json(found))
    if json:
        say(as_json(found).decode())
    else:
        report(found, start_axes(data, leading(data)), per_feature, out)
    return 0


def _require_format(out: Path | None) -> None:
    if out is not None and out.suffix not in (".csv", ".json"):
        raise InvalidInputError(f"--out is {out}", "choose a name that ends in .csv or .json")
    if out is not None:
        require_writable(out.parent)


def _equation(net: Net, tied: bool) -> str:
    """What the outputs of a net are, in a formula; of a map G where it is not given by W."""
    first, last = ("W", "Wᵀ") if net.tied else ("W₁", "W₂")
    hidden = f"{first} x + c" if net.has_hidden_bias else f"{first} x"
    if net.hidden_relu:
        inside = f"{last} ReLU({hidden})"
    elif not net.tied:
        inside = f"{last} ({hidden})" if net.has_hidden_bias else f"{last}{hidden}"
    else:
        inside = "WᵀW x" if tied else "G x"
    inside += " + b" if net.bias else ""
    name = net.output_activation.name
    return inside if name == "identity" else f"{'ReLU' if name == 'relu' else name}({inside})"


def judged(data: xr.Dataset, features: Features | None, net: Net, tol: float, wanted: Judged) -> tuple[xr.Dataset, xr.Dataset]:
    """What `evaluate` finds, on the axes of the file, and what else its report tells; and the models with their features.

    Without features those of the file; a mean over n features is their sum with importance / n.  What was measured of the
    models with other features, or as another net, is left out.
    """
    before = data
    data = as_wanted(data, features, None if wanted.activation is None else net)
    axis = plain_axis(data)
    said = f"of another kind along {axis}, {data.attrs['features']} and others" if axis else in_words(features_of(data))
    said += ", as the file says" if features is None else ""
    n = data.sizes["feature"]
    if wanted.mean:
        law = features_of(data)
        data = labelled_with(data, law.replaced(importance=law.importance / n))
        said += f"; losses are means over {n} features"
    found = evaluate(data, tol=tol, net=net)
    found = found.drop_vars([name for name in found.coords if str(name).startswith("feature_")])
    facts = {"status": "status"} if "status" in data else {}
    if "loss_standard_error" in data:
        data = data.assign({name: data[name] / (n if wanted.mean else 1) for name in ("loss", "loss_standard_error")})
        facts |= {"sampled_loss": "loss", "loss_standard_error": "loss_standard_error"}
    else:
        data = with_loss_again(data, before, found["loss"])
    found = found.assign({name: data[fact].broadcast_like(found["loss"]) for name, fact in facts.items()}).assign_attrs(
        read=data.attrs["understood"],
        model=f"y = {_equation(net, 'W' in data)}",
        features=said,
        tol=tol,
    )
    return found, data
