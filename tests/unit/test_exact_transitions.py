"""Orders of transitions against closed forms and against a plain scan of the two losses."""

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.exact import CONTINUOUS, FIRST_ORDER, transitions
from tegum.theory import two_in_one_minima


def optima(net: tg.nets.Net, ratio: float, ends: list[float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    features = tg.features.Independent(2, density=np.repeat(np.array(ends)[:, None], 2, axis=1), importance=[1, ratio])
    best = tg.best(tg.exact.minimise(net, features, seeds=12)).transpose(..., "hidden", "feature")
    return best["W"].values, best["b"].values


def between(ratio: float, ends: list[float], bias: bool = True) -> xr.Dataset:
    net = tg.nets.ReluOutput(2, 1, bias=bias)

    def features_at(density: NDArray[np.float64]) -> tg.features.Independent:
        return tg.features.Independent(2, density=np.repeat(density[:, None], 2, axis=1), importance=[1, ratio])

    W, b = optima(net, ratio, ends)
    return transitions(net, features_at, W[None], b[None], [ends]).isel(transition=0)


def test_antipodal_to_confused_is_where_the_closed_form_says() -> None:
    found = between(1.0, [0.4, 0.9], bias=False)
    assert found["order"] == FIRST_ORDER
    p = np.linspace(0.582, 0.5824, 41)
    pairs = np.array([two_in_one_minima(density)[:, :] for density in p])
    opposite = np.array([rows[rows[:, 1] * rows[:, 0] < 0, 2].min() for rows in pairs])
    same = np.array([rows[rows[:, 1] * rows[:, 0] > 0, 2].min() for rows in pairs])
    assert float(found["value"]) == pytest.approx(float(np.interp(0, opposite - same, p)), abs=1e-5)
    slope = np.array([np.polyfit(np.log(p), losses, 1)[0] for losses in (opposite, same)])
    np.testing.assert_allclose(found["slope"].values, slope, rtol=2e-3)
    assert float(found["jump"]) == pytest.approx(1 - slope[1] / slope[0], abs=3e-3)


def test_dropping_a_feature_is_first_order_even_where_it_matters_little() -> None:
    wide, narrow = between(0.1, [0.05, 0.5]), between(0.1, [0.18, 0.183])
    assert wide["order"] == narrow["order"] == FIRST_ORDER
    assert float(wide["value"]) == pytest.approx(float(narrow["value"]), abs=1e-5)
    assert float(wide["step"]) > 0.9


def test_a_broken_symmetry_is_continuous() -> None:
    found = between(1.0, [0.58, 0.66])
    assert found["order"] == CONTINUOUS
    assert float(found["step"]) < 0.02
    assert float(found["jump"]) < 1e-4


def test_mistakes_and_nothing() -> None:
    net = tg.nets.ReluOutput(2, 1)
    with pytest.raises(tg.InvalidInputError, match=r"W has shape \(1, 2, 1, 3\)"):
        transitions(
            net, lambda p: tg.features.Independent(2, density=p[:, None]), np.zeros((1, 2, 1, 3)), np.zeros(2), [[0.1, 0.2]]
        )
    with pytest.raises(tg.InvalidInputError, match="pairs of positive numbers"):
        transitions(net, lambda p: tg.features.Independent(2, density=p[:, None]), [0], [0], [0.1, 0.2])
    empty = transitions(
        net,
        lambda p: tg.features.Independent(2, density=p[:, None]),
        np.zeros((0, 2, 1, 2)),
        np.zeros((0, 2, 2)),
        np.zeros((0, 2)),
    )
    assert empty.sizes["transition"] == 0
