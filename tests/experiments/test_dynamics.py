"""Learning dynamics on a few models: what ends as digons and jumps, what becomes an octahedron, and what does not."""

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.experiments.s6_dynamics import energy_levels as levels
from tegum.experiments.s6_dynamics import shared
from tegum.experiments.s6_dynamics import transformations as sets
from tegum.experiments.s6_dynamics.shared import FLOW, TRAINING
from tegum.report.part import lab_links
from tests.experiments.reduced import reduced

recipe = levels.RECIPE.replaced(steps=4000, record_steps=150, batch_size=256)
flown = reduced(levels, SEEDS=4, RECIPE=recipe, TIMES=np.geomspace(0.1, 1000, 150))
recipe, times = sets.RECIPE.replaced(steps=6000, batch_size=512, record_steps=150), np.geomspace(1, 1500, 120)
moved = reduced(sets, SEEDS=4, OTHERS=3, FLOWS=1, DENSITY=0.05, RECIPE=recipe, TIMES=times)


def test_the_exact_flow_never_climbs_and_ends_in_digons(flown: xr.Dataset) -> None:
    path = levels.path_of(flown, FLOW)
    assert (np.diff(path["loss"].values, axis=1) < 1e-6).all()
    assert levels.digons(path).all()
    assert flown.attrs["flows_that_gave_up"] == 0


def test_training_starts_at_the_same_weights_and_loses_more_than_the_flow(flown: xr.Dataset) -> None:
    assert (flown["relu_step_loss"].isel(step=-1) > flown["relu_time_loss"].isel(time=-1).min() * 0.999).all()
    assert (flown["relu_time_loss"].isel(time=0) < flown["relu_step_loss"].isel(step=0)).all()


def test_linear_models_neither_end_as_digons_nor_jump_in_the_flow(flown: xr.Dataset) -> None:
    assert not levels.digons(levels.path_of(flown, TRAINING, "linear")).any()
    found = levels.found_events(levels.path_of(flown, FLOW, "linear"))
    assert found == [[]] * 4
    assert levels.shares(found) == dict.fromkeys(levels.SORTS, 0)


def test_events_are_counted_by_sort() -> None:
    swap = levels.Event(1, 2, 10.0, 11.0, risen=(0,), fallen=(1,), loss_drop=0.1, quiet=0.01)
    jump = levels.Event(1, 2, 10.0, 11.0, risen=(0,), fallen=(), loss_drop=0.1, quiet=0.09)
    assert list(levels.shares([[jump], [jump, swap], [], []]).values()) == [0.5, 0.25, 0.25, 0.25]
    assert levels.shown([[jump], [jump, swap], []]) == 1


def test_the_large_models_are_judged_where_they_were_trained_and_not_run_elsewhere(
    flown: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"LARGE": (12, 3), "LARGE_SEEDS": 3, "LINEAR_SEEDS": 2}.items():
        monkeypatch.setattr(levels, name, value)
    large = levels.large_paths(levels.RECIPE.replaced(steps=2000, batch_size=128))
    data = xr.merge([flown, shared.side_by_side(large)], combine_attrs="override")
    for judged, verdicts in ((flown, {"not run"}), (data, {"held", "failed", "underpowered"})):
        claims = levels.large_claims(judged)
        assert [claim.name for claim in claims] == ["swaps-large", "second-larger-large"]
        assert {claim.verdict for claim in claims} <= verdicts
    assert claims[0].evidence.words.startswith("3 models, all counted")
    assert claims[0].controls[0].value == dict.fromkeys(levels.SORTS, 0)


def test_flows_that_gave_up_are_neither_digons_nor_events(flown: xr.Dataset) -> None:
    cut = flown.copy(deep=True)
    for name in ("W", "loss"):
        cut[f"relu_time_{name}"][1, -20:] = np.nan
    cut["relu_time_D"][1, -20:] = 0
    path, whole = levels.path_of(cut, FLOW), levels.path_of(flown, FLOW)
    assert path.sizes["seed"] == 3
    assert levels.found_events(path) == [events for k, events in enumerate(levels.found_events(whole)) if k != 1]


def test_pictures_have_a_legend_of_their_own_lines_and_a_slider(flown: xr.Dataset) -> None:
    figures = levels.figures(flown)
    assert len(figures["levels"].picture.data) == 2 * (levels.N + 1)
    legend = [trace.name for trace in figures["levels"].picture.data if trace.showlegend]
    assert set(legend) == {trace.name for trace in figures["levels"].picture.data if trace.name}
    assert len(legend) == len(set(legend))
    (slider,) = figures["slider"].picture.layout.sliders
    assert len(slider.steps) == 60


def test_sets_bundle_up_and_become_an_octahedron(moved: xr.Dataset) -> None:
    path = sets.path_of(moved, TRAINING)
    assert sets.octahedra(path).all()
    assert any(sets.bundles(path))
    flow = sets.path_of(moved, FLOW)
    assert "B" in sets.order(sets.visits(flow)[0])
    assert (np.diff(flow["loss"].values, axis=1) < 1e-6).all()


def test_neither_independent_features_nor_linear_models_do(moved: xr.Dataset) -> None:
    independent, linear = sets.path_of(moved, sets.INDEPENDENT), sets.path_of(moved, sets.LINEAR)
    assert sets.bundles(independent) == [[]] * 3
    assert not any(sets.on_one_axis(independent))
    assert not sets.octahedra(linear).any()
    assert sets.ways_to_octahedra({"linear": linear})["ways"] == 0


def test_controls_of_bundles_fail(moved: xr.Dataset) -> None:
    for claim in sets.claims(moved):
        if claim.name.startswith(("bundles", "one-axis", "several")):
            assert not any(control.holds for control in claim.controls)


def test_pictures_have_two_views_and_a_slider(moved: xr.Dataset) -> None:
    for figure in sets.figures(moved).values():
        picture = figure.picture
        assert len(picture.data) == 2 * 12 + 2
        (slider,) = picture.layout.sliders
        assert len(slider.steps) == 50
        mark = slider.steps[0].args[0]
        assert len(mark["x"]) == len(mark["z"]) == len(slider.steps[0].args[1]) == 13


def test_both_open_in_the_lab_with_the_loss_drawn(
    flown: xr.Dataset, moved: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sets, "DENSITY", 0.05)  # that of the data
    for module, data, name in ((levels, flown, "slider"), (sets, moved, "flow"), (sets, moved, "training")):
        first, last = lab_links(module.figures(data)[name].picture)
        assert [first["title"], last["title"]] == ["at the beginning", "at the end"]
        path = module.path_of(data, TRAINING if name == "training" else FLOW)
        said = tg.lab.read(last["address"])
        loss = tg.exact.loss(said.W, said.b, said.features)
        assert np.abs(path["loss"].values[:, -1] / loss - 1).min() < 1e-3  # W is kept in single precision
