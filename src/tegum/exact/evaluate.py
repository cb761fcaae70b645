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

Leading axes of W, b and the features are broadcast against each other.  How it is computed: `tegum.exact.kernel`, whose
`inversion` has the heart of it, and in NumPy, for reading, `docs/plain_inversion.py`.
"""

from typing import Any, TypedDict, Unpack

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked, real_numbers
from tegum.compilation import COMPILING, is_compiled
from tegum.datasets import dataset, instance_dims
from tegum.errors import InvalidInputError, Problems
from tegum.exact.distributions import Distributions, distributions_of, owned
from tegum.exact.kernel.model import LARGEST_BIAS, LARGEST_WEIGHT, Batch, Settings, evaluate_models, point_for
from tegum.exact.kernel.records import MOST_TERMS, require_terms, work_for
from tegum.features import Features
from tegum.nets import Linear, Net, ReluOutput, require_same_features
from tegum.threads import in_pieces

_FIRST_TERMS = 32
_PIECE_OPERATIONS = 2e6


class Options(TypedDict, total=False):
    """The further arguments of `evaluate`, which all functions here take."""

    net: Net | None
    tied: bool
    terms: int | None
    threads: int | None


def evaluate(
    W: ArrayLike, b: ArrayLike, features: Features, tol: float = 1e-9, *, gradient: bool = False, **options: Unpack[Options]
) -> xr.Dataset:
    """Everything about the expected loss of a batch of models.

    Args:
        W: weights (..., m, n) with G = W^T W; with ``tied=False`` the map G itself (..., n, n).
        b: biases (..., n).
        features: independent features, correlated or anticorrelated sets; magnitudes uniform or exponential.
        tol: tolerated relative error of the loss; the gradient is held to 100 tol of its natural scale I E[x].
        gradient: whether to compute ``dW`` and ``db``.
        net: `ReluOutput` or `Linear`, as it was trained; ReLU outputs by default.
        tied: whether the map is W^T W, as by default.
        terms: spend this many terms (8, 16, 32, ...; twice as many on outputs of dropped features, which converge
            slower) instead of choosing by ``tol``.
        threads: how many threads; by default one per core.  It never changes a result.

    Returns:
        A dataset over the leading axes (``instance``, or ``instance_0``, ...) with ``loss``, ``loss_error`` (estimate of its
        absolute error), ``terms``, ``squared_error`` (..., feature), and with ``gradient`` ``dW`` (shaped like W), ``db`` and
        ``gradient_error``: the same of the derivatives by entries of b and of the map G, the largest of all.

    Raises:
        InvalidInputError: naming everything wrong with the arguments; numbers that are not finite by their instance.
    """
    found = _evaluated(W, b, features, tol, gradient=gradient, **options)
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
    try:
        batch = np.broadcast_shapes(W.shape[:-2], b.shape[:-1], features.batch_shape)
    except ValueError:
        shapes = f"W {W.shape[:-2]}, b {b.shape[:-1]} and the features {features.batch_shape}"
        raise InvalidInputError(f"the leading axes do not fit: {shapes}", "give axes that broadcast") from None
    distributions = distributions_of(features)
    which = np.arange(len(distributions.weight)).reshape(features.batch_shape)
    models = _models(W, b, np.broadcast_to(which, batch), distributions, gradient)
    count, rows, n = models.W.shape
    least, most = (_FIRST_TERMS, MOST_TERMS) if terms is None else (terms, terms)
    settings = Settings(int(tied), int(linear), int(gradient), least, most, float(tol))
    ready = is_compiled(evaluate_models)
    done = in_pieces(
        count,
        max(1, int(_PIECE_OPERATIONS / (n * n * 64))),
        lambda: (distributions.blank(), work_for(n), point_for(rows, n)),
        lambda memory, first, end: evaluate_models(*memory, models, first, end, settings),
        threads=threads,
        progress=None if count * n * n > 1e7 or not ready else False,
        title="exact loss" if ready else COMPILING,
    )
    if done < count:
        raise KeyboardInterrupt
    results = ("loss", "error", "terms", "squared_error", "gradient_error", "dW", "db")[: None if gradient else -3]
    each = {name: getattr(models, name) for name in results}
    return models._replace(**{name: array.reshape((*batch, *array.shape[1:])) for name, array in each.items()})


def _models(
    W: NDArray[np.float64], b: NDArray[np.float64], which: NDArray[np.int64], distributions: Distributions, gradient: bool
) -> Batch:
    """The models for compiled code, leading axes flattened; ``which`` distribution each has, on all of these axes."""
    batch, count, (rows, n) = which.shape, which.size, W.shape[-2:]
    return Batch(
        W=owned(np.broadcast_to(W, (*batch, rows, n)).reshape(count, rows, n)),
        b=owned(np.broadcast_to(b, (*batch, n)).reshape(count, n)),
        distribution_of=which.reshape(count).copy(),
        weight=distributions.weight,
        importance=distributions.importance,
        loss=np.zeros(count),
        error=np.zeros(count),
        gradient_error=np.zeros(count),
        terms=np.zeros(count, dtype=np.int64),
        squared_error=np.zeros((count, n)),
        dW=np.zeros((count if gradient else 1, rows, n)),
        db=np.zeros((count if gradient else 1, n)),
    )


def _checked(
    W: ArrayLike, b: ArrayLike, features: Features, net: Net | None, tied: bool, problems: Problems
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """W and b as numbers, and whether the net is linear; notes what is wrong with their shapes and the net."""
    numbers: dict[str, NDArray[np.float64]] = {}
    for name, array in (("W", W), ("b", b)):
        with problems.collecting():
            numbers[name] = real_numbers(name, array)
    if not isinstance(features, Features):
        problems.add(
            f"the features are {features!r}", "give a distribution, such as tegum.features.Independent(5, density=0.1)"
        )
    problems.raise_if_any()
    W, b, n = numbers["W"], numbers["b"], features.n_features
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


def loss(W: ArrayLike, b: ArrayLike, features: Features, tol: float = 1e-9, **options: Unpack[Options]) -> NDArray[np.float64]:
    """sum_j I_j E (x_j - y_j)^2, shape (...).  Arguments and errors as in `evaluate`, which also says how exact it is."""
    return _evaluated(W, b, features, tol, gradient=False, **options).loss


def squared_errors(
    W: ArrayLike, b: ArrayLike, features: Features, tol: float = 1e-9, **options: Unpack[Options]
) -> NDArray[np.float64]:
    """E (x_j - y_j)^2 of each feature, unweighted, shape (..., n).  Arguments and errors as in `evaluate`."""
    return _evaluated(W, b, features, tol, gradient=False, **options).squared_error


def loss_and_gradient(
    W: ArrayLike, b: ArrayLike, features: Features, tol: float = 1e-9, **options: Unpack[Options]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The loss (...), its derivative by W (shaped like W, broadcast) and by b (..., n).

    Arguments and errors as in `evaluate`.
    """
    found = _evaluated(W, b, features, tol, gradient=True, **options)
    return found.loss, found.dW, found.db


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
