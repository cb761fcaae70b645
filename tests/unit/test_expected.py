"""Expected losses of any net: exact where they can be, else sampled with a standard error that tells the truth."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.cli.inspect import inspect
from tegum.expected import _sampled, _to_come
from tegum.runs import write_dataset

FEATURES = tg.features.Independent(5, density=[0.1, 0.2, 0.05, 0.3, 0.5], importance=tg.features.geometric(0.8, 5))


def random_parameters(net: tg.nets.Net, seed: int, *lead: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    return {name: generator.normal(size=(*lead, *own)) / 2 for name, own in net.parameter_shapes().items()}


def test_what_has_an_exact_loss_is_exact() -> None:
    net = tg.nets.ReluOutput(5, 2)
    params = random_parameters(net, 0, 3)
    found = tg.expected_loss(net, params, FEATURES)
    assert found.method == "exact"
    np.testing.assert_array_equal(found.value, tg.exact.loss(params["W"], params["b"], FEATURES))
    unbiased = tg.nets.Linear(5, 2, bias=False)
    assert tg.expected_loss(unbiased, {"W": params["W"]}, FEATURES).method == "exact"


@pytest.mark.parametrize("density", [0.02, 0.3, 1.0])
@pytest.mark.parametrize("signed", [False, True])
def test_strata_agree_with_exact_losses(density: float, signed: bool) -> None:
    net, features = tg.nets.ReluOutput(5, 2), FEATURES.replaced(density=density, signed=signed)
    away = []
    for seed in range(24):
        params = random_parameters(net, seed)
        found = _sampled(net, params, features, 2048, seed)
        away.append((found.value - tg.exact.loss(params["W"], params["b"], features)) / found.standard_error)
    # of Student's law with 15 degrees of freedom, whose variance is 15 / 13
    assert 0.6 < np.sqrt(np.mean(np.square(away))) < 1.6
    assert np.abs(away).max() < 5


def test_strata_are_surer_than_plain_samples() -> None:
    net = tg.nets.ReluHidden(5, 3)
    params = random_parameters(net, 1)
    found = tg.expected_loss(net, params, FEATURES, samples=2**14)
    x = FEATURES.sample(2**18, seed=3)
    losses = (FEATURES.importance * (x - net.forward(params, x)) ** 2).sum(axis=-1)
    plain = losses.std() / np.sqrt(losses.size)
    assert abs(found.value - losses.mean()) < 4 * np.hypot(found.standard_error, plain)
    assert found.standard_error < losses.std() / np.sqrt(2**14) / 2


def test_who_is_active_given_how_many() -> None:
    p = FEATURES.density
    counts = np.zeros(6)
    for pattern in itertools.product((0, 1), repeat=5):
        counts[sum(pattern)] += np.prod(np.where(pattern, p, 1 - p))
    for k in (1, 2):
        assert _to_come(p, k, False)[0, k] == pytest.approx(counts[k], rel=1e-14)
    assert _to_come(p, 3, True)[0, 3] == pytest.approx(counts[3:].sum(), rel=1e-14)


@pytest.mark.parametrize(
    ("features", "method"),
    [
        (tg.features.CorrelatedSets(2, 2, density=0.2), "sampled"),
        (tg.features.Independent(4, density=[[0.0] * 4, [0.3] * 4]), "sampled by strata of active features"),
    ],
)
def test_other_distributions(features: tg.features.Features, method: str) -> None:
    net = tg.nets.AbsoluteValue(4, 6)
    params = random_parameters(net, 2, 2)
    found = tg.expected_loss(net, params, features)
    assert found.method == method
    for k, one in enumerate(features.singles() * (1 if features.batch_shape else 2)):
        alone = tg.expected_loss(net, {name: array[k] for name, array in params.items()}, one)
        np.testing.assert_allclose([alone.value, alone.standard_error], [found.value[k], found.standard_error[k]], rtol=1e-9)
        x = one.sample(2**16, seed=5)
        losses = (one.importance * (net.target(x) - net.forward({n: a[k] for n, a in params.items()}, x)) ** 2).sum(axis=-1)
        plain = losses.std() / np.sqrt(losses.size)
        assert abs(found.value[k] - losses.mean()) <= 4 * np.hypot(found.standard_error[k], plain) + 1e-12


@pytest.mark.parametrize("densities", [(0.2, 0.2), (0.2, 0.4)])
def test_each_of_a_batch_has_its_own_importance(densities: tuple[float, float]) -> None:
    net, importances = tg.nets.AbsoluteValue(3, 2), np.array([[1.0, 2.0, 4.0], [0.5, 0.0, 1.0]])
    params = random_parameters(net, 4)
    density = np.reshape(densities, (2, 1)) if len(set(densities)) > 1 else densities[0]
    for family in (tg.features.Independent, lambda n, d, i: tg.features.CorrelatedSets(1, n, d, i)):
        whole = tg.expected_loss(net, params, family(3, density, importances), samples=2**12)
        for k, importance in enumerate(importances):
            alone = tg.expected_loss(net, params, family(3, densities[k], importance), samples=2**12)
            assert (whole.value[k], whole.standard_error[k]) == (alone.value, alone.standard_error)


def test_datasets_bring_their_own_features() -> None:
    recipe = tg.Recipe(steps=20, batch_size=64, evaluation_samples=64, seeds=2)
    features = tg.features.Independent(3, importance=[1, 2, 3])
    for net, method in (
        (tg.nets.ReluOutput(3, 2), "exact"),
        (tg.nets.ReluHidden(3, 2), "sampled by strata of active features"),
    ):
        data = tg.train(net, features, recipe, sweep={"density": [1, 0.1]}, progress=False)
        data["W"][0, 0] = np.nan
        found = tg.expected_loss(data)
        assert (found.method, np.isnan(found.value).tolist()) == (method, [[True, False], [False, False]])
        for k, density in enumerate((1, 0.1)):
            params = {name: data[name].values[k, 1] for name in net.parameter_shapes()}
            alone = tg.expected_loss(net, params, features.replaced(density=density))
            away = 5 * np.hypot(alone.standard_error, found.standard_error[k, 1]) + 1e-12
            assert abs(found.value[k, 1] - alone.value) < away
        with pytest.raises(
            tg.InvalidInputError, match=r"the models belong to features of density 0.1 to 1.0, and other features"
        ):
            tg.expected_loss(net, {"W": data.W, "b": data.b}, features)
        np.testing.assert_array_equal(tg.geometry.shape_names(data), tg.geometry.shape_names(data.W))


@pytest.mark.parametrize("net", [tg.nets.ReluOutput(3, 2), tg.nets.ReluHidden(3, 2)])
def test_parameters_with_names_are_paired_by_names_and_labels(net: tg.nets.Net) -> None:
    features = tg.features.Independent(3, density=[[[0.1]], [[0.5]]])
    plain = random_parameters(net, 0, 2, 2)
    labels = {"density": [0.1, 0.5], "seed": [0, 1]}
    W = xr.DataArray(plain["W"], labels, ("density", "seed", "hidden", "feature"))
    b = xr.DataArray(plain["b"], labels, ("density", "seed", "feature"))
    right = tg.expected_loss(net, plain, features, samples=2**12).value
    assert np.ptp(right) > 0.01
    for given in (b, b.transpose("seed", "feature", "density"), b[:, ::-1], b.transpose("seed", ...)[::-1], b.values):
        for params in ({"W": W, "b": given}, {"b": given, "W": W}):
            np.testing.assert_array_equal(tg.expected_loss(net, params, features, samples=2**12).value, right)
        if isinstance(net, tg.nets.ReluOutput):
            np.testing.assert_allclose(tg.exact.evaluate({"W": W, "b": given}, None, features, net=net).loss, right, rtol=1e-9)
    alike = plain | {"b": np.broadcast_to(plain["b"][0], (2, 2, 3))}
    by_seed = tg.expected_loss(net, {"W": W, "b": b[0]}, features, samples=2**12).value
    np.testing.assert_array_equal(by_seed, tg.expected_loss(net, alike, features, samples=2**12).value)
    with pytest.raises(
        tg.InvalidInputError, match=r"along seed, b has the labels \[0, 2\] and W \[0, 1\]: give both of the same"
    ):
        tg.expected_loss(net, {"W": W, "b": b.assign_coords(seed=[0, 2])}, features)


def test_mistakes_are_named() -> None:
    net = tg.nets.ReluHidden(5, 3)
    with pytest.raises(tg.InvalidInputError, match="samples is 10: choose at least 1024"):
        tg.expected_loss(net, random_parameters(net, 0), FEATURES, samples=10)
    with pytest.raises(tg.InvalidInputError, match="parameter 'W' is missing"):
        tg.expected_loss(net, {"W1": np.zeros((3, 5))}, FEATURES)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
def test_a_model_that_diverged_is_named_also_where_losses_are_sampled(bad: float) -> None:
    net, features = tg.nets.ReluHidden(4, 2), tg.features.Independent(4, density=0.1)
    params = {"W": np.full((3, 2, 4), 0.5), "b": np.zeros((3, 4))}
    params["W"][1, 0, 2] = bad
    with pytest.raises(tg.InvalidInputError, match=r"W in instance 1 is (nan|inf|1e\+200) at \(0, 2\): give finite numbers"):
        tg.expected_loss(net, params, features, samples=10_000)


def test_inspect_samples_nets_without_an_exact_loss(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net, features = tg.nets.ReluHidden(3, 4), tg.features.Independent(3, density=0.3)
    data = tg.train(net, features, tg.Recipe(steps=20, batch_size=64, seeds=2, evaluation_samples=64), progress=False)
    write_dataset(data, tmp_path / "hidden.safetensors")
    assert inspect(tmp_path / "hidden.safetensors") == 0
    shown = capsys.readouterr().out
    params = {name: data[name].values for name in net.parameter_shapes()}
    for value in tg.expected_loss(net, params, features).value:
        assert f"{value:.6g}" in shown
