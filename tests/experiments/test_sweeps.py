"""The sweep over density, shortened; its checks know a linear model, antipodal pairs and noise from one another."""

import numpy as np
import pytest
import xarray as xr

from tegum.experiments.s2_demonstration import sweep_n20
from tegum.experiments.s2_demonstration.shared import best, represented


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep_n20, "RECIPE", {"quick": sweep_n20.RECIPE["quick"].replaced(steps=6000, seeds=4)})
        return sweep_n20.study("quick")


def test_dense_features_are_kept_linearly_and_moderately_sparse_ones_pair(data: xr.Dataset) -> None:
    claims = {claim.name: claim for claim in sweep_n20.claims(data)}
    assert claims["dense-is-linear"].verdict == claims["linear-top"].verdict == claims["pairs-0.1"].verdict == "held"
    assert represented(best(data)).sel(density=0.1) > 5
    assert not any(control.holds for claim in claims.values() for control in claim.controls)


def test_untrained_weights_pass_nothing(data: xr.Dataset) -> None:
    noise = data.copy()
    noise["W"] = data["W"].copy(data=np.random.default_rng(0).normal(size=data["W"].shape).astype(np.float32))
    noise["b"] = xr.zeros_like(data["b"])
    assert not any(claim.holds for claim in sweep_n20.claims(noise))


@pytest.mark.parametrize(
    ("opposites", "holds"),
    [
        ([None, None, None, None, None], False),
        ([None, None, None, 5, 6, 3, 4], True),
        ([None, None, 5, 6, None, 2, 3], False),
    ],
    ids=["nothing shared", "the most important alone", "a less important one alone"],
)
def test_pairs_leave_the_most_important_alone(data: xr.Dataset, opposites: list[int | None], holds: bool) -> None:
    claim = next(claim for claim in sweep_n20.claims(data) if claim.name == "pairs-0.3")
    W = np.zeros((5, 20))
    axes = iter(range(5))
    for feature, other in enumerate(opposites):
        if other is not None and other < feature:
            W[:, feature] = -W[:, other]
        else:
            W[next(axes), feature] = 1
    assert claim.applied_to(xr.Dataset({"W": (("hidden", "feature"), W), "b": ("feature", np.zeros(20))})).holds == holds
