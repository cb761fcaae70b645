"""Energy levels end to end, on a few seeds; the detector finds nothing in linear models."""

import numpy as np
import pytest
import xarray as xr

from tegum.experiments.s6_dynamics import energy_levels as levels
from tegum.experiments.s6_dynamics.shared import FLOW, TRAINING, found_events


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(levels, "SEEDS", {"quick": 4})
        patch.setattr(levels, "RECIPE", levels.RECIPE.replaced(steps=4000, record_steps=150, batch_size=256))
        patch.setattr(levels, "TIMES", np.geomspace(0.1, 1000, 150))
        return levels.study("quick")


def test_the_exact_flow_never_climbs_and_ends_in_digons(data: xr.Dataset) -> None:
    path = levels.path_of(data, FLOW)
    assert (np.diff(path["loss"].values, axis=1) < 1e-6).all()
    assert levels.digons(path) == 1
    assert data.attrs["flows_that_gave_up"] == 0


def test_training_starts_at_the_same_weights_and_loses_more_than_the_flow(data: xr.Dataset) -> None:
    assert (data["relu_step_loss"].isel(step=-1) > data["relu_time_loss"].isel(time=-1).min() * 0.999).all()
    assert (data["relu_time_loss"].isel(time=0) < data["relu_step_loss"].isel(step=0)).all()


def test_linear_models_neither_end_as_digons_nor_jump_in_the_flow(data: xr.Dataset) -> None:
    assert levels.digons(levels.path_of(data, TRAINING, "linear")) == 0
    assert found_events(levels.path_of(data, FLOW, "linear")) == [[]] * 4


def test_every_statement_is_judged_in_both_engines_with_a_control(data: xr.Dataset) -> None:
    claims = levels.claims(data)
    assert [claim.name for claim in claims] == [f"{what}-{how}" for how in ("training", "flow") for what in ("digons", "swaps")]
    assert all(claim.control is not None and not claim.control.holds for claim in claims)


def test_flows_that_gave_up_are_neither_digons_nor_events(data: xr.Dataset) -> None:
    cut = data.copy(deep=True)
    for name in ("W", "loss"):
        cut[f"relu_time_{name}"][1, -20:] = np.nan
    cut["relu_time_D"][1, -20:] = 0
    path, whole = levels.path_of(cut, FLOW), levels.path_of(data, FLOW)
    assert path.sizes["seed"] == 3
    assert found_events(path) == [events for k, events in enumerate(found_events(whole)) if k != 1]


def test_pictures_are_drawn_with_a_slider(data: xr.Dataset) -> None:
    figures = levels.figures(data)
    assert len(figures["levels"].picture.data) == 2 * (levels.N + 1)
    legend = [trace.name for trace in figures["levels"].picture.data if trace.showlegend]
    assert set(legend) == {trace.name for trace in figures["levels"].picture.data if trace.name}
    assert len(legend) == len(set(legend))
    (slider,) = figures["slider"].picture.layout.sliders
    assert len(slider.steps) == 60
