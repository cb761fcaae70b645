"""What is certified globally: every enclosure against rational arithmetic, the proof against all that could refute it."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.integrate import quad

import tegum as tg
from tegum.exact.bounds import boxes
from tegum.exact.bounds.boxes import World, least_alone, losses, rows
from tegum.exact.bounds.convex import curvature_below
from tegum.exact.bounds.covering import covered, whole_space
from tegum.exact.bounds.intervals import Interval, stacked
from tegum.exact.bounds.proof import polished, proved
from tegum.exact.bounds.symmetry import equals, images
from tegum.features import AnticorrelatedSets, CorrelatedSets, Features, Independent
from tests.oracle import rational

NET = tg.nets.ReluOutput(2, 1)
PAIR = Independent(2, density=[0.3, 0.2], importance=[1, 0.5])
ONE_OF_THREE = AnticorrelatedSets(1, 3, density=1 / 3)
WORLDS = [
    PAIR,
    Independent(2, density=1.0),
    AnticorrelatedSets(1, 2, density=0.25),
    ONE_OF_THREE,
    CorrelatedSets(1, 2, density=0.5),
]


def points(features: Features, count: int, seed: int) -> np.ndarray:
    """Random parameters, among them zeros and kinks."""
    n, generator = features.n_features, np.random.default_rng(seed)
    x = generator.normal(size=(count, 2 * n)) * np.repeat([1.0, 0.5], n)
    x[generator.random(x.shape) < 0.15] = 0
    x[::5, 0], x[::5, n] = 1.0, 0.0
    return x


def in_fractions(features: Features, x: np.ndarray) -> rational.Loss:
    n = features.n_features
    return rational.loss(x[None, :n], x[n:], features)


def test_intervals_hold_what_fractions_say() -> None:
    generator = np.random.default_rng(0)
    low = generator.normal(size=(4, 200)) * 10.0 ** generator.integers(-8, 9, size=(4, 200))
    a, b = (Interval(np.minimum(*pair), np.maximum(*pair)) for pair in (low[:2], low[2:]))
    third = Interval.around(Fraction(1, 3))
    for k in range(200):
        for end in ("low", "high"):
            x, y = (Fraction(float(getattr(one, end)[k])) for one in (a, b))
            for got, meant in ((a + b, x + y), (a - b, x - y), (a * b, x * y), (a.squared(), x * x), (1 - a, 1 - x)):
                assert Fraction(float(got.low[k])) <= meant <= Fraction(float(got.high[k]))
            if b.low[k] > 0:
                ratio = a.over(b)
                assert Fraction(float(ratio.low[k])) <= x / y <= Fraction(float(ratio.high[k]))
    assert Fraction(float(third.low)) < Fraction(1, 3) < Fraction(float(third.high))
    assert (stacked([a, b]).low == np.stack([a.low, b.low], axis=-1)).all()


@pytest.mark.parametrize("features", WORLDS, ids=repr)
def test_points_are_enclosed_narrowly(features: Features) -> None:
    world, x = World.of(features), points(features, 30, 1)
    loss, slope = losses(world, Interval.of(x)), rows(world, Interval.of(x)).slope
    assert (loss.high - loss.low < 1e-12 * (1 + loss.high)).all()
    for k, one in enumerate(x):
        exact = in_fractions(features, one)
        assert Fraction(float(loss.low[k])) <= exact.loss <= Fraction(float(loss.high[k]))
        for i, meant in enumerate([*exact.dW[0], *exact.db]):
            assert Fraction(float(slope.low[k, i])) <= meant <= Fraction(float(slope.high[k, i]))
        if exact.smooth:
            assert (slope.high[k] - slope.low[k] < 1e-12 * (1 + slope.magnitude()[k])).all()


@pytest.mark.parametrize("features", WORLDS, ids=repr)
def test_boxes_hold_what_is_in_them(features: Features) -> None:
    world, generator = World.of(features), np.random.default_rng(2)
    corner, other = points(features, 12, 3), points(features, 12, 4)
    x = Interval(np.minimum(corner, other), np.maximum(corner, other))
    found, natural = rows(world, x), losses(world, x)
    bound, middle, there = boxes.around_middles(world, x, found.slope)
    for k in range(12):
        assert there[k] >= float(in_fractions(features, middle[k]).loss)
        for _ in range(6):
            exact = in_fractions(features, generator.uniform(x.low[k], x.high[k]))
            for low in (found.loss[k], bound[k], natural.low[k]):
                assert Fraction(float(low)) <= exact.loss
            assert exact.loss <= Fraction(float(natural.high[k]))
            for i, meant in enumerate([*exact.dW[0], *exact.db]):
                assert Fraction(float(found.slope.low[k, i])) <= meant <= Fraction(float(found.slope.high[k, i]))


@pytest.mark.parametrize("a", [0.0, 0.3, 0.9, 1.0, 1.2, 3.0, 40.0])
def test_least_alone_is_the_least_over_everything_else(a: float) -> None:
    t = np.linspace(-a - 0.1, 1, 4001)
    x = (np.arange(2000) + 0.5) / 2000
    seen = ((x - np.maximum(a * x + t[:, None], 0)) ** 2).mean(axis=1).min()
    bound = float(least_alone(Interval.of(a)))
    assert bound == pytest.approx(seen, abs=2e-5)
    assert bound <= seen + 1e-6
    wide = least_alone(Interval(np.array(a / 2), np.array(a + 1)))
    assert wide <= bound


@pytest.mark.parametrize(
    ("features", "x", "half"),
    [
        (PAIR, [1.0, -0.98, 0.01, 0.02], 0.02),
        (Independent(2, density=0.5, importance=[1, 0.3]), [1.0, 0.0, 0.0, 0.25], 0.02),
        (Independent(2, density=0.5), [0.9, 0.8, -0.3, -0.2], 0.05),
        (ONE_OF_THREE, [1.0, -1.0, 0.0, 0.0, 0.0, 1 / 6], 0.02),
        (ONE_OF_THREE, [0.8, -0.9, 0.5, -0.1, 0.1, 0.1], 0.05),
    ],
)
def test_no_hessian_is_below_the_curvature(features: Features, x: list[float], half: float) -> None:
    """By differences of rational gradients, which across a kink are means of Hessians."""
    world, at, generator = World.of(features), np.array(x), np.random.default_rng(5)
    bound = curvature_below(world, Interval(at[None] - half, at[None] + half))
    point = curvature_below(world, Interval.of(at[None]))
    seen, step = np.inf, 2.0**-20
    for scale in (*[half - step] * 12, 0.0):
        here = at + generator.uniform(-scale, scale, at.size)
        ends = [[in_fractions(features, here + sign * step * one) for sign in (1, -1)] for one in np.eye(at.size)]
        slopes = [[rational.floats([*end.dW[0], *end.db]) for end in pair] for pair in ends]
        H = np.array([(after - before) / (2 * step) for after, before in slopes])
        seen = min(seen, float(np.linalg.eigvalsh((H + H.T) / 2)[0]))
    assert -np.inf < bound <= seen + 1e-6
    assert bound < point


def test_at_a_smooth_point_the_curvature_is_the_hessian_s() -> None:
    x = np.array([1.0, -0.98, 0.01, 0.02])
    point = curvature_below(World.of(PAIR), Interval.of(x[None]))
    H, _ = tg.exact.hessian_at(tg.exact.Objective(NET, PAIR, 1024), x)
    assert point == pytest.approx(np.linalg.eigvalsh(H)[0], abs=1e-5)


def test_images_cost_the_same_and_nothing_else_is_one() -> None:
    x = points(ONE_OF_THREE, 1, 6)[0]
    each = images(World.of(ONE_OF_THREE), Interval.of(x))
    assert len(each) == 12
    assert {in_fractions(ONE_OF_THREE, one.low).loss for one in each} == {in_fractions(ONE_OF_THREE, x).loss}
    assert equals(World.of(ONE_OF_THREE)) == [(0, 1), (1, 2)]
    unequal = World.of(AnticorrelatedSets(1, 3, density=1 / 3, importance=[1, 0.5, 1]))
    assert equals(unequal) == [(0, 2)]
    assert len(images(unequal, Interval.of(x))) == 4
    assert len(images(World.of(PAIR), Interval.of(x[[0, 1, 3, 4]]))) == 2


def test_the_whole_space_holds_every_low_point() -> None:
    """Nothing outside of it costs as little as what is attained: random points far out."""
    features, generator = Independent(2, density=0.6, importance=[1, 0.4]), np.random.default_rng(7)
    attained = 0.4 * (0.6 / 3 - 0.6**2 / 4)
    space = whole_space(World.of(features), attained).x
    x = generator.normal(size=(3000, 4)) * np.repeat(np.abs(space.high[0, [0, 2]]) * 1.5, 2)
    outside = ((x < space.low[0]) | (x > space.high[0])).any(axis=1)
    assert 500 < outside.sum() < 2990
    assert space.high[0, 0] < 4
    critical = outside & (np.abs(rows(World.of(features), Interval.of(x)).slope.low).max(axis=1) < 1e-3)
    assert (
        losses(World.of(features), Interval.of(x[outside & (np.abs(x[:, :2]) > space.high[0, :2]).any(axis=1)])).low > attained
    ).all()
    assert (losses(World.of(features), Interval.of(x[critical])).low > attained).all()


@pytest.mark.parametrize(
    ("features", "start"),
    [
        (Independent(2, density=0.1), [0.9, -0.9, 0.0, 0.0]),
        (Independent(2, density=0.3, importance=[1, 0.5]), [1.0, -0.9, 0.0, 0.1]),
        (Independent(2, density=0.5, importance=[1, 0.2]), [1.0, 0.0, 0.0, 0.2]),
        (Independent(2, density=[0.2, 0.4], importance=[0.3, 1]), [0.0, 1.0, 0.1, 0.0]),
    ],
)
def test_proofs_hold_against_the_engine_and_fractions(features: Features, start: list[float]) -> None:
    found = proved(World.of(features), np.array(start))
    exact = in_fractions(features, found.x)
    assert Fraction(found.low) <= exact.loss <= Fraction(found.high)
    assert found.high - found.low < 1e-12 * found.high + 1e-14
    assert found.radius < 1e-11
    assert found.curvature > 0
    engine = tg.exact.minimise(NET, features, seeds=6, progress=False)
    assert float(engine.loss.min()) >= found.low - 1e-12
    assert float(engine.loss.min()) == pytest.approx(found.high, rel=1e-9)
    close = engine.where(engine.loss < found.high * (1 + 1e-9), drop=True)
    ends = np.concatenate([close.W.values[:, 0], close.b.values], axis=1)
    far = [min(np.linalg.norm(end - one.low) for one in images(World.of(features), Interval.of(found.x))) for end in ends]
    assert max(far) < 1e-5


def test_a_proof_from_a_wrong_candidate_finds_the_right_one() -> None:
    """Dropping a feature is a local affair at this density: the covering meets something lower and starts anew from there."""
    features = Independent(2, density=0.1)
    world, dropped = World.of(features), np.array([1.0, 0.0, 0.0, 0.05])
    assert covered(world, polished(world, dropped), None, 0.0, 1e-9, 100_000).better is not None
    found = proved(world, dropped)
    assert found.low == pytest.approx(0.0033194839904525, rel=1e-11)
    assert found.radius < 1e-11


def test_a_proof_that_cannot_be_is_none() -> None:
    """With few boxes nothing is proved of where, and the bound is low; with a second minimum as low, too."""
    world, at = World.of(Independent(2, density=0.1)), np.array([1.0058, -1.0058, 0.0012, 0.0012])
    few = proved(world, at, boxes=500)
    assert np.isnan(few.radius)
    assert few.low < 0.9 * few.high
    assert "within" not in few.statement
    tied = Independent(2, density=0.18125, importance=[1, 0.1])  # the second feature is dropped above this density
    loose = proved(World.of(tied), np.array([1.0, 0.0, 0.0, 0.09]), tol=1e-3)
    assert np.isnan(loose.radius)
    assert loose.high * (1 - 1e-3) <= loose.low < loose.high * (1 - 1e-9)


def test_a_candidate_worse_than_any_loss_proves_nothing() -> None:
    """Where more is attained than leaving an output inactive costs, no weight can be bounded."""
    features = Independent(2, density=0.1, importance=[1, 0.01])
    rest = covered(World.of(features), np.array([0.1, 0.1, 0.5, 0.5]), None, 0.0, 1e-9, 100)
    assert rest.low == 0
    assert rest.better is None


def test_dropping_is_proved_to_cost_its_closed_form() -> None:
    densities, importances = [0.5], [0.1, 0.2]
    sweep = {
        "density": tg.Axis(densities, density=densities),
        "ratio": tg.Axis(importances, importance=[[1, one] for one in importances]),
    }
    found = tg.exact.certified_globally(NET, Independent(2), sweep=sweep, progress=False)
    p, r = np.array(densities)[:, None], np.array(importances)
    expected = r * (p / 3 - p * p / 4)
    assert (found.loss_low.values <= expected * (1 + 1e-15)).all()
    assert (expected * (1 - 1e-15) <= found.loss_high.values).all()
    assert (found.status == "certified globally").all()
    assert (np.abs(found.W.values[..., 0, 1]) < 1e-12).all()
    assert found.W.dims == ("density", "ratio", "hidden", "feature")
    np.testing.assert_allclose(tg.exact.loss(found), expected, rtol=1e-12)


def test_with_one_active_feature_two_for_each_dimension_cost_nothing() -> None:
    net = tg.nets.ReluOutput(3, 2)
    found = tg.exact.certified_globally(net, ONE_OF_THREE, progress=False)
    assert float(found.loss_low) == float(found.loss_high) == 0
    assert float(tg.exact.loss(found.W, found.b, ONE_OF_THREE)) == pytest.approx(0, abs=1e-15)
    G = found.W.values.T @ found.W.values
    assert (np.diag(G) == 1).all()
    assert (G[~np.eye(3, dtype=bool)] <= 0).all()
    assert "b = 0" in str(found.statement.values)


def test_one_of_three_in_one_dimension() -> None:
    """A pair and a feature dropped, p / 3 - p^2 / 4 = 1 / 12; quadrature agrees that 1 / 12 is what that costs."""
    sixth = quad(lambda x: (x - 1 / 6) ** 2, 0, 1)[0] / 3 + 2 / 3 / 36
    found = proved(World.of(ONE_OF_THREE), np.array([1.0, -1.0, 0.0, 0.0, 0.0, 1 / 6]))
    assert found.low <= sixth <= found.high
    assert found.high - found.low < 1e-13
    assert found.radius < 1e-11


def test_rarely_active_features_are_all_stored() -> None:
    """Of three of which at most one is active, dropping one is not the lowest where that is rare: in rational numbers."""
    W = np.array([[-1.00000214, 0.382346307, 1.06078059]])
    b = np.array([-2.14090421e-06, 0.0117858543, -0.158853154])
    stored = rational.loss(W, b, AnticorrelatedSets(1, 3, density=0.05)).loss
    assert float(stored) == pytest.approx(0.01579288, abs=1e-8)
    assert stored < Fraction(1, 60) - Fraction(1, 1600)


@pytest.mark.parametrize(
    ("features", "sweep"),
    [
        (Independent(2, density=0.0), {"density": tg.Axis([0.5], density=[0.5])}),
        (Independent(2, density=1e-170), None),
        (Independent(2, density=0.3, importance=[1, 1e-14]), None),
        (Independent(2, density=1e-13, importance=[1, 1e-14]), None),
    ],
    ids=["density swept from 0", "a product that underflows", "hardly important", "and hardly active"],
)
def test_nothing_is_free_that_costs_something(features: Features, sweep: dict[str, tg.Axis] | None) -> None:
    """What cannot be covered, or only seems never to be active together, is not said to cost 0."""
    found = tg.exact.certified_globally(NET, features, sweep=sweep, boxes=3000, progress=False)
    assert (found.loss_high.values > 0).all()
    assert not any("minimum is 0;" in str(text) for text in found.statement.values.ravel())
    assert (found.loss_low.values <= found.loss_high.values).all()
    assert ((found.status == "bounded") | (found.radius < 1)).all()


def test_features_of_different_densities_are_proved() -> None:
    features = Independent(2, density=[0.2, 0.4], importance=[0.3, 1])
    found = tg.exact.certified_globally(NET, features, progress=False)
    assert found.status == "certified globally"
    exact = in_fractions(features, np.concatenate([found.W.values[0], found.b.values])).loss
    assert Fraction(float(found.loss_low)) <= exact <= Fraction(float(found.loss_high))


def test_a_statement_holds_of_the_point_that_it_prints() -> None:
    """To all digits: those left out would move it further than the radius, which is rounded up."""
    found = proved(World.of(Independent(2, density=0.1)), np.array([1.0, -1.0, 0.0, 0.0]))
    text = found.statement
    said = [float(one) for part in text.split("(")[1:] for one in part.split(")")[0].split(",")]
    assert said == found.x.tolist()
    within = text.split("within ")[1].split(" of")[0]
    assert found.radius <= float(within) < 1.1 * found.radius + 1e-300
