"""Initial parameters with labels begin the models of the same labels, in whatever order those are asked for."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import tegum as tg

NET, FEATURES = tg.nets.ReluOutput(3, 1), tg.features.Independent(3)
STILL = tg.Recipe(steps=1, learning_rate=1e-20, weight_decay=0, batch_size=64, seeds=3, evaluation_samples=64)
DENSITIES = [0.3, 0.05]


@pytest.fixture(scope="module")
def first() -> xr.Dataset:
    return tg.train(NET, FEATURES, STILL, sweep={"density": DENSITIES}, progress=False)


def given(data: xr.Dataset, **labels: object) -> dict[str, xr.DataArray]:
    return {"W": data["W"].sel(labels), "b": data["b"].sel(labels)}  # type: ignore[arg-type]


@pytest.mark.parametrize("densities", [DENSITIES, DENSITIES[::-1]])
@pytest.mark.parametrize("seeds", [(0, 1, 2), (2, 0)])
@pytest.mark.parametrize("cut", [False, True])
def test_the_same_labels_go_together(
    first: xr.Dataset, densities: list[float], seeds: tuple[int, ...], cut: bool, tmp_path: Path
) -> None:
    initial = given(first, seed=sorted(seeds))
    with tg.executing(folder=tmp_path) if cut else nullcontext():
        again = tg.train(
            NET, FEATURES, STILL.replaced(seeds=seeds), sweep={"density": densities}, initial=initial, progress=False
        )
    expected = first["W"].sel(density=densities, seed=list(seeds))
    np.testing.assert_array_equal(again["W"].transpose(*expected.dims), expected)


def test_a_search_begins_with_the_model_of_its_density(first: xr.Dataset) -> None:
    settings = {"initial": given(first, seed=[1, 2]), "most_steps": 1, "progress": False}
    straight, found = (
        tg.exact.minimise(NET, FEATURES, sweep={"density": each}, **settings) for each in (DENSITIES, DENSITIES[::-1])
    )
    np.testing.assert_array_equal(found["loss"].sel(density=DENSITIES), straight["loss"])
    assert found["seed"].values.tolist() == [0, 1]


def test_the_best_of_each_density_begins_all_its_starts(first: xr.Dataset) -> None:
    best = tg.best(first)
    again = tg.train(
        NET, FEATURES, STILL, sweep={"density": DENSITIES}, initial={"W": best["W"], "b": best["b"]}, progress=False
    )
    for k in range(3):
        np.testing.assert_array_equal(again["W"].isel(seed=k), best["W"])


def test_other_labels_go_by_their_order_and_half_of_them_are_refused(first: xr.Dataset) -> None:
    onwards = tg.train(NET, FEATURES, STILL, sweep={"density": [0.2, 0.04]}, initial=given(first), progress=False)
    np.testing.assert_array_equal(onwards["W"], first["W"])
    with pytest.raises(tg.InvalidInputError, match=r"along density, initial W has the labels \[0.3, 0.05\] and the models"):
        tg.train(NET, FEATURES, STILL, sweep={"density": [0.05, 0.01]}, initial=given(first), progress=False)
