"""`tegum exact-loss`: the expected loss of models in a file, without a sample."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

from tegum.cli.losses import Judged, Model, as_csv, as_json, models_of, report
from tegum.cli.output import require_writable, say
from tegum.cli.problem import features_of
from tegum.cli.values import curve, number, numbers
from tegum.cli.weights import Weights, read_weights, require_finite
from tegum.errors import InvalidInputError, Problems
from tegum.exact import evaluate
from tegum.features import Features
from tegum.nets import Linear
from tegum.runs import write_atomically

_FORMATS = (".csv", ".json")


def exact_loss(
    file: Path,
    /,
    *,
    density: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    importance: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    sets: str | None = None,
    magnitudes: str | None = None,
    activation: Literal["relu", "linear"] | None = None,
    tol: Annotated[float, Parameter(allow_leading_hyphen=True)] = 1e-9,
    per_feature: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
    out: Path | None = None,
) -> int:
    """Compute the expected loss of models in a file, exactly: no sample, and an error estimate for each.

    Example: tegum exact-loss weights.npz --density 0.1 --importance geometric:0.9

    Parameters
    ----------
    file
        A result of tegum, or arrays W (..., m, n) or G (..., n, n), and b (..., n), as .safetensors or .npz.
    density
        Probability that a feature is on, or one for each feature (each correlated set) with commas.
    importance
        A number, one for each feature with commas, or geometric:0.9, power_law:1, one_odd:0.1.
    sets
        independent, correlated:SIZE or anticorrelated:SIZE; neighbouring features make a set.
    magnitudes
        uniform or exponential:MEAN.
    activation
        relu or linear output; relu by default.
    tol
        Tolerated relative error of each loss.
    per_feature
        Show the squared error of each feature, too.
    json
        Print JSON, everything about every model.
    out
        Write everything about every model to this .csv or .json file.
    """
    problems = Problems()
    weights: Weights | None = None
    features: Features | None = None
    with problems.collecting():
        weights = read_weights(file)
        require_finite(weights)
    options = {"density": density, "importance": importance, "magnitude": magnitudes, "sets": sets}
    table, unreadable = _table(options, problems)
    if not 0 < tol < 1:
        problems.add(f"tol is {tol:g}", "choose a relative error between 0 and 1, such as 1e-9")
    if out is not None:
        with problems.collecting():
            _require_format(out)
    if weights is not None and "sets" not in unreadable:
        with problems.collecting():
            features = _world(weights, table | {name: 0.0 for name in unreadable if name in ("density", "importance")})
    problems.raise_if_any()
    assert weights is not None
    assert features is not None
    linear = weights.linear if activation is None else activation == "linear"
    judged = Judged(str(file), weights, features, linear, tol, as_the_file_says=weights.world is not None and not table)
    models = _evaluated(judged)
    if out is not None:
        write_atomically(out, as_csv(models) if out.suffix == ".csv" else as_json(judged, models))
    if json:
        say(as_json(judged, models).decode())
        return 0
    report(judged, models, per_feature)
    if out is not None:
        say(f"everything: {out}")
    return 0


def _evaluated(judged: Judged) -> list[Model]:
    """The exact losses; models without finite weights get none."""
    weights = judged.weights
    finite = np.asarray(np.isfinite(weights.map).all((-2, -1)) & np.isfinite(weights.b).all(-1))
    found = evaluate(
        np.where(finite[..., None, None], weights.map, 0.0),
        np.where(finite[..., None], weights.b, 0.0),
        judged.features,
        tied=weights.tied,
        net=Linear(weights.n_features, weights.map.shape[-2]) if judged.linear else None,
        tol=judged.tol,
    )
    return models_of(judged, found, np.broadcast_to(finite, found.loss.shape))


def _table(options: dict[str, str | None], problems: Problems) -> tuple[dict[str, Any], list[str]]:
    """The fields of a world that options give, and which options cannot be read."""
    read: dict[str, Callable[[str], Any]] = {"density": _numbers, "importance": curve, "magnitude": _magnitude, "sets": _sets}
    table: dict[str, Any] = {}
    for name, text in options.items():
        with problems.collecting():
            if text is not None:
                table[name] = read[name](text)
    return table, [name for name, text in options.items() if text is not None and name not in table]


def _numbers(text: str) -> float | list[float]:
    values = numbers(text)
    return values[0] if len(values) == 1 else values


def _magnitude(text: str) -> Any:
    name, colon, mean = text.partition(":")
    if text == "uniform":
        return text
    if name == "exponential" and colon:
        return {name: number(mean)}
    raise InvalidInputError(f"--magnitudes is {text!r}", "choose uniform or exponential:MEAN, such as exponential:0.5")


def _sets(text: str) -> dict[str, Any]:
    """The fields of a distribution of sets; n_sets follows from the number of features."""
    name, _, size = text.partition(":")
    if text == "independent":
        return {"distribution": "Independent"}
    if name in ("correlated", "anticorrelated") and size.isdecimal() and int(size) > 0:
        return {"distribution": f"{name}Sets", "set_size": int(size)}
    raise InvalidInputError(
        f"--sets is {text!r}", "choose independent, correlated:SIZE or anticorrelated:SIZE, such as correlated:2"
    )


def _require_format(path: Path) -> None:
    if path.suffix not in _FORMATS:
        raise InvalidInputError(f"--out is {path}", f"choose a name that ends in {' or '.join(_FORMATS)}")
    require_writable(path.parent)


def _world(weights: Weights, options: dict[str, Any]) -> Features:
    """The world of the file, changed by the options.

    Raises:
        InvalidInputError: naming everything wrong in it.
    """
    table = {**(weights.world or {}), **options}
    sets = table.pop("sets", None)
    n = weights.n_features
    problems = Problems()
    if sets is not None:
        table = {key: value for key, value in table.items() if key not in ("n_sets", "set_size", "n_active")} | sets
        if "set_size" in sets:
            table["n_sets"], rest = divmod(n, sets["set_size"])
            if rest:
                raise InvalidInputError(
                    f"--sets has {sets['set_size']} in a set and n is {n}", f"choose a size that divides {n}"
                )
    if "density" not in table and weights.feature_density is None:
        problems.add("the density is not known", "say how often a feature is on, such as --density 0.1")
        table["density"] = 0.0
    elif "density" not in table and "n_active" not in table:
        assert weights.feature_density is not None
        with problems.collecting():
            table["density"] = _own_density(weights.feature_density, table)
    features: Features | None = None
    with problems.collecting():
        features = features_of(table, n)
    problems.raise_if_any()
    assert features is not None
    return features


def _own_density(density: NDArray[np.float64], table: dict[str, Any]) -> NDArray[np.float64]:
    """The densities of features as a distribution takes them: one for each set where sets are on as a whole."""
    if table["distribution"].lower() != "correlatedsets":
        return density
    size = table["set_size"]
    if (density != np.repeat(density[..., ::size], size, axis=-1)).any():
        raise InvalidInputError("the file's densities differ within a correlated set", "give --density, one for each set")
    return density[..., ::size]
