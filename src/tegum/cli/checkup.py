"""Whether both engines are right on this machine, and how fast they are: what `tegum doctor` finds where it is not known."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tegum.compilation import compile_beside, folder_of
from tegum.exact import loss, minimise
from tegum.exact.certificate import compile_hessians
from tegum.exact.kernel.hessian import hessians
from tegum.exact.kernel.model import evaluate_models
from tegum.features import Independent
from tegum.nets import ReluOutput
from tegum.processor import registers
from tegum.threads import default_threads
from tegum.training import Recipe, loss_and_gradient, train
from tegum.training.kernel import advance

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


def _trained(steps: int, seeds: int) -> float:
    """Seconds of so many steps of so many models."""
    recipe = Recipe(steps=steps, seeds=seeds, evaluation_samples=64)
    data = train(ReluOutput(5, 2), Independent(5, density=0.1), recipe, progress=False)
    return float(data.attrs["wall_seconds"])


def compile_half() -> None:
    """Compiles what `findings` needs last: half of the work, for a second process."""
    _gradient_error()
    _trained(1, 1)
    compile_hessians()


def findings() -> Iterator[tuple[str, bool]]:
    """One line after the other, each as soon as it is found, and whether all is well with what it says."""
    threads = default_threads()
    number, width = registers()
    yield f"{'threads':<10} {threads}, each with {number} registers of {width} numbers", True
    compile_beside(f"{__name__}:{compile_half.__name__}", advance, hessians)
    engines = (
        ("exact loss", _exact_error, _EXACT_TOLERANCE, "that of two opposites {} its formula"),
        ("training", _gradient_error, _TOLERANCE, "its gradient {} NumPy's"),
    )
    for name, error_of, tolerance, what in engines:
        began = time.perf_counter()
        error = error_of()
        right = error < tolerance
        seconds = time.perf_counter() - began
        yield f"{name:<10} ready in {seconds:.1f} s (the first time on a machine it compiles, later it loads)", True
        yield f"{'':<10} {what.format('equals' if right else 'DIFFERS FROM')}: relative error {error:.1e}", right
    steps, seeds = 4000, 8 * threads
    rate = steps * seeds / _trained(steps, seeds)
    yield f"{'speed':<10} {rate:,.0f} steps/s of n = 5, m = 2 at batch 1024", True


def folders() -> set[Path]:
    """Where the engines' compiled code is kept; nothing where it cannot be."""
    return {folder for engine in (advance, evaluate_models) if (folder := folder_of(engine)) is not None}
