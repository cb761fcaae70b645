"""Closed forms of penalised features against the exact surface, brute force and sampling."""

import numpy as np
import pytest

import tegum as tg
from tegum.theory import two_in_one_loss
from tegum.theory.activity import HiddenUnit, alone, pair

DENSITIES = (0.02, 0.3, 0.9)


@pytest.mark.parametrize("p", DENSITIES)
def test_losses_equal_the_exact_surface_and_the_exact_engine(p: float) -> None:
    s = np.array([0.0, 0.2, 0.7, 1.0, 1.2])
    np.testing.assert_allclose(pair(p).loss(s), two_in_one_loss(np.sqrt(s), -np.sqrt(s), p), atol=1e-14)
    W = np.sqrt(s)[:, None, None] * np.ones((5, 1, 1))
    np.testing.assert_allclose(
        alone(p).loss(s), tg.exact.loss(W, np.zeros((5, 1)), tg.features.Independent(1, density=p)), atol=1e-8
    )


@pytest.mark.parametrize("p", DENSITIES)
def test_activity_and_frequency_are_those_of_samples(p: float) -> None:
    x = tg.features.Independent(2, density=p).sample(400_000, seed=3)
    for form, h in ((alone(p), x[:, 0]), (pair(p), x[:, 0] - x[:, 1])):
        assert abs(h).mean() == pytest.approx(form.activity, abs=5 * abs(h).std() / 600)
        assert (h != 0).mean() == pytest.approx(form.frequency, abs=5 / 1200)


@pytest.mark.parametrize("form", [kind(p) for kind in (alone, pair) for p in DENSITIES])
def test_penalised_minimum_is_the_lowest_of_a_grid(form: HiddenUnit) -> None:
    s = np.linspace(0, 1.6, 160_001)
    penalties = np.array([0.0, 0.01, 0.3, 0.99 * form.killing_l1, 1.01 * form.killing_l1, 2.0])
    for l1 in penalties:
        lowest = s[(form.loss(s) + l1 * form.activity * np.sqrt(s)).argmin()]
        assert float(form.penalised(l1)) == pytest.approx(lowest, abs=2e-5)


def test_examples_of_the_documentation() -> None:
    assert alone(0.1).killing_l1 == pytest.approx(0.7258, abs=1e-4)
    assert alone(0.2).reduction_per_activation == pytest.approx(1 / 3 - 0.05)
    assert pair(0.2).activity < 2 * alone(0.2).activity


@pytest.mark.parametrize("density", [0.0, -1.0, 1.5])
def test_impossible_densities_are_refused(density: float) -> None:
    with pytest.raises(tg.InvalidInputError, match="density is"):
        pair(density)
    with pytest.raises(tg.InvalidInputError, match="l1 is -1"):
        alone(0.5).penalised(-1.0)
