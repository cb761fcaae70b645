"""Second derivatives of the exact loss against slow obvious ones, at kinks too; the rotations and nothing else are flat."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

import tegum as tg
from tegum.exact.hessian import (
    curvatures,
    hessian_at,
    hessian_vector_product,
    pseudo_inverse,
    rotation_modes,
    smallest_curvature,
    truncation_error,
)

Vector = NDArray[np.float64]

DISTRIBUTIONS = [
    (tg.nets.ReluOutput(3, 2), tg.features.Independent(3, density=[0.2, 0.4, 0.6], importance=[1, 0.5, 2])),
    (tg.nets.ReluOutput(4, 2), tg.features.CorrelatedSets(2, 2, density=0.3)),
    (tg.nets.Linear(3, 2), tg.features.Independent(3, density=0.3)),
]


@dataclass
class Written:
    """A landscape written down as its gradient."""

    gradient: Callable[[Vector], Vector]


def a_point(net: tg.nets.Net, seed: int = 0) -> Vector:
    generator = np.random.default_rng(seed)
    shape = net.n_hidden * net.n_features
    return np.concatenate([generator.normal(size=shape) * 0.6, generator.normal(size=net.n_features) * 0.1])


def second_differences(objective: tg.exact.Objective, x: Vector, h: float = 1e-4) -> Vector:
    """The Hessian from losses alone, four for each entry."""
    steps = h * np.eye(x.size)
    return np.array(
        [
            [
                objective.loss(x + a + b) - objective.loss(x + a - b) - objective.loss(x - a + b) + objective.loss(x - a - b)
                for a in steps
            ]
            for b in steps
        ]
    ) / (4 * h * h)


@pytest.mark.parametrize(("net", "features"), DISTRIBUTIONS, ids=["independent", "correlated", "linear"])
def test_the_hessian_is_the_second_differences_of_the_loss(net: tg.nets.Net, features: tg.features.Features) -> None:
    objective = tg.exact.Objective(net, features, terms=1024)
    x = a_point(net)
    H, error = hessian_at(objective, x)
    np.testing.assert_allclose(H, second_differences(objective, x), atol=2e-5)
    assert error < 1e-6 * np.linalg.norm(H)
    v = np.random.default_rng(1).normal(size=x.size)
    product, doubt = hessian_vector_product(objective, x, v)
    assert np.linalg.norm(product - H @ v) <= doubt + error * np.linalg.norm(v)
    assert doubt < 1e-6 * np.linalg.norm(product)


def test_a_product_with_nothing_is_nothing() -> None:
    product, error = hessian_vector_product(Written(lambda x: 3 * x), np.ones(4), np.zeros(4))
    assert not product.any()
    assert error == 0


def test_the_error_estimate_covers_the_error_of_a_function_whose_hessian_is_known() -> None:
    generator = np.random.default_rng(2)
    A = generator.normal(size=(6, 6))
    for scale in (0.1, 1.0, 10.0, 100.0):
        B = scale * A
        x = generator.normal(size=6) / scale
        H, error = hessian_at(Written(lambda x, B=B: B.T @ np.sin(B @ x)), x)
        truth = B.T @ np.diag(np.cos(B @ x)) @ B
        assert np.linalg.norm(H - truth) <= error + 1e-12 * np.linalg.norm(truth)
        assert error < 1e-5 * np.linalg.norm(truth)


@pytest.mark.parametrize("distance", [0.0, 1e-7, 1e-5, 1e-3])
def test_a_kink_is_in_the_error_unless_it_is_out_of_reach(distance: float) -> None:
    """The function x^2 / 2 below 0 and 2 x^2 above: the derivative is continuous, the second one jumps from 1 to 4."""
    H, error = hessian_at(Written(lambda x: np.where(x > 0, 4 * x, x)), np.array([-distance]))
    if distance > 1e-6:
        assert abs(H[0, 0] - 1) < 1e-6
        assert error < 1e-6
    else:
        assert 1 <= H[0, 0] <= 4
        assert abs(H[0, 0] - 1) <= error <= 4


def test_rotations_are_an_orthonormal_basis_of_all_skew_directions() -> None:
    generator = np.random.default_rng(3)
    for m, n in ((1, 4), (2, 5), (4, 4), (5, 2)):
        W = generator.normal(size=(m, n))
        modes = rotation_modes(W)
        rank = min(m, n)
        assert len(modes) == m * (m - 1) // 2 - (m - rank) * (m - rank - 1) // 2
        np.testing.assert_allclose(modes @ modes.T, np.eye(len(modes)), atol=1e-13)
        E = generator.normal(size=(m, m))
        turned = np.concatenate([((E - E.T) @ W).ravel(), np.zeros(n)])
        np.testing.assert_allclose(modes.T @ (modes @ turned), turned, atol=1e-12)


@pytest.mark.parametrize(("rank", "count"), [(0, 0), (1, 3), (2, 5), (3, 6), (4, 6)])
def test_there_are_fewer_rotations_where_weights_have_lower_rank(rank: int, count: int) -> None:
    generator = np.random.default_rng(4)
    W = generator.normal(size=(4, rank)) @ generator.normal(size=(rank, 6))
    assert rotation_modes(W).shape == (count, 30)


def test_no_gradient_has_a_part_along_the_rotations() -> None:
    net, features = DISTRIBUTIONS[0]
    objective, x = tg.exact.Objective(net, features), a_point(net)
    W, _ = objective.parameters(x)
    assert np.abs(rotation_modes(W) @ objective.gradient(x)).max() < 1e-14


def test_curvatures_at_a_minimum_are_those_of_the_census() -> None:
    net, features = tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.1)
    census = tg.exact.minimise(net, features, seeds=2, progress=False)
    objective = tg.exact.Objective(net, features)
    for seed in census.seed.values:
        one = census.sel(seed=seed)
        x = objective.flat(one.W, one.b)
        H, error = hessian_at(objective, x)
        modes = rotation_modes(one.W.values)
        assert np.abs(H @ modes.T).max() < 1e-6
        found = curvatures(H, modes)
        assert found.shape == (14,)
        assert (np.diff(found) >= 0).all()
        assert found[0] == pytest.approx(float(one.curvature), abs=1e-6)
        least = smallest_curvature(objective, x, modes)
        assert least.value == pytest.approx(found[0], abs=1e-12)
        assert least.error == error
        assert least.direction @ H @ least.direction == pytest.approx(least.value, abs=1e-9)


def test_the_pseudo_inverse_inverts_beyond_the_modes_and_what_is_flat() -> None:
    generator = np.random.default_rng(5)
    basis = np.linalg.qr(generator.normal(size=(6, 6)))[0].T
    H = basis.T @ np.diag([7.0, 0.0, -2.0, 1.0, 3.0, 1e-12]) @ basis
    modes = basis[:1]
    inverse = pseudo_inverse(H, modes)
    np.testing.assert_allclose(inverse, basis.T @ np.diag([0, 0, -1 / 2, 1, 1 / 3, 0]) @ basis, atol=1e-12)
    np.testing.assert_allclose(curvatures(H, modes), [-2, 0, 0, 1, 3], atol=1e-12)


def test_at_a_kink_the_side_that_curves_least_counts() -> None:
    """The function (x^2 + y^2) / 2 - 0.8 r(-x)^2 curves by 1 - 1.6 towards smaller x, and the mean Hessian by 1 - 0.8."""
    landscape = Written(lambda x: x - np.array([-1.6 * max(-x[0], 0), 0]))
    H, error = hessian_at(landscape, np.zeros(2))
    assert np.linalg.eigvalsh(H)[0] == pytest.approx(0.2)
    assert error >= 0.8
    least = smallest_curvature(landscape, np.zeros(2), np.zeros((0, 2)))
    assert least.value == pytest.approx(-0.6, abs=1e-9)
    np.testing.assert_allclose(least.direction, [-1, 0], atol=1e-6)


def test_a_dedicated_feature_sits_on_a_kink_and_the_curvature_found_there_is_true() -> None:
    """W = (1, 0): the loss of feature 0 is exactly 0, its bias 0, and the Hessian differs from side to side."""
    features = tg.features.Independent(2, density=0.8)
    objective = tg.exact.Objective(tg.nets.ReluOutput(2, 1), features, terms=4096)
    x = np.array([1, 0, 0, 0.4])
    assert np.linalg.norm(objective.gradient(x)) < 1e-12
    assert hessian_at(objective, x)[1] > 0.1
    least = smallest_curvature(objective, x, rotation_modes(x[None, :2]))
    t = 1e-3
    assert (objective.loss(x + t * least.direction) - objective.loss(x)) * 2 / t**2 == pytest.approx(least.value, rel=2e-2)
    assert least.value < -0.02


def test_nothing_is_left_beyond_the_modes() -> None:
    least = smallest_curvature(Written(lambda x: x), np.zeros(2), np.eye(2))
    assert np.isnan(least.value)


def test_the_truncation_error_is_about_what_more_terms_change() -> None:
    net, features = tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.3)
    x = a_point(net)
    exact = hessian_at(tg.exact.Objective(net, features, terms=8192), x)[0]
    for terms in (64, 256):
        objective = tg.exact.Objective(net, features, terms=terms)
        error = np.linalg.norm(hessian_at(objective, x)[0] - exact)
        assert error / 4 < truncation_error(objective, x) < 4 * error
    assert truncation_error(tg.exact.Objective(net, features, terms=32_768), x) > 0  # there are no more to compare with


def test_biases_that_a_net_does_not_have_are_fixed() -> None:
    net = tg.nets.ReluOutput(3, 2, bias=False)
    objective = tg.exact.Objective(net, tg.features.Independent(3, density=0.3))
    x = a_point(net)
    x[6:] = 0
    H, error = hessian_at(objective, x)
    assert not H[6:].any()
    assert not H[:, 6:].any()
    assert error < 1e-6


def test_a_tolerance_is_of_the_truncation_too() -> None:
    net, features = tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.3)
    x = a_point(net)
    exact = hessian_at(tg.exact.Objective(net, features, terms=16384), x)[0]
    for tol in (1e-3, 1e-5):
        H, error = hessian_at(tg.exact.Objective(net, features, terms=32), x, tol=tol)
        assert np.linalg.norm(H - exact) <= error <= tol * np.linalg.norm(H)
    with pytest.raises(tg.InvalidInputError, match="has no terms"):
        hessian_at(Written(lambda x: x), np.zeros(2), tol=1e-3)
    with pytest.raises(tg.InvalidInputError, match="tol is 0"):
        hessian_at(tg.exact.Objective(net, features), x, tol=0.0)


@pytest.mark.parametrize("e", [1e-2, 1e-3, 1e-4, 1e-5])
def test_rows_smaller_than_the_step_have_hessians_as_large_as_they_are_small(e: float) -> None:
    """Feature 1 is alone in its output, g = e^2 and b = -g / 3: active above u = 1/3, E (x - r(s))^2 by b twice."""
    objective = tg.exact.Objective(tg.nets.ReluOutput(2, 2), tg.features.Independent(2, 0.1), 1024)
    H, error = hessian_at(objective, np.array([1.0, 0, 0, e, -0.1, -(e**2) / 3]))
    exact = 0.1 * (2 * 2 / 3 - 2 / 3 / e**2)  # 2 P(s > 0) - 2 E [x delta(s)], with x = 1/3 at the kink
    assert abs(H[5, 5] - exact) <= error + 1e-12 * abs(exact)
    assert error <= 1e-10 * abs(exact)
