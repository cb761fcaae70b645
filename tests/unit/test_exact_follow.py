"""Branches of minima: where they cross and where they are lost, against closed forms, the census and an independent oracle."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

import tegum as tg
from tegum.datasets import Status
from tegum.exact.crossing import crossing
from tegum.exact.follow import Branch, follow
from tegum.geometry import aligned_to

FIVE_IN_TWO, FIVE = tg.nets.ReluOutput(5, 2), tg.features.Independent(5)
TWO_IN_ONE, TWO = tg.nets.ReluOutput(2, 1), tg.features.Independent(2)
ANGLES = 2 * np.pi * np.arange(5) / 5
PENTAGON = 1.13 * np.array([np.cos(ANGLES), np.sin(ANGLES)])
DIGONS = np.array([[1, -1, 0, 0, 0], [0, 0, 1, -1, 0.0]])


@pytest.fixture(scope="module")
def pentagon() -> Branch:
    return follow(FIVE_IN_TWO, FIVE, PENTAGON, np.full(5, -0.24), np.linspace(0.05, 0.6, 12), progress=False)


@pytest.fixture(scope="module")
def digons() -> Branch:
    return follow(FIVE_IN_TWO, FIVE, DIGONS, [0, 0, 0, 0, 0.025], [0.05, 0.1, 0.2, 0.25, 0.9], progress=False)


@pytest.fixture(scope="module")
def pair() -> Branch:
    return follow(TWO_IN_ONE, TWO, [[1, -1]], [0, 0], [0.05, 0.9], progress=False)


def test_branches_of_nearly_the_same_loss_cross_where_it_says() -> None:
    """Four features on one axis: losses that differ by 4e-4 of themselves over the unit of p; found apart by a secant."""
    four, features = tg.nets.ReluOutput(4, 1), tg.features.Independent(4)
    starts = ([[0.294, -0.9, 0.294, 0.294]], [[0.358, 0, -0.902, 0.358]])
    first, second = (follow(four, features, W, np.full(4, 0.2), [0.7565, 0.7575], progress=False) for W in starts)
    value, tol = crossing(first, second, tol=1e-8, progress=False), 1e-8
    assert value == pytest.approx(0.75690962, abs=2e-8)
    signs = [np.sign(first.minimum(at).objective - second.minimum(at).objective) for at in (value - tol, value + tol)]
    assert signs[0] * signs[1] == -1
    with pytest.raises(tg.InvalidInputError, match=r"the losses place the crossing at 0\.75691 to"):
        crossing(first, second, tol=1e-10, progress=False)


def test_pentagon_and_digons_cross_where_their_exact_losses_are_equal(pentagon: Branch, digons: Branch) -> None:
    value = crossing(pentagon, digons, progress=False)
    assert value == pytest.approx(0.2248754, abs=1e-6)
    assert crossing(digons, pentagon, tol=1e-8, between=(0.2, 0.25)) == pytest.approx(value, abs=1e-6)
    for at, lower in ((value - 2e-6, pentagon), (value + 2e-6, digons)):
        features = tg.features.Independent(5, density=at)
        losses = {
            branch: float(tg.exact.loss(branch.at(at).W, branch.at(at).b, features, tol=1e-12)) for branch in (pentagon, digons)
        }
        assert min(losses, key=losses.__getitem__) is lower


def test_where_each_loses_its_stability(pentagon: Branch, digons: Branch, pair: Branch) -> None:
    """The pair's value is that of the oracle in 150 digits (`tests.oracle.expected_loss`): 0.7130130."""
    for branch, lost_at in ((pentagon, 0.3028833), (digons, 0.6596950), (pair, 0.7130130)):
        assert branch.lost_at == pytest.approx(lost_at, abs=1e-6)
        assert branch.data.attrs["lost_at"] == branch.lost_at
        assert branch.data.attrs["lost_because"] == Status.UNSTABLE
        assert 0 < branch.data.attrs["lost_error"] < 2e-6
        assert (branch.data.curvature[:-1] > 0).all()
        assert abs(float(branch.data.curvature[-1])) < 1e-5


def test_beyond_the_loss_of_stability_it_is_a_saddle(pair: Branch) -> None:
    end = pair.at(pair.points[-1].value)
    found = tg.exact.minimise(
        TWO_IN_ONE, tg.features.Independent(2, density=0.72), seeds=1, initial={"W": end.W, "b": end.b}, progress=False
    )
    W = found.W.values[0, 0]
    if found.status.item() == "minimum":
        assert abs(W[0] + W[1]) > 0.01
    else:
        assert found.status.item() == "saddle"


def test_every_point_is_a_minimum_for_its_features(pentagon: Branch, digons: Branch) -> None:
    for branch in (pentagon, digons):
        data = branch.data
        assert data.converged.all()
        assert (np.diff(data.density) > 0).all()
        assert np.abs(np.diff(data.W, axis=0)).max() < 0.1
        loss, dW, db = tg.exact.loss_and_gradient(data.W, data.b, FIVE.replaced(density=data.density.values[:, None]))
        np.testing.assert_allclose(loss, data.loss, rtol=1e-8)
        assert max(np.abs(dW).max(), np.abs(db).max()) < 1e-6
    assert set(np.linspace(0.05, 0.3, 6).round(9)) - set(pentagon.data.density.values.round(9)) == set()
    census = tg.exact.minimise(FIVE_IN_TWO, FIVE, seeds=12, sweep={"density": [0.1, 0.25]}, progress=False)
    for density, branch in ((0.1, pentagon), (0.25, digons)):
        assert float(census.loss.sel(density=density).min()) == pytest.approx(
            float(branch.data.loss.sel(density=density)), rel=1e-7
        )


def test_the_loss_changes_as_if_the_parameters_stood_still(pentagon: Branch) -> None:
    """The envelope theorem: dL/dv along the branch is the partial derivative at fixed parameters."""
    at, h = 0.21, 1e-3
    along = (pentagon.minimum(at + h).loss - pentagon.minimum(at - h).loss) / (2 * h)
    here = pentagon.at(at)
    still = [float(tg.exact.loss(here.W.values, here.b.values, FIVE.replaced(density=at + move))) for move in (h, -h)]
    assert along == pytest.approx((still[0] - still[1]) / (2 * h), rel=1e-4)


def test_second_derivatives_of_a_point_wait_until_they_are_asked_for(pentagon: Branch) -> None:
    before, counted = pentagon.tracker.spent["hessians"], []
    point = pentagon.minimum(0.21)
    net, features = FIVE_IN_TWO, FIVE.replaced(density=0.21)
    W, b = point.x[:10].reshape(2, 5), point.x[10:]
    assert point.loss == point.objective == pytest.approx(float(tg.exact.loss(W, b, features, tol=1e-12)), rel=1e-9)
    for _ in range(2):
        counted.append(pentagon.tracker.spent["hessians"] - before)
        assert point.stable
    assert counted[1] == counted[0] + 1
    objective = tg.exact.Objective(net, features, pentagon.tracker.terms)
    H, _ = tg.exact.hessian_at(objective, point.x)
    values = np.linalg.eigvalsh(H)  # the first is the rotation
    assert point.curvature.value == pytest.approx(values[1], rel=1e-6)


def test_a_branch_knows_its_features(pentagon: Branch) -> None:
    np.testing.assert_allclose(tg.exact.loss(pentagon.data), pentagon.data.loss, rtol=1e-6)
    assert tg.features_of(pentagon.at(0.21)).density.tolist() == [0.21] * 5


def test_back_again_is_the_same_branch(pair: Branch) -> None:
    end = pair.at(0.7)
    back = follow(TWO_IN_ONE, TWO, end.W, end.b, [0.7, 0.3, 0.05], progress=False)
    assert back.lost_at is None
    assert np.isnan(back.data.attrs["lost_at"])
    assert back.data.density.values[0] == 0.7
    assert back.data.density.values[-1] == 0.05
    assert float(back.data.loss[-1]) == pytest.approx(float(pair.data.loss[0]), rel=1e-9)
    np.testing.assert_allclose(np.abs(back.data.W[-1]), np.abs(pair.data.W[0]), atol=1e-7)


def test_a_turned_start_gives_a_turned_branch(pentagon: Branch) -> None:
    R = np.linalg.qr(np.random.default_rng(0).normal(size=(2, 2)))[0]
    turned = follow(FIVE_IN_TWO, FIVE, R @ PENTAGON, np.full(5, -0.24), np.linspace(0.05, 0.6, 12), progress=False)
    assert turned.lost_at == pytest.approx(pentagon.lost_at, abs=1e-6)
    np.testing.assert_allclose(turned.at(0.2).W, R @ pentagon.at(0.2).W.values, atol=1e-5)


def test_two_minima_that_meet_a_saddle_end_there() -> None:
    """Digons and a fifth feature of norm 0.28: the squared smallest curvature goes to 0 linearly, as it does at a fold."""
    W = [[0.2763, -0.0034, 0.0034, -1.0198, 1.0364], [-0.0009, -1.0082, 1.0082, 0.0035, -0.0035]]
    branch = follow(FIVE_IN_TWO, FIVE, W, [0.0503, 0.0031, 0.0031, 0.0043, -0.0937], [0.15, 0.3], progress=False)
    assert branch.lost_at == pytest.approx(0.158612, abs=2e-6)
    assert branch.data.attrs["lost_because"] == Status.ENDED
    squares, values = branch.data.curvature.values[-4:] ** 2, branch.data.density.values[-4:]
    slope, offset = np.polyfit(values, squares, 1)
    assert slope < 0
    assert -offset / slope == pytest.approx(branch.lost_at, abs=2e-6)


def test_a_linear_net_drops_a_feature_when_it_becomes_the_third_most_important() -> None:
    features = tg.features.Independent(4, density=0.3, importance=np.array([4.0, 3, 2, 1]))
    branch = follow(
        tg.nets.Linear(4, 2),
        features,
        np.eye(2, 4),
        [0, 0, 0.15, 0.15],
        [4, 0.5],
        field="importance",
        feature=0,
        progress=False,
    )
    assert branch.name == "importance"
    assert branch.lost_at == pytest.approx(2, abs=1e-6)


def test_without_biases_a_linear_net_does_the_same() -> None:
    """Anticorrelated, so that E[x x^T] is diagonal: the components that a linear net keeps are the features."""
    features = tg.features.AnticorrelatedSets(1, 3, density=0.2, importance=np.array([4.0, 2, 1]))
    branch = follow(
        tg.nets.Linear(3, 1, bias=False),
        features,
        np.eye(1, 3),
        np.zeros(3),
        [4, 0.5],
        field="importance",
        feature=0,
        progress=False,
    )
    assert branch.lost_at == pytest.approx(2, abs=1e-6)
    assert not branch.data.b.values.any()
    assert branch.data.curvature.values[0] > 0.01


def test_a_function_of_the_value_gives_features_too(pair: Branch) -> None:
    branch = follow(
        TWO_IN_ONE,
        lambda exponent: tg.features.Independent(2, density=10**exponent),
        [[1, -1]],
        [0, 0],
        [-1, -0.1],
        field="log density",
        tolerance=1e-7,
        progress=False,
    )
    assert branch.data.loss.dims == ("log density",)
    assert branch.lost_at is not None
    assert 10**branch.lost_at == pytest.approx(pair.lost_at, abs=1e-6)


def test_a_dedicated_feature_on_its_kink_is_followed() -> None:
    net, features = tg.nets.ReluOutput(3, 2), tg.features.Independent(3)
    branch = follow(net, features, [[1, -1, 0], [0, 0, 1]], [0, 0, 0], [0.1, 0.2, 0.3], progress=False)
    assert branch.lost_at is None
    assert branch.data.converged.all()
    assert (branch.data.curvature > 0).all()
    np.testing.assert_allclose(branch.data.b[:, 2], 0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(branch.data.W[..., 2], axis=-1), 1, atol=1e-5)


def test_ctrl_c_returns_what_is_done() -> None:
    calls = [0]

    def features(value: float) -> tg.features.Features:
        calls[0] += 1
        if calls[0] > 25:
            raise KeyboardInterrupt
        return tg.features.Independent(2, density=value)

    with pytest.raises(tg.Interrupted) as stop:
        follow(TWO_IN_ONE, features, [[1, -1]], [0, 0], np.linspace(0.05, 0.6, 12), progress=False)
    branch = stop.value.data
    assert branch.data.attrs["interrupted"] == 1
    assert 1 < len(branch.points) < 12
    assert branch.lost_at is None
    assert branch.data.converged.all()


def test_aligned_is_the_closest_rotation() -> None:
    generator = np.random.default_rng(1)
    W = generator.normal(size=(3, 6))
    R = np.linalg.qr(generator.normal(size=(3, 3)))[0]
    np.testing.assert_allclose(aligned_to(R @ W, W)[0], W, atol=1e-12)
    near = W + 0.1 * generator.normal(size=W.shape)
    best = np.linalg.norm(aligned_to(near, W)[0] - W)
    for _ in range(50):
        Q = np.linalg.qr(generator.normal(size=(3, 3)))[0]
        assert np.linalg.norm(Q @ near - W) >= best


def flat(values: list[float], **changes: object) -> Callable[[], object]:
    return lambda: follow(TWO_IN_ONE, TWO, [[1, -1]], [0, 0], values, **{"progress": False, **changes})  # type: ignore[arg-type]


WRONG: dict[str, tuple[Callable[[], object], tuple[str, ...]]] = {
    "everything": (
        flat([0.1], tolerance=0, gradient_tolerance=2, field="size"),
        ("values is [0.1]", "tolerance is 0", "gradient_tolerance is 2", "field is 'size'"),
    ),
    "zigzag": (flat([0.1, 0.3, 0.2]), ("values is [0.1 0.3 0.2]",)),
    "density": (flat([0.5, 1.5]), ("density is 1.5",)),
    "feature": (flat([0.1, 0.2], feature=2), ("feature is 2",)),
    "shapes": (
        lambda: follow(TWO_IN_ONE, TWO, [[1, -1], [0, 0]], [0, np.inf], [0.1, 0.2]),
        ("W has shape (2, 2)", "b holds numbers"),
    ),
    "saddle": (
        lambda: follow(TWO_IN_ONE, TWO, [[1, 0]], [0, 0.1], [0.2, 0.3], progress=False),
        ("the start leads to no minimum at density 0.2", "smallest curvature -"),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes_are_named(name: str) -> None:
    call, parts = WRONG[name]
    with pytest.raises(tg.InvalidInputError) as caught:
        call()
    for part in parts:
        assert str(caught.value).count(part) == 1


def test_branches_that_cannot_cross_are_refused(pentagon: Branch, digons: Branch, pair: Branch) -> None:
    def said(first: Branch, second: Branch, **changes: tuple[float, float] | float) -> str:
        with pytest.raises(tg.InvalidInputError) as caught:
            crossing(first, second, progress=False, **changes)  # type: ignore[arg-type]
        return str(caught.value)

    assert "the branches do not cross between density 0.05 and 0.1: the first is lower" in said(
        pentagon, digons, between=(0.05, 0.1)
    )
    assert "the same loss" in said(pair, pair)
    assert "follow minima of one net" in said(pentagon, pair)
    assert "tol is 0" in said(pentagon, digons, tol=0)
    assert "no density is common" in said(pentagon, digons, between=(0.7, 0.8))
    with pytest.raises(tg.InvalidInputError, match=r"density is 0.5: this branch is known from 0.05 to 0.302883"):
        pentagon.at(0.5)


def test_a_point_between_those_visited_is_found_anew(digons: Branch) -> None:
    between: NDArray[np.float64] = digons.at(0.123).W.values
    census = tg.exact.minimise(
        FIVE_IN_TWO,
        FIVE.replaced(density=0.123),
        seeds=1,
        initial={"W": between, "b": digons.at(0.123).b},
        progress=False,
    )
    assert float(census.loss.item()) == pytest.approx(float(digons.at(0.123).loss), rel=1e-9)
    assert census.status.item() == "minimum"
    assert census.steps.item() <= 1


def test_a_branch_along_magnitudes_knows_the_law_of_every_point() -> None:
    net, W = tg.nets.ReluOutput(2, 1), [[1.0, -1.0]]
    wider = [
        follow(
            net,
            lambda high, factor=factor: tg.features.Independent(
                2, density=0.2, magnitude=tg.features.Uniform(0, factor * high)
            ),
            W,
            [0.0, 0.0],
            [1.0, 1.2],
            field="high",
            progress=False,
        )
        for factor in (1.0, 1.5)
    ]
    last = wider[0].data.isel(high=-1)
    assert tg.features_of(last).magnitude == tg.features.Uniform(0, 1.2)
    assert float(tg.exact.loss(last)) == pytest.approx(float(last.loss), rel=1e-9)
    with pytest.raises(tg.InvalidInputError, match="different features at high 1"):
        crossing(*wider)
