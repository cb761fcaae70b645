"""Gradient flow: closed forms, what it must conserve, three solvers, and how it ends early."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tegum as tg
from tegum.exact.flow import Method, dense_flow, gradient_flow

FIVE_IN_TWO = tg.nets.ReluOutput(5, 2)
SPARSE = tg.features.Independent(5, density=0.1)
QUIET: dict[str, Any] = {"progress": False}


def a_start(seed: int = 3, m: int = 2, n: int = 5, scale: float = 0.3) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(m, n)) * scale


@pytest.mark.parametrize("method", ["BDF", "Radau", "DOP853"])
def test_a_linear_net_with_white_features_follows_the_curves_of_saxe(method: Method) -> None:
    """One feature at a time: E[x x^T] = p/3, so that d s/dt = (4 p/3) s (1 - s^2) for every singular value s of W."""
    p = 0.2
    W = a_start(m=3, scale=0.1)
    flow = gradient_flow(
        tg.nets.Linear(5, 3, bias=False),
        tg.features.AnticorrelatedSets(1, 5, density=p),
        W,
        np.zeros(5),
        60,
        method=method,
        rtol=1e-8,
        atol=1e-10,
        **QUIET,
    )
    U, s, V = np.linalg.svd(W, full_matrices=False)
    grown = 1 / np.sqrt(1 + (1 / s**2 - 1) * np.exp(-8 * p / 3 * flow.time.values[:, None]))
    np.testing.assert_allclose(flow.W, np.einsum("ik,tk,kj->tij", U, grown, V), atol=2e-7)
    assert not flow.b.any()
    np.testing.assert_allclose(flow.loss, p / 3 * (2 + ((1 - grown**2) ** 2).sum(-1)), atol=1e-6)


def test_the_loss_falls_as_fast_as_the_squared_gradient_says() -> None:
    flow = dense_flow(FIVE_IN_TWO, SPARSE, a_start(), np.zeros(5), 1e3, rtol=1e-9, atol=1e-11, **QUIET)
    recorded = flow.dataset()
    assert (np.diff(recorded.loss) <= 1e-14).all()
    assert recorded.time.values[0] == 0
    assert recorded.time.values[-1] == flow.reached == 1e3
    nodes, weights = np.polynomial.legendre.leggauss(12)
    for begin, end in ((2.0, 3.0), (5.0, 6.0), (50.0, 60.0)):
        inside = flow.dataset((begin + end) / 2 + (end - begin) / 2 * nodes)
        fallen = (end - begin) / 2 * float(weights @ inside.gradient_norm.values**2)
        ends = flow.dataset([begin, end])
        assert float(ends.loss[0] - ends.loss[1]) == pytest.approx(fallen, rel=1e-6)


def test_it_ends_in_a_minimum() -> None:
    flow = gradient_flow(FIVE_IN_TWO, SPARSE, a_start(), np.zeros(5), 1e6, **QUIET)
    assert float(flow.gradient_norm[-1]) < 1e-9
    end = {"W": flow.W[-1].values[None], "b": flow.b[-1].values[None]}
    found = tg.exact.minimise(FIVE_IN_TWO, SPARSE, seeds=1, initial=end, progress=False)
    assert found.status.item() == "minimum"
    assert float(found.loss.item()) == pytest.approx(float(flow.loss[-1]), rel=1e-9)
    assert flow.attrs["jacobians"] < 30
    assert flow.attrs["evaluations"] < 10_000


def test_the_solvers_agree() -> None:
    ends = [
        gradient_flow(FIVE_IN_TWO, SPARSE, a_start(), np.zeros(5), 30, times=[3, 30], method=method, **QUIET)
        for method in ("BDF", "Radau", "DOP853")
    ]
    for other in ends[1:]:
        np.testing.assert_allclose(ends[0].W, other.W, atol=1e-5)
        np.testing.assert_allclose(ends[0].b, other.b, atol=1e-5)


def test_rotated_and_permuted_starts_have_rotated_and_permuted_flows() -> None:
    W, b = a_start(), 0.1 * a_start(4)[0]
    R = np.linalg.qr(a_start(5, 2, 2))[0]
    order = np.array([2, 0, 1, 4, 3])
    plain = gradient_flow(FIVE_IN_TWO, SPARSE, W, b, 30, times=5, **QUIET)
    turned = gradient_flow(FIVE_IN_TWO, SPARSE, R @ W, b, 30, times=5, **QUIET)
    shuffled = gradient_flow(FIVE_IN_TWO, SPARSE, W[:, order], b[order], 30, times=5, **QUIET)
    np.testing.assert_allclose(turned.W, R @ plain.W.values, atol=1e-5)
    np.testing.assert_allclose(shuffled.W, plain.W.values[..., order], atol=1e-5)
    np.testing.assert_allclose(shuffled.loss, plain.loss, atol=1e-8)


def test_nothing_turns_and_no_dimension_is_opened() -> None:
    """DW/dt = -W S with S symmetric: W dW^T/dt is symmetric, and directions of the hidden space not in W stay unused."""
    flow = dense_flow(tg.nets.ReluOutput(5, 3), SPARSE, a_start(m=3), np.zeros(5), 100, **QUIET)
    for when in (0.0, 10.0, 100.0):
        W, b = flow.at(when)
        dW = flow.objective.parameters(flow.objective.gradient(flow.objective.flat(W, b)))[0]
        np.testing.assert_allclose(W @ dW.T, dW @ W.T, atol=1e-14)
    flat = np.outer([0.6, 0.8, 0], a_start()[0])
    W, _ = dense_flow(tg.nets.ReluOutput(5, 3), SPARSE, flat, np.zeros(5), 100, **QUIET).at(100)
    assert np.linalg.matrix_rank(W, tol=1e-6) == 1
    np.testing.assert_allclose(np.abs([0.8, -0.6, 0] @ W), 0, atol=1e-6)


def test_the_dense_flow_is_the_recorded_one() -> None:
    flow = dense_flow(FIVE_IN_TWO, SPARSE, a_start(), np.zeros(5), 10, **QUIET)
    recorded = gradient_flow(FIVE_IN_TWO, SPARSE, a_start(), np.zeros(5), 10, times=[0, 0.5, 10], **QUIET)
    W, b = flow.at([0, 0.5, 10])
    np.testing.assert_array_equal(recorded.W, W)
    np.testing.assert_array_equal(recorded.b, b)
    assert recorded.W.dims == ("time", "hidden", "feature")
    assert flow.at(0.5)[0].shape == (2, 5)
    assert flow.at(np.ones((2, 3)))[1].shape == (2, 3, 5)
    np.testing.assert_allclose(W[0], a_start(), atol=1e-15)
    for name in ("method", "rtol", "atol", "evaluations", "jacobians", "steps", "wall_seconds", "commit", "net", "status"):
        assert name in recorded.attrs
    assert recorded.attrs["interrupted"] == 0
    np.testing.assert_allclose(tg.exact.loss(recorded), recorded.loss, rtol=1e-6)
    assert recorded.attrs["status"] == "finished"


@pytest.mark.parametrize("after", [1, 150])
def test_ctrl_c_returns_what_is_done(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    calls = [0]
    gradient = tg.exact.Objective.gradient

    def interrupted(self: tg.exact.Objective, x: NDArray[np.float64]) -> NDArray[np.float64]:
        calls[0] += 1
        if calls[0] == after:
            raise KeyboardInterrupt
        return gradient(self, x)

    monkeypatch.setattr(tg.exact.Objective, "gradient", interrupted)
    with pytest.raises(tg.Interrupted) as stop:
        gradient_flow(FIVE_IN_TWO, SPARSE, a_start(), np.zeros(5), 1e3, **QUIET)
    flow = stop.value.data
    assert flow.attrs["interrupted"] == 1
    assert flow.attrs["status"] == "interrupted"
    assert flow.attrs["reached"] < 1e3
    assert float(flow.time[-1]) <= flow.attrs["reached"]
    np.testing.assert_allclose(flow.W[0], a_start(), atol=1e-15)


def test_a_solver_that_gives_up_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    gradient = tg.exact.Objective.gradient
    noise = np.random.default_rng(0)

    def noisy(self: tg.exact.Objective, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return gradient(self, x) + noise.normal(size=x.size) * 10.0

    monkeypatch.setattr(tg.exact.Objective, "gradient", noisy)
    flow = gradient_flow(FIVE_IN_TWO, SPARSE, a_start(), np.zeros(5), 1e3, rtol=1e-12, atol=1e-13, **QUIET)
    assert flow.attrs["status"] == "gave up"
    assert "step size" in flow.attrs["reason"]
    assert flow.attrs["interrupted"] == 0
    assert flow.attrs["reached"] < 1e3


WRONG: dict[str, tuple[Callable[[], object], tuple[str, ...]]] = {
    "everything": (
        lambda: gradient_flow(
            FIVE_IN_TWO,
            SPARSE,
            np.zeros((5, 2)),
            np.full(5, np.nan),
            -1,
            times=1,
            rtol=0,
            atol=2,
            method="Euler",  # type: ignore[arg-type]
        ),
        ("duration is -1", "times is 1", "rtol is 0", "atol is 2", "'Euler'", "W has shape (5, 2)", "b holds numbers"),
    ),
    "times": (lambda: gradient_flow(FIVE_IN_TWO, SPARSE, a_start(), np.zeros(5), 1, times=[0, 2]), ("times is [0, 2]",)),
    "bias": (
        lambda: dense_flow(tg.nets.ReluOutput(5, 2, bias=False), SPARSE, a_start(), np.ones(5), 1),
        ("b is given to a net without bias",),
    ),
    "net": (lambda: dense_flow(tg.nets.ReluHidden(5, 2), SPARSE, a_start(), np.zeros(5), 1), ("ReluHidden",)),
    "late": (lambda: dense_flow(FIVE_IN_TWO, SPARSE, a_start(), np.zeros(5), 1, **QUIET).at([0, 2]), ("a time is 2", "0 to 1")),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes_are_named(name: str) -> None:
    call, parts = WRONG[name]
    with pytest.raises(tg.InvalidInputError) as caught:
        call()
    for part in parts:
        assert part in str(caught.value)


def test_through_kinks_it_is_descent_with_small_steps() -> None:
    """A weight comes to 0, stays for a moment, is let go; at the end it stays at 0, as steps of descent jump around it."""
    net, features = tg.nets.ReluOutput(3, 1), tg.features.Independent(3, density=[0.2, 0.3, 0.5])
    penalties, step, times = [tg.exact.L1(0.25)], 0.05, [0.0, 4.0, 8.0, 12.0]
    W = np.random.default_rng(0).normal(size=(1, 3)) * 0.6
    flow = tg.exact.gradient_flow(
        net,
        features,
        W,
        np.zeros(3),
        times[-1],
        times=times,
        penalties=penalties,
        rtol=1e-5,
        atol=1e-7,
        terms=32,
        progress=False,
    )
    objective = tg.exact.Objective(net, features, 32, penalties=penalties)
    x, descent = objective.flat(W, np.zeros(3)), []
    for k in range(round(times[-1] / step) + 1):
        if k % round(4 / step) == 0:
            descent.append(x)
        x = x - step * objective.gradient(x)
    path = [objective.flat(W, b) for W, b in zip(flow.W.values, flow.b.values, strict=True)]
    np.testing.assert_allclose(path, descent, atol=6 * 0.25 * step * 0.1)
    assert flow.W.values[-1, 0, 0] == 0
    assert flow.W.values[1, 0, 0] != 0
    assert (np.diff(flow.objective.values) < 0).all()
    assert flow.gradient_norm.values[-1] < 0.01


def test_a_weight_at_a_kink_that_nothing_leaves_stays_there() -> None:
    net, features = tg.nets.ReluOutput(2, 1), tg.features.Independent(2, density=0.2)
    flow = tg.exact.gradient_flow(
        net, features, [[0.8, 0.0]], [0, 0], 2.0, times=[0, 2], penalties=[tg.exact.L1(0.3)], terms=64, progress=False
    )
    assert (flow.W.values[:, 0, 1] == 0).all()
    held = tg.exact.gradient_flow(
        net,
        features,
        [[0.8, 0.0]],
        [0, 0],
        2.0,
        times=[0, 2],
        constraints=[tg.exact.Support([[True, False]])],
        penalties=[tg.exact.L1(0.3)],
        terms=64,
        progress=False,
    )
    np.testing.assert_allclose(flow.W.values, held.W.values, atol=1e-7)
