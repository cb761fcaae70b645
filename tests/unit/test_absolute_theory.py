"""The best net without superposition for |x|, against quadrature, brute force over allocations, and the nets themselves."""

from itertools import product

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize

import tegum as tg
from tegum.theory import absolute_without_superposition, dropped_loss
from tegum.theory.absolute import one_sided_loss


def one_neuron(a: float, b: float, p: float) -> float:
    """The loss of ReLU(a ReLU(x) + b) by quadrature."""
    right = quad(lambda x: (x - max(a * x + b, 0)) ** 2, 0, 1)[0]
    left = quad(lambda x: (x - max(b, 0)) ** 2, 0, 1)[0]
    return (1 - p) * max(b, 0) ** 2 + p / 2 * (right + left)


@pytest.mark.parametrize("p", [1.0, 0.3, 0.02])
def test_no_single_neuron_is_better(p: float) -> None:
    starts = [(1.0, 0.0), (0.5, 0.2), (1.0, -0.2)]
    found = min(minimize(lambda t: one_neuron(t[0], t[1], p), start, method="Nelder-Mead").fun for start in starts)
    assert found == pytest.approx(float(one_sided_loss(p)), rel=1e-3)
    assert found > float(one_sided_loss(p)) * (1 - 1e-6)


def test_a_second_neuron_saves_more_than_the_first() -> None:
    p = np.linspace(0, 1, 101)
    assert (one_sided_loss(p) >= dropped_loss(p) / 2 - 1e-15).all()
    assert one_sided_loss(0.0) == 0


@pytest.mark.parametrize("m", [1, 2, 3, 4, 5, 7, 9])
def test_no_other_allocation_is_better(m: int) -> None:
    importance = np.array([0.5, 1.0, 0.9, 0.2])
    for p in (1.0, 0.2):
        each = np.array([dropped_loss(p), one_sided_loss(p), 0.0])
        lowest = min((importance * each[list(neurons)]).sum() for neurons in product(range(3), repeat=4) if sum(neurons) <= m)
        loss, neurons = absolute_without_superposition(p, importance, m)
        assert loss == pytest.approx(lowest)
        assert neurons.sum() == min(m, 8)


def test_the_net_itself_has_this_loss() -> None:
    importance, p = np.array([1.0, 0.5, 0.4]), 0.4
    loss, neurons = absolute_without_superposition(p, importance, 3)
    assert neurons.tolist() == [2, 1, 0]
    slope = (1 / 6 - p / 8) / (1 / 6 - p / 16)
    params = {
        "W1": np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0]]),
        "W2": np.array([[1.0, 1, 0], [0, 0, slope], [0, 0, 0]]),
        "b": np.array([0, p / 2 - slope * p / 4, p / 2]),
    }
    x = tg.features.Independent(3, density=p, signed=True).sample(400_000, seed=0)
    y = tg.nets.AbsoluteValue(3, 3).forward(params, x)
    errors = (importance * (abs(x) - y) ** 2).sum(axis=1)
    assert abs(errors.mean() - loss) < 5 * errors.std() / np.sqrt(len(errors))


def test_a_net_needs_a_neuron() -> None:
    with pytest.raises(tg.InvalidInputError):
        absolute_without_superposition(0.5, np.ones(2), 0)
