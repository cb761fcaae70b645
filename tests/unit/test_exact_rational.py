"""The exact engine keeps its promises against rational arithmetic: values and gradients, in cases chosen to be hostile.

`evaluate` promises a loss within its ``loss_error`` and a gradient within 100 tol of its scale I_j E x_j and its
``gradient_error``; ten times that is let pass.  Each case is one row j alone: only its output counts.
"""

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from numpy.typing import NDArray

from tegum.exact import evaluate
from tegum.features import AnticorrelatedSets, CorrelatedSets, Exponential, Features, Independent, KSparse
from tests.oracle import rational
from tests.oracle.expected_loss import Oracle
from tests.oracle.outputs import kinked_points
from tests.oracle.patterns import hostile_model

Array = NDArray[np.float64]

TOL = 1e-9
MOST_TERMS = 32768
SLACK = 10
ROUNDING = 1e-14
NEGLIGIBLE = 1e-40


def only(features: Features, j: int, g: Array, b: float, **options: Any) -> Any:
    """What the engine says of a map whose row j is g, all other rows 0, and only output j counting."""
    n = features.n_features
    G, bias = np.zeros((n, n)), np.zeros(n)
    G[j], bias[j] = g, b
    return evaluate(G, bias, features.replaced(importance=np.eye(n)[j]), tied=False, threads=1, **options)


def assert_as_promised(features: Features, j: int, g: Array, b: float) -> None:
    exact = rational.row(features, j, list(g), b)
    found = only(features, j, g, b, tol=TOL, gradient=True)
    reach = abs(b) + float(np.abs(g).sum())
    said = f"{features}, j = {j}, g = {list(g)}, b = {b}, terms = {int(found.terms)}"
    error = abs(float(found.loss) - float(exact.squared_error))
    rounding = ROUNDING * (float(exact.squared_error) + reach * reach)
    assert error <= SLACK * float(found.loss_error) + rounding, said
    if found.terms < MOST_TERMS:
        assert error <= SLACK * TOL * float(exact.squared_error) + rounding, said
    limit = SLACK * 100 * TOL * float(features.mean()[j]) + ROUNDING * reach
    if exact.smooth:
        slopes = [*rational.floats(exact.by_coupling), float(exact.by_bias)]
        missed = np.abs(np.append(found.dW.values[j], found.db.values[j]) - slopes).max()
        assert missed <= SLACK * float(found.gradient_error) + ROUNDING * (reach + reach**2), said
        np.testing.assert_allclose(found.dW.values[j], rational.floats(exact.by_coupling), rtol=0, atol=limit, err_msg=said)
        np.testing.assert_allclose(found.db.values[j], float(exact.by_bias), rtol=0, atol=limit, err_msg=said)


# the oracle itself


@pytest.mark.parametrize(
    "features",
    [Independent(4, [0.3, 0.5, 1.0, 0.2]), CorrelatedSets(2, 2, 0.4), AnticorrelatedSets(2, 2, [0.4, 0.1, 0.0, 0.3])],
    ids=lambda features: type(features).__name__,
)
def test_both_oracles_agree(features: Features) -> None:
    """The rational one differentiates by formula, that of 150 digits by differences."""
    for g, b in (([0.5, -0.3, 0.2, 0.1], 0.05), ([0.5, 0.0, 0.5, -0.5], -0.1), ([0.0, 0.3, 0.3, 0.0], -0.1)):
        for j in (0, 2):
            exact = rational.row(features, j, g, b)
            G, bias = np.zeros((4, 4)), np.zeros(4)
            G[j], bias[j] = g, b
            oracle = Oracle(features)
            by_coupling, by_bias = oracle.row_gradient(j, G, bias)
            assert oracle.squared_errors(G, bias)[j] == pytest.approx(float(exact.squared_error), rel=1e-14)
            np.testing.assert_allclose(rational.floats(exact.by_coupling), by_coupling, rtol=1e-14, atol=1e-17)
            assert by_bias == pytest.approx(float(exact.by_bias), rel=1e-14)


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: Independent(4, rng.uniform(0.05, 1, 4)),
        lambda rng: CorrelatedSets(2, 2, rng.uniform(0.05, 1, 2)),
        lambda rng: AnticorrelatedSets(2, 2, rng.uniform(0.05, 0.5, 4)),
        lambda rng: KSparse(4, int(rng.integers(1, 5))),
    ],
    ids=["independent", "correlated", "anticorrelated", "k of n"],
)
def test_three_oracles_agree_in_random_cases(make: Callable[[np.random.Generator], Features]) -> None:
    """Rational numbers, points between kinks, and samples: thirteen models of each distribution, one row of each."""
    rng, count = np.random.default_rng(0), 20_000
    for j in (0, 1, 2, 3) * 3 + (0,):
        features, (G, bias) = make(rng), hostile_model(rng, 4)
        g, b = G[j], float(bias[j])
        exact = rational.row(features, j, list(g), b)
        slopes = np.array([*rational.floats(exact.by_coupling), float(exact.by_bias)])
        x, w = kinked_points(features, g, np.array([-b]))
        sample = features.sample(count, seed=int(rng.integers(2**31)))
        found = []
        for points in (x, sample):
            off, y = np.maximum(points @ g + b, 0) - points[:, j], np.column_stack([points, np.ones(len(points))])
            found.append((off**2, (2 * off * (points @ g + b > 0))[:, None] * y))
        meant, drawn = (np.column_stack(one) for one in found)
        mean = w @ meant
        assert mean[0] == pytest.approx(float(exact.squared_error), rel=1e-13, abs=1e-15)
        if exact.smooth:
            np.testing.assert_allclose(mean[1:], slopes, rtol=1e-12, atol=1e-14)
        # of events so rare that samples hold a few of them, the distribution of a mean is no Gaussian one
        error = 4 * np.sqrt(w @ (meant - mean) ** 2 / count) + 8 * np.abs(meant).max(axis=0) / count
        assert (np.abs(drawn.mean(axis=0) - mean) <= error).all()


def test_features_that_are_alike_may_be_counted() -> None:
    """Sets of one feature each are the same distribution, but are enumerated one by one."""
    g = [0.5, 0.5, 0.5, -0.25, -0.25, 0.0]
    for j in (0, 3, 5):
        assert rational.row(Independent(6, 0.3), j, g, -0.1) == rational.row(CorrelatedSets(6, 1, 0.3), j, g, -0.1)


def test_the_oracle_equals_sampling() -> None:
    features, g, b = Independent(12, 0.3), np.array([0.9] + 6 * [0.125] + 5 * [-0.25]), -0.1
    exact = rational.row(features, 0, list(g), b)
    x = features.sample(100_000, seed=1)
    s = x @ g + b
    error = np.maximum(s, 0) - x[:, 0]
    samples = [error**2, 2 * error * (s > 0), *(2 * error * (s > 0) * x[:, i] for i in (0, 1, 11))]
    expected = [exact.squared_error, exact.by_bias, *(exact.by_coupling[i] for i in (0, 1, 11))]
    for drawn, truth in zip(samples, expected, strict=True):
        assert drawn.mean() == pytest.approx(float(truth), abs=4 * drawn.std() / np.sqrt(len(x)))


# cases that were wrong


@pytest.mark.parametrize(
    ("g", "b", "density"),
    [
        pytest.param([-0.005, 1.0, 0.0004, 0.07], -0.9975, 0.75, id="small"),
        pytest.param([0.02, 0.8, -0.8, -0.03], -0.01, 0.4, id="antipodal"),
        pytest.param([-1.0, 0.04, -0.05], 0.01, 0.5, id="minus one"),
        pytest.param([0.8, 0.0], -0.7999999453895862, 0.5, id="idle"),
    ],
)
def test_small_cases_that_were_wrong(g: list[float], b: float, density: float) -> None:
    assert_as_promised(Independent(len(g), density), 0, np.array(g), b)


PAIRS = [
    # an own coupling like the other, far larger, opposite, almost opposite, negative; the other far below it; dense ones
    ([0.9, 0.7], 0.3, 0.4),
    ([0.9, -0.4], -0.1, 0.2),
    ([1.0, -1.0], 0.0, 0.1),
    ([1.0, -1.0], 1e-7, 0.1),
    ([1.0, 1e-3 - 1.0], -1e-3, 0.98),
    ([-0.5, 0.8], -0.2, 0.3),
    ([-0.5, 1.9], -0.3, 0.3),
    ([1.0, 0.01], -0.5, 0.3),
    ([1.0, 0.01], -0.005, 0.3),
    ([1.0, -1e-9], 0.0, 0.3),
    ([1e-6, 2e-6], -2.5e-6, 0.5),
    ([1.0, -0.3], -0.75, 0.985),
]


@pytest.mark.parametrize(("g", "b", "density"), PAIRS)
def test_pairs_leave_nothing_to_the_inversion(g: list[float], b: float, density: float) -> None:
    """Of two features every pattern has a closed form, so eight terms are as good as all."""
    features = Independent(2, density)
    exact = rational.row(features, 0, g, b)
    found = only(features, 0, np.array(g), b, terms=8, gradient=True)
    reach = abs(b) + sum(map(abs, g))
    assert float(found.loss) == pytest.approx(float(exact.squared_error), rel=1e-14, abs=1e-14 * reach**2)
    np.testing.assert_allclose(found.dW.values[0], rational.floats(exact.by_coupling), rtol=1e-13, atol=1e-14 * (1 + reach**2))
    np.testing.assert_allclose(found.db.values[0], float(exact.by_bias), rtol=1e-13, atol=1e-14 * (1 + reach))


@pytest.mark.parametrize("b", [-0.6, -0.02, 0.3])
@pytest.mark.parametrize("small", [0.4, 0.01, 1e-3])
def test_pairs_of_others(small: float, b: float) -> None:
    """Pairs of large couplings, of a large and a small one, and of two small ones, are what is left of rare features."""
    g, density = np.array([0.9, 0.6, -0.7, small, -2 * small]), 1e-4
    features = Independent(5, density)
    exact = rational.row(features, 0, list(g), b)
    found = only(features, 0, g, b, terms=8, gradient=True)
    # three active ones are left to the inversion: 10 triples of probability 1e-12
    pairs = 10 * density**2
    assert float(found.loss) == pytest.approx(float(exact.squared_error), rel=1e-13, abs=1e-3 * pairs)
    np.testing.assert_allclose(found.dW.values[0], rational.floats(exact.by_coupling), rtol=1e-12, atol=1e-2 * pairs)
    np.testing.assert_allclose(found.db.values[0], float(exact.by_bias), rtol=1e-12, atol=1e-2 * pairs)


def test_exponential_magnitudes_with_the_bias_at_the_kink() -> None:
    """No rational numbers here: the oracle is that of 150 digits."""
    features, g = Independent(2, 1e-3, magnitude=Exponential(1.0)), np.array([0.5, -1.0])
    _, by_bias = Oracle(features).row_gradient(0, np.stack([g, 0 * g]), np.zeros(2))
    found = only(features, 0, g, 0.0, tol=TOL, gradient=True)
    assert found.db.values[0] == pytest.approx(by_bias, rel=0, abs=SLACK * 100 * TOL * float(features.mean()[0]))


def gamma_loss(n: int, density: float, g: float, b: float) -> float:
    """The loss of n outputs r(b + g S), S = sum_i x_i: where k features are active, which is binomial, S has a Gamma law."""
    with mp.workdps(60):
        p, coupling, bias = mp.mpf(density), mp.mpf(g), mp.mpf(b)
        kink = max(-bias / coupling, mp.mpf(0))
        square, own = (1 - p) ** n * max(bias, 0) ** 2, mp.mpf(0)
        for k in range(1, n + 1):
            weight = mp.binomial(n, k) * p**k * (1 - p) ** (n - k)
            above, first, second = (mp.gammainc(k + order, kink) / mp.gamma(k) for order in range(3))
            square += weight * (bias**2 * above + 2 * bias * coupling * first + coupling**2 * second)
            own += weight * (bias * first + coupling * second) / n
        return float(n * (2 * p - 2 * own + square))


@pytest.mark.parametrize("n", [2, 10, 64, 200])
@pytest.mark.parametrize("density", [0.1, 1.0])
def test_equal_exponential_features(n: int, density: float) -> None:
    """Their pole has order n: the terms beside it are far larger than their sum."""
    features = Independent(n, density, magnitude=Exponential(1.0))
    for g, b in ((0.09, -0.09), (0.09, 0.05), (0.5, -1.0), (0.09, -2.0)):
        found = evaluate(np.full((n, n), g), np.full(n, b), features, tol=TOL, tied=False, threads=1)
        error = abs(float(found.loss) - gamma_loss(n, density, g, b))
        assert error <= 2 * float(found.loss_error), (g, b)
        assert float(found.loss_error) <= TOL * float(found.loss), (g, b)


def irwin_hall_loss(features: Features, g: float, b: float) -> mp.mpf:
    """The same for uniform magnitudes, whose sums have the law of Irwin and Hall.

    Of k of them, with c = -b / g and (t)_+ = max(t, 0),

    E (sum - c)_+^r = r! / (k + r)! sum_j (-1)^j C(k, j) (k - c - j)_+^(k + r).
    """
    n, p = features.n_features, mp.mpf(float(np.max(features.density)))
    size = {Independent: 1, CorrelatedSets: 2, AnticorrelatedSets: 2}[type(features)]
    groups, together = n // size, 2 if isinstance(features, CorrelatedSets) else 1
    active = 2 * p if isinstance(features, AnticorrelatedSets) else p
    with mp.workdps(50 + 2 * n):
        coupling, c = mp.mpf(g), -mp.mpf(b) / mp.mpf(g)
        above = [mp.mpf(0)] * 3
        for some in range(groups + 1):
            weight, k = mp.binomial(groups, some) * active**some * (1 - active) ** (groups - some), together * some
            if weight < NEGLIGIBLE:
                continue
            for r in (1, 2):
                terms = ((-1) ** j * mp.binomial(k, j) * max(k - c - j, mp.mpf(0)) ** (k + r) for j in range(k + 1))
                above[r] += weight * mp.factorial(r) / mp.factorial(k + r) * mp.fsum(terms)
        return n * p / 3 - 2 * coupling * (above[2] + c * above[1]) + n * coupling**2 * above[2]


KINDS_OF_UNIFORM: dict[str, Callable[[int, float], Features]] = {
    "independent": Independent,
    "correlated": lambda n, density: CorrelatedSets(n // 2, 2, density),
    "anticorrelated": lambda n, density: AnticorrelatedSets(n // 2, 2, density / 2),
}


@pytest.mark.parametrize("n", [2, 64, 200])
@pytest.mark.parametrize("kind", KINDS_OF_UNIFORM)
def test_equal_uniform_features(kind: str, n: int) -> None:
    """Where all factors of a product are equal, all are wrong by the same rounding, and the stated error knows it."""
    for density, g, b in ((0.1, 0.09, -0.09), (0.1, 0.5, -1.0), (1.0, 0.09, -2.0), (1.0, 0.09, 0.05)):
        features = KINDS_OF_UNIFORM[kind](n, density)
        exact = irwin_hall_loss(features, g, b)
        for effort in ({"tol": 1e-4}, {"tol": 1e-8}, {"terms": 64}, {"terms": 2048}):
            found = evaluate(np.full((n, n), g), np.full(n, b), features, tied=False, threads=1, **effort)
            assert abs(mp.mpf(float(found.loss)) - exact) <= float(found.loss_error), (density, g, b, effort)


def test_a_feature_that_is_never_active_asks_for_no_more_terms() -> None:
    """Its gradient has no scale of its own, which must not become a target of 0."""
    rng = np.random.default_rng(0)
    W, b = rng.normal(size=(2, 5)), rng.normal(size=5) / 10
    inactive, active = (evaluate(W, b, Independent(5, [0.3, 0.3, p, 0.3, 0.3]), tol=TOL, gradient=True) for p in (0.0, 0.3))
    assert inactive.terms <= 2 * active.terms


# families of hostile rows

Family = Callable[[np.random.Generator, int], tuple[Array, float]]


def signs(rng: np.random.Generator, n: int) -> Array:
    return rng.choice([-1.0, 1.0], n)


def antipodal(rng: np.random.Generator, n: int) -> tuple[Array, float]:
    """Pairs that cancel exactly, and a bias at the kink or near it."""
    g = np.resize(np.repeat(rng.uniform(0.3, 1, n), 2)[:n] * np.resize([1.0, -1.0], n), n)
    return g, float(rng.choice([0.0, 1e-3, -1e-3, -0.1]))


def at_a_corner(rng: np.random.Generator, n: int) -> tuple[Array, float]:
    """The bias is minus the sum of some couplings: a corner of the support lies at the kink."""
    g = signs(rng, n) * rng.choice([1.0, 0.8, 0.5, 0.25], n)
    return g, -float(g[rng.random(n) < 0.5].sum())


def equal(rng: np.random.Generator, n: int) -> tuple[Array, float]:
    """All couplings of one size."""
    return signs(rng, n) * rng.uniform(0.3, 1), float(rng.normal() * 0.2)


def nearly_equal(rng: np.random.Generator, n: int) -> tuple[Array, float]:
    """All couplings of nearly one size: differences of nearly equal powers."""
    return signs(rng, n) * (1 + 10 ** rng.uniform(-14, -2, n)), float(rng.choice([-1.0, 0.0, 1e-9, 0.3]))


def weak_own(rng: np.random.Generator, n: int) -> tuple[Array, float]:
    """Only the own coupling is small: the feature is dropped."""
    g = signs(rng, n) * rng.uniform(0.3, 1, n)
    g[0] = rng.choice([-1.0, 1.0]) * 10 ** rng.uniform(-6, -1)
    return g, float(10 ** rng.uniform(-6, -1) * rng.choice([-1.0, 1.0]))


def small_others(rng: np.random.Generator, n: int) -> tuple[Array, float]:
    """The own coupling is 1, the others a thousandth to a millionth of it, and the bias at their scale."""
    g = signs(rng, n) * 10 ** rng.uniform(-6, -3, n)
    g[0] = 1.0
    return g, float(rng.normal() * 1e-3)


def small_own(rng: np.random.Generator, n: int) -> tuple[Array, float]:
    """One coupling is 1, all others and the own one far below; the bias is at the kink or at that of the large one."""
    g = signs(rng, n) * 10 ** rng.uniform(-4, -2, n)
    g[1] = signs(rng, 1)[0]
    return g, float(rng.choice([0.0, -g[1]]) + rng.normal() * 1e-3)


def negative_own(rng: np.random.Generator, n: int) -> tuple[Array, float]:
    """The output answers its feature with less."""
    g = signs(rng, n) * rng.uniform(0.2, 1, n)
    g[0] = -abs(g[0])
    return g, float(rng.uniform(0, 0.5))


def nearly_dead(rng: np.random.Generator, n: int) -> tuple[Array, float]:
    """The bias leaves a corner of the cube."""
    g = signs(rng, n) * rng.uniform(0.2, 1, n)
    return g, float(-np.maximum(g, 0).sum() + 10 ** rng.uniform(-6, -1))


def nearly_linear(rng: np.random.Generator, n: int) -> tuple[Array, float]:
    """All but a corner of the cube is above the kink."""
    g = rng.uniform(0.2, 1, n) * np.where(np.arange(n) == 0, 1.0, signs(rng, n))
    return g, float(-np.minimum(g, 0).sum() - 10 ** rng.uniform(-6, -1))


def idle(rng: np.random.Generator, n: int) -> tuple[Array, float]:
    """A feature that does not enter at all."""
    g = signs(rng, n) * rng.uniform(0.2, 1, n)
    g[-1] = 0.0
    return g, float(rng.normal() * 0.2)


FAMILIES: list[Family] = [
    antipodal,
    at_a_corner,
    equal,
    nearly_equal,
    weak_own,
    small_others,
    negative_own,
    nearly_dead,
    nearly_linear,
    idle,
    small_own,
]


def densities(rng: np.random.Generator, n: int) -> Array:
    """Equal ones, mixed ones, or some at both ends."""
    mixed = rng.uniform(0.02, 1, n)
    extreme = rng.choice([1e-6, 1e-3, 0.5, 1 - 1e-6, 1.0], n)
    return np.asarray([np.full(n, mixed[0]), mixed, extreme][rng.integers(3)])


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_hostile_rows(family: Family) -> None:
    rng = np.random.default_rng(7)
    for k in range(14):
        n = 7 if k == 0 else int(rng.integers(2, 6))
        g, b = family(rng, n)
        assert_as_promised(Independent(n, densities(rng, n)), 0, g, b)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_hostile_rows_of_sets(family: Family) -> None:
    rng = np.random.default_rng(8)
    for sets, size in ((2, 2), (1, 4), (2, 3), (3, 2)):
        n = sets * size
        for features in (
            CorrelatedSets(sets, size, densities(rng, sets)),
            AnticorrelatedSets(sets, size, densities(rng, n) / size),
        ):
            assert_as_promised(features, int(rng.integers(n)), *family(rng, n))


# whole models, and many features


def test_tied_weights() -> None:
    """Weights of few bits, so that W^T W is exact."""
    rng = np.random.default_rng(9)
    for _ in range(10):
        W, b = rng.integers(-8, 9, (2, 4)) / 8, rng.integers(-8, 4, 4) / 16 + 1 / 32
        features = Independent(4, densities(rng, 4), importance=[1.0, 0.5, 0.25, 2.0])
        exact, found = rational.loss(W, b, features), evaluate(W, b, features, tol=TOL, gradient=True)
        assert float(found.loss) == pytest.approx(float(exact.loss), rel=SLACK * TOL, abs=ROUNDING)
        limit = SLACK * 100 * TOL * float(features.importance @ features.mean()) * 4
        np.testing.assert_allclose(found.dW, rational.floats(exact.dW), rtol=0, atol=limit)
        np.testing.assert_allclose(found.db, rational.floats(exact.db), rtol=0, atol=limit)


@pytest.mark.parametrize("couplings", [{-1 / 32: 32}, {-1 / 64: 60}, {0.25: 9, -0.25: 9}, {0.5: 3, -0.125: 20}], ids=str)
@pytest.mark.parametrize("density", [0.02, 0.5])
def test_many_features(couplings: dict[float, int], density: float) -> None:
    """A row of a large simplex, and rows of a few different couplings."""
    g = np.concatenate([[1.0], *(np.full(count, value) for value, count in couplings.items())])
    assert_as_promised(Independent(len(g), density), 0, g, -0.1)
