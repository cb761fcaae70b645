"""Whether chains have seen the law that they are to draw from: R-hat and effective sizes.

    R-hat = sqrt(((N - 1) / N W + B / N) / W)          W, B: variances within and between half chains of N draws, of ranks
    ESS   = M N / tau,  tau = -1 + 2 sum of P_t + r    P_t: sums of neighbouring autocorrelations, while positive and falling;
                                                       r: the first autocorrelation after these, if it is positive

Draws are replaced by the normal scores of their ranks, so that heavy tails do not hide what is wrong, and chains are split in
halves, so that a chain that still travels disagrees with itself.  R-hat is the larger of two: of the draws, and of how far they
are from their median, so that chains that disagree in their width are found, too.

>>> import numpy as np
>>> draws = np.random.default_rng(0).normal(size=(4, 1000))
>>> round(r_hat(draws), 2), 3600 < effective_size(draws) < 4400
(1.0, True)
>>> round(r_hat(draws + [[0], [0], [0], [3]]), 1)                  # a chain elsewhere
1.5

Source: Vehtari, Gelman, Simpson, Carpenter and Buerkner, "Rank-normalization, folding, and localization" (2021); Geyer (1992).
"""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

from tegum.checking import checked, require_axes
from tegum.errors import InvalidInputError

Floats = NDArray[np.float64]

_LEAST = 4


def r_hat(draws: Floats) -> float:
    """Rank-normalised split R-hat of draws (chains, draws), the larger of place and width; NaN where some are not finite."""
    halves = _halves(draws)
    if halves is None:
        return float("nan")
    return max(_r_hat(_scores(halves)), _r_hat(_scores(np.abs(halves - np.median(halves)))))


def _r_hat(scores: Floats) -> float:
    """R-hat of what is normal."""
    count = scores.shape[1]
    within = float(scores.var(axis=1, ddof=1).mean())
    between = count * float(scores.mean(axis=1).var(ddof=1))
    return float(np.sqrt((count - 1) / count + between / count / within)) if within > 0 else float("nan")


def effective_size(draws: Floats, ranked: bool = True) -> float:
    """How many independent draws say as much as (chains, draws), by ranks (bulk) or as they are (of the mean); NaN as above."""
    halves = _halves(draws)
    if halves is None:
        return float("nan")
    y = _scores(halves) if ranked else halves
    chains, count = y.shape
    y = y - y.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(y, 2 * count, axis=1)) ** 2
    covariance = np.fft.irfft(power, axis=1)[:, :count] / count
    within = float(covariance[:, 0].mean()) * count / (count - 1)
    between = float((_scores(halves) if ranked else halves).mean(axis=1).var(ddof=1))
    variance = within * (count - 1) / count + between
    if not variance > 0:
        return float("nan")
    correlation = 1 - (within - covariance.mean(axis=0)) / variance
    correlation[0] = 1.0
    pairs = correlation[: count - count % 2].reshape(-1, 2).sum(axis=1)
    falls = np.flatnonzero(pairs <= 0)
    until = min(int(falls[0]) if falls.size else count, max((count - 3) // 2, 0))
    tau = -1 + 2 * float(np.minimum.accumulate(pairs[:until]).sum()) + max(float(correlation[2 * until]), 0.0)
    most = chains * count
    return float(min(most / max(tau, 1 / np.log10(max(most, 10))), most * np.log10(max(most, 10))))


@checked
def diagnostics(data: xr.Dataset) -> xr.Dataset:
    """``r_hat`` and ``effective_size`` of each number that `tegum.posterior.sample` drew: a dataset of its variables.

    Args:
        data: with dimensions ``chain`` and ``draw``.

    Returns:
        Of each variable with these dimensions two, ``NAME_r_hat`` and ``NAME_effective_size``, over its other dimensions.

    Raises:
        InvalidInputError: where nothing has these dimensions.
    """
    names = [str(name) for name, one in data.data_vars.items() if {"chain", "draw"} <= set(one.dims)]
    if not names:
        held = ", ".join(map(str, data.data_vars)) or "nothing"
        raise InvalidInputError(f"the dataset holds {held}", "give what tegum.posterior.sample returned")
    found: dict[str, Any] = {}
    for name in names:
        require_axes(name, data[name], None)
        array = data[name].transpose("chain", "draw", ...)
        rest = array.dims[2:]
        flat = array.values.reshape(*array.shape[:2], -1)
        for called, measure in (("r_hat", r_hat), ("effective_size", effective_size)):
            values = np.array([measure(flat[:, :, k]) for k in range(flat.shape[2])])
            found[f"{name}_{called}"] = rest, values.reshape(array.shape[2:])
    labels = {name: one for name, one in data.coords.items() if name in data.indexes and name not in ("chain", "draw")}
    return xr.Dataset(found, labels)


def _halves(draws: Floats) -> Floats | None:
    """Each chain as two; nothing where draws are missing, or too few."""
    count = draws.shape[1] // 2
    if count < _LEAST // 2 or not np.isfinite(draws).all():
        return None
    return np.concatenate([draws[:, :count], draws[:, -count:]])


def _scores(values: Floats) -> Floats:
    """Normal scores of the ranks among all."""
    ranks = rankdata(values, method="average").reshape(values.shape)
    return np.asarray(ndtri((ranks - 3 / 8) / (values.size + 1 / 4)))
