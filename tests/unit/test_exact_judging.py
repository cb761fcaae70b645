"""When an inversion has enough terms, beside NumPy, and how much error outputs have alone and together."""

from typing import Any

import numpy as np
import pytest

import tegum as tg
from tegum.compilation import compiled
from tegum.exact.kernel.judging import errors_after, next_look, note_moves
from tegum.exact.kernel.records import LARGEST, WHOLE, Effort, Work, work_for
from tegum.exact.kernel.shares import Rows, Spent, error_of_all, lean_rows, rows_for, share_of, to_take_again
from tegum.exact.kernel.vectors import WIDTH, farther, farthest, load, running, store
from tests.oracle import rational


@compiled
def vectors(a: Any, b: Any, found: Any) -> float:
    """The sums of a, and of each pair the number farther from 0; the farthest of a."""
    store(found, 0, running(load(a, 0)))
    store(found, WIDTH, farther(load(a, 0), load(b, 0)))
    return farthest(load(a, 0))


@compiled
def looks(count: int, found: Any) -> None:
    """The first looks."""
    k = np.int64(WIDTH)
    for place in range(count):
        found[place] = k
        k = next_look(k)


@compiled
def judged(work: Work, k: int, effort: Effort) -> tuple[float, float]:
    """The errors after k terms; the moves are noted."""
    error, error_b = errors_after(work, k, 0.5, 0.0, effort)
    note_moves(work, k, error)
    return error, error_b


@compiled
def share(rows: Rows, spent: Spent, n: int, target: float, tol: float) -> float:
    """The next row's."""
    return share_of(lean_rows(rows), spent, n, target, tol)


def moves_twin(sums: np.ndarray[Any, Any], k: int) -> list[float]:
    """In each lane of the last quarter, in whole eights, the farthest from the last sum; of eight the last four lanes."""
    span, lanes = 8 * -(-k // 32), []
    octets = [sums[start : start + 8] for start in range(k - span, k, 8)]
    quarter, half = (np.abs(sums[k - terms : k] - sums[k - 1]).max() for terms in (span, 8 * -(-k // 16)))
    caution = 2 if k == 8 else 1 if k == 16 else max(2.5, 12.5 * quarter / half, half / quarter / 16)
    for lane in range(8):
        moves = [octet[lane] - sums[k - 1] for octet in octets]
        farthest_move = moves[0]
        for move in moves[1:]:
            farthest_move = move if abs(move) > abs(farthest_move) else farthest_move
        lanes.append(0.0 if k == 8 and lane < 4 else caution * farthest_move)
    return lanes


def test_vectors_are_numpys() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 8))
    found = np.zeros(16)
    assert vectors(a, b, found) == np.abs(a).max()
    np.testing.assert_allclose(found[:8], np.cumsum(a), rtol=1e-14)
    np.testing.assert_array_equal(found[8:], np.where(np.abs(b) > np.abs(a), b, a))


def test_looks_are_eight_apart_and_then_four_in_an_octave() -> None:
    found = np.zeros(18, dtype=np.int64)
    looks(18, found)
    assert found.tolist() == [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384]


@pytest.mark.parametrize("power", [2, 5])
@pytest.mark.parametrize("k", [8, 16, 24, 40, 64, 80, 512])
def test_errors_are_a_multiple_of_the_moves_of_the_last_quarter(k: int, power: int) -> None:
    rng, work = np.random.default_rng(k), work_for(1)
    terms = rng.normal(size=(2, k)) / np.arange(1, k + 1) ** power
    work.sums[:k], work.sums_b[:k] = np.cumsum(terms, axis=1)
    expected, expected_b = moves_twin(work.sums, k), moves_twin(work.sums_b, k)
    error, error_b = judged(work, k, Effort(8, 512, 0.0, 0.0, 1, 0))
    assert error == pytest.approx(np.abs(expected).max(), rel=1e-14)
    assert error_b == pytest.approx(np.abs(expected_b).max() / 2, rel=1e-14)
    np.testing.assert_allclose(work.moves[:8], expected, rtol=1e-14)
    assert work.moves[WHOLE] == work.moves[LARGEST] == error
    second, _ = judged(work, k, Effort(8, 512, 0.0, 0.0, 0, 0))
    np.testing.assert_allclose(work.moves[:8], 2 * np.array(expected), rtol=1e-14)  # of two inversions they add up
    assert (work.moves[WHOLE], work.moves[LARGEST]) == (2 * second, second)


@pytest.mark.parametrize("k", [24, 64, 80, 112, 512])
@pytest.mark.parametrize("power", [1, 1.5, 2, 3, 6])
def test_sums_that_settle_by_a_power_leave_less_than_is_said(power: float, k: int) -> None:
    work = work_for(1)
    work.sums[:k] = 1 - (np.arange(1, k + 1) + 0.5) ** -power
    error, _ = judged(work, k, Effort(8, 512, 0.0, 0.0, 0, 0))
    assert (k + 0.5) ** -power < error < 30 * (k + 0.5) ** -power


def test_rows_that_are_alike_err_together_and_others_by_chance() -> None:
    n = 16
    rows = rows_for(n)
    one = np.random.default_rng(0).normal(size=8)
    rows.error[:] = np.abs(one).max()
    rows.moves[:-8] = np.tile(one, n)
    assert error_of_all(rows, n)[0] == pytest.approx(rows.error.sum())
    rows.terms[:8], rows.moves[64:-8] = 64, -np.tile(one, 8)  # of sums that ended elsewhere the sign says nothing
    assert error_of_all(rows, n)[0] == pytest.approx(rows.error.sum())
    rows.terms[:8] = 0
    rows.moves[:-8] = np.outer(np.tile([1, -1], n // 2), one).ravel()  # opposite: half of what chance would leave
    together, apart = error_of_all(rows, n)
    assert apart == pytest.approx(4 * rows.error[0])
    assert together == pytest.approx(apart / 2)


@pytest.mark.parametrize("goal", [0.9, 1e-3])
@pytest.mark.parametrize(("alike", "power"), [(False, 2), (True, 1)])
def test_rows_above_an_error_are_to_have_a_third_of_it(alike: bool, power: int, goal: float) -> None:
    n, rng = 12, np.random.default_rng(1)
    rows = rows_for(n)
    moves = rng.normal(size=(1 if alike else n, 8)) * 10 ** rng.uniform(-0.5, 0, size=(n, 1))
    rows.moves[:-8], rows.error[:] = moves.ravel(), np.abs(moves).max(axis=1)
    before, _ = error_of_all(rows, n)
    again = to_take_again(rows, n, goal * before)

    def left(above: float) -> float:
        """What all of them have if those above have a third."""
        return float((np.where(rows.error > above, above / 3, rows.error) ** power).sum())

    assert (again.power, again.target) == (power, pytest.approx(again.above / 3))
    assert again.whole == pytest.approx((rows.error**power).sum())
    assert again.allowed == pytest.approx(again.whole * (0.9 * goal) ** power)
    assert left(again.above) <= again.allowed < left(again.above / 0.9)


def test_a_row_may_take_its_part_of_what_is_left() -> None:
    rows = rows_for(8)
    first = share(rows, Spent(0, 8, 0.0, 0.0), 8, 1e-6, 1e-9)
    assert first == pytest.approx(0.9e-6 / 1.8 * np.sqrt(2 / 8))
    one, all_of_it = 1e-6, 0.9 * 1.5e-5  # the loss so far, and half of that for as many rows to come
    apart = np.sqrt(((all_of_it / 1.8) ** 2 - 4 * one**2) * 2 / 4)
    rows.moves[64:] = 2 * one  # four rows that err by chance: together twice as much
    assert share(rows, Spent(4, 4, 1e4, 4 * one**2), 8, 1e-6, 1e-9) == pytest.approx(apart)
    rows.moves[64:] = 4 * one  # four that are alike: (16 / 4 - 1.8^2) / 3 of the correlation that there can be
    correlation = (4 - 1.8**2) / 3
    alike = 1.2 * (all_of_it - 4 * one) / 4
    assert share(rows, Spent(4, 4, 1e4, 4 * one**2), 8, 1e-6, 1e-9) == pytest.approx(
        apart ** (1 - correlation) * alike**correlation
    )
    assert share(rows, Spent(7, 1, 0.0, 1.0), 8, 1e-6, 1e-9) == pytest.approx(
        0.3 * 0.9e-6 / 8
    )  # nothing is left: a share still


def test_nothing_is_inverted_where_pairs_are_all_there_is() -> None:
    features = tg.features.Independent(2, density=[0.25, 0.5])
    G, b = np.array([[0.75, -0.5], [-0.5, 0.625]]), np.array([-0.125, 0.0625])
    found = tg.exact.evaluate(G, b, features, tied=False, gradient=True)
    exact = [rational.row(features, j, list(G[j]), float(b[j])) for j in range(2)]
    assert int(found.terms) == 0
    assert float(found.loss) == pytest.approx(float(sum(one.squared_error for one in exact)), rel=1e-14)
    for j, one in enumerate(exact):
        np.testing.assert_allclose(found.dW[j], rational.floats(one.by_coupling), rtol=1e-12)


@pytest.mark.parametrize("tol", [1e-4, 1e-6, 1e-8, 1e-10])
def test_a_pentagon_errs_by_the_sum_of_its_outputs(tol: float) -> None:
    """Its rows have one and the same error."""
    angle = 2 * np.pi * np.arange(5) / 5
    W, b = 1.1 * np.array([np.cos(angle), np.sin(angle)]), np.full(5, -0.21)
    features = tg.features.Independent(5, density=0.1)
    found = tg.exact.evaluate(W, b, features, tol)
    exact = tg.exact.loss(W, b, features, terms=4096)
    assert abs(float(found.loss) - exact) <= float(found.loss_error) <= tol * exact


def test_outputs_of_no_importance_are_found_to_a_tolerance_of_their_own() -> None:
    rng, importance = np.random.default_rng(0), np.array([1.0, 1, 1, 0, 0, 0])
    W, b = rng.normal(size=(100, 3, 6)) / 2, rng.normal(size=(100, 6)) / 10
    one, all_of_them = (tg.features.Independent(6, 0.3, importance=weights) for weights in (importance, 1.0))
    found = tg.exact.squared_errors(W, b, one, tol=1e-7)
    exact = tg.exact.squared_errors(W, b, all_of_them, tol=1e-12)
    assert np.abs(found - exact)[:, 3:].max() < 1e-7 * 0.1  # of E x²


SCALES = [
    (tg.features.CorrelatedSets(2, 2, 0.97), [-1e-8, 1e-5, 1e-5**0.5, 1.0], 0.0),
    (tg.features.CorrelatedSets(2, 2, 0.97), [-1e-9, 1e-6, 1e-3, 1.0], 0.0),
    (tg.features.Independent(5, 0.5), [2.0, -6.26e-7, 6.88e-7, 1.47e-6, 0.082], -1e-6),
    (tg.features.Independent(5, 0.5), [2.0, -6.26e-7, 6.88e-7, 1.47e-6, 0.082], 0.0),
]
"""Rows of output 1 whose couplings have three or four scales; its own one is on the lowest, and not alone there."""


@pytest.mark.parametrize(("features", "g", "b"), SCALES)
@pytest.mark.parametrize("tol", [1e-3, 1e-4, 1e-5])
def test_own_features_of_a_scale_of_their_own(features: tg.features.Features, g: list[float], b: float, tol: float) -> None:
    """Too far below the others on the grid, own couplings are one jump there: no sum moves, and 16 terms seemed enough."""
    found, off = slopes_beside_rational(features, g, b, tol)
    assert off <= float(found.gradient_error)
    assert found.terms <= 256


@pytest.mark.parametrize(("weight", "b"), [(8e-3, 0.0), (-1e-3, 5.8e-4), (-1e-3, 5.8e-6)])
def test_vertices_of_weak_features_are_rounded(weight: float, b: float) -> None:
    """A difference over their coupling, and its derivative: 6e-12 is lost where 2e-15 was said."""
    features = tg.features.AnticorrelatedSets(2, 2, 0.025)
    found, off = slopes_beside_rational(features, [-9e-7, -2e-6, -1.1, weight], b, 1e-8)
    assert 1e-14 < off <= float(found.gradient_error) < 1e-10


def slopes_beside_rational(features: tg.features.Features, g: list[float], b: float, tol: float) -> tuple[Any, float]:
    """What is said of a model whose row 1 is g, output 1 alone counting, and how far its gradient is off."""
    n = features.n_features
    G, bias = np.zeros((n, n)), np.zeros(n)
    G[1], bias[1] = g, b
    found = tg.exact.evaluate(G, bias, features.replaced(importance=np.eye(n)[1]), tol, gradient=True, tied=False)
    row = rational.row(features, 1, g, b)
    by_coupling = np.abs(found.dW.values[1] - rational.floats(row.by_coupling)).max()
    return found, max(float(by_coupling), abs(float(found.db[1]) - float(row.by_bias)))
