"""Minima where the gradient of the loss jumps: of data with negative values, against integrals and the Hessian beside them."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

import tegum as tg
from tegum.features import FiniteLaw
from tegum.nets import ReluOutput
from tegum.posterior import exact_coefficient, free_energy, llc, volume_scaling
from tegum.posterior.creases import Creases, _smooth, creases_near, on_creases

Model = tuple[NDArray[np.float64], NDArray[np.float64]]
NET = ReluOutput(2, 1)


FIVE = FiniteLaw([[0.3, 0.8], [0.3, -1.3], [0.9, 0.4], [-0.5, 0.6], [0.4, 0.3]])
OTHERS = FiniteLaw([[0.0, 1.0], [0.7, 0.7], [1.6, -1.2], [-0.6, -1.3], [-0.1, 1.0]])
ON_TWO = np.array([[0.7247929563771924, 0.5236785803521723]]), np.array([0.03492728694007809, 0.24264346824210792])
BESIDE = np.array([[-0.8539846203539428, 0.8007142033498376]]), np.array([-0.45136306036699647, 0.4232076371041819])
"""Minima of one hidden unit on two creases of such samples, as `tegum.exact.minimise` finds them."""


def mean_excess(features: FiniteLaw, model: Model, n: float) -> float:
    """E n (L - L*) under exp(-n L) next to a minimum, by importance sampling in coordinates across two creases and along them.

    The loss is NumPy's own, of a net with one hidden unit; b is solved for from the s of the two nearest creases.
    """
    x, (W, b) = features.table, model
    center = np.append(W, b)

    def outputs(w: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((w @ x.T)[..., None] * w[..., None, :] + b[..., None, :])

    def loss(points: NDArray[np.float64]) -> NDArray[np.float64]:
        wrong = np.maximum(outputs(points[:, :2], points[:, 2:]), 0) - x
        return np.asarray((wrong**2).sum(axis=2).mean(axis=1))

    size = np.where(x < 0, np.abs(outputs(center[:2], center[2:])), np.inf)
    t = size.argmin(axis=0)
    assert size.min(axis=0).max() < 1e-7

    def points(w: NDArray[np.float64], s: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.hstack([w, s - (w @ x[t].T) * w])

    base, zero = float(loss(center[None])[0]), np.zeros((1, 2))
    rises = [[(loss(points(center[None, :2], h * one[None]))[0] - base) / 1e-6 for h in (1e-6, -1e-6)] for one in np.eye(2)]
    h = 1e-4 * np.eye(2)
    H = np.array(
        [
            [
                sum(a * c * loss(points(center[None, :2] + a * h[i] + c * h[j], zero))[0] for a in (1, -1) for c in (1, -1))
                for j in range(2)
            ]
            for i in range(2)
        ]
    )
    H /= 4e-8
    generator, count = np.random.default_rng(0), 40_000
    up, exponential = generator.random((count, 2)), generator.exponential(size=(count, 2))
    slope = np.array(rises)
    share = (1 / slope[:, 0]) / (1 / slope).sum(axis=1)
    s = np.where(up < share, exponential / (n * slope[:, 0]), -exponential / (n * slope[:, 1]))
    z = generator.normal(size=(count, 2))
    excess = n * (loss(points(center[:2] + z @ np.linalg.cholesky(np.linalg.inv(n * H)).T, s)) - base)
    weight = np.exp(exponential.sum(axis=1) + (z**2).sum(axis=1) / 2 - excess)
    return float(weight @ excess / weight.sum())


@pytest.mark.parametrize(("features", "model"), [(FIVE, ON_TWO), (OTHERS, BESIDE)], ids=["five", "others"])
def test_a_crease_counts_as_one_and_not_as_a_half(features: FiniteLaw, model: Model) -> None:
    """Two creases and two directions along them: 2 + 2/2, as an integral says that knows no derivatives."""
    found = exact_coefficient(NET, features, *model)
    assert (found.value, found.lower, found.upper, found.kind) == (3.0, 3.0, 3.0, "creased")
    assert (found.creases, found.rank, found.still) == (2, 2, 0)
    assert mean_excess(features, model, 1e7) == pytest.approx(3, abs=0.02)


def test_volumes_say_the_same() -> None:
    features, model = FIVE, ON_TWO
    volumes = volume_scaling(NET, features, *model, radius=0.003, groups=8)
    assert float(volumes["coefficient"]) == pytest.approx(3, abs=4 * float(volumes["coefficient_error"]))
    assert float(volumes["coefficient_error"]) < 0.05


def test_an_estimate_on_a_crease_has_no_interval() -> None:
    """A crease is as narrow as 1 / n_beta: chains whose losses agree have not come to what is wider."""
    features, model = FIVE, ON_TWO
    found = llc(NET, features, *model)
    assert found.r_hat <= 1.1
    assert found.value < 2.5
    assert np.isnan(found.interval).all()
    assert found.exact is not None
    assert found.exact.kind == "creased"


def test_what_minimise_finds_of_samples_with_signs_is_taken_for_what_it_is() -> None:
    """Its descents end on creases, "not converged", at a gradient that only multipliers balance."""
    net, features = ReluOutput(4, 2), FiniteLaw(np.random.default_rng(0).normal(size=(20, 4)))
    found = tg.exact.minimise(net, features, seeds=1, progress=False)
    assert (found["status"] != tg.Status.MINIMUM).all()
    exact = exact_coefficient(net, features, found["W"][0], found["b"][0])
    assert (exact.kind, exact.creases) == ("creased", 2)
    assert exact.value == 2 + 9 / 2
    with pytest.raises(tg.InvalidInputError, match="the point is creased"):
        free_energy(net, features, found["W"][0], found["b"][0], 100)


def test_an_output_that_never_fires_is_flat_along_creases_too() -> None:
    """The third feature is always -1, and so is its bias, which counts for nothing; nor does w_3 where b_j follow it."""
    features, model = FIVE, ON_TWO
    states = np.column_stack([features.table, -np.ones(5)])
    W, b = np.column_stack([model[0], [0.0]]), np.append(model[1], -1.0)
    found = exact_coefficient(ReluOutput(3, 1), FiniteLaw(states), W, b)
    assert found.kind == "creased"
    assert (found.value, found.creases, found.rank, found.still) == (3.0, 2, 2, 2)


def test_a_row_that_is_there_twice_is_one_crease() -> None:
    features, model = FIVE, ON_TWO
    again = FiniteLaw(np.concatenate([features.table, features.table]))
    assert exact_coefficient(NET, again, *model) == exact_coefficient(NET, features, *model)


def test_creases_that_depend_on_each_other_are_only_bounded() -> None:
    """At W = 0 all outputs are their biases: five creases in two directions."""
    features = FiniteLaw(-np.abs(np.random.default_rng(0).normal(size=(5, 2))))
    found = exact_coefficient(NET, features, np.zeros((1, 2)), np.zeros(2))
    assert math.isnan(found.value)
    assert (found.kind, found.lower) == ("creased", 0.0)
    assert found.upper <= 4


def test_a_smooth_minimum_that_a_crease_only_just_misses_is_only_bounded() -> None:
    """At a distance of 10^-8 of where nothing pushes against the crease: 6/2 if it is not met, 1 + 5/2 if it is."""
    x = np.random.default_rng(5).normal(size=(16, 3))[8:]
    features = FiniteLaw(x, probabilities=np.arange(1, 9) / 36, importance=[1, 0.5, 2])
    W, b = (
        np.array([[1.141923148867055, -0.8709674834540395, -0.6948868044449772]]),
        np.array([-1.544487204300537, -1.2545030889066717, -1.2179977282521492]),
    )
    assert -1e-7 < (x @ W.T @ W + b)[6, 2] < -1e-9
    exact = exact_coefficient(ReluOutput(3, 1), features, W, b)
    assert math.isnan(exact.value)
    assert exact.lower <= 3 <= exact.upper == 3.5


def test_beside_creases_that_balance_nothing_a_point_is_refused() -> None:
    features, (W, b) = FIVE, ON_TWO
    x = tg.exact.Objective(NET, features).flat(W, b)
    creases = creases_near(tg.exact.Objective(NET, features), x)
    assert creases is not None
    along = np.linalg.svd(creases.at(tg.exact.Objective(NET, features), x)[1])[2][-1]
    moved = x + 1e-2 * along
    for _ in range(5):  # back to the creases, which are curved
        s, slopes = creases.at(tg.exact.Objective(NET, features), moved)
        moved = moved - np.linalg.pinv(slopes) @ s
    with pytest.raises(tg.InvalidInputError, match="on 2 creases of the loss, which leave a gradient of"):
        exact_coefficient(NET, features, *tg.exact.Objective(NET, features).parameters(moved))


def test_a_loss_without_creases_has_none() -> None:
    """Positive data, a linear net, and a point a hundredth away: as before."""
    features, (W, b) = FIVE, ON_TWO
    assert on_creases(tg.exact.Objective(NET, features), np.append(W, b + 0.01)) is None
    positive = FiniteLaw(np.abs(features.table))
    assert on_creases(tg.exact.Objective(NET, positive), np.zeros(4)) is None
    assert on_creases(tg.exact.Objective(tg.nets.Linear(2, 1), features), np.zeros(4)) is None


def test_the_hessian_beside_creases_is_the_engines() -> None:
    generator = np.random.default_rng(3)
    features = FiniteLaw(generator.normal(size=(30, 4)), importance=[1, 2, 0.5, 1])
    none = Creases(np.zeros((0, 4)), np.zeros(0, dtype=np.int64), np.zeros(0))
    for net in (ReluOutput(4, 2), ReluOutput(4, 2, bias=False)):
        objective = tg.exact.Objective(net, features)
        x = generator.normal(size=12) * np.append(np.ones(8), np.full(4, float(net.bias)))
        gradient, H = _smooth(objective, x, none, np.zeros(0), False)
        np.testing.assert_allclose(gradient, objective.gradient(x), atol=1e-12)
        np.testing.assert_allclose(H, objective.hessian(x), atol=1e-12)
