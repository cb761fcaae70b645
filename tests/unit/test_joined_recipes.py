"""Trainings of several recipes in one dataset: every recipe stays, on the page as in the data."""

import json

import xarray as xr

import tegum as tg
from tegum.datasets import joined
from tegum.report.part import made_of

NET, FEATURES = tg.nets.ReluOutput(2, 1), tg.features.Independent(2)
SHORT = tg.Recipe(steps=2, batch_size=64, seeds=1, evaluation_samples=64)


def trained(steps: int, densities: list[float]) -> xr.Dataset:
    return tg.train(NET, FEATURES, SHORT.replaced(steps=steps), sweep={"density": densities}, progress=False)


def test_both_recipes_are_kept_with_what_they_are_of() -> None:
    data = joined([trained(2, [1.0, 0.5]), trained(4, [0.1])], "density", join="outer")
    assert "recipe" not in data.attrs
    assert [json.loads(data.attrs[f"recipe_{k}"])["steps"] for k in (1, 2)] == [2, 4]
    assert [data.attrs[f"recipe_{k}_density"] for k in (1, 2)] == ["1, 0.5", "0.1"]
    assert json.loads(made_of(data)["recipe_2"])["steps"] == 4


def test_one_recipe_stays_one() -> None:
    data = joined([trained(2, [1.0]), trained(2, [0.5])], "density")
    assert json.loads(data.attrs["recipe"])["steps"] == 2
    assert not [name for name in data.attrs if str(name).startswith("recipe_")]


def test_what_any_of_them_was_trained_on_is_seen() -> None:
    plain = tg.train(NET, FEATURES, SHORT, sweep={"density": [0.5]}, progress=False)
    penalised = tg.train(NET, FEATURES, SHORT.replaced(l1=0.1), sweep={"density": [0.1]}, progress=False)
    assert "another loss (a penalty on activity)" in tg.census(joined([plain, penalised], "density")).attrs["loss"]
