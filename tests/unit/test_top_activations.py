"""What makes a neuron fire, against counting by hand and a neuron whose answer is known."""

import numpy as np
import pytest

import tegum as tg
from tegum.geometry.neurons import primary_share


def test_counted_by_hand() -> None:
    h = np.array([[4.0, 0], [3, 0], [2, 0], [1, 0], [0, 0]])
    on = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 1]], dtype=bool)
    share = primary_share(h, on, np.array([0, 1]), 0.5, 1)
    assert share[0] == 1
    assert np.isnan(share[1])
    assert primary_share(h, on, np.array([0, 1]), 0, 0.5)[0] == 0
    assert primary_share(h, on, np.array([0, 1]), 0, 1)[0] == 0.5


def test_top_activations_look_monosemantic_where_secondary_weights_are_small() -> None:
    x = tg.features.Independent(6, density=0.05).sample(50_000, seed=0)
    W = np.array([[1.0, 0.2, 0.2, 0.2, 0.2, 0.2], [1.0] * 6])
    top, middle = (primary_share(x @ W.T, x > 0, np.array([0, 0]), *between) for between in ((0.99, 1), (0.4, 0.6)))
    assert top[0] > 0.95
    assert middle[0] < 0.5
    assert top[1] < 0.9


def test_quantiles_are_checked() -> None:
    with pytest.raises(tg.InvalidInputError):
        primary_share(np.ones((2, 1)), np.ones((2, 1), dtype=bool), np.array([0]), 0.6, 0.4)
