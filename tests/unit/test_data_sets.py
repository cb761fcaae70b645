"""Data sets: drawn once, stored as sparse rows, trained on, minimised on, kept on disk; samples of unit length."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy
from numpy.typing import NDArray

import tegum as tg
from tegum.errors import InvalidInputError
from tegum.features import Constant, Exponential, FiniteLaw, Independent, KSparse, Mixture, UnitLength, data_set
from tegum.features.written import read, written
from tegum.runs import fingerprint, read_data_set, write_data_set
from tests.oracle import twin

SPARSE = Independent(40, density=0.1, importance=np.linspace(1, 2, 40))
LAWS = {"sparse": SPARSE, "dense": Independent(5, density=0.7, signed=True), "unit": UnitLength(Independent(30, density=0.1))}


@pytest.mark.parametrize("law", LAWS)
def test_a_smaller_set_is_the_beginning_of_a_larger_one(law: str) -> None:
    small, large = (data_set(LAWS[law], count, seed=3) for count in (65, 150))
    np.testing.assert_array_equal(small.table, large.table[:65])
    assert scipy.sparse.issparse(small.states) == (law != "dense")
    assert (data_set(LAWS[law], 65, seed=4).table != small.table).any()
    np.testing.assert_array_equal(small.importance, LAWS[law].importance)


def test_a_set_of_many_features_is_never_dense() -> None:
    samples = data_set(Independent(10_000, density=0.001), 2000, seed=0)
    assert samples.rows.nnz == pytest.approx(2000 * 10, rel=0.05)
    assert samples.rows is samples.states
    W = np.random.default_rng(0).normal(size=(2, 10_000)) / 50
    assert tg.exact.loss(W, np.zeros(10_000), samples) > 0


@pytest.mark.parametrize(("n", "density", "samples"), [(10**6, 1.0, 10**9), (2, 0.1, 2**34)])
def test_a_set_that_no_memory_holds_is_refused_at_once(n: int, density: float, samples: int) -> None:
    with pytest.raises(InvalidInputError, match=r"a data set of [\d,]+ samples would need"):
        data_set(Independent(n, density), samples)


def _both() -> tuple[FiniteLaw, FiniteLaw]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 6)) * (rng.uniform(size=(12, 6)) < 0.4)
    p = rng.dirichlet(np.ones(12))
    return FiniteLaw(x, p, np.arange(1.0, 7)), FiniteLaw(scipy.sparse.csr_array(x), p, np.arange(1.0, 7))


def test_sparse_states_are_the_same_law() -> None:
    dense, sparse = _both()
    for name in ("mean", "second_moment", "joint_density", "covariance"):
        np.testing.assert_allclose(getattr(sparse, name)(), getattr(dense, name)(), atol=1e-15)
    np.testing.assert_array_equal(sparse.sample(50, seed=1), dense.sample(50, seed=1))
    np.testing.assert_allclose(sparse.density, dense.density)
    assert sparse.signed is dense.signed is True
    W, b = np.random.default_rng(1).normal(size=(2, 6)), np.linspace(-0.3, 0.3, 6)
    for net in (None, tg.nets.Linear(6, 2), tg.nets.ActivationOutput(6, 2, activation="gelu")):
        one, other = (tg.exact.evaluate(W, b, law, gradient=True, net=net) for law in (dense, sparse))
        for name in ("loss", "squared_error", "dW", "db"):
            np.testing.assert_allclose(one[name], other[name], rtol=1e-12, atol=1e-14)
    for ask in (tg.exact.tails, tg.exact.moments):
        more = {"thresholds": [0.1]} if ask is tg.exact.tails else {"orders": [2]}
        assert ask(W, b, dense, **more).identical(ask(W, b, sparse, **more))


@pytest.mark.parametrize("wrong", [[[0.0, np.nan]], [[0.0, 1e16]]])
def test_a_wrong_number_is_named_by_its_place(wrong: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"state 0 of feature 1 is (nan|1e\+16)"):
        FiniteLaw(scipy.sparse.csr_array(np.array(wrong)))


def test_text_files_and_fingerprints_keep_every_bit(tmp_path: Path) -> None:
    for law in (data_set(SPARSE, 20), data_set(LAWS["dense"], 5), *_both()):
        write_data_set(law, tmp_path / "a.safetensors")
        for again in (read(written(law)), read_data_set(tmp_path / "a.safetensors")):
            assert fingerprint(again) == fingerprint(law)
            np.testing.assert_array_equal(again.table, law.table)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_data_set(data_set(SPARSE, 20), path)
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match="damaged"):
        read_data_set(path)
    tg.runs.write_dataset(_models(), path)
    with pytest.raises(InvalidInputError, match="holds no data set"):
        read_data_set(path)


def _models() -> Any:
    recipe = tg.Recipe(steps=1, batch_size=64, evaluation_samples=64)
    return tg.train(tg.nets.ReluOutput(3, 2), Independent(3), recipe, progress=False)


def _exactly(W: NDArray[Any], b: NDArray[Any], x: NDArray[Any], p: NDArray[Any], importance: NDArray[Any]) -> Any:
    """Squared errors, dW and db in rational numbers."""
    W, b, x, p, importance = (np.vectorize(Fraction)(one) for one in (W, b, x, p, importance))
    squares, dW, db = np.full(len(b), Fraction(0)), np.full(W.shape, Fraction(0)), np.full(len(b), Fraction(0))
    for weight, one in zip(p, x, strict=True):
        h = W @ one
        s = W.T @ h + b
        error = np.where(s > 0, s, Fraction(0)) - one
        squares = squares + weight * error**2
        d = 2 * weight * importance * np.where(s > 0, error, Fraction(0))
        db = db + d
        dW = dW + np.outer(h, d) + np.outer(W @ d, one)
    return (one.astype(np.float64) for one in (squares, dW, db))


@pytest.mark.parametrize("m", [1, 2, 3, 5])
def test_losses_and_gradients_are_those_of_rational_numbers(m: int) -> None:
    rng = np.random.default_rng(m)
    x = rng.normal(size=(5, 6)) * (rng.uniform(size=(5, 6)) < 0.5)
    W, b, p, importance = rng.normal(size=(m, 6)), rng.normal(size=6) / 3, rng.dirichlet(np.ones(5)), rng.uniform(size=6)
    law = FiniteLaw(x, p, importance)
    found = tg.exact.evaluate(W, b, law, gradient=True)
    squares, dW, db = _exactly(W, b, x, law.probabilities, importance)
    np.testing.assert_allclose(found["squared_error"], squares, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(found["dW"], dW, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found["db"], db, rtol=1e-12, atol=1e-14)
    assert abs(float(found["loss"]) - importance @ squares) <= float(found["loss_error"])


@pytest.mark.parametrize("n", [513, 1100])
def test_many_features_are_gone_over_in_parts(n: int) -> None:
    samples = data_set(Independent(n, density=0.02), 130, seed=1)
    rng = np.random.default_rng(0)
    W, b, x = rng.normal(size=(3, n)) / 5, rng.normal(size=n) / 10, samples.table
    found = tg.exact.evaluate(W, b, samples, gradient=True)
    s = x @ W.T @ W + b
    error = np.maximum(s, 0) - x
    d = 2 * error * (s > 0) / len(x)
    np.testing.assert_allclose(found["squared_error"], (error**2).mean(axis=0), rtol=1e-11)
    np.testing.assert_allclose(found["dW"], W @ (d.T @ x + x.T @ d), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found["db"], d.sum(axis=0), rtol=1e-9, atol=1e-12)


def test_a_set_is_minimised_on_to_a_gradient_of_nothing() -> None:
    net, samples = tg.nets.ReluOutput(60, 2), data_set(UnitLength(Independent(60, density=0.05)), 4, seed=1)
    found = tg.exact.minimise(net, samples, seeds=3, certify=False, progress=False)
    assert (found.status == "converged").all()
    assert (found.gradient_norm <= 1e-8).all()


NETS = [tg.nets.ReluOutput(70, 2), tg.nets.Linear(70, 3), tg.nets.ReluOutput(70, 1, bias=False)]


@pytest.mark.parametrize("net", NETS, ids=repr)
@pytest.mark.parametrize("batch", [70, 32])
def test_training_on_sparse_rows_is_training_on_panels(net: Any, batch: int) -> None:
    features = Independent(70, density=0.05, importance=np.linspace(0.5, 2, 70))
    samples = data_set(features, 70, seed=5)
    recipe = tg.Recipe(steps=40, batch_size=batch, evaluation_samples=64, optimizer="sgd", learning_rate=0.05, seeds=2)
    more = {"record": ("loss", "training_loss", "W"), "record_steps": (0, 3, 40)}
    rows = tg.train(net, features, recipe.replaced(**more), data=samples, progress=False)
    panels = tg.train(net, features, recipe.replaced(**more, l1=1e-20), data=samples, progress=False)  # l1: by the other path
    np.testing.assert_allclose(rows.W, panels.W, rtol=2e-4, atol=2e-6)
    np.testing.assert_allclose(rows.training_loss_history, panels.training_loss_history, rtol=1e-4)
    assert "data_set" not in rows
    assert rows.attrs["data"] == "FiniteLaw(70 states of 70 features)"


def test_a_full_batch_is_plain_gradient_descent() -> None:
    net, features = tg.nets.ReluOutput(9, 2), Independent(9, density=0.15)
    samples = data_set(features, 67, seed=2)
    recipe = tg.Recipe(steps=25, batch_size=67, evaluation_samples=2**14, schedule="cosine", warmup_steps=5)
    rng = np.random.default_rng(0)
    start = {"W": rng.normal(size=(2, 9)) / 2, "b": rng.normal(size=9) / 10}
    found = tg.train(net, features, recipe, data=samples, initial=start, progress=False)
    expected = twin.train(net, {name: one.astype(np.float64) for name, one in start.items()}, samples.table, np.ones(9), recipe)
    np.testing.assert_allclose(found.W.isel(seed=0), expected["W"], rtol=1e-3, atol=1e-5)
    exact = tg.exact.loss(found.W.values, found.b.values, samples)
    np.testing.assert_allclose(found.training_loss, exact, rtol=1e-5)
    test = tg.exact.loss(found.W.values, found.b.values, features)
    assert abs(found.loss[0] - test[0]) < 6 * found.loss_standard_error[0]


def test_each_seed_has_its_set_and_is_alone_what_it_is_beside_others() -> None:
    net, features = tg.nets.ReluOutput(30, 2), UnitLength(Independent(30, density=0.1))
    sets = [data_set(features, 40, seed) for seed in range(3)]
    recipe = tg.Recipe(steps=30, batch_size=40, evaluation_samples=640, seeds=3, learning_rate=0.01)
    together = tg.train(net, features, recipe, data=sets, progress=False)
    alone = tg.train(net, features, recipe.replaced(seeds=(1,)), data=sets[1], threads=1, progress=False)
    for name in ("W", "b", "loss", "training_loss"):
        np.testing.assert_array_equal(alone[name].isel(seed=0), together[name].sel(seed=1))
    for k, one in enumerate(sets):
        W, b = together.W.values[k], together.b.values[k]
        assert float(together.training_loss[k]) == pytest.approx(float(tg.exact.loss(W, b, one)), rel=1e-5)


def test_the_test_loss_is_of_samples_of_unit_length() -> None:
    features = UnitLength(Independent(20, density=0.2))
    drawn = tg.training.engine_samples(features, 500, seed=0)
    active = drawn.any(axis=1)
    np.testing.assert_allclose(np.linalg.norm(drawn[active], axis=1), 1, rtol=1e-6)
    assert 0.15 < (drawn != 0).mean() < 0.25
    recipe = tg.Recipe(steps=100, batch_size=64, evaluation_samples=2**15, learning_rate=0.01)
    found = tg.train(tg.nets.ReluOutput(20, 2), features, recipe, progress=False)
    value, error, method = tg.expected_loss(found, samples=2**15)
    assert method == "sampled"
    assert abs(float(found.loss[0]) - value[0]) < 5 * (error[0] + float(found.loss_standard_error[0]))
    assert repr(tg.features_of(found)) == repr(features.replaced(importance=np.ones((1, 20))))


def test_samples_of_unit_length_are_swept_and_each_model_is_what_it_is_alone() -> None:
    net, features = tg.nets.ReluOutput(6, 2), UnitLength(Independent(6, density=0.3))
    recipe = tg.Recipe(steps=30, batch_size=64, evaluation_samples=640)
    rates = tg.train(net, features, recipe, sweep={"learning_rate": [1e-3, 1e-2]}, progress=False)
    alone = tg.train(net, features, recipe.replaced(learning_rate=1e-2), progress=False)
    np.testing.assert_array_equal(rates.W[1], alone.W)
    np.testing.assert_array_equal(rates.loss[1], alone.loss)
    weighted = tg.train(net, features, recipe, sweep={"importance": [1.0, 3.0]}, progress=False)
    alone = tg.train(net, features.replaced(importance=3.0), recipe, progress=False)
    np.testing.assert_array_equal(weighted.W[1], alone.W)
    assert (weighted.loss[1] > 2 * weighted.loss[0]).all()


@pytest.mark.parametrize("size", [1e-15, 1e-14, 1e15])
def test_samples_of_any_size_are_scaled_to_length_1(size: float) -> None:
    features = UnitLength(Independent(5, density=0.4, magnitude=Exponential(size)))
    x = tg.training.engine_samples(features, 20_000, seed=0)
    lengths = np.linalg.norm(x.astype(np.float64), axis=1)
    np.testing.assert_allclose(lengths[x.any(axis=1)], 1, rtol=1e-6)
    usual = tg.training.engine_samples(UnitLength(Independent(5, density=0.4, magnitude=Exponential(1.0))), 20_000, seed=0)
    np.testing.assert_allclose(x, usual, atol=1e-6)


def test_what_has_unit_length_is_not_changed_by_scaling_it_again() -> None:
    once = UnitLength(Independent(6, density=0.3))
    one, twice = (tg.training.engine_samples(law, 200, seed=0) for law in (once, UnitLength(once)))
    np.testing.assert_array_equal(one, twice)


def test_a_training_on_panels_that_no_memory_holds_is_refused_before_they_are_made() -> None:
    n = 10**6
    samples = FiniteLaw(scipy.sparse.csr_array((n, n)))
    recipe = tg.Recipe(steps=1, batch_size=64, evaluation_samples=64)
    with pytest.raises(InvalidInputError, match=r"1,000,000 samples of 1,000,000 features, zeros and all, would need"):
        tg.train(tg.nets.ReluHidden(n, 1), Independent(n, density=0.0), recipe, data=samples, progress=False)


@pytest.mark.parametrize("inner", [KSparse(6, 2), Mixture([Independent(6, 0.1), Independent(6, 0.5)]), Independent(6, 0.3)])
def test_unit_length_is_of_any_distribution(inner: Any) -> None:
    features = UnitLength(inner)
    x = features.sample(200, seed=0)
    norms = np.linalg.norm(x, axis=1)
    np.testing.assert_allclose(norms[norms > 0], 1)
    np.testing.assert_allclose(features.joint_density(), inner.joint_density())
    assert ((x != 0) == (inner.sample(200, seed=0) != 0)).all()
    np.testing.assert_allclose(np.linalg.norm(tg.training.engine_samples(features, 64, 0), axis=1).max(), 1, rtol=1e-6)
    assert repr(read(written(features))) == repr(features)


def test_binary_samples_of_unit_length_have_known_entries() -> None:
    x = UnitLength(Independent(4, density=0.6, magnitude=Constant(3.0))).sample(50, seed=0)
    count = (x != 0).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(x, np.where(x != 0, 1 / np.sqrt(np.maximum(count, 1)), 0))


@pytest.mark.parametrize("outer", [lambda one: one, lambda one: Mixture([one, Independent(3)])])
@pytest.mark.parametrize("net", [tg.nets.ReluOutput(3, 1), tg.nets.Linear(3, 1), tg.nets.ReluHidden(3, 1)])
def test_the_exact_engine_says_that_it_does_not_know_unit_length(outer: Any, net: Any) -> None:
    features = outer(UnitLength(Independent(3, density=0.5)))
    with pytest.raises(InvalidInputError, match=r"data_set\(features, 100_000\)"):
        tg.exact.minimise(net, features, seeds=1)
    assert tg.expected_loss(net, {"W": np.ones((1, 3)), "b": np.zeros(3)}, features, samples=1024).method == "sampled"


def test_sample_dimensionality_is_that_of_rational_numbers() -> None:
    rng = np.random.default_rng(0)
    W, x = rng.normal(size=(3, 4)), rng.normal(size=(6, 4))
    h = [[sum(Fraction(w) * Fraction(v) for w, v in zip(row, one, strict=True)) for row in W] for one in x]
    products = [[sum(a * c for a, c in zip(one, other, strict=True)) for other in h] for one in h]
    expected = [float(products[s][s] ** 2 / sum(p**2 for p in products[s])) for s in range(6)]
    np.testing.assert_allclose(tg.geometry.sample_dimensionality(W, x), expected, rtol=1e-12)
    np.testing.assert_allclose(tg.geometry.sample_vectors(W, x), np.array(h, dtype=float).T, rtol=1e-12)
    vectors = tg.geometry.sample_vectors(W, x)
    np.testing.assert_allclose(tg.geometry.dimensionality(vectors), expected, rtol=1e-12)


def test_samples_are_arrays_or_sparse_rows_and_weights_may_have_names() -> None:
    models, x = _models(), data_set(Independent(3, density=0.5), 4)
    expected = tg.geometry.dimensionality(models.W.values.astype(float) @ x.table.T)
    for rows in (x.table, scipy.sparse.csr_array(x.table)):
        for W in (models, models.W, models.W.values, models.W.transpose("feature", "hidden", "seed")):
            np.testing.assert_allclose(tg.geometry.sample_dimensionality(W, rows), expected, rtol=1e-6)
            assert tg.geometry.sample_vectors(W, rows).shape == (1, 2, 4)
    for wrong in (scipy.sparse.csr_array(np.eye(2)), np.eye(2), np.ones(3), np.ones((0, 3))):
        with pytest.raises(InvalidInputError, match=r"give W \(\.\.\., m, n\) and x \(samples, n\)"):
            tg.geometry.sample_vectors(models.W, wrong)
    with pytest.raises(InvalidInputError, match="real numbers"):
        tg.geometry.sample_vectors(models.W, scipy.sparse.csr_array(1j * np.eye(3)))


def test_samples_that_are_nowhere_have_no_dimension() -> None:
    W = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert tg.geometry.sample_dimensionality(W, [[1, 0], [0, 0]]).tolist() == [1, 0]
    rows = scipy.sparse.csr_array([[1.0, 0.0], [1.0, 0.0]])
    assert tg.geometry.sample_dimensionality(np.stack([1e30 * W, W]), rows).tolist() == [[0.5, 0.5]] * 2
    assert np.isnan(tg.geometry.sample_dimensionality(np.nan * W, [[1, 0]])).all()


@pytest.mark.parametrize("size", [5e-324, 1e-200, 1.0, 3.7, 1e15])
def test_however_small_or_large_samples_are_they_have_unit_length(size: float) -> None:
    samples = UnitLength(FiniteLaw(np.array([[size, size], [0, size], [0, 0]]))).sample(50, seed=0)
    same = UnitLength(FiniteLaw(np.array([[1.0, 1], [0, 1], [0, 0]]))).sample(50, seed=0)
    np.testing.assert_allclose(samples, same, rtol=1e-15)
    np.testing.assert_allclose(np.linalg.norm(samples, axis=1), samples.any(axis=1), rtol=1e-15)
