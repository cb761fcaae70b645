"""Attacks: never longer than their limit, as strong as brute force finds in few dimensions, and not weaker than gradients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import tegum as tg
from tegum.attacks import analytic_attack, average_norm, gradient_attack, without_superposition


def model(seed: int, n: int, m: int, samples: int = 20) -> tuple[NDArray[np.float64], ...]:
    generator = np.random.default_rng(seed)
    x = generator.random((samples, n)) * (generator.random((samples, n)) < 0.4)
    return generator.normal(size=(m, n)), 0.2 * generator.normal(size=n), x


def losses(
    W: NDArray[np.float64], b: NDArray[np.float64], x: NDArray[np.float64], delta: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.asarray(((x - np.maximum((x + delta) @ W.T @ W + b, 0)) ** 2).sum(axis=-1))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 7), size=st.floats(0, 3), maximum=st.sampled_from(["example", "model"]))
def test_no_attack_exceeds_its_limit_and_each_does_what_it_says(seed: int, n: int, size: float, maximum: str) -> None:
    W, b, x = model(seed, n, max(1, n // 2))
    attacks = [analytic_attack(W, b, x, size, maximum=maximum), gradient_attack(W, b, x, size, steps=5, restarts=2)]  # type: ignore[arg-type]
    for attack in attacks:
        assert (np.linalg.norm(attack.perturbations, axis=1) <= size * (1 + 1e-12)).all()
        np.testing.assert_allclose(attack.attacked, losses(W, b, x, attack.perturbations), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(attack.clean, losses(W, b, x, np.zeros_like(x)), rtol=1e-9, atol=1e-12)
    assert (attacks[1].attacked >= attacks[1].clean).all()
    assert attacks[0].rise >= -1e-12


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 1), (3, 2), (4, 2)])
def test_brute_force_over_the_ball(n: int, m: int) -> None:
    generator = np.random.default_rng(n)
    directions = generator.normal(size=(20_000, n))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    for seed in range(5):
        W, b, x = model(seed, n, m)
        size = 0.1 * average_norm(x)
        brute = np.array([losses(W, b, one, size * directions).max() for one in x])
        analytic = analytic_attack(W, b, x, size)
        refined = gradient_attack(W, b, x, size, initial=analytic.perturbations)
        clean = analytic.clean
        assert (analytic.attacked <= brute + 0.02 * (brute - clean) + 1e-9).all()
        assert analytic.rise >= 0.75 * (brute - clean).mean()
        assert refined.rise >= 0.97 * (brute - clean).mean()


def test_an_ascent_from_beyond_the_limit_begins_at_the_limit() -> None:
    W, b, x = model(5, 4, 2)
    attack = gradient_attack(W, b, x, 0.1, initial=np.full_like(x, 10.0))
    assert (np.linalg.norm(attack.perturbations, axis=1) <= 0.1 * (1 + 1e-12)).all()
    np.testing.assert_allclose(attack.attacked, losses(W, b, x, attack.perturbations), rtol=1e-9, atol=1e-12)


def test_candidates_one_by_one() -> None:
    W, b, x = model(3, 5, 2)
    G = W.T @ W
    steps = 0.3 * G / np.linalg.norm(G, axis=1, keepdims=True)
    each = np.array([losses(W, b, x, sign * step) for sign in (1, -1) for step in steps])
    np.testing.assert_allclose(
        analytic_attack(W, b, x, 0.3).attacked, np.maximum(each.max(axis=0), losses(W, b, x, np.zeros_like(x)))
    )
    np.testing.assert_allclose(analytic_attack(W, b, x, 0.3, maximum="model").attacked.mean(), each.mean(axis=1).max())
    positive = analytic_attack(W, b, x, 0.3, signs="positive").attacked
    np.testing.assert_allclose(positive, np.maximum(each[:5].max(axis=0), losses(W, b, x, np.zeros_like(x))))


def test_importance_weighs_what_is_hurt() -> None:
    W, b, x = model(4, 4, 2)
    importance = np.array([1.0, 0.0, 0.0, 0.0])
    attack = analytic_attack(W, b, x, 0.3, importance=importance)
    y = np.maximum((x + attack.perturbations) @ W.T @ W + b, 0)
    np.testing.assert_allclose(attack.attacked, (x[:, 0] - y[:, 0]) ** 2)


def test_the_reference_keeps_the_most_important_and_is_the_best_linear_model() -> None:
    features = tg.features.Independent(4, density=0.3, importance=np.array([0.1, 3, 2, 0.2]))
    W, b = without_superposition(features, 2)
    np.testing.assert_array_equal(W, [[0, 1, 0, 0], [0, 0, 1, 0]])
    np.testing.assert_allclose(b, [0.15, 0, 0, 0.15])
    best = float(tg.exact.minimise(tg.nets.Linear(4, 2), features, seeds=4)["loss"].min())
    assert float(tg.theory.linear_loss(W, b, features)) == pytest.approx(best)


def test_mistakes() -> None:
    W, b, x = model(0, 2, 1)
    with pytest.raises(tg.InvalidInputError, match="size is -1"):
        analytic_attack(W, b, x, -1)
    with pytest.raises(tg.InvalidInputError, match="size is -1"):
        gradient_attack(W, b, x, -1)
    wrong = (
        ({"restarts": 0}, "restarts is 0: choose at least 1"),
        ({"steps": -5}, "steps is -5: choose at least 0"),
        ({"seed": -1}, "a seed is -1: choose a whole number of at least 0"),
        ({"initial": np.full(x.shape, np.nan)}, "initial is nan: choose from"),
    )
    for options, says in wrong:
        with pytest.raises(tg.InvalidInputError, match=says):
            gradient_attack(W, b, x, 0.1, **options)
    for many in (tg.features.Independent(2, density=[[0.1], [0.2]]), tg.features.Independent(2, importance=np.ones((3, 2)))):
        with pytest.raises(tg.InvalidInputError, match=r"the features have leading axes \(\d,\): give one distribution"):
            without_superposition(many, 1)
    with pytest.raises(tg.InvalidInputError, match="choose 1 to"):
        without_superposition(tg.features.Independent(2), 3)
