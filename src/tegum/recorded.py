"""What models in a dataset are: their net and their feature distribution, read back from what was recorded with them.

>>> import tegum as tg
>>> recipe = tg.Recipe(steps=1, batch_size=64, evaluation_samples=64)
>>> sets = tg.features.CorrelatedSets(2, 2, density=0.1, magnitude=tg.features.Exponential(0.5))
>>> data = tg.train(tg.nets.Linear(4, 2), sets, recipe, sweep={"density": [0.1, 0.2]}, progress=False)
>>> tg.features_of(data.sel(density=0.2))
CorrelatedSets(n_sets=2, set_size=2, density=0.2, importance=1, magnitude=Exponential(mean=0.5), signed=False)
>>> tg.features_of(data).density[:, 0]                       # leading axes as those of W: density, seed
array([[0.1, 0.1],
       [0.2, 0.2]])
>>> net_of(data)
Linear(n_features=4, n_hidden=2, bias=True)

The attributes ``net`` and ``features`` have what is the same for all models; what a sweep varies is in coordinates, which
stay with ``data.W`` and whatever is selected: ``feature_density``, ``feature_importance`` for each feature, and, where they
vary, ``feature_magnitude``, ``feature_signed``, ``feature_n_active``, ``feature_weights`` and so on.  Laws that density and
importance do not define, such as mixtures and data sets, are in the attribute ``feature_law`` (`tegum.features.written`).
"""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import and_
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum.features as families
from tegum import nets
from tegum.checking import checked
from tegum.datasets import MODEL_DIMS, OF_MINIMA, PARAMETER_DIMS
from tegum.errors import InvalidInputError, Problems
from tegum.features import CorrelatedSets, Features
from tegum.features.written import read, written
from tegum.nets import Net, ReluOutput, TargetMap, Untied

_PLAIN = ("magnitude", "signed", "n_active")
_LAW = ("components", "weights", "states", "probabilities", "parts", "of")
_ALL = "take all features in the order of the distribution; or give W.values and b.values with features of their own"
_ON_PURPOSE = "give the dataset without features, tegum.exact.loss(data); or W.values and b.values, to ask on purpose"
_GIVE = "say them, tegum.with_features(data, tegum.features.Independent(5, density=0.1))"


def said_of(features: Features) -> dict[str, str]:
    """The attributes that say what the features of a dataset are."""
    law = any(name in _LAW for name in features.field_names())
    text = written(features) if law else ""
    return {"features": repr(features)} | ({"feature_law": text} if text else {})


@checked
def features_of(data: xr.Dataset) -> Features:
    """The distribution of the models in a dataset: its leading axes are those of ``W``, of length 1 where all agree.

    Features that were put into another order, as by ``data.isel(feature=...)``, are seen where their densities differ.  Of sets
    of equal density nothing in a dataset shows who belongs together: give such models as arrays, with their features.

    Raises:
        InvalidInputError: where the dataset does not say, more than density and importance varies along an axis, or features
            are missing or in another order.
    """
    found = _rebuilt(data)
    held, wanted = over(data, data["feature_density"]), found.feature_density
    if held.shape[-1] != wanted.shape[-1] or not _close(held, wanted):
        what = f"the features of the dataset, of density {_span(held)}, are not those of {str(data.attrs['features'])[:80]}"
        raise InvalidInputError(f"{what}, or in another order", _ALL)
    return found


def _rebuilt(data: xr.Dataset) -> Features:
    """The distribution that is written in a dataset."""
    said = str(data.attrs.get("features", ""))
    kind = getattr(families, said.partition("(")[0], None)
    if not said or "feature_density" not in data.coords | data.data_vars:
        raise InvalidInputError("the dataset does not say what its features are", _GIVE)
    if not (isinstance(kind, type) and issubclass(kind, Features)):
        raise InvalidInputError(f"the features of the dataset are {said}, which are none of tegum's", _GIVE)
    _require_fields(said, kind)
    axis = plain_axis(data)
    if axis is not None:
        raise InvalidInputError(f"the kind of features varies along {axis}", f"select one, data.isel({axis}=0)")
    missing = [name for name in ("density", "importance") if name in kind.field_names() and f"feature_{name}" not in data]
    if missing:
        raise InvalidInputError(f"the dataset does not hold feature_{missing[0]}", _GIVE)
    fields: dict[str, Any] = {}
    if any(name in _LAW for name in kind.field_names()):
        if "feature_law" not in data.attrs:
            raise InvalidInputError(f"the dataset does not hold its features, {said[:60]}", _GIVE)
        law = _read("law", str(data.attrs["feature_law"]))
        _require_all(data, law.n_features)
        for field in kind.field_names():
            if f"feature_{field}" in data.coords and field != "importance":
                fields[field] = _read(field, str(data.coords[f"feature_{field}"].item()))
        fields["importance"] = over(data, data["feature_importance"])
        return law.replaced(**fields)  # type: ignore[no-any-return]
    for field in kind.field_names():
        own = data.coords.get(f"feature_{field}")
        if field in ("density", "importance"):
            fields[field] = over(data, data[f"feature_{field}"])
        elif words := str(own.item()) if own is not None else _entry(said, field):
            fields[field] = _value(words)
        else:
            raise InvalidInputError(f"the features of the dataset are {said}, without {field}", _GIVE)
    _require_all(data, fields.get("n_features", fields.get("n_sets", 1) * fields.get("set_size", 1)))
    if kind is CorrelatedSets:
        fields["density"] = fields["density"][..., :: fields["set_size"]]
    return kind(**fields)


def _require_all(data: xr.Dataset, n: int) -> None:
    """Raises an `InvalidInputError` where a dataset holds some of n features."""
    held = data.sizes.get("feature", 1)
    if n != held:
        raise InvalidInputError(f"the dataset holds {held} features of {n}", _ALL)


def in_words(features: Features) -> str:
    """A distribution in words: ``CorrelatedSets 2 x 2, density 0.1, importance 1 to 4 between features, Uniform()``.

    One without a law of magnitudes says of what it is: ``Mixture of 3 components, density 0.1 to 0.2 between features, ...``.
    """
    sizes = [str(getattr(features, name)) for name in ("n_sets", "set_size") if hasattr(features, name)]
    kind = f"{type(features).__name__} {' x '.join(sizes)}".strip()
    made_of = [f"{len(getattr(features, name))} {name}" for name in ("components", "parts") if hasattr(features, name)]
    made_of += [f"{features.states.shape[0]} states"] if hasattr(features, "states") else []
    kind += f" of {made_of[0]}" if made_of else ""
    between = f"density {_span(features.feature_density)}, importance {_span(features.importance)}"
    signs = " of both signs" if getattr(features, "signed", False) else ""
    return f"{kind}, {between}" + (f", {features.magnitude}{signs}" if hasattr(features, "magnitude") else "")


def _span(values: NDArray[np.float64]) -> str:
    """Lowest and highest, and between what they differ."""
    low, high = values.min(), values.max()
    if low == high:
        return f"{low:g}"
    between = [] if (values == values[..., :1]).all() else ["features"]
    between += [] if (values == values.reshape(-1, values.shape[-1])[0]).all() else ["instances"]
    return f"{low:g} to {high:g} between {' and '.join(between)}"


@checked
def with_features(data: xr.Dataset, features: Features) -> xr.Dataset:
    """Models as those of these features, which all that takes models knows from then on; losses of other features are left out.

    >>> import numpy as np, tegum as tg
    >>> np.savez("five.npz", W=tg.geometry.polygon(5))
    >>> data = tg.with_features(tg.read_weights("five.npz"), tg.features.Independent(5, density=0.1))
    >>> tg.census(tg.exact.minimise_from(data).expand_dims("seed"))["shape"].values.tolist()
    ['pentagon']

    Args:
        data: models of any origin.
        features: as many as the models have; leading axes are the models' last ones, of the same length or 1.

    Raises:
        InvalidInputError: where the features do not fit the models.
    """
    n, lead, own = data.sizes.get("feature", 0), leading(data), features.batch_shape
    if features.n_features != n:
        raise InvalidInputError(f"there are {features.n_features} features, and the models have {n}", "give as many")
    sizes = tuple(data.sizes[axis] for axis in lead)
    fits = len(own) <= len(sizes) and all(one in (1, size) for one, size in zip(own[::-1], sizes[::-1], strict=False))
    if not fits:
        what = f"the features have the leading shape {own}, and the models {sizes}"
        raise InvalidInputError(what, "give one distribution, or leading axes that are the models' last ones")
    return labelled_with(unmeasured(data), features)


def unmeasured(data: xr.Dataset) -> xr.Dataset:
    """The models without what was measured of them, such as losses, which other features or another net would change."""
    whole = [*MODEL_DIMS, *(f"{name}_history" for name in MODEL_DIMS), "steps_done", "data_set"]
    kept = {name for name in data.data_vars if name in whole or str(name).startswith("feature_")}
    if "status" in data and not data["status"].isin(OF_MINIMA).any():
        kept.add("status")
    return data.drop_vars([name for name in data.data_vars if name not in kept])


def labelled_with(data: xr.Dataset, features: Features) -> xr.Dataset:
    """The models with these features, whose leading axes are the models' last ones, of the same length or 1, for theirs."""
    lead, changes = leading(data), dict[str, Any]()
    for name, values in (("density", features.feature_density), ("importance", features.importance)):
        dims = (*lead[len(lead) - values.ndim + 1 :], "feature")
        short = tuple(k for k, axis in enumerate(dims) if values.shape[k] == 1 < data.sizes[axis])
        changes[f"feature_{name}"] = tuple(axis for k, axis in enumerate(dims) if k not in short), values.squeeze(short)
    kept = data.drop_vars([name for name in data.variables if str(name).startswith("feature_")])
    kept.attrs.pop("feature_law", None)
    return kept.assign_coords(changes).assign_attrs(said_of(features))


def net_of(data: xr.Dataset) -> Net:
    """The net of the models, by its parameters where the dataset does not say: `ReluOutput`, or `Untied` with W1 and W2.

    Raises:
        InvalidInputError: where it has no exact loss.
    """
    said, n = said_net(data), data.sizes["feature"]
    m = data.sizes.get("hidden", n)
    if not said and "net" in data.coords:
        labels = data.coords["net"]
        if labels.ndim:
            advice = f"select one in Python, such as data.sel(net={str(labels.values.flat[0])!r})"
            raise InvalidInputError(f"the models are of several nets, {', '.join(map(str, labels.values.flat))}", advice)
        what = f"the models are of the net {labels.item()!r}, and the dataset does not say which that is"
        raise InvalidInputError(what, "give it in Python as net=..., or make the dataset anew")
    if not said and "W1" in data:
        return Untied(n, m, "b" in data, hidden_bias="b_hidden" in data)
    net = written_net(said) if said else None if "b_hidden" in data else ReluOutput(n, m)
    if said and net is None:
        advice = "give it as net=...: an activation or a family of your own is not read back"
        raise InvalidInputError(f"the models are of {said}", advice)
    neurons = net is not None and net.hidden_relu and m > 1
    if net is None or neurons or net.absolute_target:
        what = f"the models are of {said.partition('(')[0] or 'a net with a hidden bias'}"
        raise InvalidInputError(what, "the exact engine knows nets whose hidden units are linear, such as ReluOutput")
    return replace(net, n_features=n, n_hidden=m)


def said_net(data: xr.Dataset) -> str:
    """The net of the models as a dataset writes it, of those of `of_several_nets` the one selected; else empty."""
    label = data.coords.get("net")
    own = "" if label is None or label.ndim else data.attrs.get(f"net_{label.item()}", "")
    return str(data.attrs.get("net", own))


def of_several_nets(runs: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Models of several nets of the same parameters along an axis ``net``; the attribute ``net_NAME`` says which each is.

    >>> import tegum as tg
    >>> nets = {"plain": tg.nets.Linear(2, 1), "with ReLU": tg.nets.ReluOutput(2, 1)}
    >>> recipe = tg.Recipe(steps=1, batch_size=64, evaluation_samples=64)
    >>> runs = {name: tg.train(net, tg.features.Independent(2), recipe, progress=False) for name, net in nets.items()}
    >>> net_of(of_several_nets(runs).sel(net="plain"))
    Linear(n_features=2, n_hidden=1, bias=True)
    """
    joined = xr.concat(list(runs.values()), xr.Variable("net", list(runs)), combine_attrs="drop_conflicts", join="exact")
    joined.attrs.pop("net", None)
    return joined.assign_attrs({f"net_{name}": run.attrs["net"] for name, run in runs.items()})


def require_known(data: xr.Dataset, net: Net) -> None:
    """Raises an `InvalidInputError` where models have parameters, not all of them 0, that the net does not have."""
    own = {*net.parameter_shapes(), *(("b",) if "G" in data and net.has_hidden_bias else ())}
    with Problems() as problems:
        for name in PARAMETER_DIMS:
            if name in data and name not in own and (data[name].fillna(0) != 0).any():
                advice = f"give the net that the models are of; or leave it out on purpose, data.drop_vars({name!r})"
                problems.add(f"the dataset holds {name}, which {net!r} does not have", advice)


def written_net(text: str) -> Net | None:
    """The net that a dataset writes like this, `AbsoluteValue(n_features=5, ...)`; None where it is no family of tegum."""
    try:
        call = ast.parse(text, mode="eval").body
        assert isinstance(call, ast.Call)
        fields = {str(one.arg): _field(one.value) for one in call.keywords}
        family = getattr(nets, ast.unparse(call.func), None)
        return family(**fields) if isinstance(family, type) and issubclass(family, Net) else None
    except (SyntaxError, ValueError, TypeError, AssertionError, InvalidInputError):
        return None


def _field(value: ast.expr) -> Any:
    """A field of a net as it is written: a number, a truth value, a word, ``Activation('gelu')`` or ``TargetMap(...)``."""
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "Activation":
        return ast.literal_eval(value.args[0])
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "TargetMap":
        return TargetMap(**{str(one.arg): ast.literal_eval(one.value) for one in value.keywords})
    return ast.literal_eval(value)


def plain_axis(data: xr.Dataset) -> str | None:
    """An axis along which distributions differ in more than density and importance, which no one batch can hold."""
    varying = [data.coords[f"feature_{field}"] for field in (*_PLAIN, *_LAW) if f"feature_{field}" in data.coords]
    return next((str(one.dims[0]) for one in varying if one.ndim), None)


def leading(data: xr.Dataset) -> tuple[str, ...]:
    """The names of the axes of the models: those of W, or without W those on which features differ."""
    own = data[next((name for name in ("W", "G", "W1") if name in data), "feature_density")]
    return tuple(str(axis) for axis in own.dims if axis not in ("hidden", "output", "feature"))


def over(data: xr.Dataset, values: xr.DataArray, own: Sequence[str] = ("feature",)) -> NDArray[Any]:
    """The values on the leading axes of the models, of length 1 where they do not vary; other axes are refused."""
    lead = leading(data)
    others = set(values.dims) - {*lead, *own}
    if others:
        raise InvalidInputError(f"{values.name} has the axis {min(map(str, others))} and W has {lead}", "select one position")
    return values.expand_dims([axis for axis in lead if axis not in values.dims]).transpose(*lead, *own).values


def finite_part(data: xr.Dataset) -> tuple[xr.DataArray, xr.Dataset]:
    """Which models have finite parameters, over their leading axes; and all, those of the others 0, own axes last."""
    held = {name: data[name].transpose(..., *own) for name, own in MODEL_DIMS.items() if name in data}
    finite = reduce(and_, [(abs(one) < np.inf).all(MODEL_DIMS[name]) for name, one in held.items()])
    usable = finite.transpose(*leading(data), ...)
    return usable, data.assign({name: one.where(usable, 0.0).transpose(..., *MODEL_DIMS[name]) for name, one in held.items()})


def require_own(data: xr.Dataset, features: Features) -> None:
    """Raises an `InvalidInputError` where models say that they belong to other features than these."""
    said = str(data.attrs.get("features", ""))
    kinds = said.partition("(")[0], type(features).__name__
    laws = "feature_law" in data.attrs or "feature_law" in said_of(features)
    if laws and said and (kinds[0] != kinds[1] or not _same_law(data, features)):
        raise InvalidInputError(
            f"the models belong to {said if len(said) < 80 else kinds[0]}, and other features are given", _ON_PURPOSE
        )
    for name in ("density", "importance", *(() if laws else _PLAIN)):
        label, entry = data.coords.get(name), _entry(said, name) if name in _PLAIN else ""
        own = data.coords.get(f"feature_{name}", label if label is not None and label.dtype.kind == "f" else None)
        own = xr.DataArray(entry) if own is None and entry else own
        given = getattr(features, "feature_density" if name == "density" else name, None)
        if own is None:
            continue
        values = over(data, own) if "feature" in own.dims else over(data, own, ())[..., None]
        try:
            same = (values.astype(str) == str(given)).all() if name in _PLAIN else _close(values, given)
        except (ValueError, TypeError):
            continue  # axes that do not fit are told later, and words are labels of the user's own
        if not same:
            known = np.unique(values)
            between = " to ".join(dict.fromkeys(str(one) for one in (known[0], known[-1])))
            raise InvalidInputError(
                f"the models belong to features of {name} {between}, and other features are given",
                _ON_PURPOSE,
            )


def require_meant(features: Features, lead: Sequence[int]) -> None:
    """Raises an `InvalidInputError` for densities, one of each feature, that may be meant for models of just that number."""
    if "density" not in features.field_names():  # nobody gave a list of them
        return
    density = features.density
    count = density.shape[-1]
    if density.ndim == 1 and count in lead and not (density == density[0]).all():
        what = f"there are {count} densities, {count} features, and models with leading axes {tuple(lead)}"
        each = f"densities of shape (1, {count}), one for each feature, or (..., {count}, ..., 1), one for each model"
        raise InvalidInputError(what, f"say which is meant: give {each}")


def _same_law(data: xr.Dataset, features: Features) -> bool:
    """Whether a law is that of the models, importances aside; along an axis on which it varies nothing is said."""
    if plain_axis(data) is not None or "feature_law" not in data.attrs:
        return True
    one, other = (written(law.replaced(importance=1.0)) for law in (features_of(data), features))
    return one == other


def _close(one: Any, other: Any) -> bool:
    return bool(np.allclose(one, other, rtol=1e-9, atol=0))


def _require_fields(said: str, kind: type[Features]) -> None:
    """Refuses fields that a distribution does not have, where what is written can be read as a call."""
    try:
        call = ast.parse(said, mode="eval").body
    except SyntaxError:  # numbers of many features are written as NumPy prints them
        return
    unknown = [str(one.arg) for one in call.keywords if one.arg not in kind.field_names()] if isinstance(call, ast.Call) else []
    if unknown:
        raise InvalidInputError(f"the features of the dataset are {said}, and {kind.__name__} has no {unknown[0]}", _GIVE)


def _read(field: str, text: str) -> Any:
    """What `tegum.features.written` wrote of a field."""
    try:
        return read(text)
    except ValueError:
        raise InvalidInputError(f"feature_{field} of the dataset is {text[:60]!r}, which is not read back", _GIVE) from None


def _entry(said: str, field: str) -> str:
    """What stands after ``field=``."""
    found = re.search(rf"\b{field}=(.*?)(?:, \w+=|\)$)", said, re.DOTALL)
    return found[1] if found else ""


def _value(words: str) -> Any:
    """A truth value, a whole number, or a law of magnitudes such as ``Exponential(mean=0.5)``."""
    if words in ("True", "False"):
        return words == "True"
    words = re.sub(r"np\.\w+\(([^()]*)\)", r"\1", words)
    law, _, inside = words.rstrip(")").partition("(")
    if words.lstrip("-").isdigit():
        return int(words)
    if not isinstance(getattr(families, law, None), type):
        raise InvalidInputError(f"the magnitudes of the dataset are {words}, which are none of tegum's", _GIVE)
    numbers = [one.strip().rpartition("=") for one in inside.split(",") if one]
    by_name = {name: float(number) for name, _, number in numbers if name}
    return getattr(families, law)(*(float(number) for name, _, number in numbers if not name), **by_name)
