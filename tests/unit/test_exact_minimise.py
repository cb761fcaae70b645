"""The census of minima: each start ends where an independent optimiser ends, with a status that says what it is."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import minimize

import tegum as tg
from tegum.exact import certificate
from tegum.exact.certificate import flat_projector, smallest_eigenvalues
from tests.oracle import rational

FIVE_IN_TWO = tg.nets.ReluOutput(5, 2)
SPARSE = tg.features.Independent(5, density=0.1)


@pytest.fixture(scope="module")
def census() -> xr.Dataset:
    return tg.exact.minimise(FIVE_IN_TWO, tg.features.Independent(5), seeds=48, sweep={"density": [0.05, 0.5]}, progress=False)


def test_every_start_converges_and_says_what_it_is(census: xr.Dataset) -> None:
    assert set(census.status.values.ravel()) <= {"minimum", "saddle"}
    assert (census.gradient_norm <= 1e-8).all()
    assert (census.rechecked_gradient_norm <= 1e-6).all()
    np.testing.assert_array_equal(census.hits, (census.loss <= census.loss.min("seed") * (1 + 1e-6)).sum("seed"))
    assert census.attrs["not_converged"] == 0
    minima = census.status == "minimum"
    assert (census.curvature.where(minima, 1) > -1e-6).all()


def test_losses_and_gradients_are_the_exact_ones(census: xr.Dataset) -> None:
    for density in census.density.values:
        features = tg.features.Independent(5, density=density)
        here = census.sel(density=density)
        loss, dW, db = tg.exact.loss_and_gradient(here.W, here.b, features)
        np.testing.assert_allclose(loss, here.loss, rtol=1e-9)
        norm = np.sqrt((dW**2).sum(("hidden", "feature")) + (db**2).sum("feature"))
        assert norm.max() < 3e-7


def test_the_sparse_optimum_is_the_pentagon(census: xr.Dataset) -> None:
    best = tg.best(census.sel(density=0.05))
    gram = best.W.values.T @ best.W.values
    np.testing.assert_allclose(
        np.sort(gram / gram[0, 0], axis=1), np.tile(np.sort(np.cos(2 * np.pi * np.arange(5) / 5)), (5, 1)), atol=1e-6
    )


@pytest.mark.parametrize(
    "features",
    [
        tg.features.Independent(4, density=[0.1, 0.3, 0.3, 0.6], importance=tg.features.geometric(0.8, 4)),
        tg.features.CorrelatedSets(2, 2, density=0.2),
        tg.features.AnticorrelatedSets(2, 2, density=0.3),
        tg.features.Independent(4, density=0.2, magnitude=tg.features.Exponential(0.5)),
    ],
    ids=["independent", "correlated", "anticorrelated", "exponential"],
)
def test_an_independent_optimiser_finds_nothing_lower(features: tg.features.Features) -> None:
    net = tg.nets.ReluOutput(4, 2)
    found = tg.exact.minimise(net, features, seeds=12, progress=False)
    assert (found.status != "not converged").all()
    objective = tg.exact.Objective(net, features, terms=128)
    for seed in range(3):
        start = np.concatenate([np.random.default_rng(seed).normal(size=8) * 0.6, np.zeros(4)])
        theirs = minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-7})
        assert theirs.fun > float(found.loss.min()) - 1e-7


def test_a_linear_net_keeps_the_most_important_features() -> None:
    features = tg.features.Independent(4, density=0.3, importance=np.array([4.0, 3.0, 2.0, 1.0]))
    best = tg.best(tg.exact.minimise(tg.nets.Linear(4, 2), features, seeds=8, progress=False))
    left = features.covariance()[2, 2] * 2 + features.covariance()[3, 3] * 1
    assert float(best.loss) == pytest.approx(left, rel=1e-9)
    np.testing.assert_allclose((best.W.values**2).sum(0), [1, 1, 0, 0], atol=1e-6)


def test_a_start_on_a_saddle_stays_there_and_is_called_one() -> None:
    found = tg.exact.minimise(FIVE_IN_TWO, SPARSE, seeds=1, initial={"b": np.full(5, 0.05)}, progress=False)
    assert found.status.item() == "saddle"
    assert float(found.curvature.item()) < -1e-3
    assert found.start.item() == "given"


def test_alone_is_in_batch_bit_for_bit() -> None:
    batch = tg.exact.minimise(FIVE_IN_TWO, SPARSE, seeds=12, threads=2, progress=False)
    one = tg.exact.minimise(FIVE_IN_TWO, SPARSE, seeds=(7,), threads=1, progress=False)
    for name in ("W", "b", "loss", "gradient_norm", "steps", "evaluations"):
        np.testing.assert_array_equal(batch[name].sel(seed=7), one[name].sel(seed=7))


def test_warm_starts_come_from_the_neighbours_and_never_hurt() -> None:
    features = tg.features.Independent(3)
    settings = {"seeds": 2, "sweep": {"density": [0.1, 0.3, 0.8]}, "progress": False}
    cold = tg.exact.minimise(tg.nets.ReluOutput(3, 1), features, **settings)
    warm = tg.exact.minimise(tg.nets.ReluOutput(3, 1), features, warm_starts=2, **settings)
    assert list(warm.start.values) == [
        "random",
        "random",
        "best of the point before along density",
        "best of the point after along density",
    ]
    each = [name for name in cold if name != "hits"]
    xr.testing.assert_equal(cold[each].drop_attrs(), warm[each].isel(seed=slice(2)).drop_attrs())
    assert (tg.best(warm).loss.values <= tg.best(cold).loss.values + 1e-12).all()


def test_too_few_steps_is_said_and_best_does_not_choose_it() -> None:
    found = tg.exact.minimise(FIVE_IN_TWO, SPARSE, seeds=3, most_steps=2, progress=False)
    assert (found.status == "not converged").all()
    with pytest.raises(tg.InvalidInputError, match="minimise with more steps"):
        tg.best(found)


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(tg.InvalidInputError) as caught:
        tg.exact.minimise(
            tg.nets.ReluHidden(4, 2),
            tg.features.Independent(5, signed=True),
            seeds=0,
            sweep={"densty": [1]},
            gradient_tolerance=0,
            most_steps=0,
            terms=100,
            tol=2,
            warm_starts=-1,
            threads=0,
        )
    said = str(caught.value)
    for part in ("ReluHidden", "densty", "seeds is 0", "most_steps is 0", "terms is 100", "tol is 2", "threads is 0"):
        assert part in said


def test_the_projector_covers_the_rotations_and_nothing_else() -> None:
    W = np.random.default_rng(0).normal(size=(2, 3, 5))
    W[1, 2] = 0
    W[1, 1] = 2 * W[1, 0]
    projector = flat_projector(W)
    np.testing.assert_allclose(projector @ projector, projector, atol=1e-12)
    np.testing.assert_allclose(np.trace(projector, axis1=1, axis2=2), [3, 2], atol=1e-9)
    smallest, _ = smallest_eigenvalues(np.broadcast_to(np.diag(np.arange(1.0, 21)), (2, 20, 20)), projector)
    assert (smallest > 0.9).all()


def test_a_net_without_bias_keeps_none() -> None:
    net = tg.nets.ReluOutput(2, 1, bias=False)
    found = tg.exact.minimise(net, tg.features.Independent(2, density=0.5), seeds=8, progress=False)
    assert (found.b == 0).all()
    minima = tg.theory.two_in_one_minima(0.5)
    np.testing.assert_allclose(float(tg.best(found).loss), minima[0, 2], rtol=1e-8)
    assert set(np.unique(found.loss.values.round(6))) <= set(minima[:, 2].round(6))
    assert (found.status == "minimum").all()
    with pytest.raises(tg.InvalidInputError, match="without bias"):
        tg.exact.minimise(net, tg.features.Independent(2), seeds=1, initial={"b": np.ones(2)})


@pytest.mark.parametrize("penalised", [False, True])
def test_lanczos_finds_the_same_curvature(penalised: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    penalties = [tg.exact.L2(1e-3), tg.exact.Interference(0.01)] if penalised else []
    how: dict[str, Any] = {"seeds": 2, "penalties": penalties, "progress": False}
    dense = tg.exact.minimise(FIVE_IN_TWO, SPARSE, **how)
    monkeypatch.setattr("tegum.exact.certificate._MOST_DENSE", 5)
    sparse = tg.exact.minimise(FIVE_IN_TWO, SPARSE, **how)
    np.testing.assert_allclose(sparse.curvature, dense.curvature, rtol=1e-6)
    monkeypatch.setattr("tegum.exact.certificate._MOST_ROWS", 4)
    unknown = tg.exact.minimise(FIVE_IN_TWO, SPARSE, **how)
    assert unknown.curvature.isnull().all()
    assert (unknown.status == "converged").all()


def test_flat_directions_of_large_models_are_not_taken_for_saddles() -> None:
    """720 parameters: the smallest curvature is 2e-5 of the largest or less, and the whole Hessian has it, too."""
    importance = tg.features.power_law(1, 48)
    net, features = tg.nets.ReluOutput(48, 14), tg.features.Independent(48, density=0.05, importance=importance)
    how: dict[str, Any] = {"terms": 256, "gradient_tolerance": 1e-5, "progress": False}
    found = tg.exact.minimise(net, features, seeds=1, **how).isel(seed=0)
    objective = tg.exact.Objective(net, features, terms=256)
    whole = objective.hessian_by_rows(objective.flat(found.W, found.b))
    assert whole is not None
    least = tg.exact.curvatures(whole[0], tg.exact.rotation_modes(found.W.values))[0]
    assert float(found.curvature) == pytest.approx(least, rel=1e-2)
    assert abs(least) < 1e-4
    assert found.status == ("minimum" if least > -1e-6 * np.abs(whole[0]).max() else "saddle")


def test_without_a_certificate_the_same_ends_are_called_converged(census: xr.Dataset) -> None:
    sweep = {"density": [0.05, 0.5]}
    plain = tg.exact.minimise(
        FIVE_IN_TWO, tg.features.Independent(5), seeds=4, sweep=sweep, certify=False, gradient_tolerance=1e-8, progress=False
    )
    assert (plain.status == "converged").all()
    assert plain.curvature.isnull().all()
    np.testing.assert_array_equal(plain.W, census.W.isel(seed=slice(4)))
    assert float(tg.best(plain).loss.sel(density=0.5)) == float(plain.loss.sel(density=0.5).min())


def test_a_start_that_runs_out_of_steps_is_given_up() -> None:
    found = tg.exact.minimise(FIVE_IN_TWO, SPARSE, seeds=6, most_steps=4, certify=False, progress=False)
    assert (found.status == "not converged").all()
    assert found.steps.max() <= 5


def test_minima_of_sets_are_minima_of_the_exact_loss() -> None:
    """Its gradients converge as fast as those of single features; rational arithmetic agrees at the reported point."""
    features = tg.features.CorrelatedSets(2, 2, density=0.3)
    found = tg.best(tg.exact.minimise(tg.nets.ReluOutput(4, 2), features, seeds=8, progress=False))
    exact = rational.loss(found.W.values, found.b.values, features)
    slopes = np.concatenate([np.ravel(rational.floats(exact.dW)), rational.floats(exact.db)])
    assert float(found.rechecked_gradient_norm) < 2e-6
    assert np.linalg.norm(slopes) == pytest.approx(float(found.rechecked_gradient_norm), abs=1e-8)
    assert abs(float(found.loss) - float(exact.loss)) <= float(found.loss_error) + 1e-15


def test_at_a_kink_the_curvature_is_that_of_the_side_that_curves_least() -> None:
    """A feature with a dimension to itself has bias 0: the mean Hessian curves by 0.0637, the flattest side by 0.0374."""
    net, features = tg.nets.ReluOutput(3, 2), tg.features.Independent(3, density=0.5)
    found = tg.best(tg.exact.minimise(net, features, seeds=4, progress=False))
    objective = tg.exact.Objective(net, features, terms=4096)
    x = objective.flat(found.W, found.b)
    modes = tg.exact.rotation_modes(found.W.values)
    rest = np.eye(9) - modes.T @ modes
    gradient, h = objective.gradient(x), 1e-4
    sides = [rest @ v / np.linalg.norm(rest @ v) for v in np.random.default_rng(0).normal(size=(200, 9))]
    curved = [float(v @ (objective.gradient(x + h * v) - gradient)) / h for v in sides]
    assert float(found.curvature) <= min(curved) + 1e-3
    assert float(found.curvature) == pytest.approx(0.0374, abs=2e-4)
    assert tg.exact.curvatures(objective.hessian(x), modes)[0] == pytest.approx(0.0637, abs=2e-4)


def test_exchanged_features_find_what_as_many_random_starts_miss() -> None:
    features = tg.features.Independent(6, density=0.1, importance=tg.features.geometric(0.8, 6))
    net = tg.nets.ReluOutput(6, 2)
    settings = {"root_seed": 2, "certify": False, "progress": False}
    random = tg.exact.minimise(net, features, seeds=64, **settings)
    found = tg.exact.minimise(net, features, **settings)
    assert found.sizes["seed"] == random.sizes["seed"]
    assert float(found.loss.min()) < float(random.loss.min()) * (1 - 1e-4)
    assert list(found.start.values[[0, 31, 32, 63]]) == ["random"] * 2 + ["two features of the best exchanged"] * 2
    xr.testing.assert_equal(found.W[:32].drop_vars("start"), random.W[:32].drop_vars("start"))
    lowest = found.loss.values <= float(found.loss.min()) * (1 + 1e-6)
    assert int(found.hits) == lowest[:32].sum() < lowest.sum()  # what exchanges lead back to says nothing of random starts
    assert found.attrs["found_once"] == int(found.hits <= 1)


@pytest.mark.parametrize("n", [2, 3])
def test_exchanges_of_features_of_different_densities(n: int) -> None:
    """There may be as many candidates as features: the densities are those of features."""
    features, net = tg.features.Independent(n, density=[0.1, 0.3, 0.5][:n]), tg.nets.ReluOutput(n, 1)
    found = tg.exact.minimise(net, features, seeds=6, exchanges=2, certify=False, progress=False)
    plain = tg.exact.minimise(net, features, seeds=6, exchanges=0, certify=False, progress=False)
    assert found.sizes["seed"] > 6
    assert float(found.loss.min()) <= float(plain.loss.min()) * (1 + 1e-9)


def test_exchanges_are_tried_at_every_grid_point_and_where_there_are_few() -> None:
    features = tg.features.Independent(3, importance=[1, 0.8, 0.6])
    sweep = {"density": [0.1, 0.5]}
    found = tg.exact.minimise(tg.nets.ReluOutput(3, 1), features, seeds=2, exchanges=2, sweep=sweep, progress=False)
    assert found.sizes == {"density": 2, "seed": 2 + 2 * 3, "hidden": 1, "feature": 3}
    alone = tg.exact.minimise(tg.nets.ReluOutput(3, 1), features.replaced(density=0.5), seeds=2, exchanges=2, progress=False)
    np.testing.assert_array_equal(found.loss.sel(density=0.5), alone.loss)


def test_ends_that_are_alike_are_looked_at_once_and_found_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dedicated features sit on a kink: where every end is looked at by itself, curvatures agree to what differences allow."""
    looked, one_end = [], certificate._to_one_side
    monkeypatch.setattr(certificate, "_to_one_side", lambda *end: looked.append(1) or one_end(*end))
    found = []
    for same in (certificate._SAME_LOSS, -1.0):
        monkeypatch.setattr(certificate, "_SAME_LOSS", same)
        features = tg.features.Independent(4, importance=tg.features.geometric(0.9, 4))
        sweep = {"density": [0.3, 0.8]}
        minima = tg.exact.minimise(tg.nets.ReluOutput(4, 3), features, seeds=8, sweep=sweep, exchanges=0, progress=False)
        found.append((minima, len(looked)))
    (once, few), (each, many) = found
    assert 0 < few < (many - few) / 2
    np.testing.assert_array_equal(once["status"], each["status"])
    np.testing.assert_allclose(once["curvature"], each["curvature"], atol=1e-4)


@pytest.mark.parametrize(
    ("features", "factor"), [({"importance": 1e-7}, 1e7), ({"magnitude": tg.features.Uniform(0, 1e-3)}, 1e6)]
)
def test_losses_too_small_for_the_tolerance_are_warned_of_and_the_advice_helps(features: dict[str, Any], factor: float) -> None:
    net, how = tg.nets.ReluOutput(5, 2), {"seeds": 4, "threads": 1, "progress": False}
    small = tg.features.Independent(5, density=0.05, **features)
    with pytest.warns(UserWarning, match="multiply the importances") as warned:
        tg.exact.minimise(net, small, **how)
    assert warned[0].filename == __file__  # where it was called
    found = tg.exact.minimise(net, small.replaced(importance=small.importance * factor), **how)
    usual = tg.exact.minimise(net, tg.features.Independent(5, density=0.05), **how)
    np.testing.assert_allclose(found.loss, usual.loss, rtol=1e-6)


def test_what_reaches_a_loss_of_0_is_counted() -> None:
    """Constant magnitudes that exclude each other: a pair in one dimension loses nothing, as well as that can be known."""
    features = tg.features.AnticorrelatedSets(1, 2, density=0.3, magnitude=tg.features.Constant())
    found = tg.exact.minimise(tg.nets.ReluOutput(2, 1), features, seeds=8, progress=False)
    assert (bool(found.loss.max() < 1e-14), int(found.hits), found.found_once) == (True, 8, 0)


def test_initial_parameters_are_as_many_starts_as_they_have() -> None:
    net, features = tg.nets.ReluOutput(2, 1), tg.features.Independent(2, density=0.1)
    several = np.array([[[1.0, -0.5]], [[0.2, 0.5]], [[1.0, 0.1]]])
    for W, count in ((several[0], 1), (several, 3)):
        assert tg.exact.minimise(net, features, initial={"W": W}, progress=False).sizes["seed"] == count


def test_warm_starts_without_neighbours_are_refused_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tegum.exact.search.Search.run", None)
    with pytest.raises(tg.InvalidInputError, match="warm_starts is set and the grid has one point"):
        tg.exact.minimise(tg.nets.ReluOutput(2, 1), tg.features.Independent(2, density=0.1), warm_starts=1)


def test_where_nothing_matters_no_end_is_a_saddle() -> None:
    features = tg.features.Independent(3, 0.1, importance=0.0)
    found = tg.exact.minimise(tg.nets.ReluOutput(3, 2), features, seeds=4, progress=False)
    assert (found.status == "minimum").all()
