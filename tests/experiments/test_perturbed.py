"""One feature perturbed, end to end on few runs; branches against closed forms, and every check on what must not pass."""

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.claims import Claim
from tegum.experiments.s5_perturbed_pentagon import one_density, shared
from tegum.experiments.s5_perturbed_pentagon.shared import DIGONS, OWN_BRANCHES, PENTAGON, features_at
from tegum.report.part import lab_links


def polygon(*degrees: float) -> np.ndarray:
    return np.stack([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))])


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared, "POINTS", {"quick": 5})
        recipe = shared.RECIPE["quick"].replaced(steps=2500, seeds=8, batch_size=512, learning_rate=2e-3)
        patch.setattr(shared, "RECIPE", {"quick": recipe})
        return one_density.study("quick")


def test_the_digons_branch_is_its_closed_form_within_a_hundredth(data: xr.Dataset) -> None:
    loss = data["branch_loss"].sel(branch=DIGONS)
    p = shared.DENSITY * loss["branch_ratio"]
    closed = p / 3 - p**2 / 4 + 2 * shared.DENSITY**2 / 3
    assert loss.notnull().all()
    assert (loss <= closed).all()
    assert float((1 - loss / closed).max()) < 0.01


def test_points_of_a_branch_are_minima_with_the_exact_loss_of_their_weights(data: xr.Dataset) -> None:
    for ratio in (0.2, 0.4, 1.0, 10.0):
        point = data.sel(branch=PENTAGON, branch_ratio=ratio)
        features = features_at("density", ratio)
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
            features_at("density", where),
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
    features = features_at("density", float(last["lost_at"]) + beyond)
    start = {"W": last["branch_W"].values, "b": last["branch_b"].values}
    end = tg.exact.minimise(tg.nets.ReluOutput(5, 2), features, seeds=1, initial=start).isel(seed=0)
    assert (np.linalg.norm(end["W"].values[:, 0]) > 0.9) == stays
    assert (end["loss"] > 0.0045) == stays


def test_losses_of_runs_are_exact_and_above_the_lowest_branch(data: xr.Dataset) -> None:
    lowest = data["branch_loss"].min("branch").rename(branch_ratio="ratio").sel(ratio=data["ratio"], method="nearest")
    assert (data["loss"] > lowest * (1 - 1e-6)).all()
    run = data.isel(ratio=0, seed=3)
    again = tg.exact.loss(run["W"].values, run["b"].values, features_at("density", 0.1))
    assert float(run["loss"]) == pytest.approx(float(again), rel=1e-5)


@pytest.fixture(scope="module")
def claims(data: xr.Dataset) -> dict[str, Claim]:
    return {claim.name: claim for claim in one_density.claims(data)}


def test_what_the_exact_branches_decide_is_decided(claims: dict[str, Claim]) -> None:
    exact = ("collapse", "first-order", "table", "uniform-crossing", "uniform-table", "norm-formula", "norm-bounds")
    assert all(claims[name].verdict == "held" for name in exact)
    for name in ("neighbours", "critical-ratio"):
        assert claims[name].verdict == "failed"
        assert claims[name].disagreement is not None
    found = claims["critical-ratio"].found
    assert found is not None
    assert float(found.value["times sparser"]) == pytest.approx(1 / 0.269081, rel=1e-5)


def test_pictures_hold_every_run_and_the_branches(data: xr.Dataset) -> None:
    figures = one_density.figures(data)
    losses = figures["losses"].picture
    dots = [trace for trace in losses.data if trace.mode == "markers" and trace.name != "the branch ends"]
    assert sum(len(trace.x) for trace in dots) == data["loss"].size
    assert sum(trace.name.startswith("exact") for trace in losses.data) == 4
    upright = figures["solutions"].picture.data[1]
    assert upright.x[1] == pytest.approx(0, abs=1e-9)
    assert upright.y[1] > 0.9
    links = lab_links(figures["solutions"].picture)
    assert [link["title"].rpartition(", ")[2] for link in links[1:3]] == ["branch ratio 10", "branch ratio 0.001"]
    for link, (branch, ratio) in zip(links[1:3], ((PENTAGON, 10), (DIGONS, 0.001)), strict=True):
        said, known = tg.lab.read(link["address"]), data["branch_loss"].sel(branch=branch, branch_ratio=ratio)
        assert float(tg.exact.loss(said.W, said.b, said.features)) == pytest.approx(float(known), rel=1e-8)


def test_importance_bends_the_pentagon_in_the_same_way() -> None:
    data = shared.branches("importance")
    assert (np.diff(shared.neighbour_gaps(data, PENTAGON)) > 0).all()
    assert float(data["crossing"]) == pytest.approx(0.367779, abs=2e-6)
    assert float(data["lost_at"].sel(branch=PENTAGON)) < float(data["crossing"])
    assert float(data["slope"].sel(branch=DIGONS)) > 1.1 * float(data["slope"].sel(branch=PENTAGON)) > 0


def test_checks_refuse_what_is_not_the_shape(claims: dict[str, Claim]) -> None:
    pentagon = polygon(0, 72, 144, 216, 288)
    pairs = np.column_stack([np.zeros(2), polygon(10, 190, 100, 280)])

    def passed(name: str, W: np.ndarray) -> bool:
        return claims[name].applied_to(W).holds

    assert passed("regular", pentagon)
    assert not passed("regular", polygon(0, 75, 144, 216, 288))
    assert not passed("regular", pentagon * [1, 1, 1, 1, 1.03])
    assert not passed("regular", pairs)
    assert passed("two-digons", pairs)
    assert passed("two-digons", pairs[:, [0, 3, 1, 4, 2]])
    assert not passed("two-digons", pentagon)
    assert not passed("two-digons", pairs * [1, 1, 1, 1, 0.8])
    assert not passed("two-digons", np.column_stack([[0.2, 0], pairs[:, 1:]]))
    assert not passed("two-digons", np.column_stack([np.zeros(2), polygon(0, 180, 70, 250)]))
    random = np.random.default_rng(0).normal(size=(20, 2, 5))
    assert not any(passed(name, W) for name in ("regular", "two-digons") for W in random)


def test_a_run_is_on_a_curve_of_its_own_geometry_only() -> None:
    losses = {"branch": [PENTAGON, *OWN_BRANCHES["two digons"]], "branch_ratio": [1.0]}
    exact = xr.DataArray([[1.0], [2.0], [3.0], [np.nan]], losses)
    kind = np.array([["pentagon", "pentagon", "two digons", "two digons", "triangle"]])
    runs = {"loss": (("ratio", "seed"), [[1.04, 1.06, 3.1, 1.0, 1.0]]), "kind": (("ratio", "seed"), kind)}
    data = xr.Dataset(runs | {"branch_loss": exact}, {"ratio": [1.0]})
    assert shared.on_own_curve(data).tolist() == [True, False, True, False]


def test_kinds_and_the_gap_of_known_shapes() -> None:
    pentagon, pairs = polygon(0, 72, 144, 216, 288), np.column_stack([np.zeros(2), polygon(10, 190, 100, 280)])
    triangle = np.column_stack([polygon(0, 120, 240), np.zeros((2, 2))])
    assert shared.kinds_of(np.stack([pentagon, pairs, triangle, polygon(0, 1, 2, 3, 4)])).tolist() == [
        "pentagon",
        "two digons",
        "triangle",
        "another geometry",
    ]
    assert shared.neighbour_gap(polygon(90, 40, 150, -60, -120)) == pytest.approx(110)
    assert np.isnan(shared.neighbour_gap(pairs))


def test_where_losses_are_equal_is_found_between_grid_points() -> None:
    apart = xr.DataArray([1.0, 0.5, -0.5, -1.0], {"ratio": [0.1, 0.2, 0.4, 0.8]})
    assert shared.where_equal(apart) == pytest.approx(0.2 * 2**0.5)
    assert shared.where_equal(apart.where(apart != 0.5)) == pytest.approx(0.1 * 4 ** (2 / 3))
    assert np.isnan(shared.where_equal(apart[:2]))
    assert np.isnan(shared.where_equal(-apart))
    assert np.isnan(shared.where_equal(apart * np.nan))
