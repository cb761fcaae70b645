"""What a search for minima will cost, before it starts.

Formula.  A start is E evaluations of loss and gradient on its way down, and a certificate, with d parameters:

    E = 45 + 4 n      untied nets: 3 times that; dense features (all are active): d^2, 50 to 5,000; no activation: 20
    an evaluation of compiled code takes 1.2 n + 0.26 n^2 microseconds on one core: half of it for dense features, a fifth for
    outputs without activation

How a certificate is found, `tegum.exact.certificate.way_of` says, and `tegum.exact.laws.LawLoss.curved_by` of a law in Python:

    the whole Hessian      its eigenvalues, 19 d^2 + 0.05 d^3 ns; and of compiled code 3 + 0.18 n evaluations, of sets
                           twice that, without activation 3; or 2 n^2, of nets without bias, whose rows lie on kinks
      of a law             by inversion, of k copies of features 1.5 + 0.05 k evaluations, and 90 k microseconds of Python
                           a sum: 2, met in the middle 0.8 n, and 90 n microseconds
                           differences of rows: 4 n + 6, of parameters: 4 d + 1; where outputs bend, as steps are tried again,
                           1.6 and 2.6 times that
    Lanczos' method        15 m products, at least 122; of compiled rows, found once, 0.22 ns for each of their n^3 numbers,
                           and for 3 of those that hold the rotations; of a law 2.5 evaluations
    nothing                beyond 500 features in compiled code

An evaluation of a law in Python is timed where it stands.  Constants are those of one core of a 2024 server; `slowness` is how
many times as long this machine takes.  How many evaluations a start needs is the landscape's affair: four of five searches cost
what this says to a factor of three.  Penalties and constraints are not in it, nor what ends on kinks cost more.

Example.  ``ReluOutput(5, 2)``: 65 + 3.9 evaluations of 12.5 microseconds, 0.9 ms a start.

>>> import tegum as tg
>>> net, features = tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.1)
>>> round(minimising_seconds(net, features, starts=1000) / slowness(), 1)
0.9
"""

from functools import cache

import numpy as np

from tegum.checking import checked
from tegum.errors import Problems
from tegum.exact.certificate import way_of
from tegum.exact.distributions import Distributions
from tegum.exact.kernel.landscape import loss_at
from tegum.exact.laws import LawLoss, Laws
from tegum.exact.laws.blocks import BlocksLaw
from tegum.exact.laws.lattice import LatticeLaw
from tegum.exact.objective import Objective, engine_of
from tegum.exact.parameters import has_rows, is_neuron, outputs_of, require_exact, size_of
from tegum.exact.starts import distribution_at
from tegum.features import Features, Independent
from tegum.nets import ACTIVATIONS, Activation, Net, ReluOutput, require_same_features
from tegum.processor import least_seconds, slowness_of

_CALL, _TERMS = 6e-3, 256
_PER_FEATURE, _PER_COUPLING, _ALWAYS_ACTIVE, _LINEAR = 1.2e-6, 0.26e-6, 0.5, 0.2
_DENSE = 0.99
_EVALUATIONS, _PER_FEATURE_MORE, _UNTIED, _WITHOUT_ACTIVATION, _LEAST_DENSE, _MOST_DENSE = 45, 4, 3, 20, 50, 5000
# of certificates, in seconds or evaluations:
_EIGENVALUES, _ROWS, _OF_SETS, _ON_KINKS = (19e-9, 0.05e-9), (3, 0.18), 2, 2
_COPIES, _SUM, _IN_THE_MIDDLE, _ROW_IN_PYTHON = (1.5, 0.05), 2, 0.8, 90e-6
_KINKED_ROWS, _KINKED_PARAMETERS = 1.6, 2.6
_PRODUCTS, _LEAST_PRODUCTS, _NUMBER, _OF_MODES, _PRODUCT_OF_LAW = 15, 122, 0.22e-9, 3, 2.5
_SELDOM, _OFTEN = 3, 30


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
    engine, dense = engine_of(net, one), one.feature_density.mean() > _DENSE
    linear = _output_of(net) is ACTIVATIONS["identity"]
    if isinstance(engine, Laws):
        law = LawLoss(net, engine, 0, _TERMS)
        evaluation = _timed(law, d)
        certificate = _of_law(law, evaluation)
    else:
        evaluation = slowness() * _evaluation(n) * (_LINEAR if linear else _ALWAYS_ACTIVE if dense else 1)
        certificate = _of_compiled(net, engine, evaluation)
    descent = (_EVALUATIONS + n * _PER_FEATURE_MORE) * (1 if net.tied else _UNTIED)
    if dense:
        descent = min(max(d * d, _LEAST_DENSE), _MOST_DENSE)
    if linear:
        descent = _WITHOUT_ACTIVATION
    return float(slowness() * _CALL + starts * points * (descent * evaluation + certify * certificate))


def _output_of(net: Net) -> Activation:
    """What the outputs of a net pass through."""
    return ACTIVATIONS["relu"] if is_neuron(net) else outputs_of(net)[0]


def _of_compiled(net: Net, distributions: Distributions, evaluation: float) -> float:
    """Seconds of the certificate of an end in compiled code."""
    n, m, way = net.n_features, net.n_hidden, way_of(net, distributions)
    if way == "nothing":
        return 0.0
    linear = _output_of(net) is ACTIVATIONS["identity"]
    in_sets = not (linear or distributions.blank().simple)
    rows = evaluation * (_ROWS[0] + (0 if linear else _ROWS[1] * n)) * (_OF_SETS if in_sets else 1)
    if way == "whole":
        on_kinks = not (net.bias or linear)
        return (_ON_KINKS * n * n * evaluation if on_kinks else rows) + _eigenvalues(net)
    numbers = n**3 + _OF_MODES * m * (m - 1) / 2 * size_of(net)
    return rows + _products(net) * slowness() * numbers * _NUMBER


def _of_law(law: LawLoss, evaluation: float) -> float:
    """Seconds of the certificate of an end whose loss is a law's."""
    n, d, net = law.net.n_features, size_of(law.net), law.net
    if way_of(net, law.laws) == "products":
        return _products(net) * _PRODUCT_OF_LAW * evaluation
    smooth = _output_of(net) not in [ACTIVATIONS[name] for name in ("relu", "abs")]
    rows, own = n, law.laws.each[law.which]
    if law.curved_by == "inversion":
        rows = max(one.tables.importance.shape[1] for _, one in own if isinstance(one, BlocksLaw))
        evaluations = _COPIES[0] + _COPIES[1] * rows
    elif law.curved_by == "sum":
        evaluations = _IN_THE_MIDDLE * n if any(isinstance(one, LatticeLaw) for _, one in own) else _SUM
    elif has_rows(net):
        evaluations = (4 * n + 6) * (1 if smooth else _KINKED_ROWS)
    else:
        rows, evaluations = 0, (4 * d + 1) * (1 if smooth else _KINKED_PARAMETERS)
    return float(evaluations * evaluation + slowness() * rows * _ROW_IN_PYTHON + _eigenvalues(net))


def _eigenvalues(net: Net) -> float:
    """Seconds of those of a Hessian, beyond the directions that cannot curve."""
    d = size_of(net)
    return slowness() * (_EIGENVALUES[0] * d**2 + _EIGENVALUES[1] * d**3)


def _products(net: Net) -> int:
    """How many products with the Hessian Lanczos' method needs: the more, the more directions are nearly flat."""
    return max(_LEAST_PRODUCTS, _PRODUCTS * net.n_hidden)


def slowness() -> float:
    """How many times as long evaluations take here as on the machine of the constants, where it can be timed; else a guess."""
    return slowness_of(loss_at, _timed_slowness)


@cache
def _timed_slowness() -> float:
    """By two sizes, whose difference is free of what a call from Python costs."""
    small, large = (Objective(ReluOutput(n, n // 2), Independent(n, density=0.1)) for n in (2, 40))
    seconds = [_timed(one, one.size, _OFTEN) for one in (small, large)]
    return (seconds[1] - seconds[0]) / (_evaluation(40) - _evaluation(2))


def _evaluation(n: int) -> float:
    """Seconds of a compiled evaluation where the constants are from."""
    return n * _PER_FEATURE + n * n * _PER_COUPLING


def _timed(loss: Objective | LawLoss, size: int, times: int = _SELDOM) -> float:
    """Seconds of an evaluation at random weights."""
    x = np.random.default_rng(0).normal(0, 0.5, size)
    return least_seconds(lambda: loss(x), times)
