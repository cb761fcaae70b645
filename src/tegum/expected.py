"""The expected loss of any net on any feature distribution: exact where it is known, else sampled, with a standard error.

    E L = sum_k P(k features are active) E[L | k active],      k = 0, 1, 2, and 3 or more

Nothing active is a single input.  The other strata of independent features are sampled apart by scrambled Sobol sequences,
because most of a sparse loss is decided by who is active, and little by how many; each gets points in proportion to its
probability and its spread.  Sixteen scrambles of their own say how far the mean may be off.  Other distributions are sampled
plainly, in sixteen parts.

Who is active, given how many: feature after feature, with T_i(c) the probability that of features i, i + 1, ... just c (or at
least c) are active,

    P(i is active | c still to come) = p_i T_{i + 1}(c - 1) / T_i(c)

>>> import numpy as np, tegum as tg
>>> features = tg.features.Independent(2, density=0.1)
>>> params = {"W1": np.eye(2), "W2": 0.9 * np.eye(2), "b": np.zeros(2)}          # y = 0.9 x: E sum (0.1 x)^2 = 0.002 / 3
>>> value, error, method = tg.expected_loss(tg.nets.AbsoluteValue(2, 2), params, features)
>>> round(float(value), 7), bool(error < 1e-7), method
(0.0006667, True, 'sampled by strata of active features')
>>> tg.expected_loss(tg.nets.Linear(2, 1), {"W": np.eye(2)[:1], "b": np.zeros(2)}, features).method
'exact'

Source: Owen, "Scrambled net variance for integrals of smooth functions" (1997).
"""

import warnings
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

from tegum.checking import checked, require_seeds
from tegum.datasets import PARAMETER_DIMS
from tegum.errors import InvalidInputError, Problems
from tegum.exact import evaluate
from tegum.exact.kernel.model import LARGEST_WEIGHT
from tegum.exact.losses import require_finite
from tegum.exact.objective import engine_of
from tegum.features import Features, Independent
from tegum.nets import Net, Parameters, require_same_features
from tegum.nets.net import paired_parameters, parameter
from tegum.recorded import features_of, net_of, over, require_known, require_meant, require_own, said_net, written_net

Array = NDArray[np.float64]

_REPLICATES = 16
_PILOT = 64
_LAST = 3
"""Strata of 0 to 2 active features, and of this many or more."""

_ROUGH, _NOTHING = 1e-5, 1e-12
"""An exact loss of a larger relative error, which is more than rounding, may be worse than a sampled one."""

_MOST_NUMBERS = 2**22
_MOST_DIMENSIONS = 21201
"""Of SciPy's Sobol sequences."""


class Expected(NamedTuple):
    """An expected loss (...), the standard error of each, and how it was found.

    ``method`` is "exact" (then the standard error is the estimate of the absolute error), "sampled by strata of active
    features", or "sampled", of all models together.  Losses that are known are sampled, all of them, where of some the estimate
    of the error is larger than samples' error.
    """

    value: Array
    standard_error: Array
    method: str


@checked
def expected_loss(
    net: Net | xr.Dataset,
    params: Mapping[str, Any] | None = None,
    features: Features | None = None,
    *,
    tol: float = 1e-9,
    samples: int = 2**16,
    seed: int = 0,
) -> Expected:
    """E sum_i I_i (target_i - y_i)^2 of every instance, by the best way there is, and how sure that is.

    Args:
        net: any family, your own included; or a dataset of models, which brings net, parameters and features of its own (models
            that diverged have NaN).
        params: its parameters by name (`tegum.nets.Net.parameter_shapes`); leading axes are instances; those with names are
            paired by these and by their labels, in the order of the weights'.
        features: any distribution; its leading axes broadcast with those of the parameters.
        tol: relative error of exact losses.
        samples: how many inputs to draw where there is no exact loss, at least 1,024; all instances see the same ones, divided
            among the strata by the mean spread of all: a model's value and error depend, within that error, on those beside it.
        seed: of these inputs.

    Raises:
        InvalidInputError: naming everything wrong with the arguments; weights that are not finite only a dataset may have.
    """
    if isinstance(net, xr.Dataset):
        if params is not None or features is not None:
            raise InvalidInputError(
                "a dataset is given, and params or features as well", "give the dataset alone, or net, params, features"
            )
        return _of_models(net, tol, samples, seed)
    if params is None or features is None:
        raise InvalidInputError("a net is given without params or features", "give all three, or a dataset of models")
    params = paired_parameters(params)
    named = next((params[name] for name in PARAMETER_DIMS if isinstance(params.get(name), xr.DataArray)), None)
    if named is not None:
        require_own(xr.Dataset({"W": named}), features)
    problems = Problems()
    with problems.collecting():
        require_same_features(net, features.n_features)
    with problems.collecting():
        params = {name: parameter(name, one).astype(np.float64) for name, one in params.items()}
        net.check_parameters(params)
    with problems.collecting():
        require_seeds(seed)
    problems.check_fraction("tol", tol)
    problems.check_least("samples", samples, _REPLICATES * _PILOT)
    problems.raise_if_any()
    require_meant(features, params[next(iter(net.parameter_shapes()))].shape[:-2])
    if _has_exact_loss(net, features):
        found = evaluate(params, features=features, tol=tol, net=net)
        exact = Expected(np.asarray(found["loss"]), np.asarray(found["loss_error"]), "exact")
        rough = _are_rough(exact, features)
        if not rough.any():
            return exact
        sampled = _sampled(net, params, features, samples, seed)
        return sampled if (sampled.standard_error < exact.standard_error)[rough].all() else exact
    for name, own in net.parameter_shapes().items():
        require_finite(name, params[name], len(own), LARGEST_WEIGHT)
    return _sampled(net, params, features, samples, seed)


def _are_rough(exact: Expected, features: Features) -> NDArray[np.bool_]:
    """Which exact losses are not known better than samples may tell them."""
    rough = np.asarray(exact.standard_error > _ROUGH * exact.value)
    if rough.any():  # or nothing but rounding, of a loss of about 0
        squares = np.einsum("...ii->...i", features.second_moment())
        rough &= exact.standard_error > _NOTHING * (features.importance * squares).sum(axis=-1)
    return rough


def _of_models(data: xr.Dataset, tol: float, samples: int, seed: int) -> Expected:
    """The expected losses of the models in a dataset, on their own features."""
    said = said_net(data)
    net = written_net(said) if said else net_of(data)
    if net is None:
        raise InvalidInputError(f"the models are of {said}, which is none of tegum's", "give net, params and features")
    require_known(data, net)
    missing = [name for name in net.parameter_shapes() if name not in data]
    if missing:
        raise InvalidInputError(
            f"the dataset has no {missing[0]}", f"give {', '.join(net.parameter_shapes())}, as training returns them"
        )
    params = {name: over(data, data[name], PARAMETER_DIMS[name]) for name in net.parameter_shapes()}
    finite = np.ones((), dtype=bool)
    for name, one in params.items():
        finite = finite & np.isfinite(one).all(axis=tuple(range(-len(PARAMETER_DIMS[name]), 0)))
    usable = {name: np.where(finite[(..., *[None] * len(PARAMETER_DIMS[name]))], one, 0.0) for name, one in params.items()}
    found = expected_loss(net, usable, features_of(data), tol=tol, samples=samples, seed=seed)
    return found._replace(
        value=np.where(finite, found.value, np.nan), standard_error=np.where(finite, found.standard_error, np.nan)
    )


def _has_exact_loss(net: Net, features: Features) -> bool:
    try:
        engine_of(net, features)
    except InvalidInputError:
        return False
    return True


def _sampled(net: Net, params: Parameters, features: Features, samples: int, seed: int) -> Expected:
    """Sampled losses, one distribution after the other."""
    shapes = net.parameter_shapes()
    leads = [params[name].shape[: params[name].ndim - len(own)] for name, own in shapes.items()]
    try:
        lead = np.broadcast_shapes(*leads, features.batch_shape)
    except ValueError:
        what = f"the parameters have leading axes {leads} and the features {features.batch_shape}"
        raise InvalidInputError(what, "give axes that broadcast") from None
    whole = {name: np.broadcast_to(params[name], (*lead, *own)) for name, own in shapes.items()}
    which = np.broadcast_to(np.arange(int(np.prod(features.batch_shape))).reshape(features.batch_shape), lead)
    laws = features.singles()  # as many as there are distributions, or one for all
    importances = np.broadcast_to(features.importance, (*features.batch_shape, features.n_features))
    value, error = np.full(lead, np.nan), np.full(lead, np.nan)
    for k, importance in enumerate(importances.reshape(-1, features.n_features)):
        place, one = which == k, laws[k % len(laws)]
        mine = {name: array[place] if lead else array for name, array in whole.items()}
        if isinstance(one, Independent):
            parts = _by_strata(net, mine, one, importance, samples, seed)
        else:
            parts = _plainly(net, mine, one, importance, samples, seed)
        value[place] = parts.mean(axis=0)
        error[place] = parts.std(axis=0, ddof=1) / np.sqrt(_REPLICATES)
    stratified = isinstance(features, Independent)
    return Expected(value, error, "sampled by strata of active features" if stratified else "sampled")


def _losses(net: Net, params: Parameters, importance: Array, x: Array) -> Iterator[Array]:
    """The losses (..., samples) of the inputs x (samples, n), some samples at a time."""
    name, own = next(iter(net.parameter_shapes().items()))
    lead = params[name].shape[: params[name].ndim - len(own)]
    step = max(1, _MOST_NUMBERS // (int(np.prod(lead)) * x.shape[1]))
    for first in range(0, len(x), step):
        some = x[first : first + step]
        some = np.broadcast_to(some, (*lead, *some.shape))
        yield (importance * (net.target(some) - net.forward(params, some)) ** 2).sum(axis=-1)


def _mean(net: Net, params: Parameters, importance: Array, x: Array) -> tuple[Array, Array]:
    """Mean and variance of the losses of inputs, (...)."""
    total = square = np.zeros(())
    for losses in _losses(net, params, importance, x):
        total, square = total + losses.sum(axis=-1), square + (losses**2).sum(axis=-1)
    mean = total / len(x)
    return mean, np.maximum(square / len(x) - mean**2, 0)


def _plainly(net: Net, params: Parameters, features: Features, importance: Array, samples: int, seed: int) -> Array:
    """The means (replicates, ...) of samples of any distribution."""
    x = features.sample(samples, seed)
    return np.array([_mean(net, params, importance, part)[0] for part in np.array_split(x, _REPLICATES)])


def _by_strata(net: Net, params: Parameters, features: Independent, importance: Array, samples: int, seed: int) -> Array:
    """The means (replicates, ...) of samples of independent features, stratum by stratum."""
    n = features.n_features
    tables = {k: _to_come(features.density, k, k == _LAST) for k in range(1, min(n, _LAST) + 1)}
    strata = {k: table for k, table in tables.items() if table[0, k] > 0}
    generator = np.random.default_rng([seed, n])
    silent = _mean(net, params, importance, np.zeros((1, n)))[0]
    parts = np.broadcast_to((1 - features.density).prod() * silent, (_REPLICATES, *silent.shape)).copy()
    spreads = {}
    for k, table in strata.items():
        _, variance = _mean(net, params, importance, _inputs(features, table, k, _PILOT, generator))
        spreads[k] = table[0, k] * float(np.sqrt(variance).mean())
    for k, table in strata.items():
        share = samples / _REPLICATES * spreads[k] / max(sum(spreads.values()), np.finfo(float).tiny)
        count = 2 ** int(np.clip(np.round(np.log2(max(share, 1))), 4, 24))
        for replicate in range(_REPLICATES):
            x = _inputs(features, table, k, count, generator)
            parts[replicate] += table[0, k] * _mean(net, params, importance, x)[0]
    return parts


def _to_come(density: Array, most: int, at_least: bool) -> Array:
    """T_i(c), (n + 1, most + 1): the probability that of features i, i + 1, ... just c are active, or at least c."""
    table = np.zeros((len(density) + 1, most + 1))
    table[-1, 0] = 1.0
    for i in range(len(density) - 1, -1, -1):
        p = density[i]
        table[i, 1:] = p * table[i + 1, :-1] + (1 - p) * table[i + 1, 1:]
        table[i, 0] = 1.0 if at_least else (1 - p) * table[i + 1, 0]
    return table


def _inputs(features: Independent, table: Array, k: int, count: int, generator: np.random.Generator) -> Array:
    """Inputs (count, n) of stratum k, from one scramble of a Sobol sequence."""
    n, at_least = features.n_features, k == _LAST
    u = _points(count, (3 if features.signed else 2) * n, generator)
    left, active = np.full(count, k), np.empty((count, n), dtype=bool)
    for i, p in enumerate(features.density):
        # just c: after the last one none may follow; at least c: once none is to come, all are free
        after = np.where(left > 0, table[i + 1, np.maximum(left - 1, 0)], 1.0 if at_least else 0.0)
        active[:, i] = u[:, i] * table[i, left] < p * after
        left = np.maximum(left - active[:, i], 0)
    x = np.where(active, features.magnitude.quantile(u[:, n : 2 * n]), 0.0)
    return np.where(u[:, 2 * n :] < 0.5, x, -x) if features.signed else x


def _points(count: int, dimensions: int, generator: np.random.Generator) -> Array:
    """Points of the unit cube: scrambled Sobol ones, or random ones in more dimensions than there are of those."""
    if dimensions > _MOST_DIMENSIONS:
        return generator.random((count, dimensions))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy wants a power of two points, which it gets
        return np.asarray(scipy.stats.qmc.Sobol(dimensions, rng=generator).random(count))
