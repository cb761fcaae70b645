"""The expected loss of models as they are, without a sample: values, gradients, errors per feature, error estimates.

    L = sum_j I_j E (x_j - y_j)^2,    y = r(W^T W x + b)   (or r(G x + b), or without the r)

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

import math
from typing import Any, TypedDict, Unpack

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked, in_order, numbers, real_numbers
from tegum.datasets import dataset, instance_dims
from tegum.errors import InvalidInputError, Problems
from tegum.exact.batches import evaluated
from tegum.exact.distributions import distributions_of, is_native
from tegum.exact.kernel.model import LARGEST_BIAS, LARGEST_WEIGHT, Batch, Settings
from tegum.exact.kernel.records import MOST_TERMS, require_terms
from tegum.exact.laws import Answer, Asked, Laws, laws_for
from tegum.features import Features
from tegum.nets import Linear, Net, ReluOutput, require_same_features
from tegum.recorded import features_of, leading, net_of, over, plain_axis, require_own
from tegum.threads import in_pieces

_FIRST_TERMS = 16


class Options(TypedDict, total=False):
    """The further arguments of `evaluate`, which all functions here take."""

    net: Net | None
    tied: bool
    terms: int | None
    threads: int | None


Models = ArrayLike | xr.DataArray | xr.Dataset
Biases = ArrayLike | xr.DataArray | None


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
        W: weights (..., m, n) with G = W^T W; with ``tied=False`` the map G itself (..., n, n).  Or a dataset with ``W`` (or
            ``G``) and ``b``, as training and `tegum.read_weights` return it.
        b: biases (..., n).
        features: their distribution; docs/exact.md has a table of those whose loss is known.  By default those of the dataset.
        tol: tolerated relative error of the loss; the gradient is held to 100 tol of its natural scale I E[x].
        gradient: whether to compute ``dW`` and ``db``.
        net: `ReluOutput` or `Linear`, as it was trained; by default what the dataset says, or ReLU outputs.
        tied: whether the map is W^T W, as by default.
        terms: spend this many terms (8, 16, 32, ...; twice as many on outputs of dropped features, which converge
            slower) instead of choosing by ``tol``.
        threads: how many threads; by default one per core.  It never changes a result.

    Returns:
        A dataset over the leading axes (named and labelled as those of W, else ``instance``, or ``instance_0``, ...) with
        ``loss``, ``loss_error`` (estimate of its absolute error), ``terms``, ``squared_error`` (..., feature), and with
        ``gradient`` ``dW`` (shaped like W), ``db`` and ``gradient_error``: the same of the derivatives by entries of b and of
        the map G, the largest of all.

    Raises:
        InvalidInputError: naming everything wrong with the arguments; numbers that are not finite by their instance (where W
            has names, such models have NaN for a loss); features that are not those that the models belong to.
    """
    found = _found(W, b, features, tol, gradient, options)
    if isinstance(found, xr.Dataset):
        return found
    lead = instance_dims(found.loss.ndim)
    variables: dict[str, tuple[tuple[str, ...], Any]] = {
        "loss": (lead, found.loss),
        "loss_error": (lead, found.error),
        "terms": (lead, found.terms),
        "squared_error": ((*lead, "feature"), found.squared_error),
    }
    if gradient:
        variables["gradient_error"] = (lead, found.gradient_error)
        variables["dW"] = ((*lead, "hidden" if options.get("tied", True) else "output", "feature"), found.dW)
        variables["db"] = ((*lead, "feature"), found.db)
    return dataset(variables)


def _found(W: Models, b: Biases, features: Features | None, tol: float, gradient: bool, options: Options) -> xr.Dataset | Batch:
    """What `evaluate` finds: a dataset where W has names, else bare arrays."""
    if not isinstance(W, xr.Dataset) and (b is None or features is None):
        advice = "give both, or the whole dataset, which brings its own"
        raise InvalidInputError(f"W is given without {'b' if b is None else 'features'}", advice)
    if isinstance(W, xr.DataArray | xr.Dataset):
        return _of_models(*_models_in(W, b, options), features, tol, gradient, options)
    assert b is not None
    assert features is not None
    return _evaluated(W, b, features, tol, gradient=gradient, **options)


@checked
def _evaluated(
    W: ArrayLike,
    b: ArrayLike,
    features: Features,
    tol: float,
    gradient: bool,
    net: Net | None = None,
    tied: bool = True,
    terms: int | None = None,
    threads: int | None = None,
) -> Batch:
    """What `evaluate` returns, as arrays with the leading axes; without gradient ``dW`` and ``db`` hold nothing."""
    problems = Problems()
    W, b, linear = _checked(W, b, features, net, tied, problems)
    problems.check_fraction("tol", tol)
    problems.check_least("threads", threads)
    with problems:
        require_terms(MOST_TERMS if terms is None else terms)
    _require_finite("W", W, 2, LARGEST_WEIGHT)
    _require_finite("b", b, 1, LARGEST_BIAS)
    leads = W.shape[:-2], b.shape[:-1]
    try:
        batch = np.broadcast_shapes(*leads, features.batch_shape)
    except ValueError:
        shapes = f"W {leads[0]}, b {leads[1]} and the features {features.batch_shape}"
        raise InvalidInputError(f"the leading axes do not fit: {shapes}", "give axes that broadcast") from None
    crossed = np.prod(leads[0]) == np.prod(leads[1]) < np.prod(np.broadcast_shapes(*leads))
    if crossed and len(leads[0]) != len(leads[1]):
        what = f"W has leading axes {leads[0]} and b {leads[1]}, which pairs every W with every b"
        raise InvalidInputError(what, f"give b as {(*leads[0], W.shape[-1])}; or, to ask for all pairs, as many axes to both")
    which = np.broadcast_to(np.arange(math.prod(features.batch_shape)).reshape(features.batch_shape), batch)
    least, most = (_FIRST_TERMS, MOST_TERMS) if terms is None else (terms, terms)
    if is_native(features):
        settings = Settings(int(tied), int(linear), int(gradient), least, most, float(tol))
        return evaluated(W, b, which, distributions_of(features), settings, threads)
    asked = Asked(float(tol), least, most, gradient)
    return _by_laws(W, b, which, laws_for(features, linear), asked, tied, threads)


def _by_laws(
    W: NDArray[np.float64],
    b: NDArray[np.float64],
    which: NDArray[np.int64],
    laws: Laws,
    asked: Asked,
    tied: bool,
    threads: int | None,
) -> Batch:
    """What `evaluated` returns, of distributions that compiled code does not take as they are."""
    batch, (rows, n) = which.shape, W.shape[-2:]
    W, b = np.broadcast_to(W, (*batch, rows, n)).reshape(-1, rows, n), np.broadcast_to(b, (*batch, n)).reshape(-1, n)
    each, owner = dict[int, Answer](), which.reshape(-1)

    def work(_: None, first: int, end: int) -> None:
        for k in range(first, end):
            each[k] = laws.answer(int(owner[k]), W[k].T @ W[k] if tied else W[k], b[k], asked)

    in_pieces(which.size, 1, lambda _: None, work, threads=threads, progress=None if n > 50 else False, title="exact loss")
    found = [each[k] for k in range(which.size)]
    dG = np.array([one.dG for one in found]).reshape(*batch, n, n)
    W = W.reshape(*batch, rows, n)
    squares = np.array([one.squared_error for one in found]).reshape(*batch, n)
    importance = laws.importance[owner].reshape(*batch, n)
    return Batch(
        W=W,
        b=b.reshape(*batch, n),
        distribution_of=which,
        weight=np.zeros((0, 0)),
        importance=laws.importance,
        loss=(squares * importance).sum(axis=-1),
        error=np.array([one.error for one in found]).reshape(batch),
        gradient_error=np.array([one.gradient_error for one in found]).reshape(batch),
        terms=np.array([one.terms for one in found], dtype=np.int64).reshape(batch),
        squared_error=squares,
        dW=W @ (dG + dG.swapaxes(-1, -2)) if tied else dG,
        db=np.array([one.db for one in found]).reshape(*batch, n),
    )


def _checked(
    W: ArrayLike, b: ArrayLike, features: Features, net: Net | None, tied: bool, problems: Problems
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """W and b as numbers, and whether the net is linear; notes what is wrong with their shapes and the net."""
    given: dict[str, NDArray[np.float64]] = {}
    for name, array in (("W", W), ("b", b)):
        with problems.collecting():
            given[name] = real_numbers(name, array)
    if not isinstance(features, Features):
        problems.add(
            f"the features are {features!r}", "give a distribution, such as tegum.features.Independent(5, density=0.1)"
        )
    problems.raise_if_any()
    W, b, n = given["W"], given["b"], features.n_features
    if W.ndim < 2 or W.shape[-1] != n or (not tied and W.shape[-2] != n):
        problems.add(f"W has shape {W.shape}", f"give (..., m, {n})" if tied else f"give the map as (..., {n}, {n})")
    if b.ndim < 1 or b.shape[-1] != n:
        problems.add(f"b has shape {b.shape}", f"give (..., {n})")
    linear = False
    if net is not None:
        with problems.collecting():
            require_same_features(net, n)
            linear = is_linear(net)
        if tied and W.ndim >= 2 and W.shape[-2] != net.n_hidden:
            problems.add(f"W has {W.shape[-2]} hidden dimensions and the net {net.n_hidden}", "give the net that W belongs to")
    return W, b, linear


def is_linear(net: Net) -> bool:
    """Whether a net that the exact engine can treat is linear.

    Raises:
        InvalidInputError: for every other family.
    """
    if not isinstance(net, ReluOutput | Linear):
        raise InvalidInputError(
            f"the net is {net!r}", "the exact engine knows Linear and ReluOutput; train the others with tegum.train"
        )
    return isinstance(net, Linear)


def loss(W: Models, b: Biases = None, features: Features | None = None, tol: float = 1e-9, **options: Unpack[Options]) -> Any:
    """sum_j I_j E (x_j - y_j)^2, shape (...).  Arguments and errors as in `evaluate`, which also says how exact it is."""
    return _bare(_found(W, b, features, tol, False, options), "loss")


def squared_errors(
    W: Models, b: Biases = None, features: Features | None = None, tol: float = 1e-9, **options: Unpack[Options]
) -> Any:
    """E (x_j - y_j)^2 of each feature, unweighted, shape (..., n).  Arguments and errors as in `evaluate`."""
    return _bare(_found(W, b, features, tol, False, options), "squared_error")


def loss_and_gradient(
    W: Models, b: Biases = None, features: Features | None = None, tol: float = 1e-9, **options: Unpack[Options]
) -> tuple[Any, Any, Any]:
    """The loss (...), its derivative by W (shaped like W, broadcast) and by b (..., n).

    Arguments and errors as in `evaluate`.
    """
    found = _found(W, b, features, tol, True, options)
    return _bare(found, "loss"), _bare(found, "dW"), _bare(found, "db")


def _bare(found: xr.Dataset | Batch, name: str) -> Any:
    """A result with names where W has names, else an array, or a number of one model."""
    return found[name] if isinstance(found, xr.Dataset) else getattr(found, name)[()]


def _models_in(W: xr.DataArray | xr.Dataset, b: Any, options: Options) -> tuple[xr.Dataset, xr.DataArray]:
    """A dataset of the models with ``W``, its last axes called as ours are, and their b, which has labels of W."""
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
        options.setdefault("net", net_of(data))
        b = data["b"] if "b" in data else np.zeros(data.sizes["feature"])
    else:
        W = in_order(W)
        last = dict(zip(W.dims[-2:], ("hidden" if options.get("tied", True) else "output", "feature"), strict=True))
        data = W.rename({old: new for old, new in last.items() if old != new}).to_dataset(name="W")
    if not isinstance(b, xr.DataArray):
        b = numbers("b", b)
        if b.shape[-1:] != (data.sizes["feature"],) or b.ndim >= data["W"].ndim:
            raise InvalidInputError(f"b has shape {b.shape} and W {data['W'].shape}", "give a number for each feature")
        return data, xr.DataArray(b, dims=(*leading(data), "feature")[-b.ndim :], name="b")
    try:
        xr.align(data["W"], b, join="exact")
    except ValueError:
        raise InvalidInputError("W and b have different labels along an axis", "select the same models of both") from None
    return data, b.rename("b")


def _of_models(
    data: xr.Dataset, b: xr.DataArray, features: Features | None, tol: float, gradient: bool, options: Options
) -> xr.Dataset:
    """What `evaluate` finds for models with names, part by part where distributions differ in kind."""
    data, lead = data.assign(W=in_order(data["W"])), leading(data)
    axis = plain_axis(data) if features is None else None
    if axis is not None:
        places = [{axis: k} for k in range(data.sizes[axis])]
        each = [(data.isel(place), b.isel(place, missing_dims="ignore")) for place in places]
        parts = [_of_models(*one, None, tol, gradient, options) for one in each]
        return xr.concat(parts, axis, coords="different", compat="equals").transpose(*lead, ...)
    if features is None:
        features = features_of(data)
    else:
        require_own(data, features)
    W, biases = data["W"].astype(np.float64), over(data, b).astype(np.float64)
    finite = (np.abs(W.values) < LARGEST_WEIGHT).all(axis=(-2, -1)) & (np.abs(biases) < LARGEST_BIAS).all(axis=-1)
    usable = np.where(finite[..., None, None], W.values, 0.0), np.where(finite[..., None], biases, 0.0)
    found = evaluate(*usable, features, tol, gradient=gradient, **options)
    if found["loss"].shape != finite.shape:
        what = f"the models have axes {dict(zip(lead, finite.shape, strict=True))} and the features {features.batch_shape}"
        raise InvalidInputError(what, "give a distribution for each model, or one for all")
    found = found.rename(dict(zip(found["loss"].dims, lead, strict=True)))
    for name in set(found.data_vars) - {"terms"}:
        found[name] = found[name].where(xr.DataArray(finite, dims=lead))
    return found.assign_coords({name: one for name, one in W.coords.items() if set(one.dims) <= {*lead, "feature"}})


def _require_finite(name: str, array: NDArray[np.float64], own: int, limit: float) -> None:
    """Refuses numbers that are not finite, or so large that their squares would not be."""
    bad = ~(np.abs(array) < limit)
    if not bad.any():
        return
    place = tuple(int(i) for i in np.argwhere(bad)[0])
    instance = place[: array.ndim - own]
    where = f" in instance {instance[0] if len(instance) == 1 else instance}" if instance else ""
    raise InvalidInputError(
        f"{name}{where} is {array[place]} at {place[array.ndim - own :]}",
        f"give finite numbers below {limit:g}; a model that diverged has no loss",
    )
