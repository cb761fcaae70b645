"""Scaling laws: closed forms against the exact engine and direct sums, fits of power laws that are known."""

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.experiments.beyond import features_held as packing
from tegum.experiments.beyond import scaling_laws as scaling
from tegum.geometry import polygon


def test_without_superposition_is_the_minimum_of_the_linear_net() -> None:
    features = scaling.world(8, 0.5)
    assert features.density.sum() == pytest.approx(1)
    assert features.density[0] / features.density[3] == pytest.approx(4**1.5)
    for m in (2, 5):
        found = tg.exact.minimise(tg.nets.Linear(8, m), features, seeds=2, progress=False)
        assert float(found["loss"].min()) == pytest.approx(float(scaling.without_superposition(8, m, 0.5)), rel=1e-6)
        W = np.eye(8)[:m]
        b = np.where(np.arange(8) < m, 0.0, features.density)
        loss = float(tg.exact.loss(W, b, features, net=tg.nets.ReluOutput(8, m)))
        assert loss == pytest.approx(float(scaling.without_superposition(8, m, 0.5)), rel=1e-8)


def test_power_laws_have_their_exponent() -> None:
    m = np.array([2.0, 4.0, 8.0, 16.0])
    exact = xr.DataArray(3 * m**-1.5, {"m": m}, ["m"])
    assert scaling.exponent(exact) == pytest.approx((1.5, 0), abs=1e-9)
    noisy = exact * np.exp([0.1, -0.1, -0.1, 0.1])
    value, width = scaling.exponent(noisy)
    x = np.log(m) - np.log(m).mean()
    rest = np.array([0.1, -0.1, -0.1, 0.1])
    assert value == pytest.approx(1.5)
    assert width == pytest.approx(4.302653 * np.sqrt((rest**2).sum() / 2 / (x**2).sum()), rel=1e-6)


def test_closed_exponent_goes_to_alpha() -> None:
    tails = [sum(i**-1.5 for i in range(m + 1, 2000)) for m in (10, 100)]
    by_hand = np.log(tails[0] / tails[1]) / np.log(10)
    found = scaling.closed_exponent(1999, [10, 100, 100], 0.5)
    assert found == pytest.approx(by_hand, abs=0.01)
    assert scaling.closed_exponent(10**6, [10, 30, 100], 0.5) == pytest.approx(0.5, abs=0.02)


def test_overlaps_are_those_of_long_vectors() -> None:
    W = np.concatenate([1.1 * polygon(5), [[0.6, 0.1], [0.0, 0.0]]], axis=1)
    found = scaling.measured(W, np.zeros(7), scaling.world(7, -1.0))
    assert (found["represented"], found["above"]) == (6, 5)
    angles = np.cos(2 * np.pi * np.array([1, 2, 3, 4]) / 5) ** 2
    assert found["overlap"] == pytest.approx(angles.mean())
    assert found["overlap"] == pytest.approx((5 - 2) / (2 * (5 - 1)))


def test_counts_that_follow_g_have_its_exponent() -> None:
    g = packing.packing(packing.DENSITIES)
    assert g[-1] == pytest.approx(1 / (0.01 * np.log(100)))
    assert packing.exponent(0.9 * g**0.7) == pytest.approx(0.7)
    squares = xr.DataArray(
        [[[[0.6, 0.4, 0.1, 0.9]] * 4]],
        {"kind": ["trained"], "importance": ["uniform"]},
        ["kind", "importance", "density", "feature"],
    )
    data = xr.Dataset({"squares": squares}, attrs={"m": 2})
    assert packing.held(data, "trained", "uniform").tolist() == [1.0] * 4
    assert packing.held(data, "trained", "uniform", 0.3).tolist() == [1.5] * 4
