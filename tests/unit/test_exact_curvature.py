"""Hessians by inversion against rational arithmetic, row by row, and put together against differences of the gradient."""

from typing import Any, NamedTuple

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

import tegum as tg
from tegum.exact.distributions import distributions_of
from tegum.exact.hessian import hessian_at
from tegum.exact.kernel.hessian import STEP, differences_for, row_hessian
from tegum.exact.kernel.model import enter_distribution, lean, point_for
from tegum.exact.kernel.records import Effort, OwnFeature, work_for
from tests.oracle import rational

Array = NDArray[np.float64]

TERMS = 1024


class RowCase(NamedTuple):
    """A row, and how exactly its Hessian is found with 1,024 terms."""

    g: list[float]
    b: float
    own: int
    density: list[float]
    within: float


ROWS = {
    "random": RowCase([0.31, -0.62, 0.84, -0.2], -0.07, 2, [0.1, 0.3, 0.6, 0.2], 1e-11),
    "dense": RowCase([0.5, -0.7, 0.4], 0.11, 0, [1.0, 0.4, 0.3], 1e-11),
    "always active": RowCase([0.5, 0.2, 0.4], 0.3, 1, [0.9, 0.4, 0.3], 1e-14),
    "never active": RowCase([-0.5, 0.2, -0.4], -0.3, 1, [0.9, 0.4, 0.3], 0.0),
    "two features": RowCase([0.9, -1.1], -0.05, 1, [0.2, 0.7], 1e-14),
    "dropped": RowCase([0.02, 0.7, -0.95, 0.3], 0.2, 0, [0.3, 0.2, 0.5, 0.4], 1e-8),
    "no own coupling": RowCase([0.0, 0.7, -0.95, 0.3], 0.2, 0, [0.3, 0.2, 0.5, 0.4], 1e-8),
    "no other coupling": RowCase([0.8, 0.0, -0.9, 0.0], -0.1, 0, [0.3, 0.2, 0.5, 0.4], 1e-14),
    "a digon beside others": RowCase([1.0, -0.99, 1e-3, -2e-4], -0.04, 0, [0.3, 0.2, 0.5, 0.4], 1e-9),
    "tiny ones": RowCase([1.0, 0.4, 1e-9, -1e-7], -0.2, 0, [0.3, 0.2, 0.5, 0.4], 1e-12),
    "small own one": RowCase([1e-5, 0.8, -0.7, 2e-5], 0.3, 0, [0.3, 0.2, 0.5, 0.4], 1e-9),
    "never active feature": RowCase([0.6, 0.8, -0.7], -0.1, 1, [0.3, 0.0, 0.5], 1e-14),
    "all always active": RowCase([0.23, 0.81, 0.24, 0.0, -1e-8], -0.258, 1, [1.0] * 5, 1e-9),
    "some always active": RowCase([0.23, 0.81, -0.24, 1e-6, -1e-8], -0.258, 1, [1.0, 0.5, 1.0, 1.0, 0.5], 1e-9),
    "small ones around a kink": RowCase([0.9, -0.8, 0.06, -0.05], -0.03, 0, [0.3, 0.2, 0.5, 0.4], 1e-8),
}


@numba.njit  # with tables as bare pointers, as compiled code has them: with arrays everything would be compiled once more
def _row_hessian(distribution: Any, work: Any, own: OwnFeature, b: float, effort: Effort, memory: Any) -> float:
    pointers = lean(distribution, work)
    return row_hessian(pointers[0], pointers[1], own, b, 0, STEP, effort, memory)


def row_of(features: tg.features.Features, own: int, g: list[float], b: float, terms: int = TERMS) -> tuple[Array, float]:
    """The Hessian of a row in compiled code, and how it jumps."""
    n, blocks = len(g), features.blocks()
    tables = distributions_of(features)
    distribution, memory, point = tables.blank(), differences_for(1, n), point_for(1, n)
    enter_distribution(distribution, point, tables.weight, tables.importance, 0)
    memory.g[:] = g
    component = int(blocks.component_of_feature[own])
    place, effort = int(blocks.block_of_component[component]), Effort(terms, terms, np.inf, np.inf, 1, 1)
    jump = _row_hessian(distribution, work_for(n), OwnFeature(own, place, component), b, effort, memory)
    return memory.row.copy(), jump


def hessian_of(case: RowCase, terms: int = TERMS) -> tuple[Array, float]:
    """The same of a row of independent features."""
    return row_of(tg.features.Independent(len(case.g), density=case.density), case.own, case.g, case.b, terms)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_as_exact_as_rational_numbers(name: str) -> None:
    case = ROWS[name]
    H, jump = hessian_of(case)
    features = tg.features.Independent(len(case.g), density=case.density)
    exact = rational.row_hessian(features, case.own, case.g, case.b)
    assert jump == 0
    np.testing.assert_allclose(H, exact, rtol=0, atol=case.within + 1e-15 * TERMS * np.abs(exact).max())


def test_it_converges_as_fast_as_the_loss() -> None:
    """Four times the terms, at least 4^4 times the accuracy."""
    case = ROWS["random"]._replace(density=[0.3, 0.5, 0.6, 0.4])
    exact = rational.row_hessian(tg.features.Independent(4, density=case.density), case.own, case.g, case.b)
    errors = [np.abs(hessian_of(case, terms)[0] - exact).max() for terms in (32, 128, 512)]
    assert errors[2] < errors[1] / 4**4 < errors[0] / 4**8


PAIRS, ONE_SET = tg.features.CorrelatedSets(2, 2, density=[0.3, 0.6]), tg.features.CorrelatedSets(1, 4, density=0.7)
EXCLUSIVE = tg.features.AnticorrelatedSets(2, 2, density=[0.3, 0.2, 0.4, 0.1])
SETS = {
    "pairs": (PAIRS, [0.31, -0.62, 0.84, -0.2], -0.07, 2, 1e-11),
    "a set of four": (ONE_SET, [0.31, -0.62, 0.84, -0.2], -0.07, 2, 1e-11),
    "exclusive": (EXCLUSIVE, [0.31, -0.62, 0.84, -0.2], -0.07, 2, 1e-11),
    "always active": (PAIRS, [0.5, 0.2, 0.4, 0.3], 0.3, 1, 1e-14),
    "exclusive, always active": (EXCLUSIVE, [0.5, 0.2, -0.1, 0.3], 0.2, 1, 1e-14),
    "never active": (PAIRS, [-0.5, 0.2, -0.4, 0.0], -0.3, 1, 0.0),
    "small ones around kinks": (PAIRS, [1.0, 1e-3, -0.99, -2e-4], -1e-3, 0, 1e-8),
    "small own one": (PAIRS, [0.9, -1.1, 1e-3, -2e-3], 2e-3, 2, 2e-6),
    "small ones that are always above a kink": (PAIRS, [0.8, 1e-3, -0.7, -2e-4], 0.1, 0, 1e-9),
    "small own one, exclusive": (EXCLUSIVE, [0.9, -1.1, 2e-4, -1e-3], 2e-3, 2, 1e-8),
    "dropped, exclusive": (EXCLUSIVE, [0.02, 0.7, -0.95, 0.3], 0.2, 0, 1e-8),
    "dropped beside another": (PAIRS, [0.02, 0.7, -0.95, 0.3], 0.2, 0, 1e-8),
    "no own coupling": (PAIRS, [0.0, 0.7, -0.95, 0.3], 0.2, 0, 1e-8),
    "never active features": (tg.features.CorrelatedSets(2, 2, density=[0.4, 0.0]), [0.6, 0.3, -0.7, 0.1], -0.1, 2, 1e-11),
}


@pytest.mark.parametrize("name", SETS)
def test_a_row_of_sets_is_as_exact_as_rational_numbers(name: str) -> None:
    features, g, b, own, within = SETS[name]
    H, jump = row_of(features, own, g, b)
    exact = rational.row_hessian(features, own, g, b)
    assert jump == 0
    np.testing.assert_allclose(H, exact, rtol=0, atol=within + 1e-15 * TERMS * np.abs(exact).max())


def by_differences(features: tg.features.Features, own: int, g: list[float], b: float) -> Array:
    """Differences of the exact gradient of a map's row, extrapolated."""
    n, x = len(g), np.append(g, b)

    def slopes(at: Array) -> Array:
        G, biases = np.zeros((n, n)), np.zeros(n)
        G[own], biases[own] = at[:n], at[n]
        _, dG, db = tg.exact.loss_and_gradient(G, biases, features, tied=False, tol=1e-12)
        return np.append(dG[own], db[own])

    steps = np.eye(n + 1)
    coarse, fine = (np.array([slopes(x + h * v) - slopes(x - h * v) for v in steps]) / (2 * h) for h in (4e-4, 2e-4))
    return (4 * fine - coarse) / 3


@pytest.mark.parametrize("b", [-0.2, 0.3])
@pytest.mark.parametrize("kind", ["independent", "pairs", "exclusive", "equal", "above"])
def test_exponential_magnitudes_need_no_differences(kind: str, b: float) -> None:
    """Their terms converge geometrically, so that 256 have all digits that differences have."""
    magnitude = tg.features.Exponential(0.7)
    features = {
        "pairs": tg.features.CorrelatedSets(2, 2, density=[0.3, 0.6], magnitude=magnitude),
        "exclusive": tg.features.AnticorrelatedSets(2, 2, density=[0.3, 0.2, 0.4, 0.1], magnitude=magnitude),
    }.get(kind, tg.features.Independent(4, density=[0.3, 0.2, 0.4, 1.0], magnitude=magnitude))
    g = {"equal": [0.5, 0.5, -0.5, -0.5], "above": [0.5, 0.2, 0.4, 0.0]}.get(kind, [0.9, -0.4, 0.0, 0.02])
    exact = by_differences(features, 0, g, b)
    assert np.abs(exact).max() > 0.1
    errors = []
    for terms in (64, 256):
        H, jump = row_of(features, 0, g, b, terms)
        assert jump == 0
        errors.append(np.abs(H - exact).max())
    assert errors[1] < 2e-8
    assert errors[0] < 1e-3


def test_next_to_a_kink_of_a_weak_own_feature_there_are_differences() -> None:
    """At b = -g its pattern alone jumps, though its coupling is so small that it is not taken out."""
    for features in (tg.features.Independent(3, density=0.3), tg.features.AnticorrelatedSets(1, 3, density=0.3)):
        assert row_of(features, 0, [0.2, 1.0, -0.9], -0.2)[1] > 0.1


def test_a_net_without_relu_needs_no_differences() -> None:
    """Its Hessian is that of second moments."""
    exponential = tg.features.Independent(4, density=0.3, magnitude=tg.features.Exponential())
    for features in (tg.features.Independent(4, density=0.3), EXCLUSIVE, exponential):
        objective = tg.exact.Objective(tg.nets.Linear(4, 2), features)
        x = np.random.default_rng(0).normal(size=12)
        H, jump = objective.hessian_by_rows(x)
        assert jump == 0
        steps = 1e-3 * np.eye(12)
        slow = np.array([(objective.gradient(x + v) - objective.gradient(x - v)) / 2e-3 for v in steps])
        np.testing.assert_allclose(H, slow, atol=1e-5)


@pytest.mark.parametrize("b", [0.0, 1e-5, -1.0 + 1e-6])
def test_next_to_a_kink_there_are_differences(b: float) -> None:
    """At b = 0 nothing is active on one side, at b = -g the own feature alone; both have probabilities."""
    _, jump = hessian_of(RowCase([1.0, 0.4], b, 0, [0.3, 0.2], 0.0))
    assert jump > 0.1


@pytest.mark.parametrize("penalties", [(), (tg.exact.Interference(0.03), tg.exact.L2(0.01))], ids=["loss", "penalties"])
@pytest.mark.parametrize("net", [tg.nets.ReluOutput(4, 2), tg.nets.ReluOutput(4, 2, bias=False)], ids=["biased", "no bias"])
def test_rows_make_the_hessian_by_all_parameters(net: tg.nets.Net, penalties: tuple[tg.exact.Interference, ...]) -> None:
    features = tg.features.Independent(4, density=[0.1, 0.3, 0.8, 0.5], importance=[1, 0.5, 2, 0])
    objective = tg.exact.Objective(net, features, terms=4096, penalties=penalties)
    generator = np.random.default_rng(3)
    x = np.concatenate([generator.normal(size=8) * 0.6, generator.normal(size=4) * 0.1 * net.bias])
    steps = 1e-4 * np.eye(12)
    slow = np.array([(objective.gradient(x + v) - objective.gradient(x - v)) / 2e-4 for v in steps]) * np.any(
        objective.hessian(x), axis=1, keepdims=True
    )
    H, error = hessian_at(objective, x)
    np.testing.assert_allclose(H, slow, atol=2e-7)
    assert error < 1e-7
    if not net.bias:
        assert not H[8:].any()


def test_what_is_left_out_is_in_the_error() -> None:
    net, features = tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.4)
    generator = np.random.default_rng(0)
    for _ in range(20):
        x = np.concatenate([generator.normal(size=10) * 0.6, generator.normal(size=5) * 0.1])
        exact = tg.exact.Objective(net, features, terms=16384).hessian(x)
        for terms in (32, 128, 512):
            H, error = hessian_at(tg.exact.Objective(net, features, terms=terms), x)
            assert np.linalg.norm(H - exact) <= error
