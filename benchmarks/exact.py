"""The exact engine: microseconds for a loss and gradient beside the usual noisy step, a phase diagram, a census."""

import sys
import time
from functools import cache
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tegum as tg
from benchmarks.models import orthogonal_sums, random_models
from benchmarks.torch_loop import stepper

TERMS = 32
ROUNDS = 5
GRADIENTS = (
    # n, m, models in the batch, target in microseconds a model, PyTorch's models and batch size
    (2, 1, 200_000, None, 10, 1024),
    (5, 2, 100_000, 2.5, 10, 1024),
    (20, 5, 5_000, 40.0, 7, 1024),
    (100, 20, 200, None, 4, 1024),
    (400, 30, 8, 13_000.0, 4, 4096),
)


TOLERANCES = ((5, 2, 20_000), (20, 5, 2_000), (100, 20, 40), (400, 30, 2))


@cache
def trained_models(n: int, m: int, count: int, density: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One model that was trained on this density, again and again."""
    recipe = tg.Recipe(steps=2000 if n < 400 else 1000, batch_size=512, seeds=1)
    data = tg.train(tg.nets.ReluOutput(n, m), tg.features.Independent(n, density=density), recipe, progress=False)
    return np.repeat(data.W.values, count, axis=0), np.repeat(data.b.values, count, axis=0)


def microseconds(W: NDArray[np.float64], b: NDArray[np.float64], threads: int, density: float = 0.1, **effort: Any) -> float:
    """Median time of a loss and gradient, per model, in one batched call; by default of 32 terms."""
    features = tg.features.Independent(W.shape[-1], density=density)
    effort = effort or {"terms": TERMS}
    measured = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        tg.exact.loss_and_gradient(W, b, features, **effort, threads=threads)
        measured.append((time.perf_counter() - began) / len(W) * 1e6)
    return median(measured)


def print_gradients(threads: int) -> None:
    """The table of gradients."""
    print(f"exact loss and gradient, {TERMS} terms, microseconds a model in a batch; PyTorch: a step of the same model\n")
    print(f"{'n':>4}{'m':>4}{'random W':>12}{'trained W':>12}{'target':>9}{'PyTorch':>11}{'batch':>7}{'ratio':>8}")
    for n, m, count, target, theirs, batch in GRADIENTS:
        random, sums = (microseconds(*make(n, m, count), threads) for make in (random_models, orthogonal_sums))
        step = stepper("ReluOutput", n, m, theirs, batch, 0.1, threads)
        step(3)
        torch = median(step(20 if n < 400 else 5) for _ in range(3)) / theirs * 1e6
        aim = "" if target is None else f"{target:g}"
        print(f"{n:>4}{m:>4}{random:>12.2f}{sums:>12.2f}{aim:>9}{torch:>11.1f}{batch:>7}{torch / random:>7.1f}x")
        sys.stdout.flush()


def print_tolerances(threads: int) -> None:
    """The table of tolerances."""
    print("\nexact loss and gradient to a relative tolerance, microseconds a model in a batch")
    print("(targets at 1e-6: n=5 3, n=20 40, n=100 1,000, n=400 15,000)\n")
    columns = [(density, tol) for density in (0.1, 0.01) for tol in (1e-6, 1e-9)]
    print(f"{'n':>4}{'m':>4}{'W':>9}" + "".join(f"{f'p={density:g}, {tol:g}':>15}" for density, tol in columns))
    for n, m, count in TOLERANCES:
        for name in ("random", "trained", "noisy"):
            times = []
            for density, tol in columns:
                if name == "trained":
                    models = trained_models(n, m, count, density)
                else:
                    models = (random_models if name == "random" else orthogonal_sums)(n, m, count)
                times.append(microseconds(*models, threads, density, tol=tol))
            print(f"{n:>4}{m:>4}{name:>9}" + "".join(f"{value:>15,.1f}" for value in times), flush=True)


def print_minima(threads: int) -> None:
    """The phase diagram and the census."""
    side = 256
    ratios = np.geomspace(0.1, 10, side)
    began = time.perf_counter()
    diagram = tg.exact.minimise(
        tg.nets.ReluOutput(2, 1),
        tg.features.Independent(2),
        seeds=8,
        sweep={
            "density": np.geomspace(0.01, 1, side),
            "importance_ratio": tg.Axis(ratios, importance=[(1.0, r) for r in ratios]),
        },
        threads=threads,
        progress=False,
    )
    seconds = time.perf_counter() - began
    print(
        f"\nphase diagram n=2 m=1, {side} x {side} points, lowest certified of 8 starts each: {seconds:.1f} s (target 60)",
        end="",
    )
    print(f", not converged {diagram.attrs['not_converged']:.4%}")
    began = time.perf_counter()
    census = tg.exact.minimise(
        tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.1), seeds=100_000, threads=threads, progress=False
    )
    seconds = time.perf_counter() - began
    print(f"census n=5 m=2, 100,000 starts to a gradient of 1e-8: {seconds:.1f} s (target 120)", end="")
    print(f", not converged {census.attrs['not_converged']:.4%}, {float(census.evaluations.mean()):.0f} gradients a start")
    losses, counts = np.unique(census.loss.values[census.status.values != "not converged"].round(6), return_counts=True)
    print("minima found: " + ", ".join(f"{loss:.6f} ({count})" for loss, count in zip(losses, counts, strict=True)))
