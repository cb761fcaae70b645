"""Moments of errors, and tails beyond independent uniform features: rational numbers, the engine's losses, samples."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tegum as tg
from tegum.features import (
    AnticorrelatedSets,
    Constant,
    CorrelatedSets,
    Exponential,
    Independent,
    Joined,
    KSparse,
    Mixture,
    Uniform,
)
from tests.oracle import moments as oracle

Array = NDArray[np.float64]
BLOCKS = {
    "independent": Independent(4, density=[0.1, 0.3, 0.5, 0.9]),
    "correlated": CorrelatedSets(2, 2, density=0.3),
    "anticorrelated": AnticorrelatedSets(2, 2, density=0.2),
}
OTHERS = {
    "correlated": BLOCKS["correlated"],
    "anticorrelated": BLOCKS["anticorrelated"],
    "exponential": Independent(4, density=0.2, magnitude=Exponential(0.7)),
    "exponential sets": CorrelatedSets(2, 2, density=0.3, magnitude=Exponential()),
    "exponential signed": Independent(4, density=0.2, magnitude=Exponential(0.7), signed=True),
    "signed": Independent(4, density=0.3, signed=True),
    "away from 0": Independent(4, density=0.3, magnitude=Uniform(0.5, 1.5)),
    "around 0": Independent(4, density=0.3, magnitude=Uniform(-0.5, 1.5)),
    "k of n": KSparse(4, 2),
    "constant": Independent(4, density=0.3, magnitude=Constant(0.9)),
    "mixture": Mixture([Independent(4, density=0.2), CorrelatedSets(2, 2, density=0.5)]),
    "side by side": Joined([CorrelatedSets(1, 2, density=0.3), Independent(2, density=0.2)]),
}


def a_model(case: int) -> tuple[Array, Array]:
    if case == 0:  # own couplings of 1, a coupling of 0, no bias
        return np.array([[1.0, -1.0, 0, 0], [0, 0, 1.0, 0.3]]), np.array([0, 0, -0.1, 0.2])
    generator = np.random.default_rng(case)
    return generator.normal(size=(2, 4)) / 1.4, generator.normal(size=4) / 10


@pytest.mark.parametrize("case", range(2))
@pytest.mark.parametrize("name", BLOCKS)
def test_moments_in_rational_numbers(name: str, case: int) -> None:
    W, b = a_model(case)
    found, G = tg.exact.moments(W, b, BLOCKS[name], range(1, 9)), W.T @ W
    exact = [[float(oracle.moment(BLOCKS[name], j, G[j], b[j], k)) for k in range(1, 9)] for j in range(4)]
    assert (np.abs(found["moment"] - exact) <= found["error"] + 1e-15).all()
    reach = 2 + 2 * np.abs(G).sum(axis=1, keepdims=True)  # twice what an output can be off by; its powers round
    assert (found["error"].values < 1e-12 * reach ** np.arange(1, 9)).all()


@pytest.mark.parametrize("name", OTHERS)
def test_the_second_moment_is_the_expected_squared_error(name: str) -> None:
    for case in range(3):
        W, b = a_model(case)
        found = tg.exact.moments(W, b, OTHERS[name], [2])
        squares = tg.exact.squared_errors(W, b, OTHERS[name], tol=1e-10)
        assert (np.abs(found["moment"].values[:, 0] - squares) <= found["error"].values[:, 0] + 1e-8).all()
        assert (found["error"] < 1e-6).all()


@pytest.mark.parametrize("name", OTHERS)
def test_moments_and_tails_of_samples(name: str) -> None:
    W, b = a_model(len(name))
    features, t = OTHERS[name], np.array([0.05, 0.3, 0.7, 1.2])
    x = features.sample(100_000, 7).astype(np.float64)
    error = x - np.maximum(x @ (W.T @ W) + b, 0)
    found, orders = tg.exact.moments(W, b, features, [1, 2, 3, 4]), np.arange(1, 5)
    powers = error[..., None] ** orders
    spread = powers.std(axis=0) / len(x) ** 0.5
    assert (np.abs(powers.mean(axis=0) - found["moment"]) <= 4.5 * spread + found["error"]).all()
    tails = tg.exact.tails(W, b, features, t)
    for side, off in (("below", error), ("above", -error)):
        share = (off[..., None] > t + 1e-7).mean(axis=0)
        spread = np.sqrt(np.maximum(tails[side] * (1 - tails[side]), 1e-6) / len(x))
        assert (np.abs(share - tails[side]) <= 4.5 * spread + tails["error"]).all(), side
    assert (tails["error"] < 2e-3).all()


@pytest.mark.parametrize("b", [[0.0, 0.0], [0.2, -50.0]])
@pytest.mark.parametrize("W", [[[0.0, 0.0]], [[1e-200, 1.0]], [[1e6, 1.0]]])
def test_extreme_weights_have_finite_moments(W: Any, b: Any) -> None:
    features = CorrelatedSets(1, 2, density=0.3)
    found = tg.exact.moments(W, b, features, [1, 2])
    squares = tg.exact.squared_errors(W, b, features, tol=1e-9)
    assert (np.abs(found["moment"].values[:, 1] - squares) <= found["error"].values[:, 1] + 1e-8 * (1 + squares)).all()
    assert np.isfinite(tg.exact.tails(W, b, features, [0.1, 2.0]).to_array()).all()


def test_both_ways_to_tails_of_independent_features_agree() -> None:
    """One state more in the law, of probability 0, and the other way is taken."""
    W, b = a_model(2)
    one, t = BLOCKS["independent"], [0.1, 0.4, 0.8]
    mixed = tg.exact.tails(W, b, Mixture([one]), t)
    plain = tg.exact.tails(W, b, one, t)
    for side in ("below", "above"):
        assert (np.abs(mixed[side] - plain[side]) <= mixed["error"] + plain["error"]).all()


def test_tails_of_an_exponential_pair_are_the_closed_form() -> None:
    """With W = (1, -1) an output is wrong only where both are active, by the smaller of the two: p^2 e^-2t, or p e^-2t."""
    t = np.array([0.1, 1.0, 3.0])
    for features, both in (
        (Independent(2, density=0.3, magnitude=Exponential()), 0.09),
        (CorrelatedSets(1, 2, density=0.3, magnitude=Exponential()), 0.3),
    ):
        found = tg.exact.tails([[1.0, -1.0]], [0.0, 0.0], features, t)
        assert (np.abs(found["below"] - both * np.exp(-2 * t)) <= found["error"] + 1e-12).all()
        np.testing.assert_allclose(found["above"], 0, atol=1e-9)


class Own(tg.features.Magnitude):
    """U[0, 1], by a class that the engine does not know."""

    largest = 1.0

    def moment(self, order: int) -> float:
        return 1 / (order + 1)

    def quantile(self, probability: Array) -> Array:
        return np.asarray(probability)

    def generating(self, z: Any) -> Any:
        away = np.where(z == 0, 1, z)
        return np.where(z == 0, 1, np.expm1(away) / away)


def test_own_magnitudes_have_moments_and_no_tails() -> None:
    W, b = a_model(1)
    features = Independent(4, density=0.3)
    plain, own = (tg.exact.moments(W, b, one, [1, 3]) for one in (features, features.replaced(magnitude=Own())))
    assert (np.abs(plain["moment"] - own["moment"]) <= plain["error"] + own["error"] + 1e-12).all()
    assert (own["error"] < 1e-9).all()
    with pytest.raises(tg.InvalidInputError, match="magnitudes are Own: tails are known of Uniform and Exponential ones"):
        tg.exact.tails(W, b, features.replaced(magnitude=Own()), [0.5])


def test_mistakes_are_said() -> None:
    wrong: list[tuple[Any, str]] = [
        (lambda: tg.exact.moments(np.eye(2), [0, 0], Independent(2), [0]), "orders is"),
        (lambda: tg.exact.moments(np.eye(2), [0, 0], Independent(2), [1.5]), "orders is"),
        (lambda: tg.exact.moments(np.eye(2), [0, 0], Independent(2, density=[[0.1, 0.1]] * 2)), "give a single distribution"),
        (lambda: tg.exact.moments(np.eye(3), [0, 0], Independent(2)), "W has shape"),
        (lambda: tg.exact.tails(np.eye(2), [0, 0], Independent(2), [0.0]), "thresholds is"),
    ]
    for call, said in wrong:
        with pytest.raises(tg.InvalidInputError, match=said):
            call()
