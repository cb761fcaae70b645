"""One feature perturbed, end to end on few runs; branches against closed forms, and every check on what must not pass."""

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.experiments.s5_perturbed_pentagon import one_density, one_importance
from tegum.experiments.s5_perturbed_pentagon import perturbed_claims as shared
from tegum.experiments.s5_perturbed_pentagon.shared import (
    DENSITY,
    DIGONS,
    PENTAGON,
    branches,
    kinds_of,
    neighbour_gap,
    trained_crossing,
    world,
)


def polygon(*degrees: float) -> np.ndarray:
    return np.stack([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))])


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(one_density, "POINTS", {"quick": 5})
        recipe = one_density.RECIPE["quick"].replaced(steps=2500, seeds=8, batch_size=512, learning_rate=2e-3)
        patch.setattr(one_density, "RECIPE", {"quick": recipe})
        return one_density.study("quick")


def test_the_digons_branch_is_its_closed_form_within_a_hundredth(data: xr.Dataset) -> None:
    loss = data["branch_loss"].sel(branch=DIGONS)
    p = DENSITY * loss["branch_ratio"]
    closed = p / 3 - p**2 / 4 + 2 * DENSITY**2 / 3
    assert loss.notnull().all()
    assert (loss <= closed).all()
    assert float((1 - loss / closed).max()) < 0.01


def test_points_of_a_branch_are_minima_with_the_exact_loss_of_their_weights(data: xr.Dataset) -> None:
    for ratio in (0.2, 0.4, 1.0, 10.0):
        point = data.sel(branch=PENTAGON, branch_ratio=ratio)
        features = world("density", ratio)
        loss, dW, db = tg.exact.loss_and_gradient(point["branch_W"].values, point["branch_b"].values, features)
        assert float(loss) == pytest.approx(float(point["branch_loss"]), rel=1e-8)
        assert np.abs(dW).max() < 1e-7
        assert np.abs(db).max() < 1e-7
        assert point["branch_curvature"] > 0


def test_the_crossing_is_where_both_losses_are_equal_and_the_pentagon_ends_below_it(data: xr.Dataset) -> None:
    where = float(data["crossing"])
    assert where == pytest.approx(0.269081, abs=2e-6)
    starts = {name: data.sel(branch=name, branch_ratio=0.25) for name in (PENTAGON, DIGONS)}
    found = [
        tg.exact.minimise(
            tg.nets.ReluOutput(5, 2),
            world("density", where),
            seeds=1,
            initial={"W": start["branch_W"].values, "b": start["branch_b"].values},
        )["loss"].item()
        for start in starts.values()
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-6)
    assert float(data["lost_at"].sel(branch=PENTAGON)) == pytest.approx(0.12415, abs=1e-5)
    assert data["branch_loss"].sel(branch=PENTAGON, branch_ratio=slice(None, 0.124)).isnull().all()


@pytest.mark.parametrize(("beyond", "stays"), [(1e-4, True), (-1e-4, False)])
def test_a_descent_leaves_the_pentagon_just_below_where_the_branch_ends(data: xr.Dataset, beyond: float, stays: bool) -> None:
    last = data.sel(branch=PENTAGON).dropna("branch_ratio").isel(branch_ratio=0)
    features = world("density", float(last["lost_at"]) + beyond)
    start = {"W": last["branch_W"].values, "b": last["branch_b"].values}
    end = tg.exact.minimise(tg.nets.ReluOutput(5, 2), features, seeds=1, initial=start).isel(seed=0)
    assert (np.linalg.norm(end["W"].values[:, 0]) > 0.9) == stays
    assert (end["loss"] > 0.0045) == stays


def test_losses_of_runs_are_exact_and_above_the_lowest_branch(data: xr.Dataset) -> None:
    lowest = data["branch_loss"].min("branch").rename(branch_ratio="ratio").sel(ratio=data["ratio"], method="nearest")
    assert (data["loss"] > lowest * (1 - 1e-6)).all()
    run = data.isel(ratio=0, seed=3)
    again = tg.exact.loss(run["W"].values, run["b"].values, world("density", 0.1))
    assert float(run["loss"]) == pytest.approx(float(again), rel=1e-5)


def test_the_claims_are_judged_and_no_control_passes(data: xr.Dataset) -> None:
    claims = {claim.name: claim for claim in one_density.claims(data)}
    assert len(claims) == 12
    assert all(claim.control is not None and not claim.control.holds for claim in claims.values())
    exact = ("critical-ratio", "collapse", "first-order", "table", "uniform-crossing", "uniform-table", "norm-formula")
    assert all(claims[name].verdict == "held" for name in exact)
    assert claims["critical-ratio"].disagreement is not None
    assert claims["neighbours"].verdict == "failed"
    assert claims["neighbours"].disagreement is not None


def test_pictures_hold_every_run_and_the_branches(data: xr.Dataset) -> None:
    figures = one_density.figures(data)
    losses = figures["losses"].picture
    dots = [trace for trace in losses.data if trace.mode == "markers" and trace.name != "the branch ends"]
    assert sum(len(trace.x) for trace in dots) == data["loss"].size
    assert sum(trace.name.startswith("exact") for trace in losses.data) == 4
    upright = figures["solutions"].picture.data[1]
    assert upright.x[1] == pytest.approx(0, abs=1e-9)
    assert upright.y[1] > 0.9


def test_importance_bends_the_pentagon_in_the_same_way() -> None:
    data = branches("importance")
    gap = shared.gaps(data, PENTAGON)
    assert (np.diff(gap.values) > 0).all()
    assert float(data["crossing"]) == pytest.approx(0.367779, abs=2e-6)
    assert float(data["lost_at"].sel(branch=PENTAGON)) < float(data["crossing"])
    assert shared.first_order_claim(data).verdict == "held"
    assert one_importance.experiment.id == "one-importance"


def test_checks_refuse_what_is_not_the_shape() -> None:
    pentagon = polygon(0, 72, 144, 216, 288)
    pairs = np.column_stack([np.zeros(2), polygon(10, 190, 100, 280)])
    assert shared.regular_pentagon(pentagon)[0]
    assert not shared.regular_pentagon(polygon(0, 75, 144, 216, 288))[0]
    assert not shared.regular_pentagon(pentagon * [1, 1, 1, 1, 1.03])[0]
    assert not shared.regular_pentagon(pairs)[0]
    assert shared.two_digons(pairs)[0]
    assert not shared.two_digons(pentagon)[0]
    assert not shared.two_digons(np.column_stack([[0.2, 0], pairs[:, 1:]]))[0]
    assert not shared.two_digons(np.column_stack([np.zeros(2), polygon(0, 180, 70, 250)]))[0]
    random = np.random.default_rng(0).normal(size=(20, 2, 5))
    assert not any(shared.two_digons(W)[0] or shared.regular_pentagon(W)[0] for W in random)


def test_kinds_and_the_gap_of_known_shapes() -> None:
    pentagon, pairs = polygon(0, 72, 144, 216, 288), np.column_stack([np.zeros(2), polygon(10, 190, 100, 280)])
    triangle = np.column_stack([polygon(0, 120, 240), np.zeros((2, 2))])
    assert kinds_of(np.stack([pentagon, pairs, triangle, polygon(0, 1, 2, 3, 4)])).tolist() == [
        "pentagon",
        "two digons",
        "triangle",
        "another geometry",
    ]
    assert neighbour_gap(polygon(90, 40, 150, -60, -120)) == pytest.approx(110)
    assert np.isnan(neighbour_gap(pairs))


def test_the_trained_crossing_is_found_between_grid_points() -> None:
    ratio = np.array([0.1, 0.2, 0.4])
    loss = np.array([[3.0, 2.0, 9.0], [3.0, 2.5, 9.0], [3.0, 3.5, 9.0]])
    kind = np.array([["pentagon", "two digons", "another geometry"]] * 3)
    data = xr.Dataset({"loss": (("ratio", "seed"), loss), "kind": (("ratio", "seed"), kind)}, {"ratio": ratio})
    assert trained_crossing(data) == pytest.approx(0.2 * 2**0.5)
    assert np.isnan(trained_crossing(data.isel(ratio=[0, 1])))
    assert np.isnan(trained_crossing(data, behind=1))
    later = data.assign(loss=data["loss"].copy(data=np.array([[3.0, 2.0, 9.0], [3.0, 2.9, 9.0], [2.8, 3.5, 9.0]])))
    assert trained_crossing(later) == pytest.approx(0.2 * 2 ** (1 / 8))
    assert trained_crossing(later, behind=1) == pytest.approx(0.2 * 2 ** (1 / 1.1))
