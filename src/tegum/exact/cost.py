"""What a search for minima will cost, before it starts.

Formula.  A start is E evaluations of loss and gradient on its way down, and C for its certificate, with d parameters:

    E = 45 + 4 n      untied nets: 3 times that; dense features (all are active): d^2, 50 to 5,000; no activation: 20
    C = 10 + 0.3 d    in sets and of exponential magnitudes 7 n; more than 600 parameters: 400; where the loss is a law in
                      Python: 5 d
    an evaluation of compiled code takes 1.2 n + 0.26 n^2 microseconds on one core: half of it for dense features, a fifth for
    outputs without activation

One of a law in Python is timed where it stands.  Microseconds are those of one core of a 2024 server; `slowness` is how many
times as long this machine takes, once the engine is compiled.  How many evaluations a start needs is the landscape's affair:
four of five searches cost what this says to a factor of three.  Penalties and constraints are not in it.

Example.  ``ReluOutput(5, 2)``: 65 + 14.5 evaluations of 12.5 microseconds, 1 ms a start.

>>> import tegum as tg
>>> net, features = tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.1)
>>> round(minimising_seconds(net, features, starts=1000) / slowness(), 1)
1.0
"""

import time
from functools import cache

import numpy as np

from tegum import compilation
from tegum.checking import checked
from tegum.errors import Problems
from tegum.exact.distributions import is_native
from tegum.exact.kernel.landscape import loss_at
from tegum.exact.objective import Objective
from tegum.exact.parameters import is_compiled, outputs_of, require_exact, size_of
from tegum.exact.starts import distribution_at
from tegum.features import Features, Independent, Uniform
from tegum.nets import ACTIVATIONS, Net, ReluOutput, require_same_features

_CALL = 6e-3
_PER_FEATURE, _PER_COUPLING, _ALWAYS_ACTIVE, _LINEAR = 1.2e-6, 0.26e-6, 0.5, 0.2
_DENSE = 0.99
_EVALUATIONS, _PER_FEATURE_MORE, _UNTIED, _WITHOUT_ACTIVATION, _LEAST_DENSE, _MOST_DENSE = 45, 4, 3, 20, 50, 5000
_CERTIFICATE, _PER_PARAMETER, _BY_DIFFERENCES, _CERTIFICATE_OF_LAW, _BY_LANCZOS, _MOST_WHOLE = 10, 0.3, 7, 5, 400, 600
_SELDOM, _OFTEN, _LONGEST_TIMING = 3, 30, 0.05


@checked
def minimising_seconds(net: Net, features: Features, starts: int, points: int = 1, certify: bool = True) -> float:
    """About how long `tegum.exact.minimise` takes on one core, in seconds; compiling is not in it.

    Args:
        net: what it minimises.
        features: the distribution, or several of which the first is looked at.
        starts: how many starts at each grid point; without ``seeds`` there are 64.
        points: how many grid points.
        certify: whether curvatures are looked for.

    Raises:
        InvalidInputError: for a net or features that `tegum.exact.minimise` refuses.
    """
    require_same_features(net, features.n_features)
    require_exact(net)
    with Problems() as problems:
        problems.check_least("starts", starts, 0)
        problems.check_least("points", points, 0)
    n, d, one = net.n_features, size_of(net), distribution_at(features, 0)
    dense, compiled = one.feature_density.mean() > _DENSE, is_compiled(net) and is_native(one)
    linear = outputs_of(net)[0] is ACTIVATIONS["identity"]
    if compiled:
        evaluation = slowness() * _evaluation(n) * (_LINEAR if linear else _ALWAYS_ACTIVE if dense else 1)
    else:
        evaluation = _timed(Objective(net, one))
    inverted = isinstance(one, Independent) and isinstance(one.magnitude, Uniform)
    certificate: float = _CERTIFICATE_OF_LAW * d
    if compiled:
        certificate = _CERTIFICATE + _PER_PARAMETER * d if inverted else _BY_DIFFERENCES * n
    if compiled and d > _MOST_WHOLE:
        certificate = _BY_LANCZOS
    descent = (_EVALUATIONS + n * _PER_FEATURE_MORE) * (1 if net.tied else _UNTIED)
    if dense:
        descent = min(max(d * d, _LEAST_DENSE), _MOST_DENSE)
    if linear:
        descent = _WITHOUT_ACTIVATION
    return float(slowness() * _CALL + starts * points * (descent + certify * certificate) * evaluation)


def slowness() -> float:
    """How many times as long evaluations take here as on the machine of the constants; 1 until the engine is compiled."""
    return _timed_slowness() if compilation.is_compiled(loss_at) else 1.0


@cache
def _timed_slowness() -> float:
    """By two sizes, whose difference is free of what a call from Python costs."""
    small, large = 2, 40
    seconds = [_timed(Objective(ReluOutput(n, n // 2), Independent(n, density=0.1)), _OFTEN) for n in (small, large)]
    return (seconds[1] - seconds[0]) / (_evaluation(large) - _evaluation(small))


def _evaluation(n: int) -> float:
    """Seconds of a compiled evaluation where the constants are from."""
    return n * _PER_FEATURE + n * n * _PER_COUPLING


def _timed(objective: Objective, times: int = _SELDOM) -> float:
    """Seconds that this thread works for an evaluation at random weights, the least of so many times."""
    x = np.random.default_rng(0).normal(0, 0.5, objective.size)
    seconds: list[float] = []
    while len(seconds) < times and sum(seconds) < _LONGEST_TIMING:
        began = time.thread_time()
        objective(x)
        seconds.append(time.thread_time() - began)
    return min(seconds)
