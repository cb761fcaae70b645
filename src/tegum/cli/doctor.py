"""`tegum doctor`: is this machine ready, is the engine right on it, and how fast is it?"""

import time

import numpy as np

from tegum.cli.output import say
from tegum.features import Independent
from tegum.nets import ReluOutput
from tegum.provenance import provenance
from tegum.threads import default_threads
from tegum.training import STRIPE, Recipe, loss_and_gradient, train

_TOLERANCE = 1e-5


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


def doctor() -> int:
    """Check the installation: versions, cores, the engine's gradient against NumPy's, its speed."""
    for name, value in provenance().items():
        say(f"{name:<10} {value}")
    threads = default_threads()
    say(f"{'threads':<10} {threads}, {512 if STRIPE > 1 else 128}-bit blocks")
    began = time.perf_counter()
    error = _gradient_error()
    say(
        f"{'engine':<10} ready in {time.perf_counter() - began:.1f} s (the first time on a machine it compiles, later it loads)"
    )
    right = error < _TOLERANCE
    say(f"{'gradient':<10} {'equals' if right else 'DIFFERS FROM'} NumPy's: relative error {error:.1e}")
    steps, seeds = 4000, 8 * threads
    data = train(
        ReluOutput(5, 2), Independent(5, density=0.1), Recipe(steps=steps, seeds=seeds, evaluation_samples=64), progress=False
    )
    rate = steps * seeds / data.attrs["wall_seconds"]
    say(f"{'speed':<10} {rate:,.0f} steps/s of n = 5, m = 2 at batch 1024")
    return 0 if right else 1
