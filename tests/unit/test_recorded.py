"""A dataset knows its distribution: what it was trained on is rebuilt exactly, at every grid point, and used."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy
import xarray as xr

import tegum as tg
from tegum.features import AnticorrelatedSets, Constant, CorrelatedSets, Exponential, Features, Independent, KSparse, Uniform
from tegum.features.written import written
from tegum.recorded import net_of, of_several_nets
from tegum.runs import read_dataset, write_dataset

RECIPE = tg.Recipe(steps=2, seeds=2, batch_size=64, evaluation_samples=64)
NET = tg.nets.ReluOutput(6, 2)
THIRDS = np.arange(1, 7) / 13

DISTRIBUTIONS = [
    Independent(6, density=1 / 3, importance=tg.features.geometric(0.9, 6)),
    Independent(6, density=[[0.1], [0.2]], magnitude=Constant(2.5), signed=True),
    Independent(6, density=THIRDS, magnitude=Exponential(np.float64(1 / 3))),
    CorrelatedSets(3, 2, density=[0.1, 0.2, 1 / 3], importance=THIRDS),
    AnticorrelatedSets(3, 2, density=THIRDS),
    KSparse(6, 2),
]
SWEEPS: list[dict[str, Any]] = [
    {},
    {"density": [0.1, 0.3]},
    {"importance_ratio": tg.Axis([1, 2], importance=[THIRDS, 2 * THIRDS])},
    {"magnitude": [Uniform(), Exponential(0.5)]},
    {"law": tg.Axis(["a", "b"], magnitude=[Uniform(), Constant()], signed=[True, False]), "steps": [1, 2]},
    {"signed": [False, True], "density": [0.1, 0.2]},
    {"n_active": [1, 3], "importance": [1, 2]},
]


def same(found: Features, expected: Features, point: tuple[int, ...] = ()) -> None:
    assert type(found) is type(expected)
    for name in found.field_names():
        one, other = getattr(found, name), getattr(expected, name)
        one = one[..., 0, :] if isinstance(one, np.ndarray) and one.ndim > 1 else one  # the axis of the seeds
        if isinstance(one, np.ndarray):
            one, other = np.broadcast_arrays(one, other)
        np.testing.assert_array_equal(one, other)


def can_be_swept(features: Features, sweep: dict[str, Any]) -> bool:
    fields = {field for name, axis in sweep.items() for field in getattr(axis, "fields", [name])} - {"steps"}
    return fields <= set(features.field_names()) and not (sweep and features.batch_shape)


@pytest.mark.parametrize(
    ("features", "sweep"), [(one, sweep) for one in DISTRIBUTIONS for sweep in SWEEPS if can_be_swept(one, sweep)]
)
def test_every_distribution_comes_back(features: Features, sweep: dict[str, Any], tmp_path: Path) -> None:
    data = tg.train(NET, features, RECIPE, sweep=sweep, progress=False)
    write_dataset(data, tmp_path / "data.safetensors")
    data = read_dataset(tmp_path / "data.safetensors")
    if not sweep:
        return same(tg.features_of(data), features)
    shape = tuple(len(axis) for axis in sweep.values())
    for point in np.ndindex(shape):
        changes = {}
        for (name, axis), k in zip(sweep.items(), point, strict=True):
            values = getattr(axis, "fields", {name: axis})
            changes |= {field: values[field][k] for field in values if field != "steps"}
        one = data.isel(dict(zip(sweep, point, strict=True)))
        same(tg.features_of(one), features.replaced(**changes))
    return None


@pytest.fixture(scope="module")
def trained() -> xr.Dataset:
    recipe = RECIPE.replaced(steps=200)
    sweep = {"magnitude": [Uniform(), Exponential(0.5)], "density": [1.0, 0.1]}
    return tg.train(tg.nets.ReluOutput(5, 2), Independent(5), recipe, sweep=sweep, progress=False)


def test_losses_of_a_dataset_are_those_of_its_own_features(trained: xr.Dataset) -> None:
    found = tg.exact.evaluate(trained.transpose(..., "density"), gradient=True)
    for k, law in enumerate([Uniform(), Exponential(0.5)]):
        for density in (1.0, 0.1):
            one = trained.isel(magnitude=k).sel(density=density)
            W, b, features = one.W.values, one.b.values, Independent(5, density=density, magnitude=law)
            own = found.isel(magnitude=k).sel(density=density)
            for name, value in tg.exact.evaluate(W, b, features, gradient=True).items():
                np.testing.assert_array_equal(own[name], value)
            alone = trained.isel(magnitude=k).sel(density=density)
            np.testing.assert_array_equal(tg.exact.loss(alone), tg.exact.loss(W, b, features))
            np.testing.assert_array_equal(tg.exact.squared_errors(alone), tg.exact.squared_errors(W, b, features))
    best = tg.best(trained.isel(magnitude=0))
    np.testing.assert_array_equal(tg.exact.loss(best), [tg.exact.loss(best.sel(density=p)) for p in (1.0, 0.1)])


def test_a_linear_model_is_judged_as_one_and_a_diverged_one_is_a_row() -> None:
    data = tg.train(tg.nets.Linear(3, 2), Independent(3, density=0.2), RECIPE, progress=False)
    W, b, features = data.W.values, data.b.values, Independent(3, density=0.2)
    expected = tg.exact.loss(W, b, features, net=tg.nets.Linear(3, 2))
    np.testing.assert_array_equal(tg.exact.loss(data), expected)
    data["W"][0, 0, 0] = np.nan
    assert tg.exact.loss(data).isnull().values.tolist() == [True, False]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda d: tg.exact.loss(d.W, d.b, Independent(5)), "the models belong to features of density 0.1 to 1.0"),
        (lambda d: tg.exact.loss(d.W[1, 1], d.b[1, 1], Independent(5, 0.1)), "features of magnitude Exponential"),
        (lambda d: tg.exact.loss(d[["W", "b"]].isel(density=0), features=Independent(5, 0.5)), "features of density 1.0"),
        (lambda d: tg.exact.loss(d.isel(magnitude=0), features=Independent(5, signed=True)), "features of density 0.1 to 1.0"),
        (lambda d: tg.exact.loss(d.sel(density=1)[["W", "b"]], features=Independent(5, signed=True)), "of magnitude Exp"),
        (lambda d: tg.exact.loss(d.sel(density=1).isel(magnitude=0), features=Independent(5, signed=True)), "of signed False"),
        (lambda d: tg.exact.loss(d.W, d.b), "W is given without features: give both, or the whole dataset"),
        (lambda d: tg.exact.loss(d.W[0], d.b[0, ::-1], Independent(5)), "W and b have different labels along an axis"),
        (lambda d: tg.exact.loss(d.drop_attrs()), "the dataset does not say what its features are"),
        (tg.features_of, "the kind of features varies along magnitude: select one, data.isel(magnitude=0)"),
        (
            lambda d: tg.exact.loss(np.ones((3, 2, 5)), np.zeros((3, 1, 5)), Independent(5)),
            "W has leading axes (3,) and b (3, 1), which pairs every W with every b: give b as (3, 5)",
        ),
    ],
)
def test_nothing_is_crossed_or_judged_on_other_features(call: Any, says: str, trained: xr.Dataset) -> None:
    with pytest.raises(tg.InvalidInputError) as mistake:
        call(trained)
    assert says in str(mistake.value)


def test_other_features_on_purpose(trained: xr.Dataset) -> None:
    assert tg.exact.loss(trained.W.values, trained.b.values, Independent(5)).shape == (2, 2, 2)


def test_each_model_descends_on_its_own_features(trained: xr.Dataset) -> None:
    models = trained.isel(magnitude=0, seed=[0])
    found = tg.exact.minimise_from(models, certify=False)
    alone = tg.exact.minimise(
        tg.nets.ReluOutput(5, 2), Independent(5, 0.1), seeds=1, initial={"W": models.W[1].values, "b": models.b[1].values}
    )
    assert found.loss.sel(density=0.1).item() == pytest.approx(alone.loss.item(), rel=1e-9)
    assert found.loss.dims == ("density", "seed")
    np.testing.assert_array_equal(tg.exact.loss(found), found.loss)


def test_densities_of_features_or_of_models_are_asked_about() -> None:
    pentagons, b, density = np.stack([tg.geometry.polygon(5)] * 5), np.full((5, 5), -0.1), [0.1, 0.2, 0.3, 0.4, 0.5]
    features, net = tg.features.Independent(5, density=density), tg.nets.ReluOutput(5, 2)
    named = xr.DataArray(pentagons, dims=("instance", "hidden", "feature"))
    for call in (
        lambda: tg.exact.loss(pentagons, b, features),
        lambda: tg.exact.loss(named, b, features),
        lambda: tg.exact.squared_errors(pentagons, b, features),
        lambda: tg.exact.loss_and_gradient(pentagons, b, features),
        lambda: tg.exact.best_bias(pentagons, features),
        lambda: tg.expected_loss(net, {"W": pentagons, "b": b}, features),
    ):
        with pytest.raises(
            tg.InvalidInputError, match=r"there are 5 densities, 5 features, and models .* \(5,\): say which is"
        ):
            call()
    each = [tg.exact.loss(pentagons[0], b[0], tg.features.Independent(5, density=p)) for p in density]
    of_models = features.replaced(density=np.reshape(density, (5, 1)))
    np.testing.assert_array_equal(tg.exact.loss(pentagons, b, of_models), each)
    own = tg.exact.loss(pentagons[0], b[0], features)
    np.testing.assert_array_equal(tg.exact.loss(pentagons, b, features.replaced(density=[density])), [own] * 5)
    trained = tg.train(net, features, tg.Recipe(steps=2, seeds=5, batch_size=64), progress=False)
    np.testing.assert_array_equal(tg.exact.loss(trained), tg.exact.loss(trained.W, trained.b, features))


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("magnitude=Uniform(), signed=False, colour='red'", "no colour"),
        ("magnitude=Uniform(), sgned=True", "no sgned"),
        ("magnitude=Uniform()", "without signed"),
        ("signed=False", "without magnitude"),
        ("magnitude=Exponential(men=3.0), signed=False", "did you mean 'mean'"),
    ],
)
def test_features_that_are_not_understood_are_refused(said: str, word: str) -> None:
    recipe = tg.Recipe(steps=1, batch_size=64, evaluation_samples=64)
    data = tg.train(tg.nets.ReluOutput(3, 2), tg.features.Independent(3), recipe, progress=False).isel(seed=0)
    text = f"Independent(n_features=3, density=0.1, importance=1, {said})"
    with pytest.raises(tg.InvalidInputError, match=word):
        tg.features_of(data.assign_attrs(features=text))


def test_of_several_nets_each_model_is_of_its_own(tmp_path: Path) -> None:
    features = Independent(4, density=0.1)
    nets = {"a": tg.nets.ReluOutput(4, 2), "b": tg.nets.Linear(4, 2)}
    runs = {name: tg.train(net, features, RECIPE.replaced(steps=100), progress=False) for name, net in nets.items()}
    write_dataset(of_several_nets(runs), tmp_path / "both.safetensors")
    both = tg.read_weights(tmp_path / "both.safetensors")
    for name, net in nets.items():
        assert net_of(both.sel(net=name)) == net
        expected = tg.exact.loss(runs[name])
        np.testing.assert_array_equal(tg.exact.loss(both.sel(net=name)), expected)
        np.testing.assert_allclose(tg.expected_loss(both.sel(net=name)).value, expected)
    with pytest.raises(tg.InvalidInputError, match=r"of several nets, a, b: select one in Python, such as data.sel\(net='a'\)"):
        tg.exact.loss(both)
    unsaid = both.sel(net="b").drop_attrs(deep=False).assign_attrs(features=both.attrs["features"])
    with pytest.raises(tg.InvalidInputError, match="of the net 'b', and the dataset does not say which that is"):
        tg.exact.loss(unsaid)
    np.testing.assert_array_equal(tg.exact.loss(unsaid, net=nets["b"]), tg.exact.loss(runs["b"]))


F = tg.features
ORDERED = [
    F.FiniteLaw([[1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 0.2, 0], [0, 1, 0, 0]]),
    F.Mixture([Independent(4, [0.1, 0.2, 0.3, 0.4]), Independent(4, 0.5)], weights=[0.3, 0.7]),
    F.Joined([Independent(2, 0.1), CorrelatedSets(1, 2, 0.4)]),
    F.UnitLength(Independent(4, [0.1, 0.2, 0.3, 0.4])),
    CorrelatedSets(2, 2, [0.1, 0.5]),
]


@pytest.mark.parametrize("law", ORDERED, ids=lambda law: type(law).__name__)
def test_features_in_another_order_have_no_law_of_the_old_one(law: Features) -> None:
    net = tg.nets.ReluOutput(4, 2)
    data = tg.train(net, law, tg.Recipe(steps=1, batch_size=64, evaluation_samples=64, seeds=2), progress=False)
    for order in ([2, 0, 3, 1], [0, 2, 1, 3], [0], [1, 2, 3]):
        with pytest.raises(tg.InvalidInputError, match=r"order|length"):
            tg.features_of(data.isel(feature=order))
    np.testing.assert_array_equal(np.squeeze(tg.features_of(data).joint_density()), law.joint_density())


@pytest.mark.parametrize("law", [Independent(4, THIRDS[:4], importance=THIRDS[:4]), KSparse(4, 2), ORDERED[-1]])
def test_what_order_does_not_matter_to_is_judged_in_any(law: Features) -> None:
    data = tg.train(tg.nets.ReluOutput(4, 2), law, RECIPE, progress=False)
    np.testing.assert_allclose(tg.exact.loss(data.isel(feature=[3, 2, 1, 0])), tg.exact.loss(data), rtol=1e-9)


TABLE = np.eye(4)[[0, 1, 1, 3]]
OF_LAWS: list[tuple[Features, str, list[Any]]] = [
    (F.UnitLength(Independent(4, 0.3)), "of", [Independent(4, 0.3), CorrelatedSets(2, 2, [0.2, 0.9])]),
    (F.UnitLength(Independent(4, 0.3)), "of", [F.Mixture([Independent(4, 0.3)]), F.FiniteLaw(TABLE)]),
    (F.FiniteLaw(TABLE), "states", [TABLE, 2 * TABLE[:3]]),
    (F.FiniteLaw(TABLE), "states", [scipy.sparse.csr_array(TABLE), scipy.sparse.csr_array(2 * TABLE)]),
    (F.FiniteLaw(TABLE), "probabilities", [[0.25] * 4, [0.1, 0.2, 0.3, 0.4]]),
    (ORDERED[1], "weights", [[0.5, 0.5], [0.1, 0.9]]),
    (ORDERED[1], "components", [[Independent(4, 0.1)] * 2, [Independent(4, 0.2), CorrelatedSets(2, 2, 0.1)]]),
    (ORDERED[2], "parts", [[Independent(4, 0.1)], [CorrelatedSets(1, 2, 0.1), Independent(2, 0.4)]]),
    (ORDERED[3], "importance", [1.0, THIRDS[:4]]),
]


@pytest.mark.parametrize(("law", "field", "values"), OF_LAWS)
def test_every_field_of_a_law_comes_back_from_a_sweep(law: Features, field: str, values: list[Any], tmp_path: Path) -> None:
    recipe = tg.Recipe(steps=1, batch_size=64, evaluation_samples=64)
    data = tg.train(tg.nets.ReluOutput(4, 2), law, recipe, sweep={field: values}, progress=False)
    write_dataset(data, tmp_path / "data.safetensors")
    for k, value in enumerate(values):
        one = tg.features_of(read_dataset(tmp_path / "data.safetensors").isel({field: k, "seed": 0}))
        expected = law.replaced(**{field: value})
        assert written(one.replaced(importance=1.0)) == written(expected.replaced(importance=1.0))
        np.testing.assert_array_equal(one.importance, expected.importance)
    if field != "importance":
        with pytest.raises(tg.InvalidInputError, match="is not read back: say them"):
            tg.features_of(data.isel({field: 0}).assign_coords({f"feature_{field}": "UnitLength(of=...)"}))


def test_densities_that_nobody_gave_as_a_list_are_not_asked_about() -> None:
    """As many seeds as features: the parts say which feature has which density."""
    law = F.Joined([Independent(1, density=0.1), Independent(1, density=0.3)])
    recipe = tg.Recipe(steps=1, batch_size=64, evaluation_samples=64, seeds=2)
    data = tg.train(tg.nets.ReluOutput(2, 1), law, recipe, progress=False)
    found = tg.exact.loss(data)
    for seed in range(2):
        assert found.values[seed] == tg.exact.loss(data.W.values[seed], data.b.values[seed], law)


def test_models_of_any_origin_are_told_what_their_features_are(tmp_path: Path) -> None:
    """From then on all that takes models knows it; what was measured of other features is gone."""
    np.savez(tmp_path / "mine.npz", W=THIRDS * np.random.default_rng(0).normal(size=(3, 2, 6)), b=np.zeros((3, 6)))
    models, features = tg.read_weights(tmp_path / "mine.npz"), DISTRIBUTIONS[0]
    with pytest.raises(
        tg.InvalidInputError, match=r"does not say what its features are: say them, tegum.with_features\(data, tegum"
    ):
        tg.exact.minimise_from(models)
    told = tg.with_features(models, features)
    same(tg.features_of(told), features)
    assert float(tg.exact.loss(told)[1]) == float(tg.exact.loss(models.W.values[1], models.b.values[1], features))
    assert tg.exact.minimise_from(told).sizes["instance"] == tg.census(told)["count"].sum() == 3
    trained = tg.train(NET, features, RECIPE, progress=False)
    other = tg.with_features(trained, DISTRIBUTIONS[3])
    assert set(other.data_vars) & {"W", "b", "loss", "loss_standard_error", "status"} == {"W", "b", "status"}
    each = tg.with_features(models, Independent(6, density=[[0.1], [0.2], [0.3]]))
    assert tg.features_of(each.isel(instance=2)).density.tolist() == [0.3] * 6
    for wrong, says in ((Independent(5), "there are 5 features, and the models have 6"), (DISTRIBUTIONS[1], r"shape \(2,\)")):
        with pytest.raises(tg.InvalidInputError, match=says):
            tg.with_features(models, wrong)


def test_an_untied_net_with_a_target_map_has_its_exact_loss_from_its_dataset() -> None:
    net = tg.nets.Untied(3, 1, target_map=tg.nets.TargetMap(np.roll(np.eye(3), 1, 0)))
    data = tg.train(net, Independent(3, 0.2), RECIPE, progress=False)
    np.testing.assert_array_equal(tg.exact.loss(data), tg.exact.loss(data, net=net))
    assert "exact loss" not in tg.show(data).absent


@pytest.mark.parametrize("features", [DISTRIBUTIONS[0], DISTRIBUTIONS[3], F.Mixture([Independent(6, 0.1)]), KSparse(6, 2)])
def test_some_of_the_features_are_not_all(features: Features) -> None:
    some = tg.train(NET, features, RECIPE, progress=False).isel(feature=slice(0, 4))
    with pytest.raises(tg.InvalidInputError, match="the dataset holds 4 features of 6: take all features in the order"):
        tg.exact.loss(some)


def test_models_on_stacked_axes_are_judged_without_a_warning() -> None:
    data = tg.train(NET, DISTRIBUTIONS[0], RECIPE, sweep={"density": [0.1, 0.3]}, progress=False)
    flat = data.stack(model=("density", "seed"))
    np.testing.assert_array_equal(tg.exact.loss(flat), tg.exact.loss(data).stack(model=("density", "seed")))
    assert tg.show(flat).figures
