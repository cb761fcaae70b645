"""Open problems O4, O40, O42 and O44: every number a second time, in rational arithmetic or by a closed form written apart."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import minimize

import tegum as tg
from tegum.exact import Coherence, Interference
from tegum.experiments.open_problems import o4_coherence_frontier as o4
from tegum.experiments.open_problems import o40_regular_pentagon as o40
from tegum.experiments.open_problems import o42_one_active as o42
from tegum.experiments.open_problems import o44_lower_coherence as o44
from tegum.experiments.open_problems.shared import certified
from tegum.geometry import polygon
from tests.oracle import rational

Array = NDArray[np.float64]


def minimum(n: int, p: float, W: Any, b: Any = None, **options: Any) -> tuple[Array, Array]:
    """Where a start leads at one density."""
    features = tg.features.Independent(n, density=p)
    b = np.where(np.linalg.norm(W, axis=0) > 0, 0.0, p / 2) if b is None else b
    options = {"gradient_tolerance": 1e-10, "progress": False} | options
    found = tg.exact.minimise(tg.nets.ReluOutput(n, 2), features, seeds=1, initial={"W": W, "b": b}, **options).isel(seed=0)
    assert found["status"] == "minimum"
    return found["W"].values, found["b"].values


def in_fractions(n: int, p: float, model: tuple[Array, Array], weight: float = 0.0) -> float:
    """L + weight R without rounding."""
    W, b = model
    value = rational.loss(W, b, tg.features.Independent(n, density=p)).loss
    columns = [[Fraction(float(one)) for one in column] for column in W.T]
    for i in range(n):
        for j in range(n):
            if i != j:
                value += Fraction(weight) * sum(x * y for x, y in zip(columns[i], columns[j], strict=True)) ** 2
    return float(value)


PENTAGON, PAIRS = 1.1 * polygon(5), np.array([[1.0, -1, 0, 0, 0], [0, 0, 1, -1, 0]])


def test_pentagon_and_pairs_cost_the_same_where_it_is_said() -> None:
    apart = []
    for p in (o40.CROSSING - 1e-6, o40.CROSSING + 1e-6):
        pentagon, pairs = (in_fractions(5, p, minimum(5, p, W)) for W in (PENTAGON, PAIRS))
        apart.append(pentagon - pairs)
    assert apart[0] < 0 < apart[1]
    assert apart[1] - apart[0] < 1e-6


def test_the_pentagon_stops_being_a_minimum_where_it_is_said() -> None:
    """Where the smallest curvature on both sides, a straight line so near to it, passes 0."""
    sides, curvatures = (o40.LOST - 1e-5, o40.LOST + 1e-5), []
    for p, status in zip(sides, ("minimum", "saddle"), strict=True):
        features = tg.features.Independent(5, density=p)
        found = tg.exact.minimise(tg.nets.ReluOutput(5, 2), features, seeds=1, initial={"W": PENTAGON}, progress=False)
        assert found["status"].item() == status
        curvatures.append(found["curvature"].item())
    assert np.interp(0, curvatures[::-1], sides[::-1]) == pytest.approx(o40.LOST, abs=2e-8)


@pytest.mark.parametrize(
    ("n", "p", "ratio", "first", "second"),
    [
        (3, 0.1, o44.CROSSING[3][0], [[1, -1, 0], [0, 0, 1]], polygon(3)),
        (3, 0.1, o44.CROSSING[3][1], polygon(3), [[0.8, -0.8, 0], [0, 0, 1]]),
        (5, 0.001, o44.CROSSING[5][0], PENTAGON, PAIRS),
    ],
)
def test_penalised_branches_cross_where_it_is_said(n: int, p: float, ratio: float, first: Any, second: Any) -> None:
    v, apart = p / 3 - p * p / 4, []
    for t in (ratio - 1e-5, ratio + 1e-5):
        models = (minimum(n, p, np.asarray(W, dtype=float), penalties=[Interference(t * v)]) for W in (first, second))
        one, other = (in_fractions(n, p, model, t * v) / v for model in models)
        apart.append(one - other)
    assert apart[0] < 0 < apart[1]


def test_the_quadruple_by_every_start() -> None:
    """(3, 2), S = 0.9, lambda = v / 10: the lowest are less coherent than all lowest without a penalty."""
    net, features, v = tg.nets.ReluOutput(3, 2), tg.features.Independent(3, density=0.1), 0.1 / 3 - 0.01 / 4
    coherences = []
    for penalties in ([], [Interference(0.1 * v)]):
        found = tg.exact.minimise(net, features, seeds=24, penalties=penalties, progress=False)
        score = found["objective"] if penalties else found["loss"]
        lowest = found.isel(seed=(score <= score.min() * (1 + 1e-7)).values)
        coherences.append([largest_cosine(W) for W in lowest["W"].values])
        loss = rational.loss(lowest["W"].values[0], lowest["b"].values[0], features).loss
        assert float(loss) == pytest.approx(float(lowest["loss"][0]), rel=1e-9)
        assert loss < Fraction(v)
    assert max(coherences[1]) < 0.5 + 1e-5
    assert min(coherences[0]) > 1 - 1e-9


def largest_cosine(W: Array) -> float:
    stored = [column for column in W.T if np.linalg.norm(column) > 1e-4]
    pairs = [(a, c) for k, a in enumerate(stored) for c in stored[:k]]
    return max(abs(float(a @ c)) / float(np.linalg.norm(a) * np.linalg.norm(c)) for a, c in pairs)


def test_coherence_and_interference_are_their_loops() -> None:
    W = np.random.default_rng(0).normal(size=(6, 2, 4))
    W[0, :, 1] = 0
    np.testing.assert_allclose(o44.coherence(W), [largest_cosine(one) for one in W], rtol=1e-12)
    loops = [sum(float(one[:, i] @ one[:, j]) ** 2 for i in range(4) for j in range(4) if i != j) for one in W]
    np.testing.assert_allclose(o44.interference(W), loops, rtol=1e-12)


@pytest.mark.parametrize("k", [2, 3, 4, 5, 6])
def test_so_many_lines_fit_into_a_plane(k: int) -> None:
    """Evenly spread lines have the coherence cos(pi / k), and random ones never a lower one."""
    angles = np.pi * np.arange(k) / k
    evenly = largest_cosine(np.array([np.cos(angles), np.sin(angles)]))
    assert o4.most_stored(np.array([evenly + 1e-12]))[0] == k
    assert o4.most_stored(np.array([evenly - 1e-6]))[0] == k - 1
    for angles in np.random.default_rng(k).uniform(0, np.pi, (200, k)):
        assert largest_cosine(np.array([np.cos(angles), np.sin(angles)])) >= evenly - 1e-12


def constrained(name: str, degrees: list[float], limits: list[float], b: Any = None) -> list[float]:
    """Losses in rational numbers of what some directions lead to under limits to the coherence, each from the one before."""
    n, p = o4.PROBLEMS[name]
    at, W, losses = np.radians(degrees), np.zeros((2, n)), []
    W[:, : at.size] = np.cos(at), np.sin(at)
    for limit in limits:
        W, b = minimum(n, p, W, b, constraints=[Coherence(limit)])
        assert largest_cosine(W) == pytest.approx(limit, abs=1e-7)
        losses.append(in_fractions(n, p, (W, b)))
    return losses


@pytest.mark.parametrize(
    ("name", "degrees", "b"),
    [
        ("(3, 2), S = 0.9", [180, 63.4, 296.6], None),
        ("(5, 2), S = 0.7", [0, 64, 140, 220, 296], None),
        ("(3, 2), S = 0.5", [180, 77.7, 282.3], [0.05, 0.15, 0.15]),
    ],
)
def test_frontiers_have_their_first_kinks_where_it_is_said(name: str, degrees: list[float], b: Any) -> None:
    """The regular polygon, and the bent one on both sides of the kink, in rational numbers."""
    n, p = o4.PROBLEMS[name]
    regular, kink = in_fractions(n, p, minimum(n, p, polygon(n))), o4.KINKS[name][0]
    beyond, before = constrained(name, degrees, [kink + 1e-5, kink - 1e-5], b)
    assert beyond < regular < before


def test_the_bent_pentagon_is_overtaken_at_the_second_kink() -> None:
    """By a model that drops a feature, in rational numbers: five are stored up to there."""
    name, kink = o4.TWICE, o4.KINKS[o4.TWICE][1]
    sides = [kink - 1e-5, kink + 1e-5]
    bent, dropped = (constrained(name, degrees, sides) for degrees in ([0.0, 60, 140, 220, 300], [0.0, 86, 162, 248]))
    assert bent[0] < dropped[0]
    assert dropped[1] < bent[1]


def test_bent_polygons_use_the_coherence_allowed() -> None:
    np.testing.assert_allclose(o4.bent(5, np.cos(np.pi / 5)), polygon(5), atol=1e-12)
    for c in (0.85, 0.93, 0.99):
        assert largest_cosine(o4.bent(5, c)) == pytest.approx(c, abs=1e-12)


def test_a_bent_start_finds_what_random_starts_miss() -> None:
    """At (5, 2), S = 0.7 and c = 0.93 something is lower than the regular pentagon."""
    n, p = o4.PROBLEMS[o4.TWICE]
    W, b = minimum(n, p, o4.bent(n, 0.93), constraints=[Coherence(0.93)])
    assert in_fractions(n, p, (W, b)) < in_fractions(n, p, minimum(n, p, polygon(n))) * (1 - 3e-4)


def test_irregularity_sees_any_other_shape() -> None:
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(2, 2)))[0]
    models = np.array([turn @ polygon(5)[:, [2, 0, 4, 1, 3]] * 1.2, PAIRS, polygon(5) * [1, 1, 1, 1, 1.1]])
    seen = o40.irregularity(xr.DataArray(models, dims=("density", "hidden", "feature")))
    assert seen[0] < 1e-12
    assert (seen[1:] > 0.05).all()


def test_the_map_of_coherences_ends_at_0_where_the_pair_is_lost() -> None:
    """Beyond the end of its branch the pair is unequal, and lost at a weight that the closed form has."""
    along = np.array([0.0, 0.4, 0.8])
    W = np.broadcast_to([[1.0, -1, 0], [0, 0, 1]], (3, 2, 3))
    parts: dict[str, Any] = {"3 crossing": ("crossing of 3", [0.1])}
    for kind in (o44.PAIRS, o44.TRIANGLE):
        parts |= {f"weight of 3 {kind}": (kind, along), f"3 {kind} W": ((kind, "hidden", "feature of 3"), W)}
    weight, mu = o44.visited_coherences(xr.Dataset(parts), 3, o44.FEW, (o44.TRIANGLE, o44.PAIRS))
    lost = 0.83094
    assert (mu[weight < lost - 1e-5][~np.isnan(mu[weight < lost - 1e-5])] == 1).all()
    np.testing.assert_array_equal(mu[weight > lost + 1e-5], [0, np.nan])
    lowest = tg.exact.minimise(
        tg.nets.ReluOutput(3, 2),
        tg.features.Independent(3, density=o44.FEW),
        seeds=12,
        penalties=[Interference(o44.WEIGHTS[-1] * (0.1 / 3 - 0.01 / 4))],
        progress=False,
    )
    assert o44.coherence(tg.best(lowest, by="objective")["W"].values) < 1e-6


def one_active(W: Array, b: Array) -> float:
    """The loss with exactly one active feature, as a sum over pairs of integrals of pieces of parabolas."""

    def square(g: float, bias: float) -> float:
        low, high = bias, bias + g
        if abs(g) < 1e-9:
            return max(bias, 0.0) ** 2
        return (max(high, 0.0) ** 3 - max(low, 0.0) ** 3) / (3 * g)

    def overlap(a: float, bias: float) -> float:
        first = min(max(-bias / a, 0.0), 1.0) if bias < 0 else 0.0
        return (a / 3 + bias / 2) - (a * first**3 / 3 + bias * first**2 / 2)

    G, n = W.T @ W, W.shape[1]
    total = 0.0
    for j in range(n):
        own = 1 / 3 + (
            square(G[j, j], b[j]) - 2 * overlap(G[j, j], b[j]) if G[j, j] > 1e-12 else max(b[j], 0) ** 2 - max(b[j], 0)
        )
        total += own + sum(square(G[i, j], b[j]) for i in range(n) if i != j)
    return total / n


def test_the_sum_over_pairs_is_quadrature() -> None:
    W, b = np.random.default_rng(2).normal(size=(2, 3)), np.array([-0.2, 0.1, 0.05])
    G, total = W.T @ W, 0.0
    for j in range(3):
        for i in range(3):
            aim = 1.0 if i == j else 0.0
            total += quad(lambda x: (aim * x - max(G[i, j] * x + b[j], 0)) ** 2, 0, 1, points=[0.5], limit=200)[0] / 3  # noqa: B023
    assert one_active(W, b) == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize(("n", "expected"), [(5, 0.0158256), (6, 0.0481924), (7, 0.0832712), (8, 0.1155459)])
def test_regular_polygons_cost_what_is_said(n: int, expected: float) -> None:
    """Two numbers describe a regular polygon: its radius and its bias."""
    found = minimize(lambda at: one_active(at[0] * polygon(n), np.full(n, at[1])), [1.2, -0.1], method="Nelder-Mead", tol=1e-12)
    assert found.fun == pytest.approx(expected, abs=1e-7)
    features = tg.features.AnticorrelatedSets(1, n, density=1 / n)
    engine = tg.exact.loss(found.x[0] * polygon(n), np.full(n, found.x[1]), features)
    assert float(engine) == pytest.approx(found.fun, rel=1e-9)


@pytest.mark.parametrize(("k", "expected"), [(6, 0.1116651), (7, 0.1106227)])
def test_of_eight_features_smaller_polygons_beat_the_octagon(k: int, expected: float) -> None:
    """k/8 of what k features cost when one of them is active, and v(1/8) for each that is dropped."""

    def cost(at: NDArray[np.float64]) -> float:
        return one_active(np.pad(at[0] * polygon(k), ((0, 0), (0, 8 - k))), np.array([at[1]] * k + [1 / 16] * (8 - k)))

    found = minimize(cost, [1.3, -0.2], method="Nelder-Mead", tol=1e-12)
    alone = {6: 0.0481924, 7: 0.0832712}[k]
    assert found.fun == pytest.approx(expected, abs=1e-7)
    assert found.fun == pytest.approx(k / 8 * alone + (8 - k) * (1 / 24 - 1 / 256), abs=1e-7)


def test_starts_are_polygons_of_every_size() -> None:
    starts = o42.polygons(8)
    assert [int((np.linalg.norm(W, axis=0) > 0).sum()) for W in starts["W"]] == [3, 4, 5, 6, 7, 8]
    assert starts["b"].shape == (6, 8)
    features = tg.features.AnticorrelatedSets(1, 8, density=1 / 8)
    found = tg.exact.minimise(tg.nets.ReluOutput(8, 2), features, seeds=6, initial=starts, progress=False)
    assert float(found.loss.min()) == pytest.approx(0.1106227, abs=1e-7)


def test_every_polygon_is_a_start_at_every_density(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(o42, "STARTS", {"quick": 1})
    monkeypatch.setattr(o42, "TOTALS", {"quick": [0.3]})
    monkeypatch.setattr(o42, "SIZES", [5])
    swept, minimise = [], tg.exact.minimise

    def recorded(*what: Any, **options: Any) -> xr.Dataset:
        if "sweep" in options and "initial" in options:
            swept.append(options["initial"]["W"])
        return minimise(*what, **options)

    monkeypatch.setattr(tg.exact, "minimise", recorded)
    data = o42.study("quick")
    np.testing.assert_array_equal(swept, [o42.polygons(5)["W"]])
    assert data["five_status"].values.tolist() == ["minimum"]


def test_of_eight_features_the_heptagon_costs_less_by_the_share_that_is_said() -> None:
    losses, ones = [0.0158256, 0.0481924, 0.0832712, 0.1155459], np.ones(1)
    by_size = {
        "regular": losses,
        "lowest": [*losses[:3], 0.1106227],
        "regular_curvature": np.ones(4),
        "status": ["minimum"] * 4,
    }
    by_total = {"five_lowest": ones, "five_regular": ones, "five_status": ["saddle"]}
    parts = {name: ("n", value) for name, value in by_size.items()} | {
        name: ("total", value) for name, value in by_total.items()
    }
    found = o42.claims(xr.Dataset(parts, {"n": o42.SIZES, "total": ones}, {"starts": 1}))
    assert "cost 4.3% less than the octagon" in found[0].note
    assert "0 of 1 certified locally" in str(found[-1].evidence)


def test_what_is_not_certified_is_not_said_to_be() -> None:
    assert certified(xr.DataArray([["minimum", "minimum"]])) == "certified locally"
    assert certified(["minimum", "saddle", "not converged"]) == "1 of 3 certified locally"
