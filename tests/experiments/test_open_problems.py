"""Open problems: what they print a second time, by rational arithmetic, closed forms and enumeration."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import brentq

import tegum as tg
from tegum.experiments.open_problems import o49_sparse_columns as o49
from tegum.experiments.open_problems import o50_basins as o50
from tegum.experiments.open_problems import o51_penalised_pair as o51
from tegum.experiments.open_problems.shared import switches
from tegum.theory import dropped_loss
from tegum.theory.stored_pair import descended_pair, pair_limit
from tests.oracle.rational import row

MODELS = {
    (0.1, 2): ([1.006, -1.006], [0.0014, 0.0014]),
    (0.3, 2): ([1.01, -1.01], [0.018, 0.018]),
    (0.7, 2): ([0.759, -0.759], [0.329, 0.329]),
    (0.9, 2): ([0.935, -0.398], [0.218, 0.546]),
    (0.05, 3): ([1.05, -1.008, 0.4], [-0.153, 0.001, 0.011]),
    (0.9, 3): ([0.912, -0.316, -0.316], [0.329, 0.49, 0.49]),
}
"""Weights and biases of features on one axis, by density and how many there are: rounded, and cheaper than conjectured."""


def exact_loss(w: list[float], b: list[float], density: float) -> Fraction:
    """The expected loss of features in one dimension without any rounding."""
    features, weights = tg.features.Independent(len(w), density=density), [Fraction(one) for one in w]
    couplings = [[one * other for other in weights] for one in weights]
    return sum((row(features, k, couplings[k], b[k]).squared_error for k in range(len(w))), Fraction(0))


@pytest.mark.parametrize(("density", "count"), MODELS)
def test_rational_arithmetic_refutes_the_conjecture(density: float, count: int) -> None:
    w, b = MODELS[density, count]
    p = Fraction(density)
    v = p / 3 - p * p / 4
    assert exact_loss(w, b, density) < min((count - 1) * v, p * p / 3 + (count - 2) * v)


def test_losses_of_a_pair_are_those_of_two_other_programs() -> None:
    for density, expected in ((0.1, 0.0033195), (0.3, 0.0293104), (0.7, 0.10811)):
        _, value = descended_pair([1.0, -1.0, 0.0, 0.0], density)
        assert float(value) == pytest.approx(expected, rel=1e-4)
        minima = tg.exact.minimise(
            tg.nets.ReluOutput(2, 1), tg.features.Independent(2, density=density), seeds=12, progress=False
        )
        assert float(value) == pytest.approx(float(minima["loss"].min()), rel=1e-9)


def test_the_pair_turns_unequal_where_the_closed_form_says() -> None:
    """Both branches by Newton's method on the closed form; the engine's by halving between two densities."""

    def apart(p: float) -> float:
        (_, equal), (_, unequal) = (descended_pair(x, p) for x in ([0.755, -0.755, 0.33, 0.33], [0.92, -0.5, 0.2, 0.43]))
        return float(equal - unequal)

    expected = brentq(apart, 0.7035, 0.7085, xtol=1e-12)
    assert expected == pytest.approx(0.70640369, abs=1e-8)
    net, features = tg.nets.ReluOutput(2, 1), tg.features.Independent(2)
    found = tg.maps.lowest_minima(net, features, {"density": [0.704, 0.709]}, seeds=16, rounds=1, progress=False)
    names = [o49.pattern(w) for w in found["W"].values[:, 0]]
    (change,) = switches(net, features, found, names)
    assert (change["before"], change["after"], change["order"]) == ("1+1", "1+1 unequal", tg.exact.FIRST_ORDER)
    assert change["value"] == pytest.approx(expected, abs=2e-9)
    assert change["loss"][0] == pytest.approx(change["loss"][1], rel=1e-10)


def test_a_change_of_name_without_a_change_of_minimum_is_left_out() -> None:
    net, features = tg.nets.ReluOutput(2, 1), tg.features.Independent(2)
    found = tg.maps.lowest_minima(net, features, {"density": [0.2, 0.21]}, seeds=8, rounds=1, progress=False)
    assert switches(net, features, found, ["one name", "another"]) == []


def test_patterns_count_sides_and_know_unequal_pairs() -> None:
    named = [o49.pattern(np.array(w)) for w in ([1, -1], [1, -0.5], [1.0, 0.4, -1], [0.9, -0.3, -0.3, 0.001], [1, 0])]
    assert named == ["1+1", "1+1 unequal", "1+2", "1+2", "0+1"]
    assert [o49.counted(name) for name in named] == [2, 2, 3, 3, 1]


def test_weights_are_in_order_with_the_smaller_side_positive() -> None:
    w, b = o49.ordered(np.array([[-0.3, 0.9, -0.2], [0.3, -0.9, 0.2], [-1.0, 0.8, 0.0]]), np.array([[1.0, 2, 3]] * 3))
    np.testing.assert_allclose(w, [[0.9, -0.2, -0.3], [0.9, -0.2, -0.3], [1.0, 0.0, -0.8]])
    assert b.tolist() == [[2, 3, 1]] * 2 + [[1, 3, 2]]


def test_frontiers_are_the_lowest_of_all_ways_to_spread_features() -> None:
    lowest = np.concatenate([np.zeros((2, 5)), np.sort(np.random.default_rng(0).uniform(size=(4, 5)), axis=0)])
    values, spreads = o49.frontiers(lowest)
    for (n, m), value, spread in zip(o49.SIZES, values, spreads, strict=True):
        ways = [way for way in itertools.product(range(1, 6), repeat=m) if sum(way) == n]
        np.testing.assert_allclose(value, np.min([lowest[list(way)].sum(axis=0) for way in ways], axis=0))
        assert all(sum(map(int, one.split(", "))) == n for one in spread)


def test_the_conjecture_switches_where_the_list_says() -> None:
    p = np.array([0.57, 4 / 7, 0.58])
    np.testing.assert_allclose(o49.conjectured(4, 2, p), [2 * 0.57**2 / 3, 2 * dropped_loss(4 / 7), 2 * dropped_loss(0.58)])


def test_minima_under_a_penalty_are_those_of_the_closed_form() -> None:
    ratio, p = np.array([0.5, 1.0, 2.0]), np.array([0.1, 0.6])
    found = o51.minima(0.01, p, ratio, 0)
    starts = np.array([[*start, 0.0, 0.1] for start in o51.STARTS])
    _, value = descended_pair(starts, p[:, None, None], ratio[:, None], 0.01)
    np.testing.assert_allclose(found["objective"].values, value.min(axis=-1), rtol=1e-8)
    R = 2 * found["W"].prod("feature") ** 2
    np.testing.assert_allclose(found["loss"] + 0.01 * R, found["objective"], rtol=1e-8)
    stored = o51.geometries(found["W"]).isin([o51.PAIR, o51.LOPSIDED])
    np.testing.assert_array_equal(stored, pair_limit(p[:, None], ratio)["weight"] > 0.01)


def test_without_a_penalty_the_map_is_the_phase_diagram() -> None:
    """The lowest minima of `tegum.maps.phase_map`, which knows of no penalty."""
    p, ratio = [0.05, 0.3, 0.6], [0.3, 0.8]
    phases = tg.maps.phase_map(2, 1, p, ratio, seeds=12, progress=False)
    stored = (abs(phases["W"].isel(hidden=0)) > o51.STORED).all("feature").transpose("density", "importance_ratio")
    np.testing.assert_array_equal(stored, pair_limit(np.array(p)[:, None], ratio)["weight"] > 0)


def test_where_no_pair_is_said_to_be_stored_one_contradicts_the_surface() -> None:
    """Cells with a limit of 0 are judged without a penalty, too."""
    limit = xr.DataArray([0.0, 0.01], dims="density")
    data = xr.Dataset(
        {
            "penalty": ("penalty", [0.0, 0.02]),
            "geometry": (("penalty", "density"), [[o51.DROPPED, o51.PAIR], [o51.DROPPED] * 2]),
        }
    )
    assert o51.agreement(data, limit).tolist() == [True] * 4
    data["geometry"][0, 0] = o51.PAIR
    assert o51.agreement(data, limit).tolist() == [False, True, True, True]


def test_equal_weights_end_by_losing_stability_or_by_being_higher() -> None:
    p = np.array([0.1, 0.6])
    low, high = o51.stays_equal(p, np.array([0.01, 0.005])), o51.stays_equal(p, np.array([0.0255, 0.012]))
    assert low.all()
    assert not high.any()


def test_equal_weights_last_up_to_the_surface_at_middle_densities() -> None:
    """On the surface the equal pair costs what one feature alone does from p = 0.23662 to 0.49834, and more on both sides."""
    p = np.array([0.236, 0.238, 0.35, 0.498, 0.4986])
    limit = pair_limit(p)
    x, value = descended_pair([1.0, -1.0, 0.0, 0.0], p, 1.0, limit["weight"])
    np.testing.assert_allclose(x[:, 0], -x[:, 1], rtol=1e-9)
    more = value / dropped_loss(p) - 1
    assert (more[[0, 4]] > 1e-7).all()
    np.testing.assert_allclose(more[1:4], 0, atol=1e-12)
    assert o51.stays_equal(p, limit["weight"] * (1 - 1e-6)).tolist() == [False, True, True, True, False]


def test_fading_borders_are_located() -> None:
    """The upper one is where the weight that is lost in the jump, followed from further up, comes to 0."""
    p = np.array([0.4, 0.6, 0.8, 0.9])
    borders = o51.fading_borders(p, pair_limit(p)["fades"])
    further = np.array([0.868, 0.87, 0.872, 0.878])
    lost = np.abs(pair_limit(further)["x"][:, 1])
    expected = float(np.polyfit(lost, further, 2)[-1])
    assert expected == pytest.approx(0.86645, abs=1e-5)
    np.testing.assert_allclose(borders, [0.49834, expected], atol=1e-4)


def test_ends_are_called_as_the_list_calls_them() -> None:
    ends = [[1, 0, 0, 0.1], [0, 1, 0.1, 0], [1, -0.9, 0, 0], [1, 0.4, -0.1, 0]]
    assert [o50.kind(np.array(x)) for x in ends] == ["D2", "A2", "S", "O"]


def test_edges_and_labels_of_basins_lie_between_them() -> None:
    setting = xr.Dataset(
        {
            "radius": ("edge", [0.75, 0.75, np.nan]),
            "angle": ("edge", [0.0, np.pi / 2, np.nan]),
            "below": ("edge", np.array(["S", "O", ""], dtype=object)),
            "above": ("edge", np.array(["O", "S", ""], dtype=object)),
        }
    )
    assert [edge.name for edge in o50.edges_of(setting)] == ["equal signs | opposite signs"] * 2
    (text, x, y), *others = o50.labels_of(setting)
    assert (text, x, y) == ("equal signs", pytest.approx(o50.LABELLED / np.sqrt(2)), pytest.approx(o50.LABELLED / np.sqrt(2)))
    assert len(others) == 3
