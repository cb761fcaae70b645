"""Hessians of laws, row by row: finite ones in rational numbers, others between kinks, and honest with few terms."""

from fractions import Fraction

import numpy as np
import pytest
from benchmarks.honesty import KINDS, LAWS, exact_hessian, study
from numpy.typing import NDArray

import tegum as tg
from tegum.exact.hessian import differentiated, hessian_at, hessian_vector_product, smallest_curvature
from tegum.exact.laws.curvature import add_row, add_slopes, differences
from tegum.exact.laws.lattice import LatticeLaw
from tegum.features import Constant, Features, FiniteLaw, Independent, Joined

Array = NDArray[np.float64]


def rational_hessian(states: Array, chances: Array, W: Array, b: Array, importance: Array) -> Array:
    """2 sum_t p_t sum_j I_j [s_j > 0] (ds_j ds_j^T + (s_j - x_j) d^2 s_j), s = W^T W x + b, by entries in rational numbers."""
    m, n = W.shape
    d = m * n + n
    weights = [[Fraction(float(w)) for w in row] for row in W]
    H = [[Fraction(0)] * d for _ in range(d)]
    for state, chance in zip(states, chances, strict=True):
        x = [Fraction(float(one)) for one in state]
        h = [sum(w * one for w, one in zip(row, x, strict=True)) for row in weights]
        for j in range(n):
            s = sum(weights[k][j] * h[k] for k in range(m)) + Fraction(float(b[j]))
            if s <= 0:
                continue
            share = 2 * Fraction(float(chance)) * Fraction(float(importance[j]))
            slope = [weights[k][j] * x[i] + (h[k] if i == j else 0) for k in range(m) for i in range(n)]
            slope += [Fraction(i == j) for i in range(n)]
            for r in range(d):
                for c in range(d):
                    H[r][c] += share * slope[r] * slope[c]
            for k in range(m):
                for i in range(n):
                    H[k * n + i][k * n + j] += share * (s - x[j]) * x[i]
                    H[k * n + j][k * n + i] += share * (s - x[j]) * x[i]
    return np.array([[float(one) for one in row] for row in H])


def table_of(parts: int) -> FiniteLaw:
    rng = np.random.default_rng(parts)
    return FiniteLaw(rng.integers(-2, 3, size=(6, parts)) / 2, np.full(6, 1 / 6), rng.uniform(0.5, 2, parts))


def point_of(features: Features, m: int, seed: int) -> tuple[Array, Array]:
    rng, n = np.random.default_rng(seed), features.n_features
    return rng.normal(size=(m, n)) * 0.7, rng.normal(size=n) * 0.2


def objective_of(features: Features, W: Array, b: Array, terms: int = 64) -> tuple[tg.exact.Objective, Array]:
    objective = tg.exact.Objective(tg.nets.ReluOutput(W.shape[1], len(W)), features, terms)
    return objective, objective.flat(W, b)


@pytest.mark.parametrize("seed", range(3))
def test_of_a_table_of_states_it_is_exact_and_takes_no_gradient(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    features = table_of(4)
    W, b = point_of(features, 3, seed)
    objective, x = objective_of(features, W, b)
    monkeypatch.setattr(tg.exact.Objective, "gradient", lambda *_: pytest.fail("a gradient was taken"))
    H, error = hessian_at(objective, x)
    exact = rational_hessian(features.states, features.probabilities, W, b, features.importance)
    assert np.abs(H - exact).max() <= 1e-14 * np.abs(exact).max()
    assert np.linalg.norm(H - exact) <= error <= 1e-12 * np.linalg.norm(exact)
    product, doubt = hessian_vector_product(objective, x, np.eye(x.size)[2])
    assert np.linalg.norm(product - exact[2]) <= doubt <= 1e-12 * np.linalg.norm(exact)


@pytest.mark.parametrize("biased", [True, False])
def test_products_with_the_hessian_of_a_table_need_no_matrix(biased: bool) -> None:
    features, rng = table_of(4), np.random.default_rng(5)
    W, b = point_of(features, 3, 0)
    objective = tg.exact.Objective(tg.nets.ReluOutput(4, 3, bias=biased), features, 64)
    x = objective.flat(W, b * biased)
    exact = rational_hessian(features.states, features.probabilities, W, b * biased, features.importance)
    free = np.ones(x.size)
    free[12:] = biased
    product = objective._by_law.hessian_product(x)
    for v in rng.normal(size=(3, x.size)):
        np.testing.assert_allclose(product(v), free * (exact @ (free * v)), atol=1e-13 * np.abs(exact).max() * np.abs(v).sum())


def test_minima_of_large_tables_are_certified_beside_kinks() -> None:
    """The data set whose minimum differences of gradients, over kinks, called a saddle with a curvature of -6e-4."""
    rng = np.random.default_rng(0)
    states = np.where(rng.random((60, 60)) < 0.05, rng.random((60, 60)), 0)
    net, features = tg.nets.ReluOutput(60, 10), FiniteLaw(states)
    found = tg.exact.minimise(net, features, seeds=1, terms=64, gradient_tolerance=1e-6, threads=1, progress=False).isel(seed=0)
    assert float(found.curvature) > -1e-5
    assert found.status == "minimum"


def test_where_all_weights_are_0_every_output_is_on_its_kink() -> None:
    """Of a net without bias, whose outputs there are 0 for all states: s changes by x V^T V."""
    table = FiniteLaw(np.array([[1.0, 0, 0], [0, 0.5, 0], [0, 0, 1], [1, 1, 0]]))
    lattice = Independent(14, 0.2, magnitude=Constant(1.0))
    for features in (table, lattice):
        n = features.n_features
        objective = tg.exact.Objective(tg.nets.ReluOutput(n, 1, bias=False), features, 64)
        x, v = np.zeros(objective.size), np.eye(objective.size)[0]
        assert objective.hessian_by_rows(x) is None
        H, error = hessian_at(objective, x)
        along = float(v @ objective.gradient(1e-3 * v)) / 1e-3
        assert along < -0.1
        assert abs(H[0, 0] - along) <= error + 1e-3


def met_in_the_middle(signed: bool) -> tuple[Features, FiniteLaw]:
    """The same law of two halves, and state by state."""
    signs = (0.0, 0.75, -0.75) if signed else (0.0, 0.75)
    n, p = (6, 0.375) if signed else (10, 0.25)
    states = np.stack(np.meshgrid(*[signs] * n, indexing="ij"), axis=-1).reshape(-1, n)
    active = (states != 0).sum(axis=1)
    chance = (p / (len(signs) - 1)) ** active * (1 - p) ** (n - active)
    importance = np.arange(1.0, n + 1)
    law = Independent(n, p, importance, magnitude=Constant(0.75), signed=signed)
    return law, FiniteLaw(states, chance, importance)


@pytest.mark.parametrize("signed", [False, True])
def test_met_in_the_middle_it_is_that_of_all_states(signed: bool) -> None:
    law, table = met_in_the_middle(signed)
    W, b = point_of(law, 2, 0)
    (objective, x), (other, _) = objective_of(law, W, b), objective_of(table, W, b)
    (_, halves), *_ = objective._by_law.laws.each[0]
    assert isinstance(halves, LatticeLaw)
    (H, error), (exact, _) = hessian_at(objective, x), hessian_at(other, x)
    assert np.abs(H - exact).max() <= 1e-13 * np.abs(exact).max()
    assert error <= 1e-12 * np.linalg.norm(exact)


@pytest.mark.parametrize("signed", [False, True])
def test_the_nearest_kink_is_no_farther_than_said(signed: bool) -> None:
    law, table = met_in_the_middle(signed)
    W, b = point_of(law, 2, 1)
    slack = np.abs(table.states @ W.T @ W + b)
    steepest = np.linalg.norm(table.states @ W.T, axis=1)[:, None] + np.linalg.norm(W, axis=0) * np.linalg.norm(
        table.states, axis=1, keepdims=True
    )
    exact = float((slack / (1 + steepest)).min())
    for features in (law, table):
        objective, _ = objective_of(features, W, b)
        (_, one), *_ = objective._by_law.laws.each[0]
        said = one.nearest_kink(W, b, True)
        assert 0.02 * exact < said <= exact
    dropped = b.copy()
    dropped[3] = 0.0  # where nothing is active the output is on its kink
    assert one.nearest_kink(W, dropped, True) == 0
    if isinstance(one, LatticeLaw):
        return
    assert one.nearest_kink(W, 0 * b, False) > 0  # which a net without bias never leaves


def test_at_a_kink_of_a_table_both_sides_count() -> None:
    """W = 1, b = 0 and states 0 and 1: the bias curves up by 2 where it grows, and by 1 where it falls."""
    features = FiniteLaw(np.array([[0.0], [1.0]]))
    objective, x = objective_of(features, np.ones((1, 1)), np.zeros(1))
    assert objective.hessian_by_rows(x) is None
    H, error = hessian_at(objective, x)
    assert H[1, 1] == pytest.approx(1.5, abs=1e-6)
    assert error >= 0.5
    exact = rational_hessian(features.states, features.probabilities, np.ones((1, 1)), np.zeros(1), np.ones(1))
    least = smallest_curvature(objective, x, np.zeros((0, 2)))
    assert least.value == pytest.approx(np.linalg.eigvalsh(exact)[0], abs=1e-6)


INVERTED = ["signed", "around 0", "wide", "two of three", "two of three, signed", "mixture", "mixture with data", "tree"]
INVERTED += ["sets beside a feature", "a pair beside a signed feature", "two units", "exponential, signed"]


@pytest.mark.parametrize("name", INVERTED)
def test_of_copies_it_is_an_inversion_that_converges_as_the_loss(name: str) -> None:
    features, worst = LAWS[name], 0.0
    for seed in range(3):
        W, b = point_of(features, 2, seed)
        objective, x = objective_of(features, W, b, 2048)
        assert objective.curved_by == "inversion"
        H, error = hessian_at(objective, x)
        exact = exact_hessian(features, W, b)
        assert np.linalg.norm(H - exact) <= error + 1e-12 * np.linalg.norm(exact)
        worst = max(worst, float(np.linalg.norm(H - exact) / np.linalg.norm(exact)))
    assert worst < 1e-6


def test_importances_and_units_count() -> None:
    features = Joined([Independent(1, 0.3, magnitude=tg.features.Uniform(0, 2)), Independent(2, 0.5, signed=True)], [1, 0.5, 2])
    W, b = point_of(features, 2, 5)
    objective, x = objective_of(features, W, b, 1024)
    H, slopes = objective.hessian(x), objective.gradient
    rows = [(slopes(x + 1e-5 * v) - slopes(x - 1e-5 * v)) / 2e-5 for v in np.eye(x.size)]
    np.testing.assert_allclose(H, rows, atol=1e-5)


@pytest.mark.parametrize("name", ["away from 0", "one of three", "a magnitude of your own"])
def test_of_other_laws_it_is_made_of_differences_of_rows(name: str) -> None:
    features = LAWS[name]
    W, b = point_of(features, 2, 0)
    objective, x = objective_of(features, W, b, 512)
    assert objective.curved_by == "differences"
    H, error = hessian_at(objective, x)
    exact = exact_hessian(features, W, b)
    assert np.linalg.norm(H - exact) <= error
    assert error < 1e-3 * np.linalg.norm(exact)


def test_differences_of_rows_are_those_of_parameters() -> None:
    """Of any function of G = W^T W and b: sum_ji sin(G_ji + i) b_j."""
    rng, shift = np.random.default_rng(0), np.arange(4.0)
    W, b = rng.normal(size=(2, 4)), rng.normal(size=4)

    def slopes(G: Array, bias: Array) -> tuple[Array, Array]:
        return np.cos(G + shift) * bias[:, None], np.sin(G + shift).sum(axis=1)

    def gradient(x: Array) -> Array:
        weights = x[:8].reshape(2, 4)
        by_map, by_bias = slopes(weights.T @ weights, x[8:])
        return np.append((weights @ (by_map + by_map.T)).ravel(), by_bias)

    x = np.append(W.ravel(), b)
    rows = [(gradient(x + 1e-5 * v) - gradient(x - 1e-5 * v)) / 2e-5 for v in np.eye(12)]
    H, jump = differences(slopes, W, b, 1e-5, True)
    np.testing.assert_allclose(H, rows, atol=1e-8)
    assert jump < 1e-4
    without, _ = differences(slopes, W, b, 1e-5, False)
    np.testing.assert_allclose(without[:8, :8], H[:8, :8], atol=1e-12)


def test_a_row_and_its_slopes_are_the_chain_rule() -> None:
    rng, (m, n) = np.random.default_rng(1), (2, 3)
    W, R, S = rng.normal(size=(m, n)), rng.normal(size=(n + 1, n + 1)), rng.normal(size=(n, n))
    H = np.zeros((m * n + n, m * n + n))
    add_row(H, W, 1, R + R.T)
    J = np.zeros((n + 1, m * n + n))  # the row's couplings, W_1 . W_i, and bias by all parameters
    for i in range(n):
        for k in range(m):
            J[i, k * n + 1] += W[k, i]
            J[i, k * n + i] += W[k, 1]
    J[n, m * n + 1] = 1
    np.testing.assert_allclose(H, J.T @ (R + R.T) @ J, atol=1e-14)
    H[...] = 0
    add_slopes(H, m, S)
    np.testing.assert_allclose(H[:n, :n], S + S.T)
    np.testing.assert_allclose(H[n : 2 * n, n : 2 * n], S + S.T)
    assert not H[:n, n:].any()


def test_few_terms_of_signed_exponential_magnitudes_are_honest() -> None:
    """Differences of gradients missed what fewer than 80 terms leave out, which is what the least of them are."""
    assert study("hessians", "exponential, signed", 50).wrong == 0


def test_without_what_terms_leave_out_the_error_is_that_of_the_differences() -> None:
    features = LAWS["away from 0"]
    objective, x = objective_of(features, *point_of(features, 2, 0), 32)
    (H, error), (same, less) = hessian_at(objective, x), differentiated(objective, x)
    np.testing.assert_array_equal(H, same)
    assert less < error


@pytest.mark.parametrize(("name", "seed"), [("signed", 233), ("signed", 246), ("away from 0", 131), ("around 0", 44)])
def test_half_of_the_terms_that_are_wrong_by_as_much_are_not_believed(name: str, seed: int) -> None:
    """Half and all of the terms, or of few all and twice as many, were up to 5.4 times nearer to each other than to truth."""
    ((case,),) = KINDS["hessians"](LAWS[name], np.random.default_rng([*f"hessians {name}".encode(), seed]))
    assert case.factor() <= 1
