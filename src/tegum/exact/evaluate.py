"""The expected loss of models as they are, without a sample: values, gradients, errors per feature, error estimates.

    L = sum_j I_j E (x_j - y_j)^2,    y = r(W^T W x + b)   (or r(G x + b), or without the r)

import tegum as tg
features = tg.features.Independent(5, density=0.1)
loss = tg.exact.loss(W, b, features)                          # W (..., m, n), b (..., n): shape (...)
loss, dW, db = tg.exact.loss_and_gradient(W, b, features)

Leading axes of W, b and the features are broadcast against each other.
"""

from dataclasses import dataclass
from typing import Literal, final, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.compilation import is_compiled
from tegum.errors import InvalidInputError, Problems
from tegum.exact.model import LARGEST_BIAS, LARGEST_WEIGHT, Models, Point, evaluate_models, point_for
from tegum.exact.product import MOST_TERMS, Work, World, require_terms, work_for
from tegum.exact.worlds import owned, worlds_of
from tegum.features import Features
from tegum.threads import in_pieces

Activation = Literal["relu", "linear"]

_FIRST_TERMS = 32
_PIECE_OPERATIONS = 2e6


@final
@dataclass(frozen=True, eq=False)
class Evaluation:
    """What the exact engine knows about a batch of models.

    Attributes:
        loss: sum_j I_j E (x_j - y_j)^2, shape (...).
        error: estimate of its absolute error, shape (...).
        squared_error: E (x_j - y_j)^2 of each feature, unweighted, shape (..., n).
        terms: terms spent on the output that needed most, 0 where all had closed forms, shape (...).
        dW: derivative by W, its shape; None unless asked for.
        db: derivative by b, shape (..., n); None unless asked for.
    """

    loss: NDArray[np.float64]
    error: NDArray[np.float64]
    squared_error: NDArray[np.float64]
    terms: NDArray[np.int64]
    dW: NDArray[np.float64] | None
    db: NDArray[np.float64] | None


def evaluate(
    W: ArrayLike,
    b: ArrayLike,
    features: Features,
    *,
    gradient: bool = False,
    tied: bool = True,
    activation: Activation = "relu",
    tol: float = 1e-9,
    terms: int | None = None,
    threads: int | None = None,
) -> Evaluation:
    """Everything about the expected loss of a batch of models.

    Args:
        W: weights (..., m, n) with G = W^T W; with ``tied=False`` the map G itself (..., n, n).
        b: biases (..., n).
        features: independent features, correlated or anticorrelated sets; magnitudes uniform or exponential.
        gradient: whether to compute ``dW`` and ``db``.
        tied: whether the map is W^T W.
        activation: "relu" or "linear".
        tol: tolerated relative error of the loss; the gradient is held to 100 tol of its natural scale I E[x].
        terms: spend this many terms (8, 16, 32, ...; twice as many on outputs of dropped features, which converge
            slower) instead of choosing by ``tol``.
        threads: how many threads; by default one per core.  It never changes a result.

    Raises:
        InvalidInputError: naming everything wrong with the arguments; numbers that are not finite by their instance.
    """
    problems = Problems()
    with problems.collecting():
        W, b = _numbers("W", W), _numbers("b", b)
    if not isinstance(features, Features):
        problems.add(
            f"the features are {features!r}", "give a distribution, such as tegum.features.Independent(5, density=0.1)"
        )
    problems.raise_if_any()
    W, b, n = np.asarray(W), np.asarray(b), features.n_features
    if W.ndim < 2 or W.shape[-1] != n or (not tied and W.shape[-2] != n):
        problems.add(f"W has shape {W.shape}", f"give (..., m, {n})" if tied else f"give the map as (..., {n}, {n})")
    if b.ndim < 1 or b.shape[-1] != n:
        problems.add(f"b has shape {b.shape}", f"give (..., {n})")
    if activation not in ("relu", "linear"):
        problems.add(f"activation is {activation!r}", 'choose "relu" or "linear"')
    if not (isinstance(tol, float | int) and 0 < tol < 1):
        problems.add(f"tol is {tol!r}", "choose a relative error between 0 and 1, such as 1e-9")
    if terms is not None:
        with problems.collecting():
            require_terms(terms)
    if threads is not None and threads < 1:
        problems.add(f"threads is {threads}", "choose at least 1")
    problems.raise_if_any()
    try:
        batch = np.broadcast_shapes(W.shape[:-2], b.shape[:-1], features.batch_shape)
    except ValueError:
        shapes = f"W {W.shape[:-2]}, b {b.shape[:-1]} and the features {features.batch_shape}"
        raise InvalidInputError(f"the leading axes do not fit: {shapes}", "give axes that broadcast") from None
    worlds = worlds_of(features)
    count, rows = int(np.prod(batch, dtype=int)), W.shape[-2]
    _require_finite("W", W, 2, LARGEST_WEIGHT)
    _require_finite("b", b, 1, LARGEST_BIAS)
    models = Models(
        W=owned(np.broadcast_to(W, (*batch, rows, n)).reshape(count, rows, n)),
        b=owned(np.broadcast_to(b, (*batch, n)).reshape(count, n)),
        world_of=np.broadcast_to(np.arange(len(worlds.weight)).reshape(features.batch_shape), batch).reshape(count).copy(),
        weight=worlds.weight,
        importance=worlds.importance,
        loss=np.zeros(count),
        error=np.zeros(count),
        terms=np.zeros(count, dtype=np.int64),
        squared_error=np.zeros((count, n)),
        dW=np.zeros((count, rows, n)) if gradient else np.zeros((1, rows, n)),
        db=np.zeros((count, n)) if gradient else np.zeros((1, n)),
    )
    least, most = (_FIRST_TERMS, MOST_TERMS) if terms is None else (terms, terms)

    def scratch() -> tuple[World, Work, Point]:
        return worlds.blank(), work_for(n), point_for(rows, n)

    def piece(memory: tuple[World, Work, Point], first: int, end: int) -> None:
        evaluate_models(*memory, models, first, end, int(tied), int(activation == "linear"), int(gradient), least, most, tol)

    done = in_pieces(
        count,
        max(1, int(_PIECE_OPERATIONS / (n * n * 64))),
        scratch,
        piece,
        threads=threads,
        progress=None if count * n * n > 1e7 or not is_compiled(evaluate_models) else False,
        title="exact loss"
        if is_compiled(evaluate_models)
        else "compiling the exact engine (once on this machine, half a minute)",
    )
    if done < count:
        raise KeyboardInterrupt
    return Evaluation(
        loss=models.loss.reshape(batch),
        error=models.error.reshape(batch),
        squared_error=models.squared_error.reshape(*batch, n),
        terms=models.terms.reshape(batch),
        dW=models.dW.reshape(*batch, rows, n) if gradient else None,
        db=models.db.reshape(*batch, n) if gradient else None,
    )


@overload
def loss(
    W: ArrayLike,
    b: ArrayLike,
    features: Features,
    tol: float = ...,
    *,
    tied: bool = ...,
    activation: Activation = ...,
    terms: int | None = ...,
    return_error: Literal[False] = ...,
    threads: int | None = ...,
) -> NDArray[np.float64]: ...


@overload
def loss(
    W: ArrayLike,
    b: ArrayLike,
    features: Features,
    tol: float = ...,
    *,
    tied: bool = ...,
    activation: Activation = ...,
    terms: int | None = ...,
    return_error: Literal[True],
    threads: int | None = ...,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...


def loss(
    W: ArrayLike,
    b: ArrayLike,
    features: Features,
    tol: float = 1e-9,
    *,
    tied: bool = True,
    activation: Activation = "relu",
    terms: int | None = None,
    return_error: bool = False,
    threads: int | None = None,
) -> NDArray[np.float64] | tuple[NDArray[np.float64], NDArray[np.float64]]:
    """sum_j I_j E (x_j - y_j)^2, shape (...); with ``return_error`` also the estimate of its absolute error.

    Arguments and errors as in `evaluate`.
    """
    found = evaluate(W, b, features, tied=tied, activation=activation, tol=tol, terms=terms, threads=threads)
    return (found.loss, found.error) if return_error else found.loss


def squared_errors(
    W: ArrayLike,
    b: ArrayLike,
    features: Features,
    tol: float = 1e-9,
    *,
    tied: bool = True,
    activation: Activation = "relu",
    terms: int | None = None,
    threads: int | None = None,
) -> NDArray[np.float64]:
    """E (x_j - y_j)^2 of each feature, unweighted, shape (..., n).  Arguments and errors as in `evaluate`."""
    return evaluate(W, b, features, tied=tied, activation=activation, tol=tol, terms=terms, threads=threads).squared_error


def loss_and_gradient(
    W: ArrayLike,
    b: ArrayLike,
    features: Features,
    tol: float = 1e-9,
    *,
    tied: bool = True,
    activation: Activation = "relu",
    terms: int | None = None,
    threads: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The loss (...), its derivative by W (shaped like W, broadcast) and by b (..., n).

    Arguments and errors as in `evaluate`.
    """
    found = evaluate(W, b, features, gradient=True, tied=tied, activation=activation, tol=tol, terms=terms, threads=threads)
    assert found.dW is not None
    assert found.db is not None
    return found.loss, found.dW, found.db


def _numbers(name: str, array: ArrayLike) -> NDArray[np.float64]:
    """The array in double precision; a `InvalidInputError` for what is not a rectangular array of real numbers."""
    try:
        found = np.asarray(array)
        if not (np.isrealobj(found) and np.issubdtype(found.dtype, np.number)):
            raise TypeError
        return found.astype(np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError(f"{name} is no array of real numbers", "give numbers with rows of equal length") from None


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
