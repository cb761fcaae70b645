"""Samplers of the posterior: laws that are known, exact draws left as they are, symmetries, bits, what ends badly."""

import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from benchmarks import posterior as benchmark
from numpy.typing import NDArray
from scipy.stats import ks_2samp, kstest

import tegum as tg
from tegum.caching import caching
from tegum.execution import Pieces
from tegum.posterior import HMC, MALA, Langevin, RMSProp, diagnostics, sample
from tegum.posterior.diagnostics import effective_size, r_hat
from tegum.posterior.kernel.chains import STOPPED
from tegum.posterior.kernel.randomness import chosen, fill_normal, stream_for, uniform
from tegum.posterior.kernel.target import batch_loss_of, loss_of
from tegum.posterior.noise import gradient_covariance, sample_gradients, sample_losses
from tegum.posterior.samplers import Sampler
from tegum.posterior.targets import target_for

PAIR, TWO = tg.nets.ReluOutput(2, 1), tg.features.AnticorrelatedSets(1, 2, density=1 / 2)
DIGON: tuple[list[list[float]], list[float]] = ([[1.0, -1.0]], [0.0, 0.0])
EXACT = [HMC(), HMC(leaps=1), MALA(), HMC(metric="identity")]
SIX = tg.nets.ReluOutput(6, 2), tg.features.AnticorrelatedSets(1, 6, density=1 / 6)


@pytest.mark.parametrize(
    ("net", "features"),
    [
        SIX,
        (tg.nets.ReluOutput(3, 2), tg.features.AnticorrelatedSets(1, 3, density=[0.1, 0.2, 0.3], importance=[1, 2, 0.5])),
        (tg.nets.Linear(3, 2), tg.features.AnticorrelatedSets(1, 3, density=0.2)),
        (tg.nets.ReluOutput(3, 2), tg.features.Independent(3, density=[0.1, 0.5, 0.9], importance=[1, 2, 3])),
        (tg.nets.ReluOutput(3, 2, bias=False), tg.features.FiniteLaw([[0, 1, 2], [0.5, 0, 0], [0, 0, -1]], [0.2, 0.3, 0.5])),
        (tg.nets.Linear(2, 1), tg.features.FiniteLaw([[0, 1], [0.5, 0]], importance=[1, 3])),
    ],
)
def test_a_loss_and_its_gradient_are_those_of_the_exact_engine(net: Any, features: Any) -> None:
    objective, target = tg.exact.Objective(net, features), target_for(net, features, 256)
    gradient, generator = np.zeros(objective.size), np.random.default_rng(1)
    for size in (0.01, 0.5, 1.5):
        x = generator.normal(0, size, objective.size)
        x[-net.n_features :] *= net.bias
        loss, slope = objective(x)
        assert loss_of(target, x, gradient) == pytest.approx(loss, rel=1e-9)
        np.testing.assert_allclose(gradient, slope, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(
    "features",
    [
        tg.features.AnticorrelatedSets(1, 3, density=[0.1, 0.2, 0.6]),
        tg.features.Independent(3, density=[0.1, 0.5, 0.9], magnitude=tg.features.Exponential(0.7)),
        tg.features.CorrelatedSets(1, 3, density=0.4),
        tg.features.FiniteLaw([[0, 1, 2], [0.5, 0, 0], [0, 0, -1]], [0.2, 0.3, 0.5], importance=[1, 2, 3]),
    ],
)
def test_gradients_of_batches_have_the_mean_and_the_spread_of_the_law(features: Any) -> None:
    net = tg.nets.ReluOutput(3, 2)
    x = np.random.default_rng(2).normal(0, 0.7, 9)
    objective, target = tg.exact.Objective(net, features), target_for(net, features, 64)
    stream, one = stream_for("test"), np.zeros(9)
    drawn = np.empty((40_000, 9))
    values = np.empty(len(drawn))
    for k in range(len(drawn)):
        values[k] = batch_loss_of(target, stream, x, one, 1)
        drawn[k] = one
    loss, gradient = objective(x)
    assert values.mean() == pytest.approx(loss, abs=5 * values.std() / 200)
    assert np.all(np.abs(drawn.mean(axis=0) - gradient) <= 5 * drawn.std(axis=0) / 200 + 1e-12)
    W, b = objective.parameters(x)
    C, found = gradient_covariance(net, features, W, b), np.cov(drawn.T)
    np.testing.assert_allclose(found, C, atol=0.1 * np.abs(C).max())  # of squares with heavy tails
    assert batch_loss_of(target, stream, x, one, 5000) == pytest.approx(loss, abs=5 * values.std() / 70)


def test_gradients_of_samples_are_slopes_of_their_losses() -> None:
    net, generator = tg.nets.ReluOutput(3, 2), np.random.default_rng(3)
    W, b, x = generator.normal(size=(2, 3)), generator.normal(size=3), generator.random((5, 3))
    weights = np.array([1.0, 2.0, 3.0])
    gradients, losses = sample_gradients(net, weights, W, b, x), sample_losses(net, weights, W, b, x)
    y = net.forward({"W": W, "b": b}, x)
    np.testing.assert_allclose(losses, ((y - x) ** 2) @ [1, 2, 3], rtol=1e-12)
    for k in range(9):
        step = np.eye(9)[k] * 1e-6
        sides = []
        for sign in (1, -1):
            moved = np.concatenate([W.ravel(), b]) + sign * step
            sides.append(sample_losses(net, weights, moved[:6].reshape(2, 3), moved[6:], x))
        np.testing.assert_allclose((sides[0] - sides[1]) / 2e-6, gradients[:, k], atol=1e-6)


def test_random_numbers_have_their_laws_and_streams_their_own() -> None:
    stream, noise = stream_for(0, 1), np.empty(20_001)
    fill_normal(stream, noise, noise.size)
    assert kstest(noise, "norm").pvalue > 1e-3
    assert kstest([uniform(stream) for _ in range(5000)], "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 0.03
    edges = np.cumsum([0.2, 0.0, 0.5, 0.3])
    counts = np.bincount([chosen(stream, edges, 4) for _ in range(10_000)], minlength=4)
    np.testing.assert_allclose(counts / 10_000, [0.2, 0, 0.5, 0.3], atol=0.02)
    for one, other in itertools.combinations([(0, 1), (0, 2), (1, 1), (1, 2)], 2):
        assert not set(stream_for(*one)) & set(stream_for(*other))


@pytest.mark.parametrize("sampler", EXACT, ids=repr)
def test_a_gaussian_whose_covariance_is_known(sampler: Sampler) -> None:
    """Next to the digon, a regular minimum, the posterior is Gaussian with the inverse Hessian for its covariance."""
    n_beta = 1e8
    data = sample(PAIR, TWO, *DIGON, n_beta=n_beta, sampler=sampler, draws=6000, thinning=2)
    objective = tg.exact.Objective(PAIR, TWO)
    x = np.concatenate([data["W"].values.reshape(4, -1, 2), data["b"].values], axis=2).reshape(-1, 4) - [1, -1, 0, 0]
    expected = np.linalg.inv(n_beta * objective.hessian(objective.flat(*DIGON)))
    size = np.sqrt(np.diag(expected))
    sizes = [effective_size(one.reshape(4, -1), ranked=False) for one in x.T]
    assert min(sizes) > 700
    tolerance = 4 / np.sqrt(min(sizes))
    assert np.all(np.abs(x.mean(axis=0)) < tolerance * size)
    np.testing.assert_allclose(np.cov(x.T) / np.outer(size, size), expected / np.outer(size, size), atol=1.5 * tolerance)
    assert float(data["loss_r_hat"]) < 1.02


@pytest.mark.parametrize("sampler", [HMC(metric="identity"), MALA(metric="identity"), HMC(leaps=5, accept=0.98)], ids=repr)
def test_a_banana(sampler: Sampler) -> None:
    """One feature, L = E (x - w^2 x - b)^2 with a prior: a bent ridge in (w, b), whose moments quadrature knows.

    Steps that suit the ridge's middle are too long for its ends, where chains then stand still now and then, for longer than
    an effective size knows: more are to be accepted.
    """
    net, features, n_beta, deviation = tg.nets.Linear(1, 1), tg.features.Independent(1), 40.0, 0.8
    data = sample(
        net, features, [[0.8]], [0.1], n_beta=n_beta, prior_deviation=deviation, sampler=sampler, draws=20_000, thinning=3
    )
    w, b = np.meshgrid(np.linspace(-4, 4, 801), np.linspace(-4, 4, 801))
    c = 1 - w * w
    density = np.exp(-n_beta * (c * c / 3 - c * b + b * b) - (w * w + b * b) / (2 * deviation**2))
    density /= density.sum()
    for function in (lambda w, b: w * w, lambda w, b: b, lambda w, b: w * w * b, lambda w, b: b * b, lambda w, b: w**4):
        draws = function(data["W"].values[..., 0, 0], data["b"].values[..., 0])
        error = draws.std() / np.sqrt(effective_size(draws, ranked=False))
        assert draws.mean() == pytest.approx((density * function(w, b)).sum(), abs=4.5 * error)
        assert error < 0.03


def exact_draws(count: int, n_beta: float, deviation: float) -> NDArray[np.float64]:
    """Draws of the posterior of the pair itself, by rejection from the prior: no chain."""
    generator, kept = np.random.default_rng(7), list[NDArray[np.float64]]()
    target, gradient = target_for(PAIR, TWO, 64), np.zeros(4)
    while len(kept) < count:
        x = generator.normal(0, deviation, 4)
        if generator.random() < np.exp(-n_beta * loss_of(target, x, gradient)):
            kept.append(x)
    return np.array(kept)


@pytest.fixture(scope="module")
def posterior() -> NDArray[np.float64]:
    return exact_draws(1200, 6.0, 1.0)


@pytest.mark.parametrize(
    "sampler", [HMC(metric="identity"), HMC(leaps=1, metric="identity"), MALA(metric="identity")], ids=repr
)
def test_exact_draws_stay_exact_and_forwards_is_like_backwards(sampler: Sampler, posterior: NDArray[np.float64]) -> None:
    """Geweke's joint test: (before, after) of chains that start from the law has that law twice, in either order."""
    count = len(posterior)
    W, b = posterior[:, None, :2], posterior[:, 2:]
    data = sample(
        PAIR,
        TWO,
        W,
        b,
        n_beta=6.0,
        prior_deviation=1.0,
        sampler=sampler,
        chains=count,
        draws=4,
        thinning=2,
        warm_up=0,
        root_seed=3,
    )
    after = np.concatenate([data["W"].values[:, -1, 0], data["b"].values[:, -1]], axis=1)
    statistics = [*np.eye(4), *np.random.default_rng(0).normal(size=(3, 4))]
    for direction in statistics:
        assert ks_2samp(posterior @ direction, after @ direction).pvalue > 1e-4
    functions = [
        lambda x: x[:, 0],
        lambda x: x[:, 1] ** 2,
        lambda x: x[:, 0] * x[:, 2],
        lambda x: np.abs(x[:, 3]),
        lambda x: x[:, 2] ** 3,
    ]
    for f, g in itertools.combinations(functions, 2):
        both = f(posterior) * g(after) - g(posterior) * f(after)
        assert abs(both.mean()) < 4 * both.std() / np.sqrt(count)
    moved = np.abs(after - posterior).max(axis=1) > 0
    assert moved.mean() > 0.5


def test_a_sampler_that_forgets_to_reject_would_be_found(posterior: NDArray[np.float64]) -> None:
    """The same test on Langevin steps of a size at which they are wrong: it must fail."""
    W, b = posterior[:, None, :2], posterior[:, 2:]
    how: dict[str, Any] = {"n_beta": 6.0, "prior_deviation": 1.0, "chains": len(posterior), "draws": 16, "warm_up": 0}
    data = sample(PAIR, TWO, W, b, sampler=Langevin(0.2), **how)
    after = np.concatenate([data["W"].values[:, -1, 0], data["b"].values[:, -1]], axis=1)
    after = after[np.isfinite(after).all(axis=1)]
    assert len(after) > 1000
    assert min(ks_2samp(one, other).pvalue for one, other in zip(posterior.T, after.T, strict=True)) < 1e-4


def test_what_the_model_cannot_tell_apart_is_drawn_alike() -> None:
    """Two equal features and the sign of W: chains from one digon, tempered, see all images as often."""
    data = sample(
        PAIR, TWO, *DIGON, n_beta=[3, 8, 20, 50], prior_deviation=1.0, sampler=HMC(leaps=4, metric="identity"),
        chains=4, draws=5000, warm_up=500,
    )  # fmt: skip
    cold = data.isel(n_beta=-1)
    W, b = cold["W"].values[..., 0, :], cold["b"].values
    for draws in (np.sign(W[..., 0]), W[..., 0] + W[..., 1], np.abs(W[..., 0]) - np.abs(W[..., 1]), b[..., 0] - b[..., 1]):
        assert abs(draws.mean()) < 4.5 * draws.std() / np.sqrt(effective_size(draws, ranked=False))
    assert (data["swap_rate"].values[:, :-1] > 0.1).all()
    loss = data["loss"].mean(("chain", "draw")).values
    assert (np.diff(loss) < 0).all()


def test_tempering_leaves_each_law_as_it_is() -> None:
    ladder = [2.0, 5.0, 12.0]
    how: dict[str, Any] = {"prior_deviation": 1.0, "sampler": HMC(metric="identity"), "draws": 5000, "warm_up": 500}
    together = sample(PAIR, TWO, *DIGON, n_beta=ladder, **how)
    for n_beta in ladder:
        alone = sample(PAIR, TWO, *DIGON, n_beta=n_beta, root_seed=5, **how)["loss"].values
        beside = together["loss"].sel(n_beta=n_beta).values
        error = np.hypot(*(one.std() / np.sqrt(effective_size(one, ranked=False)) for one in (alone, beside)))
        assert abs(alone.mean() - beside.mean()) < 4 * error


@pytest.mark.parametrize("sampler", [HMC(), MALA(), Langevin(1e-6), Langevin(1e-6, 8), RMSProp(1e-6, 8)], ids=repr)
def test_the_same_bits_on_any_number_of_threads_alone_or_beside_others(sampler: Sampler) -> None:
    how: dict[str, Any] = {"n_beta": 1e5, "sampler": sampler, "draws": 50, "warm_up": 20, "root_seed": 11}
    both = sample(PAIR, TWO, *DIGON, chains=5, threads=2, **how)
    xr.testing.assert_identical(both.drop_attrs(), sample(PAIR, TWO, *DIGON, chains=5, threads=1, **how).drop_attrs())
    few = sample(PAIR, TWO, *DIGON, chains=2, threads=1, **how)
    assert np.array_equal(few["W"].values, both["W"].values[:2])
    assert not np.array_equal(both["W"].values[0], both["W"].values[1])


def test_chains_that_diverge_are_data_with_a_status() -> None:
    data = sample(PAIR, TWO, *DIGON, n_beta=1e6, sampler=Langevin(1.0), draws=50, warm_up=0)
    assert set(data["status"].values) == {tg.Status.DIVERGED}
    assert (data["draws_done"].values < 50).all()
    done = int(data["draws_done"][0])
    assert np.isfinite(data["loss"].values[0, : done - 1]).all()
    assert np.isnan(data["loss"].values[0, done:]).all()
    assert np.isnan(data["loss_r_hat"])


def test_variables_are_draws_and_coordinates_are_about_chains() -> None:
    """What ArviZ takes for a quantity with draws has chain and draw."""
    for data in (sample(PAIR, TWO, *DIGON, n_beta=1e5, draws=20), sample(PAIR, TWO, *DIGON, n_beta=[1e4, 1e5], draws=20)):
        assert all(one.dims[:2] == ("chain", "draw") for one in data.data_vars.values())
        about = {"status", "draws_done", "step_size", "loss_r_hat", "loss_effective_size"}
        assert about | ({"swap_rate"} if "n_beta" in data.dims else set()) <= set(data.coords)


@pytest.mark.interop
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of arviz, which divides by the variance of what is constant
def test_arviz_opens_a_dataset_as_it_is() -> None:
    arviz = pytest.importorskip("arviz")
    data = sample(PAIR, TWO, *DIGON, n_beta=1e5, draws=300)
    ours, theirs, sizes = diagnostics(data), arviz.rhat(data), arviz.ess(data)
    for name in ("W", "b", "loss", "lp"):
        np.testing.assert_allclose(ours[f"{name}_r_hat"], theirs[name], rtol=1e-9)
        np.testing.assert_allclose(ours[f"{name}_effective_size"], sizes[name], rtol=1e-9)
    assert {"W[0, 1]", "b[1]", "acceptance_rate"} <= set(arviz.summary(data).index)
    np.testing.assert_allclose(arviz.bfmi(data), bfmi(data["energy"].values), rtol=1e-9)


def bfmi(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far momenta change the energy beside how far it varies, of each chain."""
    return np.asarray((np.diff(energy, axis=1) ** 2).sum(axis=1) / energy.var(axis=1) / energy.shape[1])


@pytest.mark.parametrize("sampler", [HMC(), MALA(metric="identity")], ids=repr)
def test_an_energy_is_what_a_draw_has_with_its_momentum(sampler: Sampler) -> None:
    """Momenta are normal, whatever was accepted: what the energy has beyond -lp is half a chi-squared number of 4 degrees."""
    data = sample(PAIR, TWO, *DIGON, n_beta=1e5, sampler=sampler, draws=2000, thinning=3)
    kinetic = (data["energy"] + data["lp"]).values
    assert kinetic.mean() == pytest.approx(2, abs=5 * np.sqrt(2 / effective_size(kinetic, ranked=False)))
    assert kstest(2 * kinetic[:, ::20].ravel(), "chi2", (4,)).pvalue > 1e-3
    moved = data["energy"].values[:, 1:] + data["lp"].values[:, :-1] > 0
    assert moved.mean() > 0.5
    assert (bfmi(data["energy"].values) > 0.3).all()
    assert "energy" not in sample(PAIR, TWO, *DIGON, n_beta=1e5, sampler=Langevin(1e-6), draws=20)


def test_densities_are_comparable_between_chains_with_their_own_starts() -> None:
    starts = np.array([[[1.0, -1.0]], [[0.5, -0.7]], [[-1.2, 0.1]]])
    data = sample(PAIR, TWO, starts, [0.1, 0.2], n_beta=20.0, prior_deviation=0.8, localisation=3.0, chains=3, draws=30)
    W, b = data["W"].values, data["b"].values
    away = ((W - starts[:, None]) ** 2).sum(axis=(2, 3)) + ((b - [0.1, 0.2]) ** 2).sum(axis=2)
    prior = ((W**2).sum(axis=(2, 3)) + (b**2).sum(axis=2)) / (2 * 0.8**2)
    np.testing.assert_allclose(data["lp"], -20 * data["loss"].values - 1.5 * away - prior, rtol=1e-9)


def test_ctrl_c_leaves_what_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(count: int, piece: int, memory: Any, work: Any, **_: Any) -> None:
        scratch = memory(np.zeros(1, dtype=np.int64))
        work(scratch, 0, 1)
        scratch[1].stop[0] = 1
        work(scratch, 1, 2)
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["tegum.posterior.sample"], "in_pieces", interrupted)
    with pytest.raises(tg.Interrupted) as stopped:
        sample(PAIR, TWO, *DIGON, n_beta=1e5, draws=20)
    data = stopped.value.data
    assert data["status"].values.tolist() == ["finished", *["interrupted"] * 3]
    assert np.isfinite(data["loss"].values[0]).all()
    assert np.isnan(data["loss"].values[1:]).all()


def test_chains_that_are_interrupted_say_how_often_they_exchanged_of_what_they_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after 500 of 5,000 draws: rates are those of chains that were to have 500."""
    how: dict[str, Any] = {"n_beta": [3, 10, 30], "prior_deviation": 1.0, "chains": 1, "warm_up": 100}
    short = sample(PAIR, TWO, *DIGON, draws=500, **how)
    module = sys.modules["tegum.posterior.sample"]
    whole = vars(module)["hamiltonian"]

    def stopped(target: Any, law: Any, chain: Any, plan: Any, record: Any, c: int) -> None:
        whole(target, law, chain, plan._replace(draws=500), record, c)
        record.status[c] = STOPPED

    monkeypatch.setattr(module, "hamiltonian", stopped)
    long = sample(PAIR, TWO, *DIGON, draws=5000, **how)
    assert long["status"].values.tolist() == [tg.Status.INTERRUPTED]
    np.testing.assert_array_equal(long["swap_rate"], short["swap_rate"])
    np.testing.assert_array_equal(long["step_size"], short["step_size"])
    assert (long["swap_rate"].values[:, :-1] > 0.1).all()


def test_a_call_is_found_again_where_it_was_cached(tmp_path: Path) -> None:
    def drawn(pieces: Pieces, seed: int) -> xr.Dataset:
        with caching(pieces):
            return sample(PAIR, TWO, *DIGON, n_beta=1e5, sampler=Langevin(1e-6, 2), draws=20, root_seed=seed, progress=False)

    first, again = Pieces(tmp_path), Pieces(tmp_path)
    data = drawn(first, 1)
    assert (first.computed, drawn(again, 1).equals(data), again.computed) == (1, True, 0)
    assert not drawn(again, 2).equals(data)
    assert again.computed == 1


def test_trajectories_without_hope_are_told() -> None:
    data = sample(PAIR, TWO, *DIGON, n_beta=1e9, sampler=HMC(metric="identity"), draws=20, warm_up=0)
    assert data["diverging"].values.all()
    assert not data["acceptance_rate"].values.any()
    calm = sample(PAIR, TWO, *DIGON, n_beta=1e9, draws=20)
    assert not calm["diverging"].values.any()


def test_held_biases_stay_where_they_are() -> None:
    net = tg.nets.ReluOutput(2, 1, bias=False)
    for metric in ("hessian", "identity"):
        for sampler in (HMC(metric=metric), Langevin(1e-7, metric=metric)):
            data = sample(net, TWO, [[1.0, -1.0]], n_beta=1e6, sampler=sampler, draws=200)
            assert not data["b"].values.any()
            assert data["W"].values.std() > 0


def test_diagnostics_are_those_of_the_books() -> None:
    generator = np.random.default_rng(5)
    rho, draws = 0.9, np.empty((8, 4000))
    draws[:, 0] = generator.normal(size=8)
    for t in range(1, 4000):
        draws[:, t] = rho * draws[:, t - 1] + np.sqrt(1 - rho**2) * generator.normal(size=8)
    assert effective_size(draws, ranked=False) == pytest.approx(32_000 * (1 - rho) / (1 + rho), rel=0.15)
    assert effective_size(draws) == pytest.approx(32_000 * (1 - rho) / (1 + rho), rel=0.15)
    assert r_hat(draws) == pytest.approx(1, abs=0.02)
    assert r_hat(draws + np.arange(8)[:, None]) > 1.5
    assert r_hat(draws * np.arange(1, 9)[:, None]) > 1.2
    assert r_hat(np.cumsum(generator.normal(size=(4, 500)), axis=1)) > 1.2
    assert np.isnan(r_hat(np.full((2, 50), np.nan)))
    data = sample(PAIR, TWO, *DIGON, n_beta=1e5, draws=100)
    found = diagnostics(data)
    assert found["W_r_hat"].dims == ("hidden", "feature")
    assert float(found["loss_effective_size"]) == pytest.approx(float(data["loss_effective_size"]))


@pytest.mark.parametrize(
    ("rho", "count", "expected"),
    [
        (-0.6, 1000, 14408.23996531185),
        (-0.3, 1000, 7358.323085222205),
        (0.5, 1000, 1223.0501218091838),
        (0.9, 1000, 181.97000197428864),
        (0.98, 20, 7.576992063734226),
        (0.9, 150, 34.014817127212645),
    ],
)
def test_effective_sizes_are_those_of_arviz(rho: float, count: int, expected: float) -> None:
    """Of its version 0.23.4, by the method "mean"."""
    noise, draws = np.random.default_rng(7).normal(size=(4, count)), np.empty((4, count))
    draws[:, 0] = noise[:, 0]
    for t in range(1, count):
        draws[:, t] = rho * draws[:, t - 1] + noise[:, t]
    assert effective_size(draws, ranked=False) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("sampler", [Langevin(0.5, metric="hessian"), RMSProp(2e-7, stability=0.5)], ids=repr)
def test_biased_samplers_are_as_wrong_as_predicted(sampler: Langevin | RMSProp) -> None:
    estimate = tg.posterior.llc(PAIR, TWO, *DIGON, n_beta=1e6, sampler=sampler, draws=4000, warm_up=500)
    assert estimate.value - 2 == pytest.approx(sum(estimate.biases.values()), abs=4 * estimate.standard_error)


@pytest.mark.parametrize("sampler", [Langevin(0.1, metric="hessian"), RMSProp(1e-6, metric="hessian")], ids=repr)
def test_biases_are_known_of_a_net_without_a_bias(sampler: Langevin | RMSProp) -> None:
    """The variance of each of two directions is 1 / (1 - e / 4) of what it should be, e the step in the Hessian's metric."""
    net = tg.nets.ReluOutput(2, 1, bias=False)
    estimate = tg.posterior.llc(net, TWO, [[1.0, -1.0]], n_beta=1e6, sampler=sampler, draws=100)
    assert all(np.isfinite(one) for one in estimate.biases.values())
    if isinstance(sampler, Langevin):
        assert estimate.biases["step size"] == pytest.approx(1 / (1 - 0.1 / 4) - 1, rel=1e-3)


def test_batches_bias_as_predicted() -> None:
    """On a data set, so that the noise of a batch is exactly known."""
    features = tg.features.FiniteLaw(TWO.sample(64, seed=0))
    found = tg.exact.minimise(PAIR, features, seeds=1, initial={"W": [[1.0, -1.0]], "b": [0.01, 0.01]}, progress=False).isel(
        seed=0
    )
    sampler = Langevin(2e-5, batch_size=4)
    estimate = tg.posterior.llc(PAIR, features, found["W"], found["b"], n_beta=1e4, sampler=sampler, draws=4000, warm_up=500)
    assert set(estimate.biases) == {"localisation", "distance", "step size", "batches"}
    truth = tg.posterior.exact_coefficient(PAIR, features, found["W"], found["b"])
    assert estimate.value - truth.value == pytest.approx(
        sum(estimate.biases.values()), rel=0.1, abs=4 * estimate.standard_error
    )


def test_the_benchmark_says_beforehand_what_chains_take() -> None:
    once, twice = (benchmark.announced(*SIX, HMC(leaps=1), draws) for draws in (1000, 2000))
    assert 0 < once == twice / 2
