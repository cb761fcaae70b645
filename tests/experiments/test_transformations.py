"""Learning as geometry end to end, on a few starts."""

import numpy as np
import pytest
import xarray as xr

from tegum.experiments.s6_dynamics import transformations as experiment
from tegum.experiments.s6_dynamics.shared import FLOW, TRAINING


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiment, "SEEDS", {"quick": 4})
        patch.setattr(experiment, "OTHERS", {"quick": 3})
        patch.setattr(experiment, "FLOWS", {"quick": 1})
        patch.setattr(experiment, "DENSITY", 0.05)
        patch.setattr(experiment, "RECIPE", experiment.RECIPE.replaced(steps=6000, batch_size=512, record_steps=150))
        patch.setattr(experiment, "TIMES", np.geomspace(1, 1500, 120))
        return experiment.study("quick")


def test_sets_bundle_up_and_become_an_octahedron(data: xr.Dataset) -> None:
    path = experiment.path_of(data, TRAINING)
    assert experiment.octahedra(path) == 1
    assert experiment.bundled(path)[0] > 0
    flow = experiment.path_of(data, FLOW)
    assert "B" in experiment.order(experiment.visits(flow)[0])
    assert (np.diff(flow["loss"].values, axis=1) < 1e-6).all()


def test_neither_independent_features_nor_linear_models_do(data: xr.Dataset) -> None:
    assert experiment.bundled(experiment.path_of(data, experiment.INDEPENDENT)) == (0, 0)
    assert experiment.octahedra(experiment.path_of(data, experiment.LINEAR)) == 0


def test_every_check_has_a_control_that_fails(data: xr.Dataset) -> None:
    claims = experiment.claims(data)
    names = [f"{what}-{how}" for how in ("training", "flow") for what in ("octahedron", "bundles", "one-axis", "plateaus")]
    assert [claim.name for claim in claims] == [*names, "several-ways"]
    assert all(claim.control is not None for claim in claims)
    assert not any(
        claim.control.holds for claim in claims if claim.control and claim.name.startswith(("bundles", "one-axis", "several"))
    )


def test_pictures_have_two_views_and_a_slider(data: xr.Dataset) -> None:
    for figure in experiment.figures(data).values():
        picture = figure.picture
        assert len(picture.data) == 2 * 12 + 2
        (slider,) = picture.layout.sliders
        assert len(slider.steps) == 50
        moved = slider.steps[0].args[0]
        assert len(moved["x"]) == len(moved["z"]) == len(slider.steps[0].args[1]) == 13
