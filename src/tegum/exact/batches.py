"""Models in compiled code: arrays in, arrays out, several threads, progress and Ctrl-C."""

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import COMPILING, is_compiled
from tegum.exact.distributions import Distributions, owned
from tegum.exact.kernel.model import Batch, Settings, evaluate_models, point_for
from tegum.exact.kernel.records import work_for
from tegum.threads import in_pieces

_PIECE_OPERATIONS = 2e6
_BRIEF = 1e6


def evaluated(
    W: NDArray[np.float64],
    b: NDArray[np.float64],
    which: NDArray[np.int64],
    distributions: Distributions,
    settings: Settings,
    threads: int | None = None,
    progress: bool | None = None,
) -> Batch:
    """The models (..., rows, n) with their results; ``which`` distribution each has, on all leading axes.

    Without gradient ``dW`` and ``db`` hold nothing.
    """
    models = _models(W, b, which, distributions, bool(settings.gradient))
    count, rows, n = models.W.shape
    ready = is_compiled(evaluate_models)
    brief = bool(evaluate_models.overloads) and count * n * n <= _BRIEF
    in_pieces(
        count,
        max(1, int(_PIECE_OPERATIONS / (n * n * 64))),
        lambda _: (distributions.blank(), work_for(n), point_for(rows, n)),
        lambda memory, first, end: evaluate_models(*memory, models, first, end, settings),
        threads=threads,
        progress=False if brief else progress,
        title="exact loss" if ready else COMPILING,
        brief=brief,
    )
    results = ("loss", "error", "terms", "squared_error", "gradient_error", "dW", "db")[: None if settings.gradient else -3]
    each = {name: getattr(models, name) for name in results}
    return models._replace(**{name: array.reshape((*which.shape, *array.shape[1:])) for name, array in each.items()})


def _models(
    W: NDArray[np.float64], b: NDArray[np.float64], which: NDArray[np.int64], distributions: Distributions, gradient: bool
) -> Batch:
    """The models for compiled code, leading axes flattened."""
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
