"""Correlated worlds: laws against drawn samples and direct sums, and what is measured of arrangements that are known."""

import itertools

import numpy as np
import pytest

from tegum.experiments.beyond import correlated_worlds as worlds
from tegum.geometry import polygon


def test_probabilities_are_products_over_the_hidden_point() -> None:
    for law in (worlds.RING, worlds.EIGHT):
        where = worlds.arrangement(law)
        on = 1 / (1 + np.exp(-worlds.SHARPNESS * where.T @ where))
        for state in itertools.islice(itertools.product((0, 1), repeat=worlds.N), 0, None, 977):
            x = np.array(state)
            direct = np.mean([np.prod(np.where(x == 1, on[:, k], 1 - on[:, k])) for k in range(worlds.N)])
            number = int((x * 2 ** np.arange(worlds.N)).sum())
            assert worlds.probabilities(law)[number] == pytest.approx(direct, rel=1e-9)
            assert worlds.states()[number].tolist() == list(state)


def test_the_sphere_is_integrated_to_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    before = worlds.probabilities(worlds.SPHERE)
    monkeypatch.setattr(worlds, "NODES", 48)
    np.testing.assert_allclose(before, worlds.probabilities(worlds.SPHERE), atol=1e-11)
    z = np.random.default_rng(0).normal(size=(3, 100_000))
    on = 1 / (1 + np.exp(-worlds.SHARPNESS * worlds.arrangement(worlds.SPHERE).T @ (z / np.linalg.norm(z, axis=0))))
    sampled = on @ on.T / on.shape[1] - np.outer(on.mean(axis=1), on.mean(axis=1))
    exact = worlds.covariance(worlds.SPHERE)
    apart = ~np.eye(worlds.N, dtype=bool)
    np.testing.assert_allclose(exact[apart], sampled[apart], atol=5e-3)
    np.testing.assert_allclose(np.diag(exact), 0.25, atol=1e-3)


def test_correlation_falls_with_distance_on_the_ring() -> None:
    C = worlds.covariance(worlds.RING)[0]
    assert (np.diff(C[:7]) < 0).all()
    np.testing.assert_allclose(C[1:6], C[:6:-1], atol=1e-12)
    assert worlds.covariance(worlds.INDEPENDENT) == pytest.approx(np.eye(worlds.N) / 4)


def test_principal_components_are_like_their_law_and_constructive() -> None:
    for law, m in ((worlds.RING, 2), (worlds.SPHERE, 3)):
        W = np.linalg.eigh(worlds.covariance(law))[1][:, -m:].T
        found = worlds.measured(W, law)
        assert found["likeness"] > 0.99
        assert found["chance"] == 1e-3
        assert found["constructive"] > 0.99
        assert found["norm"] == pytest.approx(m)
    order = np.arange(worlds.N) * 5 % worlds.N
    tangled = worlds.measured(polygon(worlds.N)[:, order], worlds.RING)
    assert tangled["likeness"] < 0.1
