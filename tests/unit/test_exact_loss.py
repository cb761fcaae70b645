"""The exact engine equals the oracle, quadrature, sampling and closed forms, and has the symmetries of the loss."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import tegum as tg
from tegum.errors import InvalidInputError
from tegum.exact import Objective, loss, loss_and_gradient, squared_errors
from tegum.exact.kernel.model import evaluate_models
from tegum.features import AnticorrelatedSets, CorrelatedSets, Exponential, Features, Independent, Uniform
from tegum.features.magnitudes import Magnitude
from tegum.nets import Linear, Net, ReluOutput
from tegum.theory import dropped_loss, linear_loss, paired_loss, sparse_loss, two_in_one_loss
from tegum.theory.candidates import dedicated_loss
from tegum.theory.expansion import loss_nothing_active, losses_one_active
from tests.oracle.exact_cases import Case, computed, features_of, stored
from tests.oracle.expected_loss import Oracle, gradient_by_weights, integrated_errors, sampled_errors
from tests.oracle.families import label
from tests.oracle.twin import central_differences


def evaluate(*args: Any, **options: Any) -> Any:
    """What `tegum.exact.evaluate` finds, as plain arrays by name."""
    return SimpleNamespace(**{str(name): found.values[()] for name, found in tg.exact.evaluate(*args, **options).items()})


Array = NDArray[np.float64]

CASES = stored()
MOST_TERMS = 32768
RARE = 1e-5  # what 320,000 samples may never see: outputs that fire once in a million and then miss by a few
MAGNITUDES = [Uniform(), Exponential(0.7)]
LAWS = st.sampled_from(MAGNITUDES)


def distributions_of_six(rng: np.random.Generator, magnitude: Magnitude, least: float = 0.02) -> list[Features]:
    """Six features in every distribution, with densities and importances of their own."""

    def densities(count: int, share: int = 1) -> Array:
        return np.asarray(10 ** rng.uniform(np.log10(least), 0, count) / share)

    importance = rng.uniform(0, 2, 6) * (rng.random(6) < 0.9)
    return [
        Independent(6, densities(6), importance, magnitude),
        CorrelatedSets(3, 2, densities(3), importance, magnitude),
        CorrelatedSets(2, 3, densities(2), importance, magnitude),
        AnticorrelatedSets(3, 2, densities(6, 2), importance, magnitude),
        AnticorrelatedSets(1, 6, densities(6, 6), importance, magnitude),
    ]


DISTRIBUTIONS = [features for law in MAGNITUDES for features in distributions_of_six(np.random.default_rng(1), law)]


def name_of(features: Features) -> str:
    return f"{label(features)}-{getattr(features, 'set_size', 1)}-{type(features.magnitude).__name__}"


def weights(rng: np.random.Generator, n: int = 6) -> tuple[Array, Array]:
    """Random W and b of a random number of hidden dimensions."""
    m = int(rng.integers(1, n + 1))
    return rng.normal(size=(m, n)) / np.sqrt(m) * rng.uniform(0.3, 1.2), rng.normal(size=n) * 0.2


def scale_of(features: Features) -> float:
    """sum_i I_i E x_i^2: the loss of a model that says 0."""
    return float(features.importance @ np.diagonal(features.second_moment()))


# the oracle


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_values_and_gradients_equal_the_oracles(case: Case) -> None:
    W, b, features, expected = np.array(case["W"]), np.array(case["b"]), features_of(case), np.array(case["squared_error"])
    found = evaluate(W, b, features, tol=1e-11, gradient=True)
    scale, exact = scale_of(features), features.importance @ expected
    rounding = 1e-14 * max(scale, exact)
    assert found.loss == pytest.approx(exact, rel=1e-9, abs=rounding)
    if "dW" in case:
        assert abs(found.loss - exact) <= found.loss_error + rounding
    counted = features.importance > 0
    np.testing.assert_allclose(found.squared_error[counted], expected[counted], rtol=1e-8, atol=rounding)
    if "dW" in case:
        rtol = 1e-9 if found.terms < MOST_TERMS else 1e-5
        size = rtol * max(np.abs(case["dW"]).max(), np.abs(case["db"]).max(), scale)
        np.testing.assert_allclose(found.dW, case["dW"], rtol=0, atol=size)
        np.testing.assert_allclose(found.db, case["db"], rtol=0, atol=size)


@pytest.mark.parametrize("name", ["independent uniform 0.05", "AnticorrelatedSets of 2 exponential 0.5", "one dropped"])
def test_the_stored_values_are_the_oracles(name: str) -> None:
    case = next(case for case in CASES if case["name"] == name)
    again = computed(case)
    for key in ("squared_error", "dW", "db"):
        np.testing.assert_allclose(again[key], case[key], rtol=1e-13, atol=1e-300)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), density=st.floats(0.01, 1), law=LAWS)
def test_fresh_cases_equal_the_oracle(seed: int, density: float, law: Magnitude) -> None:
    rng = np.random.default_rng(seed)
    W, b = weights(rng, 4)
    G = W.T @ W
    for features in (
        Independent(4, density, rng.uniform(0.1, 1, 4), law),
        CorrelatedSets(2, 2, density, 1.0, law),
        AnticorrelatedSets(2, 2, density / 2, 1.0, law),
    ):
        oracle = Oracle(features)
        expected = oracle.squared_errors(G, b)
        found = evaluate(W, b, features, tol=1e-11)
        assert found.loss == pytest.approx(features.importance @ expected, rel=1e-9, abs=1e-15)
        j = int(rng.integers(4))
        by_map, by_bias = oracle.row_gradient(j, G, b)
        untied = evaluate(G, b, features, tol=1e-11, tied=False, gradient=True)
        np.testing.assert_allclose(untied.dW[j], features.importance[j] * by_map, atol=1e-8)
        assert untied.db[j] == pytest.approx(features.importance[j] * by_bias, abs=1e-8)


@pytest.mark.parametrize("law", MAGNITUDES, ids=label)
@pytest.mark.parametrize("own", [0.0, 1e-12, 1e-6, 1e-2])
def test_a_map_that_is_not_tied(own: float, law: Magnitude) -> None:
    """Tied maps have no couplings beside a vanishing own one; others may.  At own = b = 0 the gradient jumps."""
    G = np.array([[own, 0.7, -0.4], [-0.9, own, 0.3], [0.2, -0.6, own]])
    for b in (np.zeros(3), np.array([0.1, -0.05, 1e-9])):
        for features in (Independent(3, 0.3, magnitude=law), CorrelatedSets(1, 3, 0.3, magnitude=law)):
            oracle = Oracle(features)
            expected, (by_map, by_bias) = oracle.squared_errors(G, b), oracle.gradient(G, b)
            found = evaluate(G, b, features, tied=False, gradient=True, tol=1e-11)
            np.testing.assert_allclose(found.squared_error, expected, rtol=1e-9)
            smooth = (own != 0) | (b != 0)
            everywhere = smooth[:, None] | ~np.eye(3, dtype=bool)
            np.testing.assert_allclose(found.dW[everywhere], by_map[everywhere], rtol=0, atol=1e-6)
            np.testing.assert_allclose(found.db[smooth], by_bias[smooth], rtol=0, atol=1e-6)


@pytest.mark.parametrize("law", MAGNITUDES, ids=label)
@pytest.mark.parametrize("density", [1e-3, 1e-5, 1e-8, 1e-12, 1e-17, 1e-40])
def test_sparse_features(density: float, law: Magnitude) -> None:
    """What is left after the closed forms is known to rounding: a share of it that grows as 1 / density, and is admitted."""
    rng = np.random.default_rng(3)
    for _ in range(4):
        W, b = rng.normal(size=(2, 4)) * 0.8, -np.abs(rng.normal(size=4)) * 0.1
        for features in (Independent(4, density, magnitude=law), AnticorrelatedSets(2, 2, density, magnitude=law)):
            expected = Oracle(features).squared_errors(W.T @ W, b).sum()
            found = evaluate(W, b, features)
            assert abs(found.loss - expected) <= found.loss_error + 1e-15 * expected
            assert found.loss == pytest.approx(expected, rel=1e-9 + 1e-14 / density)


# quadrature and sampling


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), p=st.floats(0, 1), q=st.floats(0, 1))
def test_two_features_equal_quadrature(seed: int, p: float, q: float) -> None:
    rng = np.random.default_rng(seed)
    W, b = rng.normal(size=(2, 2)), rng.normal(size=2) * rng.choice([0.3, 0.01, 0.0])
    for features in (Independent(2, [p, q]), CorrelatedSets(1, 2, p), AnticorrelatedSets(1, 2, [p / 2, q / 2])):
        expected = integrated_errors(W.T @ W, b, features)
        np.testing.assert_allclose(evaluate(W, b, features, tol=1e-11).squared_error, expected, rtol=1e-9, atol=1e-11)


def assert_sampling_agrees(
    W: Array, b: Array, features: Features, seed: int, linear: bool = False, samples: int = 20_000
) -> None:
    """Every feature's error within 4 standard errors of a sampled one; where it is not, of one with 16 times the samples."""
    found = squared_errors(W, b, features.replaced(importance=1.0), net=Linear(*W.shape[::-1]) if linear else None)
    for count in (samples, 16 * samples):
        mean, error = sampled_errors(W.T @ W, b, features, count, seed + count, linear)
        if (np.abs(found - mean) <= 4 * error + RARE).all():
            return
    np.testing.assert_array_less(np.abs(found - mean), 4 * error + RARE)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), law=LAWS, linear=st.booleans())
def test_every_distribution_equals_sampling(seed: int, law: Magnitude, linear: bool) -> None:
    rng = np.random.default_rng(seed)
    for features in distributions_of_six(rng, law):
        W, b = weights(rng)
        assert_sampling_agrees(W, b, features, seed, linear)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), law=LAWS)
def test_corners_equal_sampling(seed: int, law: Magnitude) -> None:
    rng = np.random.default_rng(seed)
    W, b = weights(rng)
    density = np.array([0.0, 1.0, 0.3, 0.1, 0.05, 0.5])
    for features in (
        Independent(6, density, magnitude=law),
        CorrelatedSets(6, 1, density, magnitude=law),
        CorrelatedSets(3, 2, [0.0, 1.0, 0.2], magnitude=law),
        AnticorrelatedSets(3, 2, [0.5, 0.5, 0.0, 1.0, 0.3, 0.0], magnitude=law),
    ):
        assert_sampling_agrees(W, b, features, seed)
        assert_sampling_agrees(0 * W, b, features, seed)
        assert_sampling_agrees(W, np.array([5.0, -5.0, 0, 0, 5.0, -5.0]), features, seed)
        assert_sampling_agrees(np.tile(W[:, :3], 2) * [1, 1, 1, -1, -1, 1], b, features, seed)


@pytest.mark.parametrize(
    "features",
    [
        Independent(400, density=0.2),
        Independent(400, density=0.01, magnitude=Exponential(0.5)),
        CorrelatedSets(10, 40, density=0.1),
        AnticorrelatedSets(10, 40, density=0.02),
    ],
    ids=name_of,
)
def test_four_hundred_features_equal_sampling(features: Features) -> None:
    rng = np.random.default_rng(5)
    W, b = rng.normal(size=(30, 400)) / np.sqrt(60), rng.normal(size=400) * 0.1
    found = evaluate(W, b, features, tol=1e-6)
    x = features.sample(4000, 6)
    losses = ((x - np.maximum(x @ (W.T @ W) + b, 0)) ** 2).sum(axis=1)
    assert found.loss == pytest.approx(losses.mean(), abs=4 * losses.std() / np.sqrt(len(x)))
    assert found.loss_error < 1e-4 * found.loss


# gradients


@pytest.mark.parametrize("features", DISTRIBUTIONS, ids=name_of)
@pytest.mark.parametrize("kind", ["tied", "untied", "linear"])
def test_gradients_are_the_losses_central_differences(features: Features, kind: str) -> None:
    rng = np.random.default_rng(7)
    W, b = rng.normal(size=(3, 6)) * 0.5, rng.normal(size=6) * 0.2
    options: dict[str, Any] = {"net": Linear(W.shape[-1], W.shape[-2])} if kind == "linear" else {"tied": kind == "tied"}
    options["terms"] = 2048
    if kind == "untied":
        W = W.T @ W + rng.normal(size=(6, 6)) * 0.2
    value, dW, db = loss_and_gradient(W, b, features, **options)
    assert value == loss(W, b, features, **options)
    numeric = central_differences(lambda p: float(loss(p["W"], p["b"], features, **options)), {"W": W, "b": b}, step=1e-5)
    size = max(np.abs(dW).max(), np.abs(db).max())
    np.testing.assert_allclose(dW, numeric["W"], rtol=0, atol=1e-6 * size)
    np.testing.assert_allclose(db, numeric["b"], rtol=0, atol=1e-6 * size)


# closed forms


@settings(max_examples=40, deadline=None)
@given(w1=st.floats(-2, 2), w2=st.floats(-2, 2), p=st.floats(0, 1), r=st.floats(0, 10))
def test_two_features_in_one_dimension(w1: float, w2: float, p: float, r: float) -> None:
    features = Independent(2, density=p, importance=[1.0, r])
    found = float(evaluate(np.array([[w1, w2]]), np.zeros(2), features, tol=1e-11).loss)
    assert found == pytest.approx(float(two_in_one_loss(w1, w2, p, r)), rel=1e-9, abs=1e-13 * (1 + r))


def test_the_candidates_of_the_phase_diagram() -> None:
    p = np.array([0.01, 0.1, 0.4, 1.0])
    features = Independent(2, density=p[:, None], importance=np.array([1.0, 0.3]))
    np.testing.assert_allclose(
        loss(np.array([[1.0, -1.0]]), np.zeros(2), features, tol=1e-11), paired_loss(p, 1, 0.3), rtol=1e-10
    )
    mean = np.stack([np.zeros_like(p), p / 2], axis=-1)
    np.testing.assert_allclose(loss(np.array([[1.0, 0.0]]), mean, features), dropped_loss(p, 0.3), rtol=1e-12)
    for law in MAGNITUDES:
        for features in distributions_of_six(np.random.default_rng(0), law):
            assert loss(np.eye(6), np.zeros(6), features) == pytest.approx(
                float(dedicated_loss(0.3)), abs=1e-15 * scale_of(features)
            )


@pytest.mark.parametrize("features", DISTRIBUTIONS, ids=name_of)
def test_the_linear_loss(features: Features) -> None:
    W, b = weights(np.random.default_rng(8))
    expected = linear_loss(W, b, features)
    found = evaluate(W, b, features, net=Linear(W.shape[-1], W.shape[-2]))
    assert found.loss == pytest.approx(float(expected), rel=1e-13)
    assert found.loss_error <= 1e-12 * expected
    assert found.terms == 0
    assert loss(W, b + 50, features) == pytest.approx(float(linear_loss(W, b + 50, features)), rel=1e-13)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), p=st.floats(0, 0.25))
def test_at_most_one_active(seed: int, p: float) -> None:
    rng = np.random.default_rng(seed)
    W, b, importance = rng.normal(size=(2, 4)), rng.normal(size=4) / 4, rng.uniform(0, 2, 4)
    G = W.T @ W
    nothing, one = loss_nothing_active(b, importance), losses_one_active(G, b, importance)
    close = {"rel": 1e-12, "abs": 1e-14}
    assert loss(W, b, Independent(4, 0.0, importance)) == pytest.approx(float(nothing), **close)
    for i in range(4):
        only = Independent(4, p * np.eye(4)[i], importance)
        assert float(evaluate(W, b, only).loss) == pytest.approx(float((1 - p) * nothing + p * one[i]), **close)
    exclusive = AnticorrelatedSets(1, 4, p, importance)
    assert float(evaluate(W, b, exclusive).loss) == pytest.approx(float((1 - 4 * p) * nothing + p * one.sum()), **close)


def test_sparse_features_approach_the_loss_of_at_most_one_active() -> None:
    W, b = weights(np.random.default_rng(9))
    gaps = []
    for p in (1e-2, 1e-3, 1e-4):
        features = Independent(6, p)
        gaps.append(float(loss(W, b, features, tol=1e-10) - sparse_loss(W.T @ W, b, features)) / p**2)
    assert gaps[1] == pytest.approx(gaps[2], rel=1e-2)
    assert gaps[0] == pytest.approx(gaps[2], rel=1e-1)


# symmetries


@pytest.mark.parametrize("features", DISTRIBUTIONS, ids=name_of)
def test_rotating_the_hidden_space_changes_nothing(features: Features) -> None:
    rng = np.random.default_rng(10)
    W, b = rng.normal(size=(3, 6)) * 0.5, rng.normal(size=6) * 0.2
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    plain, turned = (loss_and_gradient(weight, b, features, tol=1e-10) for weight in (W, rotation @ W))
    np.testing.assert_allclose(turned[0], plain[0], rtol=1e-10)
    np.testing.assert_allclose(turned[1], rotation @ plain[1], atol=1e-8)
    np.testing.assert_allclose(turned[2], plain[2], atol=1e-8)


@pytest.mark.parametrize("features", DISTRIBUTIONS, ids=name_of)
def test_the_order_of_features_is_a_name(features: Features) -> None:
    rng = np.random.default_rng(11)
    W, b = rng.normal(size=(3, 6)) * 0.5, rng.normal(size=6) * 0.2
    size = getattr(features, "set_size", 1)
    sets = rng.permutation(6 // size)
    order = np.concatenate([which * size + rng.permutation(size) for which in sets])
    of_sets = order if features.density.shape[-1] == 6 else sets
    moved = features.replaced(density=features.density[of_sets], importance=features.importance[order])
    plain = evaluate(W, b, features, terms=512, gradient=True)
    other = evaluate(W[:, order], b[order], moved, terms=512, gradient=True)
    np.testing.assert_allclose(other.loss, plain.loss, rtol=1e-12)
    np.testing.assert_allclose(other.squared_error, plain.squared_error[order], rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(other.dW, plain.dW[:, order], rtol=0, atol=1e-11)
    np.testing.assert_allclose(other.db, plain.db[order], rtol=0, atol=1e-11)


def test_every_distribution_and_every_view_uses_the_same_compiled_code() -> None:
    W, b = weights(np.random.default_rng(12))
    features = Independent(6, density=np.linspace(0.1, 0.6, 6))
    evaluate(W, b, features)
    once = len(evaluate_models.signatures)
    evaluate(W, b, features.replaced(importance=1.0, density=0.1))
    evaluate(W.tolist(), np.broadcast_to(b, (3, 6)), features)
    evaluate(np.broadcast_to(W, (2, *W.shape)), b, features.replaced(density=np.full((2, 6), 0.1)))
    assert len(evaluate_models.signatures) == once


@pytest.mark.parametrize("features", DISTRIBUTIONS, ids=name_of)
def test_importance_weighs_the_features(features: Features) -> None:
    W, b = weights(np.random.default_rng(12))
    one = evaluate(W, b, features, gradient=True)
    four = evaluate(W, b, features.replaced(importance=4 * features.importance), gradient=True)
    np.testing.assert_array_equal(four.squared_error, one.squared_error)
    for bigger, smaller in ((four.loss, one.loss), (four.loss_error, one.loss_error), (four.dW, one.dW), (four.db, one.db)):
        np.testing.assert_array_equal(bigger, 4 * smaller)
    fixed = evaluate(W, b, features, terms=256)
    assert fixed.loss == pytest.approx(float(features.importance @ fixed.squared_error), rel=1e-14)
    plain = squared_errors(W, b, features.replaced(importance=1.0), terms=256)
    np.testing.assert_array_equal(plain, fixed.squared_error)
    nothing = evaluate(W, b, features.replaced(importance=0.0), gradient=True)
    assert nothing.loss == 0
    assert not np.any(nothing.dW)


def test_units_of_exponential_magnitudes() -> None:
    """With everything a hundred times larger, errors are ten thousand times larger."""
    W, b = weights(np.random.default_rng(13), 4)
    small = loss(W, b, Independent(4, 0.2, magnitude=Exponential(0.01)), tol=1e-11)
    large = loss(W, 100 * b, Independent(4, 0.2, magnitude=Exponential(1.0)), tol=1e-11)
    assert large == pytest.approx(float(small) * 1e4, rel=1e-10)


# batches


def same(one: Any, other: Any, where: Any = ...) -> None:
    """Two evaluations agree in every bit; ``where`` picks an instance of the first."""
    for name in ("loss", "loss_error", "squared_error", "terms", "dW", "db"):
        if hasattr(one, name):
            left, right = getattr(one, name)[where], getattr(other, name)
            assert left.shape == right.shape
            assert left.tobytes() == right.tobytes(), name


@pytest.mark.parametrize("options", [{}, {"terms": 64}, {"tol": 1e-5}], ids=str)
@pytest.mark.parametrize("law", MAGNITUDES, ids=label)
def test_alone_is_in_batch_and_threads_change_nothing(options: dict[str, Any], law: Magnitude) -> None:
    rng = np.random.default_rng(14)
    W, b = rng.normal(size=(400, 2, 5)), rng.normal(size=(400, 5)) * 0.2
    features = Independent(5, rng.uniform(0.01, 1, (400, 5)), magnitude=law)
    batch = evaluate(W, b, features, gradient=True, threads=2, **options)
    same(batch, evaluate(W, b, features, gradient=True, threads=1, **options))
    for k in (0, 17, 399):
        alone = evaluate(W[k], b[k], features.replaced(density=features.density[k]), gradient=True, **options)
        same(batch, alone, k)


def test_leading_axes_are_broadcast() -> None:
    rng = np.random.default_rng(15)
    W, b = rng.normal(size=(3, 1, 1, 2, 4)) * 0.6, rng.normal(size=(2, 1, 4)) * 0.2
    density, importance = np.full((5, 1), 0.1) * np.arange(1, 6)[:, None], rng.uniform(0.5, 1, (2, 1, 4))
    for features in (Independent(4, density, importance), AnticorrelatedSets(2, 2, density, importance)):
        batch = evaluate(W, b, features, gradient=True)
        assert batch.loss.shape == (3, 2, 5)
        assert batch.dW.shape == (3, 2, 5, 2, 4)
        for i, j, k in np.ndindex(3, 2, 5):
            one = features.replaced(density=density[k], importance=importance[j, 0])
            same(batch, evaluate(W[i, 0, 0], b[j, 0], one, gradient=True), (i, j, k))
    assert loss(W[:0], b, Independent(4)).shape == (0, 2, 1)


def test_a_loss_that_is_not_known_to_its_tolerance_is_said() -> None:
    rare, usual = (Independent(2, density=p) for p in (1e-9, 0.1))
    pair, zeros = np.array([[1.0, -1.0]]), np.zeros(2)  # p^2 / 3, where what is known is 1e-15 of p
    known = evaluate(pair, zeros, rare)
    assert abs(float(known.loss) - 1e-18 / 3) < float(known.loss_error)
    said = rf"the loss is not known to tol=1e-06, such as {float(known.loss):.3g} to within {float(known.loss_error):.1g};"
    for ask in (loss, squared_errors, loss_and_gradient):
        with pytest.warns(UserWarning, match=said):
            ask(pair, zeros, rare, tol=1e-6)
    both = rare.replaced(density=[[1e-9, 1e-9], [0.1, 0.1]])
    models = {"W": np.stack([pair, pair]), "b": np.zeros((2, 2))}
    with pytest.warns(UserWarning, match=r"1 of 2 losses are not known to tol=1e-09"):
        loss(models, features=both, net=ReluOutput(2, 1))
    data = xr.Dataset({"W": (("instance", "hidden", "feature"), models["W"]), "b": (("instance", "feature"), models["b"])})
    with pytest.warns(UserWarning, match=r"1 of 2 losses"):
        loss(data.assign_attrs(net=repr(ReluOutput(2, 1))), features=both)
    # as well as rounding lets them be known
    loss(np.eye(2), zeros, usual)
    loss(pair, zeros, usual, tol=1e-15)
    loss(pair, zeros, rare, terms=8)


def test_what_is_asked_for_is_what_comes() -> None:
    W, b = weights(np.random.default_rng(16))
    features = DISTRIBUTIONS[0]
    found = evaluate(W, b, features)
    assert loss(W, b, features) == found.loss
    assert not hasattr(found, "dW")
    assert not hasattr(found, "db")
    np.testing.assert_array_equal(squared_errors(W, b, features), found.squared_error)
    for terms in (8, 64, 1024):
        assert evaluate(W, b, features, terms=terms).terms == terms
    errors = [float(evaluate(W, b, features, tol=tol).loss_error) for tol in (1e-3, 1e-6, 1e-9)]
    for tol, reached in zip((1e-3, 1e-6, 1e-9), errors, strict=True):
        assert reached <= tol * found.loss
    untouched = W.copy()
    evaluate(W, b, features, gradient=True)
    np.testing.assert_array_equal(W, untouched)


# extreme numbers


SIZES = [5e-324, 1e-310, 1e-150, 1e-77, 1e-30, 1.0, 1e10, 1e20, 1e29]


@pytest.mark.parametrize("features", DISTRIBUTIONS, ids=name_of)
@pytest.mark.parametrize("size", SIZES)
def test_whatever_is_accepted_gives_numbers(features: Features, size: float) -> None:
    rng = np.random.default_rng(17)
    W, b = rng.normal(size=(3, 6)) / 3, rng.normal(size=6) / 4
    spread = 10.0 ** -np.arange(6)
    mixed = np.array([1, 1, size, size, 1e-40, 1])
    for weight in (W * size, W * size * spread, W * mixed, W * mixed[::-1], np.diag([size] * 6), W * size * [1, 0, 1, 0, 1, 1]):
        for bias in (b, 0 * b, b * min(size * size, 9e29), b * size):
            for options in ({}, {"net": Linear(*weight.shape[::-1])}, {"terms": 64}):
                found = evaluate(weight, bias, features, gradient=True, **options)
                for name in ("loss", "loss_error", "squared_error", "dW", "db"):
                    assert np.isfinite(getattr(found, name)).all(), (name, options)
                assert found.loss_error >= 0
    G = rng.uniform(-1, 1, (6, 6)) * np.where(rng.random((6, 6)) < 0.5, size, 1)
    found = evaluate(G, b, features, tied=False, gradient=True)
    assert np.isfinite(found.loss)
    assert np.isfinite(found.dW).all()


@pytest.mark.parametrize("features", DISTRIBUTIONS, ids=name_of)
def test_huge_models_differ_by_their_scale_alone(features: Features) -> None:
    """Far beyond the data the loss is homogeneous: a hundred million times the map, that squared the loss."""
    W, b = weights(np.random.default_rng(18))
    one = loss(W * 1e10, b * 1e20, features, tol=1e-11)
    other = loss(W * 1e14, b * 1e28, features, tol=1e-11)
    assert other == pytest.approx(float(one) * 1e16, rel=1e-10)


def test_a_model_without_hidden_dimensions_says_its_bias() -> None:
    b = np.array([0.2, -0.1])
    found = evaluate(np.zeros((0, 2)), b, Independent(2, 0.3), gradient=True)
    assert found.loss == pytest.approx(float(loss(np.zeros((1, 2)), b, Independent(2, 0.3))))
    assert found.dW.shape == (0, 2)


def test_a_model_that_diverged_is_named() -> None:
    W, b = np.ones((2, 3, 2, 2)), np.zeros((3, 2))
    W[1, 2, 0, 1] = np.nan
    with pytest.raises(InvalidInputError, match=r"^W in instance \(1, 2\) is nan at \(0, 1\): give finite numbers"):
        loss(W, b, Independent(2))
    W[1, 2, 0, 1] = 1e30
    with pytest.raises(
        InvalidInputError, match=r"^W in instance \(1, 2\) is 1e\+30 at \(0, 1\): give finite numbers below 1e\+30"
    ):
        loss(W, b, Independent(2))
    b[2, 0] = -np.inf
    with pytest.raises(InvalidInputError, match=r"^b in instance 2 is -inf at \(0,\): give finite numbers"):
        loss(np.ones((2, 2)), b, Independent(2))
    with pytest.raises(InvalidInputError, match=r"^b is -inf at \(0,\): give finite numbers"):
        loss(np.ones((2, 2)), b[2], Independent(2))


def test_gradient_of_the_oracle_by_weights() -> None:
    """dL/dW from dL/dG by the chain rule: the tied gradient is the untied one's."""
    W, b = weights(np.random.default_rng(19))
    for features in DISTRIBUTIONS:
        tied = evaluate(W, b, features, terms=512, gradient=True)
        untied = evaluate(W.T @ W, b, features, terms=512, gradient=True, tied=False)
        np.testing.assert_allclose(tied.dW, gradient_by_weights(W, untied.dW), rtol=0, atol=1e-12)
        np.testing.assert_allclose(tied.db, untied.db, rtol=0, atol=1e-12)
        assert tied.loss == pytest.approx(float(untied.loss), rel=1e-13)
        assert tg.exact.loss(W, b, features, terms=512) == tied.loss


# one model as a function of a vector


@pytest.mark.parametrize("features", DISTRIBUTIONS, ids=name_of)
@pytest.mark.parametrize("net", [ReluOutput(6, 2), Linear(6, 2)], ids=label)
def test_the_objective_is_the_evaluation(features: Features, net: Net) -> None:
    rng = np.random.default_rng(20)
    objective = Objective(net, features, terms=128)
    W, b = rng.normal(size=(4, 2, 6)), rng.normal(size=(4, 6)) * 0.2
    x = objective.flat(W, b)
    assert x.shape == (4, objective.size)
    for back, given_ in zip(objective.parameters(x), (W, b), strict=True):
        np.testing.assert_array_equal(back, given_)
    batch = evaluate(W, b, features, terms=128, gradient=True, net=net)
    for k in range(4):
        value, slope = objective(x[k])
        # compiled twice: once for descents, once for batches; last bits may differ
        np.testing.assert_allclose([value, objective.loss(x[k])], float(batch.loss[k]), rtol=1e-14)
        np.testing.assert_allclose(slope, objective.flat(batch.dW[k], batch.db[k]), rtol=0, atol=1e-14 * np.abs(slope).max())
        np.testing.assert_array_equal(slope, objective.gradient(x[k]))


GUARD = 4096


@pytest.mark.parametrize("features", DISTRIBUTIONS, ids=name_of)
def test_compiled_code_stays_in_its_memory(features: Features) -> None:
    """An optimiser may ask for the loss of numbers that are huge or not finite: beyond its memory nothing is touched."""
    objective = Objective(ReluOutput(6, 3), features, terms=64)
    work = objective._landscape.work
    memory = {name: np.zeros(array.size + GUARD, array.dtype) for name, array in work._asdict().items()}
    guarded = work._replace(**{name: array[:-GUARD] for name, array in memory.items()})
    objective._landscape = objective._landscape._replace(work=guarded)
    rng = np.random.default_rng(21)
    for _ in range(20):
        x = rng.normal(size=objective.size) * 10.0 ** rng.integers(-9, 1, objective.size)
        before = objective(x)
        for bad in (np.nan, np.inf, -np.inf, 1e300, 1e-320):
            objective(np.where(rng.random(objective.size) < 0.1, bad, x))
            after = objective(x)
            assert after[0] == before[0]
            np.testing.assert_array_equal(after[1], before[1])
    for name, array in memory.items():
        assert not array[-GUARD:].any(), name


@pytest.mark.parametrize("terms", [0, 4, 100, 65536])
def test_the_objective_refuses_numbers_of_terms_it_has_no_memory_for(terms: int) -> None:
    with pytest.raises(InvalidInputError, match=f"terms is {terms}"):
        Objective(ReluOutput(6, 2), DISTRIBUTIONS[0], terms=terms)
