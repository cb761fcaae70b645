"""The sweeps over density end to end, shortened; the claims know a linear model from a ReLU one."""

import numpy as np
import pytest
import xarray as xr

from tegum.experiments.s2_demonstration import sweep_n20 as sweep_small
from tegum.experiments.s2_demonstration import sweep_n80 as sweep_large
from tegum.experiments.s2_demonstration.shared import best, represented


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep_small, "RECIPE", {"quick": sweep_small.RECIPE["quick"].replaced(steps=6000, seeds=4)})
        return sweep_small.study("quick")


def test_dense_worlds_are_linear_and_moderately_sparse_ones_pair(data: xr.Dataset) -> None:
    verdicts = {claim.name: claim for claim in sweep_small.claims(data)}
    assert verdicts["dense-is-linear"].verdict == "held"
    assert verdicts["count"].control is not None
    assert not verdicts["count"].control.holds
    assert represented(best(data, 0.1)) > 5
    assert not any(claim.control.holds for claim in verdicts.values() if claim.control is not None)


def test_untrained_weights_pass_nothing(data: xr.Dataset) -> None:
    noise = data.copy()
    noise["W"] = data["W"].copy(data=np.random.default_rng(0).normal(size=data["W"].shape).astype(np.float32))
    noise["b"] = xr.zeros_like(data["b"])
    assert not any(claim.holds for claim in sweep_small.claims(noise))


def test_pictures_have_a_map_and_a_bar_for_each_model(data: xr.Dataset) -> None:
    figures = sweep_small.figures(data)
    assert len(figures["models"].picture.data) == 2 * 8
    assert len(figures["reading"].picture.data) == 2 * 2


def test_the_large_sweep_is_judged_too() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep_large, "RECIPE", {"quick": sweep_large.RECIPE["quick"].replaced(steps=300, seeds=1)})
        data = sweep_large.study("quick")
    assert [claim.name for claim in sweep_large.claims(data)] == ["count", "rescaled"]
    assert set(sweep_large.figures(data)) == {"models"}
