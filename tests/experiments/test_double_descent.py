"""Double descent: what the experiments count and compare, on small inputs whose answer is plain."""

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.experiments.beyond import descent_minima, double_descent
from tegum.experiments.beyond.shared import PRINTED, SHORT, losses, rise_and_fall, sets_of, trained
from tegum.features import Independent, UnitLength
from tegum.figures.planes import plane_panels

WORLD = UnitLength(Independent(24, density=0.1))


def test_recipes_go_as_far() -> None:
    assert SHORT.steps * SHORT.learning_rate == PRINTED.steps * PRINTED.learning_rate
    assert SHORT.warmup_steps / SHORT.steps == PRINTED.warmup_steps / PRINTED.steps == 0.05


def test_a_rise_and_a_fall_are_counted_from_the_ends() -> None:
    assert rise_and_fall(xr.DataArray([1.0, 6.0, 2.0])) == {"rise": 6.0, "fall": 3.0}


def test_time_has_a_peak_where_both_ends_are_lower() -> None:
    history = xr.DataArray([[1.0, 3.0, 2.0], [1.0, 2.0, 3.0]], dims=("T_recorded", "step"))
    assert double_descent.hump(history).values.tolist() == [0.5, 0.0]


def test_a_second_circle_is_shared_and_samples_elsewhere_are_none() -> None:
    outer = [3.0] * 10
    count = double_descent.on_inner_circle
    assert count(np.array([*outer, 1.5, 1.6, 1.55, 1.5])) == 4
    assert count(np.array(outer)) == count(np.linspace(3, 3.3, 20)) == 0
    assert count(np.array([*outer, 0.01, 0.02, 0.02])) == 0  # at the origin
    assert count(np.array([*outer, 0.5, 0.9, 1.6])) == 1  # each at another radius


def test_order_is_one_where_samples_are_a_regular_polygon() -> None:
    world = UnitLength(Independent(24, density=0.3))  # five samples are linearly independent, and may lie anywhere
    models = trained(tg.nets.ReluOutput(24, 2), world, 5, SHORT.replaced(steps=1, warmup_steps=0), 1)
    x = sets_of(world, 5, 1)[0].table
    models["W"] = models["W"].dims, np.linalg.lstsq(x, tg.geometry.polygon(5).T)[0].T[None]
    found = double_descent.geometry({5: models}, world)
    assert float(found["sample_order"][0, 0]) == pytest.approx(1)
    assert int(found["inner"][0, 0]) == 0


def test_trainings_and_minima_of_a_small_world_hang_together() -> None:
    recipe = SHORT.replaced(steps=60, warmup_steps=3, evaluation_samples=640)
    net = tg.nets.ReluOutput(24, 2)
    runs = {size: trained(net, WORLD, size, recipe, 2) for size in (3, 40)}
    curve = losses(runs, "T")
    assert curve["loss"].dims == ("T", "seed")
    assert (curve["training_loss"].sel(T=3) < curve["loss"].sel(T=3)).all()
    shown = double_descent.pictures(runs, WORLD)
    assert np.isnan(shown["sample_vectors"].sel(T_shown=3).values[:, 3:]).all()
    found = descent_minima.minimised(WORLD, [3, 40], 200, 1024)
    assert (found["minimum_loss"].sel(T_minimised=40)[:2].min() < curve["training_loss"].sel(T=40)).all()
    assert (found["minimum_test_error"] < found["minimum_test"]).all()


def test_sizes_of_the_peak_and_after_it_are_found() -> None:
    data = xr.Dataset(
        {"loss": (("T", "seed"), [[0.9], [5.0], [0.9], [0.8]]), "minimum_loss": (("T_minimised", "start"), np.zeros((4, 3)))},
        {"T": [3, 10, 30, 100], "T_minimised": [3, 10, 30, 100]},
    )
    assert (descent_minima.peak_size(data), descent_minima.after_size(data)) == (10, 30)


def test_planes_are_drawn_with_equal_units() -> None:
    figure = plane_panels({"a": {"features": np.eye(2), "samples": np.ones((2, 3))}, "b": {"features": np.eye(2)}})
    assert [trace.name for trace in figure.data] == ["features", "samples", "features"]
    assert [trace.showlegend for trace in figure.data] == [True, True, False]
    assert figure.layout.yaxis2.scaleanchor == "x2"
    for wrong in ({}, {"a": {"features": np.ones((3, 2))}}):
        with pytest.raises(tg.InvalidInputError):
            plane_panels(wrong)
