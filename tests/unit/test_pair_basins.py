"""Where flows of two features in one dimension end: against the exact flow, a count of Gaussian starts, and known integrals."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize

import tegum as tg
from tegum.errors import InvalidInputError
from tegum.theory.pair_basins import Basins, _located, pair_basins, pair_ends, pair_rests
from tegum.theory.pair_flow import velocities
from tegum.theory.radial_mean import radial_mean
from tegum.theory.stored_pair import cost_of_a_trace, stored_pair

P, RATIO = 0.3, 0.5
RESTS = pair_rests(P, RATIO)


@pytest.fixture(scope="module")
def basins() -> Basins:
    found = pair_basins(P, RATIO, error=1e-3, nodes=4, fan=16, rounds=4, tol=1e-7)
    np.testing.assert_array_equal(found.rests, RESTS)
    return found


@pytest.mark.parametrize("w", [(0.6, 0.5), (0.6, -0.3), (0.02, -0.5)])
def test_flows_end_where_the_exact_flow_ends(w: tuple[float, float]) -> None:
    (end,) = pair_ends([w], RESTS, P, RATIO)
    features = tg.features.Independent(2, density=P, importance=[1, RATIO])
    flow = tg.exact.gradient_flow(tg.nets.ReluOutput(2, 1), features, [w], [0, 0], 2000, times=[0, 2000], progress=False)
    W, b = flow["W"].values[-1, 0], flow["b"].values[-1]
    np.testing.assert_allclose([*(W * np.sign(W[0])), *b], RESTS[end], atol=0.01)


def test_the_compiled_velocity_is_minus_the_gradient() -> None:
    """At weights and biases of 0 too, where outputs are off, and where kinks lie inside."""
    x = np.random.default_rng(2).normal(size=(500, 4)) * 0.7
    x[:50, 1], x[50:60], x[60:100, 2:] = 0, 0, 0
    for density, ratio, weight in ((0.3, 0.5, 0.01), (1.0, 2.0, 0.0), (0.9, 1.0, 0.3)):
        _, gradient, _ = stored_pair(x, density, ratio, weight)
        np.testing.assert_allclose(velocities(x, (density, ratio, weight)), -gradient, atol=1e-13)


def test_starts_and_their_mirror_images_end_alike() -> None:
    starts = np.random.default_rng(0).normal(size=(6, 2)) * 0.5
    one, other = (pair_ends(side * starts, RESTS, P, RATIO, tol=1e-6) for side in (1, -1))
    np.testing.assert_array_equal(one, other)


def test_a_saddle_attracts_traces_of_one_sign() -> None:
    """Feature 1 alone: the loss falls beside it on one side only, and flows leave it there."""
    opposite, same = (float(cost_of_a_trace(P, same_sign)) for same_sign in (False, True))
    assert opposite < RATIO * (P / 3 - P * P / 4) < same
    np.testing.assert_array_equal(RESTS[0], [1, 0, 0, P / 2])
    assert pair_ends([[1.0, 0.05], [1.0, -0.1]], RESTS, P, RATIO).tolist() == [0, 1]


@pytest.mark.parametrize("density", [0.1, 0.5, 0.9])
def test_a_trace_of_the_same_sign_costs_the_least_that_a_search_finds(density: float) -> None:
    e, v = 1e-4, density / 3 - density**2 / 4
    for sign, same in ((1, True), (-1, False)):

        def excess(x: np.ndarray, sign: int = sign) -> float:
            w1, b1 = 1 + x[0] * e, x[1] * e
            return float((stored_pair([w1, sign * e, b1, density / 2 - sign * density * e / 2], density)[0] - v) / e**2 + v)

        found = minimize(excess, [0.0, 0.1 * -sign], method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-7})
        assert found.fun == pytest.approx(float(cost_of_a_trace(density, same)), abs=2e-3)


def test_boundaries_part_the_circles(basins: Basins) -> None:
    np.testing.assert_allclose(basins.shares.sum(axis=1), 1)
    assert (basins.below != basins.above).all()
    for side, end in ((-1, basins.below), (1, basins.above)):
        angle = basins.angle + side * (2 * basins.within + 1e-3)
        starts = basins.radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        np.testing.assert_array_equal(pair_ends(starts, RESTS, P, RATIO, tol=1e-7), end)


def test_probabilities_are_those_of_gaussian_starts(basins: Basins) -> None:
    starts = np.random.default_rng(1).normal(size=(2000, 2)) * 0.3
    counted = np.bincount(pair_ends(starts, RESTS, P, RATIO, tol=1e-7), minlength=2) / 2000
    assert basins.probability.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(basins.probability[:2], counted, atol=4 * np.sqrt(0.25 / 2000) + basins.error.max())


def test_a_boundary_is_where_the_exact_flow_has_it() -> None:
    """The engine's gradient and SciPy's solver, started 1e-6 rad to either side of what the closed form and our own found."""
    features = tg.features.Independent(2, density=P, importance=[1, RATIO])
    radius, low, high = 0.5, 0.0, 1.2
    for _ in range(4):
        angles = np.linspace(low, high, 40)
        ends = pair_ends(radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1), RESTS, P, RATIO, tol=1e-9)
        k = int(np.argmax(ends[1:] != ends[:-1]))
        low, high, each = angles[k], angles[k + 1], ends[k : k + 2]
    for angle, end in zip((low - 3e-7, high + 3e-7), each, strict=True):
        W = [[radius * np.cos(angle), radius * np.sin(angle)]]
        flow = tg.exact.gradient_flow(
            tg.nets.ReluOutput(2, 1), features, W, [0, 0], 2000, times=[0, 2000], rtol=1e-9, atol=1e-10, progress=False
        )
        w = flow["W"].values[-1, 0]
        np.testing.assert_allclose(w * np.sign(w[0]), RESTS[end][:2], atol=1e-3)


def test_means_over_the_radius_are_those_of_polynomials() -> None:
    """E r = sigma sqrt(pi / 2), E r^2 = 2 sigma^2."""
    sigma = np.array([0.1, 0.4])
    whole, error = radial_mean(lambda r: np.stack([np.ones_like(r), r, r**2], axis=-1), sigma)
    np.testing.assert_allclose(whole, np.stack([np.ones(2), sigma * np.sqrt(np.pi / 2), 2 * sigma**2], axis=-1), rtol=1e-8)
    np.testing.assert_allclose(error, 0, atol=1e-9)


@pytest.mark.parametrize("begins", [0.004, 0.37, 0.3703, 0.9, 1.1999])
def test_errors_of_means_are_honest_where_a_root_a_corner_or_a_jump_begins(begins: float) -> None:
    """With r = begins + t^2 the root is smooth, and SciPy's quadrature good."""

    def values(r: np.ndarray) -> np.ndarray:
        past = np.maximum(r - begins, 0)
        return np.stack([np.sqrt(past), past, (past > 0) * 1.0], axis=-1)

    for sigma in (0.1, 0.6):
        whole, error = radial_mean(values, sigma, 1e-6)
        truth = [quad(integrand, 0, np.sqrt(3.6 - begins), args=(power, begins, sigma), epsabs=1e-13)[0] for power in (1, 2, 0)]
        assert (np.abs(whole - truth) <= error + 1e-8).all()
        assert error.max() <= 1e-6


def integrand(t: float, power: int, begins: float, sigma: float) -> float:
    """t^power times the density of |w| at begins + t^2, and its Jacobian."""
    radius = begins + t * t
    return float(t**power * 2 * t * radius / sigma**2 * np.exp(-(radius**2) / 2 / sigma**2))


def test_boundaries_are_where_they_are_said_to_be() -> None:
    """The flow's own error moves boundaries further than the last section is wide, and is part of what is said."""
    rough = pair_basins(P, RATIO, deviation=0.3, error=0.3, nodes=3, fan=16, rounds=8, tol=1e-6)
    assert rough.within.max() > 5 * np.pi / 16 / 5**8 / 2
    for side, end in ((-1, rough.below), (1, rough.above)):
        angle = rough.angle + side * 1.01 * rough.within
        starts = rough.radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        np.testing.assert_array_equal(pair_ends(starts, RESTS, P, RATIO, tol=1e-10), end)


def test_a_basin_that_begins_is_no_reason_to_doubt_the_boundaries_beside_it() -> None:
    """Two boundaries 1e-6 apart, between which finer flows see nothing: they are doubted as far as they are apart."""
    angle, radius = np.array([0.3, 0.3 + 1e-6, 1.0]), np.ones(3)
    within = _located(lambda _, at: (at > 1.0).astype(int), radius, angle, (np.array([0, 2, 0]), np.array([2, 0, 1])), 1e-8, 9)
    assert within[:2].max() < 6e-6
    assert within[2] == 1e-8


def test_errors_of_probabilities_cover_the_error_of_the_flow() -> None:
    options: dict[str, Any] = {"deviation": [0.05, 0.3], "error": 2e-3, "nodes": 3, "fan": 16, "rounds": 6}
    rough, fine = pair_basins(P, RATIO, tol=1e-4, **options), pair_basins(P, RATIO, tol=1e-10, **options)
    assert (np.abs(rough.probability - fine.probability) <= rough.error + fine.error).all()
    assert (rough.error - fine.error).min() > 1e-5


def test_radii_that_are_left_out_are_refused_or_counted() -> None:
    for deviation, share in ((2.0, "0.2"), (1e-5, "0.39")):
        with pytest.raises(InvalidInputError, match=f"deviation is {deviation:g}, where a share of {share} of all weights"):
            pair_basins(P, RATIO, deviation=[0.3, deviation], error=1e-3)
    for wrong in (0.0, -0.3, np.nan):
        with pytest.raises(InvalidInputError, match=f"deviation is {wrong:g}: choose from 1e-09"):
            pair_basins(P, RATIO, deviation=wrong)
    wide = pair_basins(P, RATIO, deviation=1.0, error=2e-3, nodes=3, fan=8, rounds=3, tol=1e-6)
    missing = 1 - wide.probability.sum()
    assert missing == pytest.approx(np.exp(-(3.6**2) / 2), rel=1e-3)
    assert (wide.error >= missing).all()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: pair_ends(np.full((50, 1), 0.5), RESTS, P),
            "w has shape (50, 1): give rows of two initial weights, shape (k, 2)",
        ),
        (lambda: pair_ends(np.ones((4, 3)), RESTS, P), "w has shape (4, 3): give rows of two initial weights, shape (k, 2)"),
        (lambda: pair_ends([0.5, -0.4], RESTS, P), "w has shape (2,): give rows of two initial weights, shape (k, 2)"),
        (lambda: pair_ends([[np.nan, 1.0]], RESTS, P), "w is nan: choose from -1e+06 to 1e+06"),
        (
            lambda: pair_ends([[0.5, 1.0]], RESTS[:, :3], P),
            "rests has shape (2, 3): give rows of w_1, w_2, b_1, b_2, as pair_rests gives them, shape (k, 4)",
        ),
        (lambda: pair_ends([[0.5, 1.0]], RESTS, P, tol=0.0), "tol is 0: choose a number between 0 and 1, such as 1e-6"),
        (lambda: pair_rests(P, -1.0), "ratio is -1: choose from 1e-12 to 1e+12"),
        (lambda: pair_basins(P, -1.0), "ratio is -1: choose from 1e-12 to 1e+12"),
        (lambda: pair_basins(P, nodes=1), "nodes is 1: choose at least 2"),
    ],
)
def test_what_there_is_no_flow_of_is_refused(call: Callable[[], object], says: str) -> None:
    """Before compiled code reads what is not there."""
    with pytest.raises(InvalidInputError, match=f"^{re.escape(says)}$"):
        call()
