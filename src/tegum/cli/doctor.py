"""`tegum doctor`: is this machine ready, are both engines right on it, and how fast are they?"""

import time

import numpy as np

from tegum.cli.output import say
from tegum.exact import loss, minimise
from tegum.features import Independent
from tegum.nets import ReluOutput
from tegum.provenance import provenance
from tegum.threads import default_threads
from tegum.training import STRIPE, Recipe, loss_and_gradient, train

_TOLERANCE, _EXACT_TOLERANCE = 1e-5, 1e-8


def _gradient_error() -> float:
    """The largest difference between the engine's gradient and NumPy's on one random model, relative to the largest entry."""
    net = ReluOutput(7, 3)
    generator = np.random.default_rng(0)
    params = {"W": generator.normal(size=(3, 7)) / 2, "b": generator.normal(size=7) / 5}
    x = Independent(7, density=0.4).sample(500, seed=1)
    _, gradient = loss_and_gradient(net, params, x)
    y = net.forward(params, x)
    d = 2 * (y - x) * (y > 0) / len(x)
    exact = (d @ params["W"].T).T @ x + (x @ params["W"].T).T @ d
    return float(np.abs(gradient["W"] - exact).max() / np.abs(exact).max())


def _exact_error() -> float:
    """The relative error of the exact loss of two features as opposites in one dimension, which is p^2 / 3."""
    density = 0.1
    features = Independent(2, density=density)
    minimise(ReluOutput(2, 1), features, seeds=4)  # compiles what finds and certifies minima
    found = loss(np.array([[1.0, -1.0]]), np.zeros(2), features)
    return abs(float(found) / (density**2 / 3) - 1)


def _said(name: str, began: float, right: bool, what: str, error: float) -> None:
    """One engine: how long it took to be ready, and whether it is right."""
    seconds = time.perf_counter() - began
    say(f"{name:<10} ready in {seconds:.1f} s (the first time on a machine it compiles, later it loads)")
    say(f"{'':<10} {what.format('equals' if right else 'DIFFERS FROM')}: relative error {error:.1e}")


def doctor() -> int:
    """Check the installation: versions, cores, gradients and exact losses against what is known, speed."""
    for name, value in provenance().items():
        say(f"{name:<10} {value}")
    threads = default_threads()
    say(f"{'threads':<10} {threads}, {512 if STRIPE > 1 else 128}-bit blocks")
    began = time.perf_counter()
    error = _gradient_error()
    trains = error < _TOLERANCE
    _said("training", began, trains, "its gradient {} NumPy's", error)
    began = time.perf_counter()
    error = _exact_error()
    exact = error < _EXACT_TOLERANCE
    _said("exact loss", began, exact, "that of two opposites {} its formula", error)
    steps, seeds = 4000, 8 * threads
    data = train(
        ReluOutput(5, 2), Independent(5, density=0.1), Recipe(steps=steps, seeds=seeds, evaluation_samples=64), progress=False
    )
    rate = steps * seeds / data.attrs["wall_seconds"]
    say(f"{'speed':<10} {rate:,.0f} steps/s of n = 5, m = 2 at batch 1024")
    return 0 if trains and exact else 1
