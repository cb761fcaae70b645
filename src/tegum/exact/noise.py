"""Gaussian noise on the code: the expected loss where every hidden value has noise of its own, which no decoder can tell apart.

    h = W x + sigma eps,      y_j = r(s_j + tau_j xi),      s = G x + c,      tau_j = sigma |decoder row j|

The noise of an output is one Gaussian number xi, so that its mean over xi is known, and what is left is a smooth output,

    E (x_j - y_j)^2 = E x_j^2 - 2 E x_j m_1(s_j) + E m_2(s_j),      m_k(s) = E r(s + tau xi)^k

whose expectations over x are Fourier sums (`tegum.exact.laws.smooth`).  Both m_k obey the heat equation dm/dtau = tau m'',
so the derivative by the decoder's own part is sigma^2 W_kj (E m_2'' - 2 E x_j m_1''), beside that by the map.

>>> import numpy as np, tegum as tg
>>> features = tg.features.Independent(2, density=0.1)
>>> W, b = np.array([[1.0, -1.0]]), np.zeros(2)
>>> [round(float(noisy(W, b, features, sigma).loss), 6) for sigma in (0.001, 0.1, 0.3)]     # a pair: 1/300 without noise
[0.003334, 0.013191, 0.091285]

Source: derived here; the heat equation is that of every average over a Gaussian shift.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked
from tegum.datasets import PARAMETER_DIMS, dataset, instance_dims
from tegum.errors import InvalidInputError, Problems
from tegum.exact.kernel.model import LARGEST_WEIGHT
from tegum.exact.laws.answer import Asked
from tegum.exact.laws.linear import LinearLaw
from tegum.exact.laws.series import Series
from tegum.exact.laws.series import noisy as noisy_series
from tegum.exact.laws.smooth import SmoothLaw, smooth_law
from tegum.exact.losses import parameters_given
from tegum.exact.parameters import map_of, output_of, pulled_back, shapes_of
from tegum.features import Features
from tegum.nets import ACTIVATIONS, Net, ReluOutput, require_same_features

Array = NDArray[np.float64]

_WIDTHS = 9.0
"""Noise beyond so many standard deviations has a probability of 1e-18."""

_NARROW = 1 / 4000
_ASKED = Asked(1e-12, 8, 8, gradient=True)
_ANY = ACTIVATIONS["identity"]
"""Of the law that it is given to only the sums over x are asked for."""


@checked
def noisy(
    W: ArrayLike | Mapping[str, ArrayLike],
    b: ArrayLike | None,
    features: Features,
    sigma: float,
    *,
    net: Net | None = None,
    gradient: bool = False,
) -> xr.Dataset:
    """The expected loss of models whose hidden values have Gaussian noise of standard deviation ``sigma``.

    Args:
        W: weights (..., m, n), or the parameters of an untied net by name, with ``b`` None and ``net``.
        b: biases (..., n).
        features: a single distribution whose magnitudes have a known generating function (docs/exact.md); no table of states.
        sigma: standard deviation of the noise of each hidden value, above 0.
        net: `ReluOutput`, `Linear` or `Untied`; by default ReLU outputs.
        gradient: whether to compute the derivatives.

    Returns:
        A dataset over the leading axes with ``loss``, ``loss_error``, ``squared_error`` (..., feature), and with ``gradient``
        those by every parameter, ``dW`` and ``db``, or ``dW1``, ``dW2`` and so on.

    Raises:
        InvalidInputError: naming everything wrong with the arguments; noise so small that the kink of a ReLU is as good as
            sharp: below 1/4000 of how far the sums reach.
    """
    if net is None and not isinstance(W, Mapping):
        net = ReluOutput(features.n_features, np.shape(W)[-2] if np.ndim(W) > 1 else 1)
    net, params = _checked(W, b, features, sigma, net)
    names, whole = list(shapes_of(net)), parameters_given(net, params)
    lead = whole[0].shape[: whole[0].ndim - len(shapes_of(net)[names[0]])]
    relu = output_of(net) is ACTIVATIONS["relu"]
    law, linear = smooth_law(features, _ANY) if relu else None, LinearLaw(features.mean(), features.second_moment())
    squares, errors = np.empty((*lead, net.n_features)), np.empty(lead)
    slopes = [np.empty_like(one) for one in whole] if gradient else []
    for place in np.ndindex(lead):
        one = _one(net, [array[place] for array in whole], features, float(sigma), law, linear, gradient)
        squares[place], errors[place], pulled = one
        for slope, part in zip(slopes, pulled, strict=True):
            slope[place] = part
    axes = instance_dims(len(lead))
    variables: dict[str, tuple[tuple[str, ...], Any]] = {
        "loss": (axes, squares @ features.importance),
        "loss_error": (axes, errors),
        "squared_error": ((*axes, "feature"), squares),
    }
    if gradient:
        variables |= {f"d{name}": ((*axes, *PARAMETER_DIMS[name]), one) for name, one in zip(names, slopes, strict=True)}
    return dataset(variables)


def _checked(W: Any, b: Any, features: Features, sigma: float, net: Net | None) -> tuple[Net, Mapping[str, ArrayLike]]:
    """The net and its parameters by name; an `InvalidInputError` says what is missing, or wrong with the net and sigma."""
    if net is None or isinstance(W, Mapping) == (b is not None):
        advice = "give W and b; or all by name in place of W, with net=... and None for b"
        raise InvalidInputError("the parameters are not all there", advice)
    problems = Problems()
    if features.batch_shape:
        problems.add(f"the features have leading axes {features.batch_shape}", "give a single distribution")
    if not 0 < sigma < LARGEST_WEIGHT:
        problems.add(f"sigma is {sigma}", "choose a finite number above 0; without noise, tegum.exact.evaluate")
    with problems.collecting():
        require_same_features(net, features.n_features)
    with problems.collecting():
        if output_of(net) not in (ACTIVATIONS["relu"], ACTIVATIONS["identity"]):
            problems.add(f"the net is {net!r}", "noise is known before a ReLU, or before nothing")
        elif output_of(net) is ACTIVATIONS["relu"] and (table := _table_in(features)):
            advice = "give distributions of magnitudes that have a generating function, such as Uniform()"
            problems.add(f"the features hold {table}, whose features have no magnitudes of their own", advice)
    problems.raise_if_any()
    return net, W if isinstance(W, Mapping) else {"W": W, "b": b}


def _table_in(features: Features) -> str:
    """The name of what has no magnitudes of single features among features and their parts; empty without."""
    inside = [*getattr(features, "parts", ()), *getattr(features, "components", ())]
    if inside:
        return next((name for one in inside if (name := _table_in(one))), "")
    return "" if hasattr(features, "magnitude") else type(features).__name__


def _one(
    net: Net,
    parameters: list[Array],
    features: Features,
    sigma: float,
    law: SmoothLaw | None,
    linear: LinearLaw,
    gradient: bool,
) -> tuple[Array, float, tuple[Array, ...]]:
    """The squared errors (n,) of one model, the error of its loss, and its derivatives by the parameters, if asked for."""
    G, c = map_of(net, parameters)
    decoder = parameters[0].T if net.tied else parameters[1]
    tau = sigma * np.linalg.norm(decoder, axis=1)
    active = linear.answer(G, c, features.importance, _ASKED)
    squares, dG, dc, error = active.squared_error + tau**2, active.dG, active.db, active.error
    bend = np.full(len(c), 2.0)
    if law is not None:
        low, high = law.ends(G, c)
        never = high + _WIDTHS * tau <= 0
        kinked = ~never & (low - _WIDTHS * tau < 0)
        squares = np.where(never, np.diag(linear.second), squares)
        dG, dc, bend = np.where(never[:, None], 0, dG), np.where(never, 0, dc), np.where(never, 0, bend)
        if kinked.any():
            rows, biases = np.where(kinked[:, None], G, 0), np.where(kinked, c, 0)
            each = _series(law, rows, biases, tau, kinked)
            found = law.summed([one for one, _ in each], rows, biases, features.importance * kinked, gradient)
            squares = np.where(kinked, found.squared_error, squares)
            dG, dc = np.where(kinked[:, None], found.dG, dG), np.where(kinked, found.db, dc)
            if gradient:
                bend = np.where(kinked, law.sums([one for _, one in each], rows, biases, False)[0], bend)
            error += found.error
    if not gradient:
        return squares, error, ()
    pulled = list(pulled_back(net, parameters, dG, dc))
    # d loss / d tau_j = tau_j I_j bend_j, and tau_j d tau_j = sigma^2 times the decoder's row and its change
    which = 0 if net.tied else 1
    pull = sigma**2 * (features.importance * bend)[:, None] * decoder
    pulled[which] = pulled[which] + (pull.T if net.tied else pull)
    return squares, error, tuple(pulled)


def _series(law: SmoothLaw, G: Array, c: Array, tau: Array, kinked: NDArray[np.bool_]) -> list[tuple[Series, Series]]:
    """The series of every row, those without a kink in reach standing for nothing."""
    found = []
    for j, reach in enumerate(law.reach(G, c, True)):
        if not kinked[j]:
            found.append(noisy_series(1.0, 1.0))
            continue
        wide = reach + _WIDTHS * tau[j]
        if tau[j] < _NARROW * wide:
            what = f"the noise of output {j} has a standard deviation of {tau[j]:.3g}, and its sum reaches {wide:.3g}"
            raise InvalidInputError(
                what, f"choose a larger sigma, or evaluate without noise: it changes the loss by {tau[j] ** 2:.1g}"
            )
        found.append(noisy_series(float(tau[j]), float(wide)))
    return found
