"""Exact losses of nets whose outputs are no plain ReLU of W^T W x: other outputs, untied nets, one hidden ReLU."""

from typing import Any

import numpy as np
import pytest
from scipy.special import expit

import tegum as tg
from tegum.features import (
    AnticorrelatedSets,
    Constant,
    CorrelatedSets,
    Exponential,
    Features,
    FiniteLaw,
    Independent,
    Joined,
    KSparse,
    Mixture,
    Uniform,
)
from tegum.nets import ACTIVATIONS, Activation, ActivationOutput, Net, ReluHidden, Untied, UntiedNeurons
from tests.oracle.outputs import AbsoluteOracle, kinked_points, squared_errors
from tests.oracle.patterns import hostile_model

I3 = [1.0, 0.5, 2.0]
DISTRIBUTIONS: dict[str, Features] = {
    "independent": Independent(3, [0.3, 0.8, 0.05], I3),
    "signed": Independent(3, [0.3, 0.8, 0.05], I3, signed=True),
    "correlated": CorrelatedSets(1, 3, 0.4, I3),
    "anticorrelated": AnticorrelatedSets(1, 3, [0.3, 0.2, 0.4], I3),
    "away from 0": Independent(3, [0.3, 0.8, 0.05], I3, magnitude=Uniform(0.5, 1)),
    "two of three": KSparse(3, 2, I3),
    "constant": Independent(3, [0.3, 0.8, 0.05], I3, magnitude=Constant(0.7)),
    "finite": FiniteLaw(np.random.default_rng(3).normal(size=(5, 3)), [0.1, 0.2, 0.3, 0.15, 0.25], I3),
    "mixture": Mixture([Independent(3, 0.2), CorrelatedSets(1, 3, 0.3)], [0.6, 0.4], I3),
    "joined": Joined([Independent(1, 0.3), KSparse(2, 1, magnitude=Constant(0.4))], I3),
    "a mixture beside": Joined([Mixture([Independent(2, [1, 0.8]), Independent(2, [0, 0.1])]), Independent(1, 0.3)], I3),
}
SMOOTH = ("square", "softplus", "gelu", "tanh")


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_smooth_outputs_are_the_oracles_within_the_errors_said(name: str) -> None:
    features, rng = DISTRIBUTIONS[name], np.random.default_rng(0)
    for output in (ACTIVATIONS[one] for one in SMOOTH):
        net = ActivationOutput(3, 3, activation=output)
        G, b = hostile_model(rng, 3)
        b = b + rng.normal(size=3)
        found = tg.exact.evaluate(G, b, features, gradient=True, tied=False, net=net)
        squares, slopes = squared_errors(features, G, b, output)
        by_map, by_b = slopes[:, :-1], slopes[:, -1]
        loss = features.importance @ squares
        assert abs(found.loss.item() - loss) <= found.loss_error.item() + 1e-14 * loss
        assert found.loss_error.item() <= 1e-11 * loss
        wrong = max(
            np.abs(found.dW.values - features.importance[:, None] * by_map).max(),
            np.abs(found.db.values - features.importance * by_b).max(),
        )
        assert wrong <= found.gradient_error.item() + 1e-13
        assert found.gradient_error.item() < 1e-9
        np.testing.assert_allclose(found.squared_error, squares, atol=1e-11 * (1 + loss))


@pytest.mark.parametrize("name", ["independent", "signed", "anticorrelated", "two of three", "finite"])
def test_absolute_outputs_are_the_oracles_within_the_errors_said(name: str) -> None:
    features, rng = DISTRIBUTIONS[name], np.random.default_rng(1)
    oracle, net = AbsoluteOracle(features), ActivationOutput(3, 3, activation="abs")
    G, b = hostile_model(rng, 3)
    found = tg.exact.evaluate(G, b, features, gradient=True, tied=False, net=net)
    squares, (by_map, by_b) = oracle.squared_errors(G, b), oracle.gradient(G, b)
    loss = features.importance @ squares
    assert abs(found.loss.item() - loss) <= found.loss_error.item() + 1e-15
    assert found.loss_error.item() <= 1e-9 * loss
    wrong = max(np.abs(found.dW.values - by_map).max(), np.abs(found.db.values - by_b).max())
    assert wrong <= found.gradient_error.item() + 1e-14


SWISH = Activation("swish", value=lambda y: y * expit(y), slope=lambda y: expit(y) * (1 + y * expit(-y)))


@pytest.mark.parametrize(
    ("features", "outputs"),
    [
        (Independent(30, 0.03), ("square", "tanh", SWISH)),
        (Independent(5, 0.3, magnitude=Exponential(0.5), signed=True), ("square", "softplus", "abs")),
        (Joined([Independent(2, 0.2), Independent(3, 0.3, magnitude=Exponential(0.5))]), ("gelu", "square")),
        (KSparse(9, 4), (SWISH, "abs")),
    ],
)
def test_samples_have_the_exact_loss(features: Features, outputs: tuple[Any, ...]) -> None:
    n, rng = features.n_features, np.random.default_rng(2)
    params, x = {"W": rng.normal(size=(2, n)) / 2, "b": rng.normal(size=n) / 3}, features.sample(50_000, seed=1)
    for output in outputs:
        net = ActivationOutput(n, 2, activation=output)
        found = tg.expected_loss(net, params, features)
        losses = ((x - net.forward(params, x)) ** 2).sum(axis=1)
        assert found.method == "exact"
        assert found.standard_error < 1e-9 * found.value
        assert abs(losses.mean() - found.value) < 4 * losses.std() / np.sqrt(len(x))


def test_outputs_that_are_not_smooth_are_refused_by_name() -> None:
    leaky = Activation("leaky", value=lambda y: max(y, 0.1 * y), slope=lambda y: 1.0 if y > 0 else 0.1)
    net, W = ActivationOutput(3, 2, activation=leaky), np.ones((2, 3))
    with pytest.raises(tg.InvalidInputError, match="activation 'leaky' has a kink"):
        tg.exact.loss(W, np.zeros(3), DISTRIBUTIONS["independent"], net=net)
    assert tg.expected_loss(net, {"W": W, "b": np.zeros(3)}, DISTRIBUTIONS["independent"]).method != "exact"
    assert tg.expected_loss(net, {"W": W, "b": np.zeros(3)}, DISTRIBUTIONS["finite"]).method == "exact"
    with pytest.raises(tg.InvalidInputError, match="one of your own, and magnitudes have no upper end"):
        tg.exact.loss(
            W, np.zeros(3), Independent(3, 0.2, magnitude=Exponential()), net=ActivationOutput(3, 2, activation=SWISH)
        )


def parameters(net: Net, seed: int, *lead: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=(*lead, *own)) / (1 if len(own) == 2 else 2) for name, own in net.parameter_shapes().items()}


def slopes_of(net: Net, params: dict[str, np.ndarray], x: np.ndarray, w: np.ndarray, importance: Any) -> dict[str, np.ndarray]:
    """The gradient of a loss on points x with weights w, by the chain rule, of nets of two matrices or one hidden ReLU."""
    first, last = (params["W1"], params["W2"]) if "W1" in params else (params["W"], params["W"].T)
    before = x @ first.T + params.get("b_hidden", 0)
    h = np.maximum(before, 0) if net.hidden_relu else before
    s = h @ last.T + params.get("b", 0)
    D = 2 * w[:, None] * importance * (net.output_activation(s) - x) * net.output_activation.slopes(s)
    E = (D @ last) * (before > 0 if net.hidden_relu else 1)
    by = {"W1": E.T @ x, "W2": D.T @ h, "b": D.sum(axis=0), "b_hidden": E.sum(axis=0)}
    return by | {"W": by["W1"] + by["W2"].T} if "W" in params else by


@pytest.mark.parametrize(
    "net",
    [
        Untied(3, 2),
        Untied(3, 2, hidden_bias=True, activation="tanh"),
        Untied(3, 2, bias=False, activation="identity", hidden_bias=True),
        Untied(3, 2, activation="square"),
    ],
)
def test_untied_nets_have_the_gradient_of_their_parameters(net: Net) -> None:
    features, params = DISTRIBUTIONS["independent"], parameters(net, 0)
    loss, slopes = tg.exact.loss_and_gradient(params, features=features, net=net)
    c = params.get("b", np.zeros(3)) + params["W2"] @ params.get("b_hidden", np.zeros(2))
    kinks = np.sort(-c)  # rows are different, and the union of what they need is not: each is asked by itself
    of_map = tg.exact.loss_and_gradient(params["W2"] @ params["W1"], c, features, tied=False, net=net)[0]
    assert loss == pytest.approx(of_map, rel=1e-12)
    if net.output_activation.name == "relu":
        G, by_map, by_c = params["W2"] @ params["W1"], np.zeros((3, 3)), np.zeros(3)
        for j in range(3):
            x, w = kinked_points(features, G[j], kinks - 0.0)
            wrong = np.maximum(x @ G[j] + c[j], 0) - x[:, j]
            pull = 2 * I3[j] * w * wrong * (x @ G[j] + c[j] > 0)
            by_map[j], by_c[j] = pull @ x, pull.sum()
        expected = {"W1": params["W2"].T @ by_map, "W2": by_map @ params["W1"].T, "b": by_c}
    else:
        widest = np.abs(params["W2"] @ params["W1"]).max(axis=0)
        expected = slopes_of(net, params, *kinked_points(features, widest, np.zeros(0), bend=2.0), I3)
    for name in params:
        np.testing.assert_allclose(slopes[name], expected[name], atol=1e-7 * (1 + loss))


@pytest.mark.parametrize(
    "name", ["independent", "signed", "correlated", "anticorrelated", "two of three", "constant", "finite", "mixture"]
)
@pytest.mark.parametrize(
    "net", [ReluHidden(3, 1, hidden_bias=True), UntiedNeurons(3, 1, hidden_bias=True)], ids=["tied", "untied"]
)
def test_a_single_hidden_relu_is_the_oracles_within_the_errors_said(name: str, net: Net) -> None:
    features = DISTRIBUTIONS[name]
    for seed in range(3):
        params = parameters(net, seed)
        w_out = params["W2"].ravel() if "W2" in params else params["W"].ravel()
        g = (params["W1"] if "W1" in params else params["W"]).ravel()
        c = params["b_hidden"][0]
        x, w = kinked_points(features, g, np.concatenate([[-c], -params["b"] / w_out - c]))
        found = tg.exact.evaluate(params, features=features, net=net, gradient=True)
        squares = w @ (net.forward(params, x) - x) ** 2
        loss = features.importance @ squares
        assert abs(found.loss.item() - loss) <= found.loss_error.item() + 1e-13
        assert found.loss_error.item() <= 1e-9 * loss
        np.testing.assert_allclose(found.squared_error, squares, atol=1e-8)
        for one, slope in slopes_of(net, params, x, w, features.importance).items():
            if one in params:
                assert np.abs(found[f"d{one}"].values - slope).max() <= found.gradient_error.item() + 1e-12
                np.testing.assert_allclose(found[f"d{one}"], slope, atol=1e-6)


def test_without_a_hidden_bias_arrays_and_datasets_do() -> None:
    net, features = ReluHidden(3, 1), Independent(3, 0.3)
    data = tg.train(net, features, tg.Recipe(steps=20, seeds=2, batch_size=64, evaluation_samples=6400), progress=False)
    found = tg.exact.loss(data)
    assert (abs(found - data.loss) < 5 * data.loss_standard_error).all()
    np.testing.assert_allclose(tg.exact.loss(data.W.values, data.b.values, features, net=net), found, rtol=1e-12)
    three = ReluHidden(3, 2)
    with pytest.raises(tg.InvalidInputError, match="single hidden ReLUs"):
        tg.exact.loss(np.ones((2, 3)), np.zeros(3), features, net=three)


@pytest.mark.parametrize("net", [Untied(4, 2), Untied(4, 2, hidden_bias=True), ReluHidden(4, 1), UntiedNeurons(4, 1)])
def test_minima_of_such_nets_are_certified_beyond_what_leaves_their_outputs(net: Net) -> None:
    features = Independent(4, 0.2)
    found = tg.exact.minimise(net, features, seeds=4, progress=False)
    best, rng = tg.best(found), np.random.default_rng(0)
    beside = {name: best[name].values + 1e-3 * rng.normal(size=best[name].shape) for name in net.parameter_shapes()}
    best = tg.exact.minimise(net, features, seeds=1, initial=beside, progress=False).isel(seed=0)
    params = {name: best[name].values for name in net.parameter_shapes()}
    loss, slopes = tg.exact.loss_and_gradient(params, features=features, net=net, tol=1e-12)
    assert best.status.item() == "minimum"
    assert best.loss.item() == pytest.approx(loss, rel=1e-8)
    assert np.sqrt(sum((slope**2).sum() for slope in slopes.values())) < 1e-6
    objective = tg.exact.Objective(net, features)
    x = objective.flat(**{name: best[name] for name in params})
    modes = tg.exact.hessian.still_directions(net, x, np.ones(x.size, dtype=bool))
    free = {"Untied": 4 + 2 * net.has_hidden_bias, "ReluHidden": 0, "UntiedNeurons": 1}[type(net).__name__]
    assert len(modes) == free
    H, error = tg.exact.hessian_at(objective, x)
    assert np.abs(modes @ H).max(initial=0) < 1e-5 + error
    step = 1e-3 * modes.sum(axis=0)
    assert abs(objective.loss(x + step) - objective.loss(x)) < 1e-6 * np.abs(step).max(initial=0) + 1e-12


def test_two_digons_are_a_saddle_where_encoder_and_decoder_are_free() -> None:
    """A digon is symmetric; beside it a net that is not costs less: 0.024520 at a density of 0.2, against 0.026369."""
    net, features = Untied(4, 2), Independent(4, 0.2)
    tied = tg.best(tg.exact.minimise(tg.nets.ReluOutput(4, 2), features, seeds=4, progress=False))
    initial = {"W1": tied.W.values, "W2": tied.W.values.T, "b": tied.b.values}
    same = tg.exact.minimise(net, features, seeds=1, initial=initial, progress=False)
    assert same.loss.item() == pytest.approx(tied.loss.item(), rel=1e-9)
    assert same.status.item() == "saddle"
    rng = np.random.default_rng(0)
    beside = {name: one + 1e-3 * rng.normal(size=one.shape) for name, one in initial.items()}
    lower = tg.exact.minimise(net, features, seeds=1, initial=beside, progress=False)
    assert lower.status.item() == "minimum"
    assert lower.loss.item() == pytest.approx(0.02452049, rel=1e-6)


def test_flows_of_untied_nets_keep_what_scaling_keeps() -> None:
    """W1 -> A W1, W2 -> W2 A^-1 leaves the loss as it is, and so W1 W1^T - W2^T W2 + b_hidden b_hidden^T stays."""
    net, features = Untied(3, 2, hidden_bias=True), Independent(3, 0.3)
    flow = tg.exact.gradient_flow(net, features, parameters(net, 1), None, 30.0, times=4, progress=False)
    W1, W2, h = flow.W1.values, flow.W2.values, flow.b_hidden.values
    kept = W1 @ W1.swapaxes(1, 2) - W2.swapaxes(1, 2) @ W2 + h[:, :, None] * h[:, None, :]
    np.testing.assert_allclose(kept, np.broadcast_to(kept[0], kept.shape), atol=1e-5)
    assert flow.loss[-1] < flow.loss[0]


def test_branches_of_untied_nets_are_followed() -> None:
    net, features = Untied(3, 1), Independent(3, 0.2)
    start = tg.best(tg.exact.minimise(net, features, seeds=3, progress=False))
    branch = tg.exact.follow(
        net, features, {name: start[name] for name in ("W1", "W2", "b")}, None, [0.2, 0.21], progress=False
    )
    assert branch.lost_at is None
    end = branch.data.isel(density=-1)
    there = {name: end[name] for name in ("W1", "W2", "b")}
    loss, slopes = tg.exact.loss_and_gradient(there, features=features.replaced(density=0.21), net=net, tol=1e-12)
    assert end.loss.item() == pytest.approx(float(loss), rel=1e-7)
    assert max(np.abs(slope).max() for slope in slopes.values()) < 1e-7


def test_parameters_by_name_of_any_net_are_those_of_arrays_and_datasets() -> None:
    net, features = Untied(3, 2, hidden_bias=True), Independent(3, [[0.1] * 3, [0.5] * 3])
    data = tg.train(net, features, tg.Recipe(steps=20, seeds=2, batch_size=64, evaluation_samples=64), progress=False)
    params = {name: data[name] for name in net.parameter_shapes()}
    each = Independent(3, features.density[:, None])
    named = tg.exact.evaluate(data, gradient=True)
    arrays = tg.exact.evaluate(params, features=each, net=net, gradient=True)
    for name in ("loss", "dW1", "dW2", "db", "db_hidden"):
        np.testing.assert_allclose(named[name], arrays[name], rtol=1e-12)
    assert named.dW2.dims == ("instance", "seed", "feature", "hidden")
    descended = tg.exact.minimise_from(data, progress=False)
    assert descended.loss.dims == named.loss.dims
    assert (descended.loss < named.loss).all()
    tied = tg.nets.ReluOutput(3, 2)
    given = parameters(tied, 0)
    loss, slopes = tg.exact.loss_and_gradient(given, features=each, net=tied)
    same = tg.exact.loss_and_gradient(given["W"], given["b"], each)
    np.testing.assert_array_equal(loss, same[0])
    np.testing.assert_array_equal(slopes["W"], same[1])
