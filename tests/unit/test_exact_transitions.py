"""Orders of transitions against closed forms and against a plain scan of the two losses."""

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.exact import CONTINUOUS, FIRST_ORDER, NONE, transitions
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


def test_equal_features_jump_to_a_lopsided_pair_inside_superposition() -> None:
    found = between(1.0, [0.6, 0.75])
    assert found["order"] == FIRST_ORDER
    assert float(found["value"]) == pytest.approx(0.7064, abs=5e-5)
    W, _ = optima(tg.nets.ReluOutput(2, 1), 1.0, [0.7063, 0.7065])
    np.testing.assert_allclose(np.sort(abs(W[:, 0])), [[0.755, 0.755], [0.516, 0.916]], atol=2e-3)
    assert (W.prod(axis=(1, 2)) < 0).all()


def test_where_the_same_minimum_goes_on_there_is_none() -> None:
    found = between(1.0, [0.58, 0.66])
    assert found["order"] == NONE
    assert np.isnan(found["value"])


def test_a_broken_symmetry_is_continuous_and_located_where_a_curvature_reaches_0() -> None:
    net = tg.nets.ReluOutput(4, 2)
    ends = np.array([0.655, 0.661])

    def features_at(density: NDArray[np.float64]) -> tg.features.Independent:
        return tg.features.Independent(4, density=np.repeat(density[:, None], 4, axis=1))

    digons = np.array([[0.8, -0.8, 0, 0], [0, 0, 0.8, -0.8]]) + 0.01 * np.array([[0, 0, 1, 1], [1, -1, 0, 0]])
    each = [
        tg.exact.minimise(net, tg.features.Independent(4, density=p), initial={"W": digons, "b": np.zeros(4)}) for p in ends
    ]
    W, b = (np.stack([tg.best(one)[name].transpose(..., "feature").values for one in each]) for name in ("W", "b"))
    found = transitions(net, features_at, W[None], b[None], ends[None]).isel(transition=0)
    assert found["order"] == CONTINUOUS
    assert float(found["value"]) == pytest.approx(0.659695, abs=2e-6)
    assert float(found["jump"]) < 1e-3


def test_importances_may_vary_of_a_law_that_has_no_density_of_its_own() -> None:
    net, ends, plain = tg.nets.ReluOutput(2, 1), [0.05, 0.3], tg.features.Independent(2, density=0.18)
    found = []
    for law in (plain, tg.features.Mixture([plain])):

        def features_at(ratio: NDArray[np.float64], law: tg.features.Features = law) -> tg.features.Features:
            return law.replaced(importance=np.stack([np.ones_like(ratio), ratio], axis=-1))

        best = tg.best(tg.exact.minimise(net, features_at(np.array(ends)), seeds=8)).transpose(..., "hidden", "feature")
        found.append(transitions(net, features_at, best["W"].values[None], best["b"].values[None], [ends]).isel(transition=0))
    assert found[0]["order"] == found[1]["order"] == FIRST_ORDER
    assert float(found[1]["value"]) == pytest.approx(float(found[0]["value"]), rel=1e-5)


def test_mistakes_and_nothing() -> None:
    net = tg.nets.ReluOutput(2, 1)
    with pytest.raises(tg.InvalidInputError, match=r"W has shape \(1, 2, 1, 3\)"):
        transitions(
            net, lambda p: tg.features.Independent(2, density=p[:, None]), np.zeros((1, 2, 1, 3)), np.zeros(2), [[0.1, 0.2]]
        )
    with pytest.raises(tg.InvalidInputError, match="pairs of finite positive numbers"):
        transitions(net, lambda p: tg.features.Independent(2, density=p[:, None]), [0], [0], [0.1, 0.2])
    empty = transitions(
        net,
        lambda p: tg.features.Independent(2, density=p[:, None]),
        np.zeros((0, 2, 1, 2)),
        np.zeros((0, 2, 2)),
        np.zeros((0, 2)),
    )
    assert empty.sizes["transition"] == 0
