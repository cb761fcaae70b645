"""The exact loss of distributions that are not plain blocks of magnitudes the compiled engine knows."""

import itertools
from typing import Any

import numpy as np
import pytest
from scipy.integrate import nquad

import tegum as tg
from tegum.exact.laws import Asked, laws_for
from tegum.exact.laws.states import StatesLaw
from tegum.exact.laws.transform import choices_law
from tegum.features import (
    AnticorrelatedSets,
    Constant,
    CorrelatedSets,
    Empirical,
    Exponential,
    Features,
    FiniteLaw,
    Independent,
    Joined,
    KSparse,
    Mixture,
    Uniform,
    tree,
)
from tests.oracle.own import Plain, Triangular
from tests.oracle.patterns import PatternOracle, hostile_model

I3 = [1.0, 0.5, 2.0]
PAIR = Mixture([Independent(2, [1, 0.8]), Independent(2, [0, 0.1])], [0.2, 0.8])


def distributions() -> dict[str, Features]:
    finite = FiniteLaw(np.random.default_rng(3).normal(size=(5, 3)), [0.1, 0.2, 0.3, 0.15, 0.25], I3)
    return {
        "signed": Independent(3, [0.3, 0.8, 0.05], I3, signed=True),
        "signed correlated": CorrelatedSets(1, 3, 0.4, I3, signed=True),
        "signed anticorrelated": AnticorrelatedSets(1, 3, [0.3, 0.2, 0.4], I3, signed=True),
        "around 0": Independent(3, [0.3, 0.8, 0.05], I3, magnitude=Uniform(-0.4, 1)),
        "away from 0": Independent(3, [0.3, 0.8, 0.05], I3, magnitude=Uniform(0.5, 1)),
        "wide": Independent(3, [0.3, 0.8, 0.05], I3, magnitude=Uniform(0, 3)),
        "sets away from 0": CorrelatedSets(1, 3, 0.4, I3, magnitude=Uniform(0.5, 1), signed=True),
        "one of three": KSparse(3, 1, I3),
        "two of three": KSparse(3, 2, I3),
        "two of three, signed": KSparse(3, 2, I3, signed=True),
        "constant": Independent(3, [0.3, 0.8, 0.05], I3, magnitude=Constant(0.7)),
        "constant sets": AnticorrelatedSets(1, 3, [0.3, 0.2, 0.4], I3, magnitude=Constant(0.7), signed=True),
        "two of three, constant": KSparse(3, 2, I3, magnitude=Constant(0.7)),
        "finite": finite,
        "mixture": Mixture([Independent(3, 0.2), CorrelatedSets(1, 3, 0.3), KSparse(3, 2)], [0.5, 0.3, 0.2], I3),
        "mixture with data": Mixture([finite.replaced(importance=1), Independent(3, 0.2, signed=True)], importance=I3),
        "tree": tree([None, 0, 0], [0.5, 0.8, 0.3], I3),
        "sets beside a feature": Joined([Independent(1, 0.3), CorrelatedSets(1, 2, 0.4)], I3),
        "a pair beside a signed feature": Joined([PAIR, Independent(1, 0.3, signed=True)], I3),
        "two units": Joined([Independent(1, 0.3, magnitude=Uniform(0, 2)), Independent(2, 0.5)], I3),
        "data beside constants": Joined([FiniteLaw([[0.5], [0.2]]), Independent(2, 0.5, magnitude=Constant(0.3))], I3),
    }


DISTRIBUTIONS = distributions()


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_losses_and_gradients_are_the_oracles_within_the_errors_said(name: str) -> None:
    features, rng = DISTRIBUTIONS[name], np.random.default_rng(0)
    oracle = PatternOracle(features)
    for tol in (1e-5, 1e-9):
        G, b = hostile_model(rng, 3)
        found = tg.exact.evaluate(G, b, features, tol, gradient=True, tied=False)
        squares, (by_map, by_b) = oracle.squared_errors(G, b), oracle.gradient(G, b)
        loss = features.importance @ squares
        assert abs(found.loss.item() - loss) <= found.loss_error.item() + 1e-15
        assert found.loss_error.item() <= tol * loss
        wrong = max(np.abs(found.dW.values - by_map).max(), np.abs(found.db.values - by_b).max())
        assert wrong <= found.gradient_error.item() + 1e-14
        np.testing.assert_allclose(found.squared_error, squares, atol=10 * tol * loss)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_weights_have_the_gradient_of_their_map(name: str) -> None:
    features, rng = DISTRIBUTIONS[name], np.random.default_rng(1)
    W, b = rng.normal(size=(2, 2, 3)) / 2, rng.normal(size=(2, 3)) / 5
    loss, dW, db = tg.exact.loss_and_gradient(W, b, features)
    for k in range(2):
        there, dG, same = tg.exact.loss_and_gradient(W[k].T @ W[k], b[k], features, tied=False)
        assert loss[k] == pytest.approx(there, rel=1e-12)
        np.testing.assert_allclose(dW[k], W[k] @ (dG + dG.T), atol=1e-12)
        np.testing.assert_allclose(db[k], same, atol=1e-12)


@pytest.mark.parametrize("name", [*DISTRIBUTIONS, "own law"])
def test_samples_have_the_exact_loss(name: str) -> None:
    features = DISTRIBUTIONS.get(name) or Independent(3, 0.4, I3, magnitude=Triangular(), signed=True)
    rng, count = np.random.default_rng(2), 100_000
    W, b = rng.normal(size=(2, 3)) / 2, rng.normal(size=3) / 5
    x = features.sample(count, seed=0)
    losses = (x - np.maximum(x @ W.T @ W + b, 0)) ** 2 @ features.importance
    assert abs(losses.mean() - tg.exact.loss(W, b, features, tol=1e-6)) < 4 * losses.std() / np.sqrt(count)


@pytest.mark.parametrize("name", [*DISTRIBUTIONS, "exponential"])
def test_linear_nets_need_second_moments_only(name: str) -> None:
    features = DISTRIBUTIONS.get(name) or KSparse(3, 2, magnitude=Exponential(0.5), signed=True)
    rng, net = np.random.default_rng(4), tg.nets.Linear(3, 2)
    W, b = rng.normal(size=(2, 3)) / 2, rng.normal(size=3) / 5
    loss, dW, _ = tg.exact.loss_and_gradient(W, b, features, net=net)
    x = features.sample(100_000, seed=1)
    losses = (x - x @ W.T @ W - b) ** 2 @ features.importance
    assert abs(losses.mean() - loss) < 4 * losses.std() / np.sqrt(len(x))
    moved = np.zeros_like(W)
    moved[1, 2] = 1e-6
    slope = (tg.exact.loss(W + moved, b, features, net=net) - tg.exact.loss(W - moved, b, features, net=net)) / 2e-6
    assert dW[1, 2] == pytest.approx(slope, abs=1e-8)


def test_many_binary_features_are_met_in_the_middle() -> None:
    n, rng = 11, np.random.default_rng(0)
    density = rng.uniform(0.1, 0.9, n)
    states = np.array(list(itertools.product([0.0, 1.5], repeat=n)))
    chance = np.prod(np.where(states > 0, density, 1 - density), axis=1)
    G, b = rng.normal(size=(n, n)) / 2, rng.normal(size=n) / 4
    binary = Independent(n, density, rng.uniform(0.5, 2, n), magnitude=Constant(1.5))
    found = tg.exact.evaluate(G, b, binary, gradient=True, tied=False)
    expected = tg.exact.evaluate(G, b, FiniteLaw(states, chance, binary.importance), gradient=True, tied=False)
    for name in ("loss", "squared_error", "dW", "db"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12, atol=1e-12)


def test_binary_features_in_pairs_that_cancel() -> None:
    """Outputs of antipodal pairs: s is x_j - x_k, which is exactly known."""
    n, p = 24, 0.1
    G = np.kron(np.eye(n // 2), [[1.0, -1.0], [-1.0, 1.0]])
    binary = Independent(n, p, magnitude=Constant(1.0))
    assert tg.exact.loss(G, np.zeros(n), binary, tied=False) == pytest.approx(n * p * p, rel=1e-12)


def test_choices_by_symmetric_polynomials_are_those_enumerated() -> None:
    rng, features = np.random.default_rng(0), KSparse(6, 3)
    G, b, importance = rng.normal(size=(6, 6)) / 2, rng.normal(size=6) / 4, np.ones(6)
    asked = Asked(1e-8, 32, 32768, True)
    one = choices_law(features).answer(G, b, importance, asked)
    other = laws_for(features).answer(0, G, b, asked)
    np.testing.assert_allclose(one.squared_error, other.squared_error, rtol=1e-7)
    np.testing.assert_allclose(one.dG, other.dG, atol=one.gradient_error + other.gradient_error)


def test_one_of_n_is_an_anticorrelated_set() -> None:
    rng = np.random.default_rng(0)
    W, b = rng.normal(size=(3, 12)) / 2, rng.normal(size=12) / 5
    expected = tg.exact.loss(W, b, AnticorrelatedSets(1, 12, 1 / 12))
    assert tg.exact.loss(W, b, KSparse(12, 1)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    "features", [Independent(3, 0.3), CorrelatedSets(1, 3, 0.4), AnticorrelatedSets(1, 3, 0.3), KSparse(3, 2)]
)
def test_a_law_of_your_own_is_as_good_as_the_engine_s(features: Features) -> None:
    G, b = np.random.default_rng(0).normal(size=(3, 3)), np.array([0.1, -0.05, 0.0])
    own = features.replaced(magnitude=Plain())
    found = tg.exact.evaluate(G, b, own, 1e-7, gradient=True, tied=False)
    exact = tg.exact.evaluate(G, b, features, gradient=True, tied=False)
    assert abs(found.loss - exact.loss) <= found.loss_error + exact.loss_error
    assert np.abs(found.dW - exact.dW).max() <= found.gradient_error + exact.gradient_error


def test_a_triangular_law_by_quadrature() -> None:
    features = Independent(2, [0.6, 0.3], magnitude=Triangular())
    G, b = np.array([[0.8, -0.5], [0.3, 0.4]]), np.array([-0.1, 0.05])

    def both(u: float, v: float) -> float:
        x = np.array([u, v])
        return float(4 * u * v * ((x - np.maximum(G @ x + b, 0)) ** 2).sum())

    def alone(u: float, i: int) -> float:
        x = np.eye(2)[i] * u
        return float(2 * u * ((x - np.maximum(G @ x + b, 0)) ** 2).sum())

    ends, options = [[0, 1], [0, 1]], {"epsabs": 1e-9, "limit": 200}
    expected = 0.18 * nquad(both, ends, opts=options)[0] + 0.28 * (np.maximum(b, 0) ** 2).sum()
    expected += 0.42 * nquad(alone, ends[:1], args=(0,), opts=options)[0]
    expected += 0.12 * nquad(alone, ends[:1], args=(1,), opts=options)[0]
    assert tg.exact.loss(G, b, features, 1e-8, tied=False) == pytest.approx(expected, rel=1e-7)


def test_the_hessian_of_a_data_set_is_exact() -> None:
    rng, net = np.random.default_rng(0), tg.nets.ReluOutput(4, 2)
    data = Empirical(rng.uniform(size=(30, 4)) * (rng.uniform(size=(30, 4)) < 0.5), importance=[1, 2, 3, 4])
    objective = tg.exact.Objective(net, data)
    x = rng.normal(size=objective.size) / 2
    H = objective.hessian(x)
    rows = [(objective.gradient(x + 1e-6 * v) - objective.gradient(x - 1e-6 * v)) / 2e-6 for v in np.eye(objective.size)]
    np.testing.assert_allclose(H, rows, atol=1e-8)


@pytest.mark.parametrize("name", ["signed", "finite", "mixture", "two of three", "constant", "two units"])
def test_minima_are_found_and_certified(name: str) -> None:
    features, net = DISTRIBUTIONS[name], tg.nets.ReluOutput(3, 2)
    census = tg.exact.minimise(net, features, seeds=2, terms=64, tol=1e-6, progress=False)
    assert (census.gradient_norm[census.status == "minimum"] <= 1e-8).all()
    best = tg.best(census)
    assert census.loss.min() == pytest.approx(tg.exact.loss(best.W.values, best.b.values, features, 1e-6), rel=1e-5)
    rng = np.random.default_rng(0)
    near = best.W.values + 1e-3 * rng.normal(size=(20, 2, 3)), best.b.values + 1e-3 * rng.normal(size=(20, 3))
    assert (tg.exact.loss(*near, features, 1e-6) > best.loss.item() * (1 - 1e-6)).all()


def test_branches_flows_and_sweeps_of_a_mixture() -> None:
    net = tg.nets.ReluOutput(3, 2)

    def at(share: float) -> Features:
        return Mixture([Independent(3, 0.2), CorrelatedSets(1, 3, 0.2)], [1 - share, share])

    census = tg.exact.minimise(net, at(0.0), seeds=2, terms=64, sweep={"weights": [[1.0, 0.0], [0.9, 0.1]]}, progress=False)
    start = tg.best(census.isel(weights=0))
    branch = tg.exact.follow(net, at, start.W, start.b, [0.0, 0.1], field="share", terms=64, progress=False)
    assert branch.at(0.1).loss.item() == pytest.approx(tg.best(census.isel(weights=1)).loss.item(), rel=1e-5)
    flow = tg.exact.gradient_flow(net, at(0.1), start.W, start.b, duration=100.0, times=3, progress=False)
    assert flow.loss[-1] <= flow.loss[0]
    assert type(tg.features_of(flow)) is Mixture


def test_a_batch_of_distributions_is_each_alone() -> None:
    rng = np.random.default_rng(0)
    W, b = rng.normal(size=(2, 3)) / 2, rng.normal(size=3) / 5
    both = Independent(3, [[0.2], [0.6]], [[1.0], [2.0]], signed=True)
    alone = [tg.exact.loss(W, b, Independent(3, p, w, signed=True)) for p, w in ((0.2, 1.0), (0.6, 2.0))]
    np.testing.assert_allclose(tg.exact.loss(W, b, both), alone, rtol=1e-14)


def test_few_states_are_a_plain_sum() -> None:
    (weight, law), *rest = laws_for(Independent(3, 0.5, magnitude=Constant(1.0))).each[0]
    assert not rest
    assert weight == 1
    assert isinstance(law, StatesLaw)
    assert len(law.states) == 8


REFUSED: dict[str, tuple[Any, str]] = {
    "exponential k of n": (lambda: KSparse(20, 5, magnitude=Exponential()), "Exponential without an upper end: take a sample"),
    "many constants": (lambda: Independent(60, 0.5, magnitude=Constant(1.0)), "60 features of few values have 1.2e+18 states"),
    "mixed magnitudes": (
        lambda: Joined([Independent(2, 0.1), Independent(2, 0.1, magnitude=Exponential())]),
        "distributions of Uniform() and Exponential(mean=1.0) magnitudes stand side by side",
    ),
    "large signed sets": (lambda: CorrelatedSets(1, 12, 0.1, signed=True), "have more than 1024 combinations"),
    "data beside uniform": (lambda: Joined([FiniteLaw([[1.0]]), Independent(2, 0.1)]), "FiniteLaw stands beside other"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_law_covers_is_refused_and_the_advice_works(name: str) -> None:
    make, says = REFUSED[name]
    features = make()
    W, b = np.ones((2, features.n_features)) / 4, np.zeros(features.n_features)
    with pytest.raises(tg.InvalidInputError) as mistake:
        tg.exact.loss(W, b, features)
    assert says in str(mistake.value)
    assert "FiniteLaw(features.sample(100_000, seed=0))" in str(mistake.value)
    assert tg.exact.loss(W, b, FiniteLaw(features.sample(1000, seed=0))) > 0
