"""Which parameters belong to which net, and what is asked of nets that do not have them."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.features import Exponential, Features, Independent, Joined, Magnitude, Mixture, Uniform
from tegum.nets import Activation, ActivationOutput, Net, ReluHidden, ReluOutput, TargetMap, Untied, UntiedNeurons
from tests.oracle.outputs import kinked_points

F = Independent(3, [0.3, 0.8, 0.05])
AROUND = Uniform(-1, 1)


def models(net: Net, **others: Any) -> xr.Dataset:
    """Two random models as a dataset that says nothing of its net."""
    rng, own = np.random.default_rng(0), tg.datasets.PARAMETER_DIMS
    arrays = {name: (("seed", *own[name]), rng.normal(size=(2, *shape))) for name, shape in net.parameter_shapes().items()}
    arrays |= {name: (("seed", *own[name]), values) for name, values in others.items()}
    return xr.Dataset(arrays, attrs={"net": repr(net)})


@pytest.mark.parametrize(
    ("own", "given", "name"),
    [
        (Untied(3, 2, hidden_bias=True), Untied(3, 2), "b_hidden"),
        (Untied(3, 2), Untied(3, 2, bias=False), "b"),
        (ReluOutput(3, 2), ReluOutput(3, 2, bias=False), "b"),
        (ReluHidden(3, 1, hidden_bias=True), ReluHidden(3, 1), "b_hidden"),
    ],
)
def test_parameters_that_the_net_does_not_have_are_refused_in_every_form(own: Net, given: Net, name: str) -> None:
    data = models(own)
    params = {one: data[one].values for one in own.parameter_shapes()}
    with pytest.raises(tg.InvalidInputError, match=f"the dataset holds {name}, which"):
        tg.exact.loss(data, features=F, net=given)
    with pytest.raises(tg.InvalidInputError, match="b is given to a net" if name == "b" else f"has no parameter '{name}'"):
        tg.exact.loss(params, features=F, net=given)
    without = data.assign({name: 0 * data[name]})
    loss = tg.exact.loss({one: params[one] for one in given.parameter_shapes()}, features=F, net=given)
    np.testing.assert_allclose(tg.exact.loss(without, features=F, net=given), loss, rtol=1e-12)


def test_biases_of_nets_without_are_refused_as_arrays() -> None:
    W, b, net = np.ones((2, 3)) / 2, np.ones(3) / 9, ReluOutput(3, 2, bias=False)
    for call in (tg.exact.loss, lambda *args, **more: tg.exact.noisy(*args, sigma=0.1, **more)):
        with pytest.raises(tg.InvalidInputError, match="b is given to a net without bias"):
            call(W, b, F, net=net)
    assert tg.exact.loss(W, np.zeros(3), F, net=net) == tg.exact.loss(W, np.zeros(3), F)
    np.testing.assert_array_equal(tg.exact.best_bias(W, F, net=net), np.zeros(3))
    with_hidden = Untied(3, 2, bias=False, hidden_bias=True)  # whose map has a bias, W2 b_hidden
    tg.exact.loss(np.eye(3), b, F, tied=False, net=with_hidden)


def test_datasets_of_other_parameters_are_no_starts() -> None:
    whole = tg.train(Untied(3, 2, hidden_bias=True), F, tg.Recipe(steps=5, batch_size=64, seeds=1), progress=False)
    for net, said in ((Untied(3, 2), "holds b_hidden"), (ReluOutput(3, 2), "holds W1.*holds W2.*holds b_hidden")):
        with pytest.raises(tg.InvalidInputError, match=f"(?s){said}"):
            tg.exact.minimise_from(whole, net=net)
    with pytest.raises(tg.InvalidInputError, match="has W2: give a dataset with its weights"):
        tg.exact.minimise_from(whole.drop_vars("W2"))
    other = whole.assign_attrs(net=repr(Untied(3, 2)))
    with pytest.raises(tg.InvalidInputError, match="holds b_hidden"):
        tg.expected_loss(other)


def test_a_net_that_is_given_is_not_looked_for() -> None:
    cube = Activation("cube", value=lambda x: x**3, slope=lambda x: 3 * x**2)
    for net in (ActivationOutput(3, 2, activation=cube), Untied(3, 2, activation=cube)):
        data = models(net)
        with pytest.raises(tg.InvalidInputError, match="give it as net="):
            tg.exact.loss(data, features=F)
        params = {name: data[name].values for name in net.parameter_shapes()}
        np.testing.assert_allclose(
            tg.exact.loss(data, features=F, net=net), tg.exact.loss(params, features=F, net=net), rtol=1e-12
        )


def test_slopes_are_by_the_parameters_that_a_net_has() -> None:
    for net in (Untied(3, 2, bias=False, hidden_bias=True), ReluOutput(3, 2, bias=False), ReluHidden(3, 1, bias=False)):
        data = models(net)
        params = {name: data[name].values for name in net.parameter_shapes()}
        _, slopes = tg.exact.loss_and_gradient(params, features=F, net=net)
        assert slopes.keys() == params.keys()
        moved = {name: array - 1e-6 * slopes[name] for name, array in params.items()}
        fall = tg.exact.loss(params, features=F, net=net) - tg.exact.loss(moved, features=F, net=net)
        square = sum((slope**2).reshape(2, -1).sum(axis=1) for slope in slopes.values())
        np.testing.assert_allclose(fall, 1e-6 * square, rtol=1e-3)


def test_messages_about_nets_say_what_each_function_takes() -> None:
    W = np.ones((1, 3)) / 2
    biased = ReluHidden(3, 1, hidden_bias=True)
    with pytest.raises(tg.InvalidInputError, match="give its parameters by name: W, b, b_hidden"):
        tg.exact.squared_errors(W, np.zeros(3), F, net=biased)
    for call in (
        lambda net: tg.exact.best_bias(W, F, net=net),
        lambda net: tg.exact.ablations(W, np.zeros(3), F, net=net),
        lambda net: tg.exact.noisy(W, np.zeros(3), F, sigma=0.1, net=net),
    ):
        with pytest.raises(tg.InvalidInputError, match="takes nets whose hidden units are linear"):
            call(biased)
    with pytest.raises(tg.InvalidInputError, match="give its map W2 @ W1 in place of W, with tied=False"):
        tg.exact.best_bias(W, F, net=Untied(3, 1))
    assert tg.exact.best_bias(W.T @ W, F, net=Untied(3, 1), tied=False).shape == (3,)


def test_the_activity_of_a_hidden_relu_is_not_that_of_linear_units() -> None:
    with pytest.raises(tg.InvalidInputError, match="leave it out, it is E"):
        tg.exact.minimise(ReluHidden(3, 1), F, seeds=1, penalties=[tg.exact.L1(0.1)])
    found = tg.exact.minimise(ReluHidden(3, 1), F, seeds=1, penalties=[tg.exact.L2(0.1)], progress=False)
    assert found.objective.item() == pytest.approx(found.loss.item() + 0.1 * float((found.W**2).sum()), rel=1e-9)


@pytest.mark.parametrize(
    "features",
    [
        Joined([Independent(1, 0.3), Independent(1, 0.3, magnitude=tg.features.Constant())]),
        Mixture([Independent(2, 0.3), Independent(2, 0.3, magnitude=tg.features.Constant())]),
        Joined([Mixture([tg.features.FiniteLaw([[1.0]]), Independent(1, 0.3)]), Independent(1, 0.3)]),
    ],
)
def test_values_that_are_few_are_found_wherever_they_are(features: Features) -> None:
    with pytest.raises(tg.InvalidInputError, match="take few values"):
        tg.exact.L1(0.1).on(features)


class Symmetric(Magnitude):
    """A law of its own that is uniform on [-1, 1]."""

    largest = 1.0

    def moment(self, order: int) -> float:
        """E u^order."""
        return AROUND.moment(order)

    def quantile(self, probability: Any) -> Any:
        """As of a uniform law."""
        return AROUND.quantile(probability)

    def generating(self, z: Any) -> Any:
        """E e^{zu} = sinh z / z."""
        return np.where(z == 0, 1, np.sinh(z) / np.where(z == 0, 1, z))


@pytest.mark.parametrize("magnitude", [AROUND, Uniform(-2, 1.9999), Uniform(-1.5, 0.2)])
def test_magnitudes_of_mean_0_pass_a_hidden_relu(magnitude: Uniform) -> None:
    features = F.replaced(magnitude=magnitude)
    for net in (ReluHidden(3, 1, hidden_bias=True), UntiedNeurons(3, 1)):
        params = {name: array.values[0] for name, array in models(net).data_vars.items()}
        w, g = params.get("W2", params.get("W")).ravel(), params.get("W1", params.get("W")).ravel()
        c = params.get("b_hidden", np.zeros(1))[0]
        x, chance = kinked_points(features, g, np.concatenate([[-c], -params["b"] / w - c]))
        squares = chance @ (net.forward(params, x) - x) ** 2
        found = tg.exact.evaluate(params, features=features, net=net, gradient=True)
        np.testing.assert_allclose(found.squared_error, squares, atol=1e-9)
        y = net.forward(params, x)
        by_b = chance @ (2 * (y - x) * (y > 0))
        np.testing.assert_allclose(found.db, by_b, atol=1e-6)
        assert np.abs(found.db - by_b).max() <= found.gradient_error + 1e-12
        assert tg.expected_loss(net, params, features).method == "exact"


def test_activity_of_magnitudes_around_0() -> None:
    features, p = Independent(2, 0.3, magnitude=AROUND), 0.3
    mean, slope = tg.exact.hidden_activity([[1.0, -1.0]], features)  # E |u - v| = 2 / 3, E |u| = 1 / 2
    np.testing.assert_allclose(mean, p**2 * 2 / 3 + 2 * p * (1 - p) / 2, rtol=1e-8)
    np.testing.assert_allclose(slope, [[mean[0] / 2, -mean[0] / 2]], rtol=1e-7)
    net, own = ReluHidden(2, 1), features.replaced(magnitude=Symmetric())
    params = {"W": np.array([[1.0, -0.5]]), "b": np.zeros(2)}
    for call in (
        lambda: tg.exact.hidden_activity(params["W"], own),
        lambda: tg.exact.loss(params, features=own, net=net),
    ):
        with pytest.raises(tg.InvalidInputError, match="have the mean 0: the exact engine divides by it"):
            call()
    assert tg.expected_loss(net, params, own).method != "exact"


def test_steep_outputs_are_as_exact_as_asked_or_sampled() -> None:
    net, features = ActivationOutput(1, 1, activation="tanh"), Independent(1, 0.3, magnitude=Exponential(0.5))
    found = tg.exact.evaluate([[30.0]], [-2.0], features, net=net, tied=False)
    u, w = np.polynomial.legendre.leggauss(400)
    u, w = 10 * (u + 1), 10 * w * 2 * np.exp(-20 * (u + 1))  # 2 e^(-2 u) on [0, 20]
    loss = 0.7 * np.tanh(-2) ** 2 + 0.3 * float(w @ (u - np.tanh(30 * u - 2)) ** 2)
    assert found.loss.item() == pytest.approx(loss, rel=1e-12)
    assert found.loss_error.item() < 1e-9 * loss
    steep = {"W": np.array([[400.0]]), "b": np.array([-2.0])}  # s = 160,000 u
    rough = tg.exact.evaluate(steep, features=features, net=net)
    best = tg.expected_loss(net, steep, features)
    assert best.method != "exact"
    assert best.standard_error < rough.loss_error.item()
    assert tg.expected_loss(net, {"W": np.array([[1.0]]), "b": np.zeros(1)}, features).method == "exact"


def test_a_flow_that_rounding_holds_gives_up() -> None:
    net, features = ReluOutput(3, 1), Independent(3, 0.1)
    flow = tg.exact.gradient_flow(net, features, [[1e20, 1e20, 1e20]], [0, 0, 0], 100.0, times=2, progress=False)
    assert flow.attrs["status"] == "gave up"
    assert "2,000 steps went from the time" in flow.attrs["reason"]
    far = tg.exact.gradient_flow(net, features, [[1e12, -7e11, 4e11]], [0, 0, 0], 100.0, times=3, progress=False)
    assert far.attrs["status"] == "finished"
    assert far.loss[-1] < 0.1


def test_target_maps_take_columns_of_any_whole_kind_and_their_own_stored_form() -> None:
    identity = TargetMap(np.eye(2))
    assert TargetMap([{np.int64(0): 1.0}, {np.int32(1): 1.0}]) == identity
    assert repr(TargetMap([{np.int64(0): 1.0}, {1: 1.0}])) == repr(identity)
    assert dataclasses.replace(identity, relu=False) == TargetMap(np.eye(2), relu=False)
    zero = TargetMap(np.zeros((2, 2)), [1.0, 0.0])
    assert dataclasses.replace(zero, relu=False)(np.ones((1, 2))).tolist() == [[1.0, 0.0]]
    with pytest.raises(tg.InvalidInputError, match="column 2"):
        TargetMap([{np.int64(2): 1.0}, {}])


def test_ablations_of_an_untied_net_ask_for_its_map() -> None:
    with pytest.raises(tg.InvalidInputError, match="give its map W2 @ W1"):
        tg.exact.ablations(np.ones((1, 2)), np.zeros(2), tg.features.Independent(2), net=tg.nets.Untied(2, 1))
