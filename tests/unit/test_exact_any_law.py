"""The best bias and ablations know every distribution that has an exact loss, those without a law of magnitudes too."""

import numpy as np
import pytest
from numpy.typing import NDArray

import tegum as tg
from tegum.features import AnticorrelatedSets, Constant, Exponential, FiniteLaw, Independent, Joined, KSparse, Mixture, Uniform
from tegum.recorded import in_words

TABLE = FiniteLaw([[0.0, 7.0, 0.1], [3.0, 0.0, 0.0], [0.0, -2.0, 0.4], [1.0, 1.0, 0.0]], [0.2, 0.3, 0.1, 0.4])
MIXED = Mixture([Independent(3, 0.2), Independent(3, 0.6, magnitude=Exponential(2.0))], [0.7, 0.3], importance=[1.0, 2.0, 0.5])
PARTS = Joined([Independent(1, 0.5, magnitude=Uniform(0.0, 2.0)), AnticorrelatedSets(1, 2, 0.3)])
LAWS = {"finite": TABLE, "mixture": MIXED, "joined": PARTS, "k-sparse": KSparse(3, 1)}
W = np.array([[0.9, -0.6, 0.2], [0.1, 0.8, -0.7]])


def of_table(W: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """E (x_j - y_j)^2 of a table of states, as it is written."""
    x = TABLE.states
    return np.asarray(TABLE.probabilities @ (x - np.maximum(x @ W.T @ W + b, 0)) ** 2)


def test_the_best_bias_of_a_table_is_the_best_of_all_on_a_line() -> None:
    line = np.linspace(-10, 10, 200_001)
    errors = np.array([of_table(W, np.full(3, b)) for b in line[::100]])
    near = line[::100][errors.argmin(axis=0)]
    fine = near + np.linspace(-0.01, 0.01, 2001)[:, None]
    best = fine[np.array([of_table(W, b) for b in fine]).argmin(axis=0), range(3)]
    found = tg.exact.best_bias(W, TABLE)
    np.testing.assert_allclose(of_table(W, found), of_table(W, best), rtol=1e-8)
    np.testing.assert_allclose(found, best, atol=2e-5)


@pytest.mark.parametrize("law", LAWS)
def test_no_bias_nearby_is_better(law: str) -> None:
    b = tg.exact.best_bias(W, LAWS[law])
    for step in (0.3, 1e-2, 1e-4):
        moved = tg.exact.squared_errors(W, b + np.array([[0.0], [step], [-step]]), LAWS[law])
        assert (moved[1:] >= moved[0] * (1 - 1e-9)).all()


@pytest.mark.parametrize("magnitude", [Constant(5.0), Exponential(40.0), Uniform(-6.0, 2.0), Uniform(2.0, 9.0)])
def test_the_best_bias_of_no_weights_is_the_mean(magnitude: tg.features.Magnitude) -> None:
    features = Independent(2, [1.0, 0.5], magnitude=magnitude)
    found = tg.exact.best_bias(np.zeros((1, 2)), features, net=tg.nets.Linear(2, 1))
    np.testing.assert_allclose(found, features.mean(), rtol=1e-5)


@pytest.mark.parametrize("law", LAWS)
def test_ablations_are_losses_without_an_entry(law: str) -> None:
    features, b, G = LAWS[law], np.array([0.1, -0.2, 0.05]), W.T @ W
    whole, expected = tg.exact.loss(G, b, features, tied=False), np.empty((3, 3))
    for place in np.ndindex(3, 3):
        without = G.copy()
        without[place] = 0.0
        expected[place] = tg.exact.loss(without, b, features, tied=False) - whole
    np.testing.assert_allclose(tg.exact.ablations(W, b, features), expected, atol=1e-8)


def test_every_law_is_said_in_words() -> None:
    words = [in_words(one) for one in LAWS.values()]
    assert words[0] == "FiniteLaw of 4 states, density 0.3 to 0.7 between features, importance 1"
    assert words[1] == "Mixture of 2 components, density 0.32, importance 0.5 to 2 between features"
    assert words[2] == "Joined of 2 parts, density 0.3 to 0.5 between features, importance 1"
    assert words[3] == "KSparse, density 0.333333, importance 1, Uniform()"
