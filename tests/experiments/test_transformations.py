"""Learning as geometry on a few models: what bundles up and becomes an octahedron, and what does not."""

import numpy as np
import xarray as xr

from tegum.experiments.s6_dynamics import transformations as experiment
from tegum.experiments.s6_dynamics.shared import FLOW, TRAINING
from tests.experiments.reduced import reduced

recipe = experiment.RECIPE.replaced(steps=6000, batch_size=512, record_steps=150)
times = np.geomspace(1, 1500, 120)
data = reduced(experiment, SEEDS=4, OTHERS=3, FLOWS=1, DENSITY=0.05, RECIPE=recipe, TIMES=times)


def test_sets_bundle_up_and_become_an_octahedron(data: xr.Dataset) -> None:
    path = experiment.path_of(data, TRAINING)
    assert experiment.octahedra(path).all()
    assert any(experiment.bundles(path))
    flow = experiment.path_of(data, FLOW)
    assert "B" in experiment.order(experiment.visits(flow)[0])
    assert (np.diff(flow["loss"].values, axis=1) < 1e-6).all()


def test_neither_independent_features_nor_linear_models_do(data: xr.Dataset) -> None:
    independent, linear = experiment.path_of(data, experiment.INDEPENDENT), experiment.path_of(data, experiment.LINEAR)
    assert experiment.bundles(independent) == [[]] * 3
    assert experiment.on_one_axis(independent) == 0
    assert not experiment.octahedra(linear).any()
    assert experiment.ways_to_octahedra({"linear": linear})["ways"] == 0


def test_controls_of_bundles_fail(data: xr.Dataset) -> None:
    for claim in experiment.claims(data):
        if claim.name.startswith(("bundles", "one-axis", "several")):
            assert not any(control.holds for control in claim.controls)


def test_pictures_have_two_views_and_a_slider(data: xr.Dataset) -> None:
    for figure in experiment.figures(data).values():
        picture = figure.picture
        assert len(picture.data) == 2 * 12 + 2
        (slider,) = picture.layout.sliders
        assert len(slider.steps) == 50
        moved = slider.steps[0].args[0]
        assert len(moved["x"]) == len(moved["z"]) == len(slider.steps[0].args[1]) == 13
