"""The expected loss of models as they are, without a sample: values, gradients, errors per feature, error estimates.

    L = sum_j I_j E (x_j - y_j)^2,    y = r(W^T W x + b)   (or r(G x + b), or another activation; or one hidden ReLU)

>>> import numpy as np, tegum as tg
>>> features = tg.features.Independent(2, density=0.1)
>>> pair = np.array([[1.0, -1.0]])                                   # two features, opposite in one dimension
>>> tg.exact.loss(pair, np.zeros(2), features).round(9)              # W (..., m, n), b (..., n): shape (...)
np.float64(0.003333333)
>>> loss, dW, db = tg.exact.loss_and_gradient(pair, np.zeros(2), features)
>>> dW.round(4), db.round(4)
(array([[-0.0017,  0.0017]]), array([-0.0033, -0.0033]))

Leading axes of W, b and the features are broadcast against each other.  A dataset of models brings its own distribution, one
for each grid point, and its names are kept:

>>> recipe = tg.Recipe(steps=200, batch_size=64, seeds=2, evaluation_samples=64)
>>> data = tg.train(tg.nets.ReluOutput(2, 1), tg.features.Independent(2), recipe, sweep={"density": [1, 0.1]}, progress=False)
>>> tg.exact.loss(data).sizes
Frozen({'density': 2, 'seed': 2})

How it is computed: `tegum.exact.kernel`, whose
`inversion` has the heart of it, and in NumPy, for reading, `docs/plain_inversion.py`.
"""

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple, TypedDict, Unpack

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from tegum.checking import in_order, numbers, shown
from tegum.datasets import MODEL_DIMS, PARAMETER_DIMS, dataset, instance_dims
from tegum.errors import InvalidInputError, unknown_field
from tegum.exact.kernel.model import LARGEST_BIAS, LARGEST_WEIGHT, Batch
from tegum.exact.losses import losses, losses_of_neurons, parameters_given
from tegum.exact.parameters import is_neuron, map_of, pulled_back, require_exact, shapes_of
from tegum.features import Features
from tegum.nets import Net
from tegum.recorded import features_of, leading, net_of, over, plain_axis, require_known, require_meant, require_own

_ROUNDING = 1e-11


class Options(TypedDict, total=False):
    """The further arguments of `evaluate`, which all functions here take."""

    net: Net | None
    tied: bool
    terms: int | None
    threads: int | None


Models = ArrayLike | xr.DataArray | xr.Dataset | Mapping[str, ArrayLike]
Biases = ArrayLike | xr.DataArray | None


class Found(NamedTuple):
    """What was found of a batch of models, and the derivatives of each loss by its parameters, by name, where asked for."""

    batch: Batch
    slopes: dict[str, NDArray[np.float64]]


def evaluate(
    W: Models,
    b: Biases = None,
    features: Features | None = None,
    tol: float = 1e-9,
    *,
    gradient: bool = False,
    **options: Unpack[Options],
) -> xr.Dataset:
    """Everything about the expected loss of a batch of models.

    Args:
        W: weights (..., m, n) with G = W^T W; with ``tied=False`` the map G itself (..., n, n).  Or all parameters of ``net``
            by name, as `tegum.nets.Net.parameter_shapes` has them.  Or a dataset with ``W`` (or ``G``) and ``b``, or all
            parameters, as training and `tegum.read_weights` return it.
        b: biases (..., n); left out where W has all parameters.
        features: their distribution; docs/exact.md has a table of those whose loss is known.  By default those of the dataset.
        tol: tolerated relative error of the loss; the gradient is held to 100 tol of its natural scale I E[x].
        gradient: whether to compute ``dW`` and ``db``.
        net: as it was trained, one whose hidden units are linear: `ReluOutput`, `Linear`, `ActivationOutput`, `Untied`; or one
            hidden ReLU, `ReluHidden` or `UntiedNeurons` with m = 1.  By default what the dataset says, or ReLU outputs.
        tied: whether the map is W^T W, as by default.
        terms: spend this many terms (8, 16, 32, ...; twice as many on outputs of dropped features, which converge
            slower) instead of choosing by ``tol``.
        threads: how many threads; by default one per core.  It never changes a result.

    Returns:
        A dataset over the leading axes (named and labelled as those of W, else ``instance``, or ``instance_0``, ...) with
        ``loss``, ``loss_error`` (estimate of its absolute error), ``terms``, ``squared_error`` (..., feature; less exact where
        less important), and with ``gradient`` the derivatives, ``dW`` (shaped like W) and ``db``, or of other nets ``dW1``,
        ``dW2``, ``db`` and ``db_hidden``, and ``gradient_error``, the largest error of a derivative by b or by the map G (of a
        hidden ReLU by any parameter).

    Raises:
        InvalidInputError: naming everything wrong with the arguments; numbers that are not finite by their instance (where W
            has names, such models have NaN for a loss); features that are not those that the models belong to; parameters that
            are not 0 and that the net does not have.
    """
    _require_options("evaluate", options, "gradient")
    found = _found(W, b, features, tol, gradient, options)
    if isinstance(found, xr.Dataset):
        return found
    batch = found.batch
    lead = instance_dims(batch.loss.ndim)
    variables: dict[str, tuple[tuple[str, ...], Any]] = {
        "loss": (lead, batch.loss),
        "loss_error": (lead, batch.error),
        "terms": (lead, batch.terms),
        "squared_error": ((*lead, "feature"), batch.squared_error),
    }
    if gradient:
        variables["gradient_error"] = (lead, batch.gradient_error)
    for name, slope in found.slopes.items():
        own = PARAMETER_DIMS[name] if options.get("tied", True) or name != "W" else ("output", "feature")
        variables[f"d{name}"] = (*lead, *own), slope
    return dataset(variables)


def _require_options(asked: str, options: Options, *more: str) -> None:
    """Refuses further arguments that there are not, in the words of the function that was ``asked``."""
    known = ["W", "b", "features", "tol", *more, *Options.__annotations__]
    if unknown := [unknown_field(asked, name, known, "argument") for name in options if name not in known]:
        raise InvalidInputError(unknown)


def _found(W: Models, b: Biases, features: Features | None, tol: float, gradient: bool, options: Options) -> xr.Dataset | Found:
    """What `evaluate` finds: a dataset where the models have names, else bare arrays."""
    net = options.get("net")
    if net is not None and not isinstance(net, Net):
        raise InvalidInputError(f"the net is {shown(net)}", "give a net, such as tegum.nets.ReluOutput(5, 2)")
    if isinstance(W, xr.Dataset):
        return _of_models(*_models_in(W, b, options), features, tol, gradient, options)
    by_name = isinstance(W, Mapping)
    if features is None or (b is None and not by_name):
        advice = "give both, or the whole dataset, which brings its own"
        raise InvalidInputError(f"W is given without {'b' if b is None and not by_name else 'features'}", advice)
    if isinstance(W, xr.DataArray):
        if "feature_density" not in W.coords:
            require_meant(features, [size for axis, size in W.sizes.items() if axis not in ("hidden", "output", "feature")])
        return _of_models(*_models_in(W, b, options), features, tol, gradient, options)
    first = numbers("W", next(iter(W.values()), ()) if isinstance(W, Mapping) else W).shape
    require_meant(features, first[:-2])
    if isinstance(W, Mapping):
        params: Any = W
        found = _of_parameters(params, b, features, tol, gradient, options)
        free = net is None or net.bias
        return found._replace(slopes={name: slope for name, slope in found.slopes.items() if free or name != "b"})
    assert b is not None
    if net is not None and is_neuron(net) and not net.has_hidden_bias and net.tied and options.get("tied", True):
        return _of_parameters({"W": W, "b": b}, None, features, tol, gradient, options)
    batch = losses(W, b, features, tol, gradient=gradient, **options)
    return Found(batch, {"W": batch.dW, "b": batch.db} if gradient else {})


def _of_parameters(
    params: Mapping[str, ArrayLike], b: Biases, features: Features, tol: float, gradient: bool, options: Options
) -> Found:
    """What is found of a net by the names of its parameters, and the derivatives by each of them."""
    net = options.get("net")
    if net is None or b is not None or not options.get("tied", True):
        what = "parameters are given by name" + (" without their net" if net is None else ", and b or tied as well")
        raise InvalidInputError(what, "give them with net=..., as tegum.exact.loss(params, features=features, net=net)")
    require_exact(net)
    shapes, arrays = shapes_of(net), parameters_given(net, params)
    terms, threads = options.get("terms"), options.get("threads")
    if is_neuron(net):
        found, by = losses_of_neurons(net, arrays, features, tol, gradient, terms, threads)
        return Found(found, dict(zip(shapes, by, strict=True)) if gradient else {})
    if net.tied:
        found = losses(arrays[0], arrays[1], features, tol, gradient, net, terms=terms, threads=threads)
        return Found(found, {"W": found.dW, "b": found.db} if gradient else {})
    found = losses(*map_of(net, arrays), features, tol, gradient, net, False, terms, threads)
    slopes = pulled_back(net, arrays, found.dW, found.db) if gradient else ()
    return Found(found, dict(zip(shapes, slopes, strict=False)))


def loss(W: Models, b: Biases = None, features: Features | None = None, tol: float = 1e-9, **options: Unpack[Options]) -> Any:
    """sum_j I_j E (x_j - y_j)^2, shape (...).  Arguments and errors as in `evaluate`, which also says how exact it is.

    Warns where that is less than ``tol`` asks for.
    """
    _require_options("loss", options)
    return _bare(_said(W, b, features, tol, False, options), "loss")


def squared_errors(
    W: Models, b: Biases = None, features: Features | None = None, tol: float = 1e-9, **options: Unpack[Options]
) -> Any:
    """E (x_j - y_j)^2 of each feature, unweighted, shape (..., n).  Arguments and errors as in `evaluate`.

    ``tol`` is of their sum with the importances: a feature of little importance is known less well.
    """
    _require_options("squared_errors", options)
    return _bare(_said(W, b, features, tol, False, options), "squared_error")


def loss_and_gradient(
    W: Models, b: Biases = None, features: Features | None = None, tol: float = 1e-9, **options: Unpack[Options]
) -> tuple[Any, ...]:
    """The loss (...), its derivative by W (shaped like W, broadcast) and by b (..., n).

    Of parameters by name the loss and the derivatives by those that the net has, by name, as are those of a dataset with W1
    and W2 or b_hidden.  Arguments and errors as in `evaluate`.
    """
    _require_options("loss_and_gradient", options)
    found = _said(W, b, features, tol, True, options)
    slopes: dict[str, Any]
    if isinstance(found, xr.Dataset):
        slopes = {name: found[f"d{name}"] for name in PARAMETER_DIMS if f"d{name}" in found}
    else:
        slopes = dict(found.slopes)
    if not {"W1", "b_hidden"}.isdisjoint(slopes) or (isinstance(W, Mapping) and not isinstance(W, xr.Dataset)):
        return _bare(found, "loss"), slopes
    return _bare(found, "loss"), slopes["W"], slopes["b"]


def _said(W: Models, b: Biases, features: Features | None, tol: float, gradient: bool, options: Options) -> xr.Dataset | Found:
    """What `_found` finds, with a warning where a loss is not known to ``tol``, which the loss alone does not show.

    An error of rounding is not worth one: 1e-11 of the loss of zeros, as `_found` knows that.
    """
    found = _found(W, b, features, tol, gradient, options)
    loss, error = _numbers(found, "loss"), _numbers(found, "loss_error")
    if options.get("terms") is not None or not (error > tol * loss).any():
        return found
    scale = _numbers(_found(_zeros(W), None if b is None else _zeros(b), features, tol, False, options), "loss")
    missed = error > np.maximum(tol * loss, _ROUNDING * scale)
    if missed.any():
        which = "the loss is" if missed.ndim == 0 else f"{missed.sum()} of {missed.size} losses are"
        worst = np.unravel_index(np.argmax(np.where(missed, error - tol * loss, -np.inf)), missed.shape)
        what = f"{which} not known to tol={tol:g}, such as {loss[worst]:.3g} to within {error[worst]:.1g}"
        warnings.warn(f"{what}; `tegum.exact.evaluate` says that of each", stacklevel=3)
    return found


def _numbers(found: xr.Dataset | Found, name: str) -> NDArray[np.float64]:
    """The losses, or their errors."""
    return found[name].values if isinstance(found, xr.Dataset) else getattr(found.batch, name.removeprefix("loss_"))


def _zeros(models: Any) -> Any:
    """Models of the same kind whose parameters are 0."""
    if isinstance(models, xr.Dataset):
        return models.assign({name: 0 * models[name] for name in MODEL_DIMS if name in models})
    if isinstance(models, Mapping):
        return {name: np.zeros_like(one) for name, one in models.items()}
    return 0 * models if isinstance(models, xr.DataArray) else np.zeros_like(models)


def _bare(found: xr.Dataset | Found, name: str) -> Any:
    """A result with names where the models have names, else an array, or a number of one model."""
    return found[name] if isinstance(found, xr.Dataset) else getattr(found.batch, name)[()]


def _models_in(W: xr.DataArray | xr.Dataset, b: Any, options: Options) -> tuple[xr.Dataset, dict[str, xr.DataArray]]:
    """A dataset of the models and their parameters by name, whose last axes are called as ours are, with labels of W."""
    if isinstance(W, xr.Dataset) and ("W1" in W or "b_hidden" in W):
        if b is not None:
            raise InvalidInputError("a dataset with all parameters is given, and b is given", "give the dataset alone")
        net = options["net"] = options.get("net") or net_of(W)
        require_known(W, net)
        missing = [name for name in net.parameter_shapes() if name not in W]
        if missing:
            raise InvalidInputError(f"the dataset holds {', '.join(map(str, W.data_vars))}", f"give all parameters of {net!r}")
        return W, {name: W[name] for name in net.parameter_shapes()}
    model = W if isinstance(W, xr.DataArray) else next((W[name] for name in ("W", "G") if name in W), None)
    if model is not None and (model.ndim < 2 or not ({"feature"} < set(model.dims) or isinstance(W, xr.DataArray))):
        raise InvalidInputError(f"W has dimensions {dict(model.sizes)}", "give (..., hidden, feature)")
    if isinstance(W, xr.Dataset):
        data = W.rename({"G": "W"}) if "G" in W else W
        if "W" not in data or b is not None:
            held = f"the dataset holds {', '.join(map(str, data.data_vars))}" + (", and b is given" if b is not None else "")
            raise InvalidInputError(held, "give a dataset with W and b, or W and b")
        if "G" in W:
            options["tied"] = False
        net = options["net"] = options.get("net") or net_of(data)
        require_known(data, net)
        if "b" not in data and net.bias:
            what = f"the dataset holds W without b, and {net!r} has one"
            raise InvalidInputError(what, "give a dataset with both, or where b = 0, data.assign(b=0 * data.W.isel(hidden=0))")
        b = data["b"] if "b" in data else np.zeros(data.sizes["feature"])
    else:
        W = in_order(W, PARAMETER_DIMS["W"])
        last = dict(zip(W.dims[-2:], ("hidden" if options.get("tied", True) else "output", "feature"), strict=True))
        data = W.rename({old: new for old, new in last.items() if old != new}).to_dataset(name="W")
    data = data.assign(W=in_order(data["W"]).variable)
    if not isinstance(b, xr.DataArray):
        b = numbers("b", b)
        if b.shape[-1:] != (data.sizes["feature"],) or b.ndim >= data["W"].ndim:
            raise InvalidInputError(f"b has shape {b.shape} and W {data['W'].shape}", "give a number for each feature")
        return data, {"W": data["W"], "b": xr.DataArray(b, dims=(*leading(data), "feature")[-b.ndim :], name="b")}
    try:
        xr.align(data["W"], b, join="exact")
    except ValueError:
        raise InvalidInputError("W and b have different labels along an axis", "select the same models of both") from None
    return data, {"W": data["W"], "b": b.rename("b")}


def _of_models(
    data: xr.Dataset,
    params: dict[str, xr.DataArray],
    features: Features | None,
    tol: float,
    gradient: bool,
    options: Options,
) -> xr.Dataset:
    """What `evaluate` finds for models with names, part by part where distributions differ in kind."""
    lead = leading(data)
    axis = plain_axis(data) if features is None else None
    if axis is not None:
        places = [{axis: k} for k in range(data.sizes[axis])]
        each = [
            (data.isel(place), {name: one.isel(place, missing_dims="ignore") for name, one in params.items()})
            for place in places
        ]
        parts = [_of_models(*one, None, tol, gradient, options) for one in each]
        return xr.concat(parts, axis, coords="different", compat="equals").transpose(*lead, ...)
    if features is None:
        features = features_of(data)
    else:
        require_own(data, features)
    main, mapped = next(iter(params.values())), not options.get("tied", True)
    arrays, finite = {}, np.ones((), dtype=bool)
    for name, one in params.items():
        own: tuple[str, ...] = ("output", "feature") if mapped and name == "W" else PARAMETER_DIMS[name]
        array = over(data, one, own).astype(np.float64)
        usable = np.abs(array) < (LARGEST_BIAS if name == "b" else LARGEST_WEIGHT)
        finite = finite & usable.all(axis=tuple(range(-len(own), 0)))
        arrays[name] = array, len(own)
    models = {name: np.where(finite[(..., *[None] * axes)], array, 0.0) for name, (array, axes) in arrays.items()}
    if lead and "density" in features.field_names() and features.density.ndim == 1:
        features = features.replaced(density=features.density[None])  # it is known whose densities these are
    given: tuple[Any, Any] = (models["W"], models["b"]) if set(models) == {"W", "b"} else (models, None)
    found = evaluate(given[0], given[1], features, tol, gradient=gradient, **options)
    if found["loss"].shape != finite.shape:
        what = f"the models have axes {dict(zip(lead, finite.shape, strict=True))} and the features {features.batch_shape}"
        raise InvalidInputError(what, "give a distribution for each model, or one for all")
    found = found.rename(dict(zip(found["loss"].dims, lead, strict=True)))
    for variable in set(found.data_vars) - {"terms"}:
        found[variable] = found[variable].where(xr.DataArray(finite, dims=lead))
    return found.assign_coords({name: one for name, one in main.coords.items() if set(one.dims) <= {*lead, "feature"}})
