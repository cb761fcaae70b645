"""Where flows of two features in one dimension end: against the exact flow, a count of Gaussian starts, and known integrals."""

import numpy as np
import pytest
from scipy.optimize import minimize

import tegum as tg
from tegum.theory.pair_basins import Basins, end_probabilities, pair_basins, pair_ends, pair_rests, radial_nodes
from tegum.theory.stored_pair import cost_of_a_trace, stored_pair

P, RATIO = 0.3, 0.5
RESTS = pair_rests(P, RATIO)


@pytest.fixture(scope="module")
def basins() -> Basins:
    rests, found = pair_basins(P, RATIO, nodes=2, fan=8, rounds=2, tol=1e-5)
    np.testing.assert_array_equal(rests, RESTS)
    return found


@pytest.mark.parametrize("w", [(0.6, 0.5), (0.6, -0.3), (0.02, -0.5)])
def test_flows_end_where_the_exact_flow_ends(w: tuple[float, float]) -> None:
    (end,) = pair_ends([w], RESTS, P, RATIO)
    features = tg.features.Independent(2, density=P, importance=[1, RATIO])
    flow = tg.exact.gradient_flow(tg.nets.ReluOutput(2, 1), features, [w], [0, 0], 2000, times=[0, 2000], progress=False)
    W, b = flow["W"].values[-1, 0], flow["b"].values[-1]
    np.testing.assert_allclose([*(W * np.sign(W[0])), *b], RESTS[end], atol=0.01)


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
        np.testing.assert_array_equal(pair_ends(starts, RESTS, P, RATIO, tol=1e-5), end)


def test_probabilities_are_those_of_gaussian_starts(basins: Basins) -> None:
    starts = np.random.default_rng(1).normal(size=(200, 2)) * 0.3
    counted = np.bincount(pair_ends(starts, RESTS, P, RATIO, tol=1e-5), minlength=2) / 200
    whole, change = end_probabilities(basins.shares, 0.3)
    assert whole.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(whole[:2], counted, atol=4 * np.sqrt(0.25 / 200) + change.max())


def test_the_quadrature_is_exact_for_polynomials_of_the_radius() -> None:
    """E r = sigma sqrt(pi / 2), E r^2 = 2 sigma^2."""
    r = radial_nodes(4)
    whole, change = end_probabilities(np.stack([np.ones_like(r), r, r**2], axis=-1), [0.1, 0.4])
    sigma = np.array([0.1, 0.4])
    np.testing.assert_allclose(whole, np.stack([np.ones(2), sigma * np.sqrt(np.pi / 2), 2 * sigma**2], axis=-1), rtol=1e-9)
    np.testing.assert_allclose(change, 0, atol=1e-9)
