"""The training engine against the usual PyTorch loop, alternated in one run on the same cores."""

import subprocess
import sys
import time
from collections.abc import Sequence
from statistics import median

import numpy as np
import torch

import tegum as tg
from benchmarks.cases import Case
from benchmarks.steps import LARGE, learned
from benchmarks.torch_loop import Models, stepper

ROUNDS = 3
TORCH_SECONDS = 1.5
TEGUM_SECONDS = 1.5


def net_of(case: Case) -> tg.nets.Net:
    """The net of a case."""
    families = {"ReluOutput": tg.nets.ReluOutput, "ReluHidden": tg.nets.ReluHidden, "AbsoluteValue": tg.nets.AbsoluteValue}
    return families[case.family](case.n, case.m)


def features_of(case: Case, density: float) -> tg.features.Features:
    """The feature distribution of a case."""
    return tg.features.Independent(case.n, density=density, signed=case.family == "AbsoluteValue")


def our_seconds(case: Case, density: float, threads: int, steps: int) -> float:
    """Seconds a step of all instances, from a whole call of `tegum.train`."""
    recipe = tg.Recipe(steps=steps, batch_size=case.batch, seeds=case.instances, evaluation_samples=64)
    initial = learned(case.n, case.m, density) if case.n >= LARGE else None
    began = time.perf_counter()
    tg.train(net_of(case), features_of(case, density), recipe, initial=initial, threads=threads, progress=False)
    return (time.perf_counter() - began) / steps


def steps_of_a_call(case: Case, density: float, threads: int) -> int:
    """How many steps a call has that lasts about `TEGUM_SECONDS`; asked twice: making models is much of a short call."""
    steps = 50
    for _ in range(2):
        steps = max(3, int(TEGUM_SECONDS / max(our_seconds(case, density, threads, steps), 1e-6)))
    return steps


def gradients_agree(case: Case) -> float:
    """The largest relative difference between the two engines' gradients on the same samples and weights."""
    torch.manual_seed(0)
    models = Models(case.family, case.n, case.m, 1, 0.3)
    x = models.draw(256)
    models.loss(x).backward()
    tied = case.family != "AbsoluteValue"
    ours = {"W": models.W, "W1": models.W, "W2": models.W2, "b": models.b}
    net = net_of(case)
    params = {name: ours[name].detach().numpy()[0] for name in net.parameter_shapes()}
    for name in ("W", "W1", "W2"):
        if name in params:
            params[name] = params[name].T
    _, gradient = tg.training.loss_and_gradient(net, params, x.numpy()[:, 0])
    worst = 0.0
    for name, value in gradient.items():
        theirs = ours[name].grad.numpy()[0]
        theirs = theirs if name == "b" else theirs.T
        worst = max(worst, float(np.abs(value - theirs).max() / np.abs(theirs).max()))
    assert tied == ("W" in gradient)
    return worst


def race(case: Case, threads: int, densities: Sequence[float]) -> dict[str, float]:
    """Median seconds a step of both engines, rounds alternated; ours at each density."""
    theirs = stepper(case.family, case.n, case.m, case.instances, case.batch, 0.1, threads)
    torch_steps = max(3, int(TORCH_SECONDS / theirs(3)))
    our_steps = {p: steps_of_a_call(case, p, threads) for p in densities}
    measured: dict[str, list[float]] = {"torch": [], **{f"{p:g}": [] for p in densities}}
    for _ in range(ROUNDS):
        measured["torch"].append(theirs(torch_steps))
        for p in densities:
            measured[f"{p:g}"].append(our_seconds(case, p, threads, our_steps[p]))
    return {name: median(values) for name, values in measured.items()}


_MEMORY = """
import resource, sys
import tegum as tg
net, features = tg.nets.ReluOutput(400, 30), tg.features.Independent(400, density=0.1)
tg.train(net, features, tg.Recipe(steps=3, batch_size=4096, seeds=100, evaluation_samples=4096), progress=False)
if sys.platform == "linux":
    print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
"""


def peak_memory() -> float:
    """Peak memory in MB of a process that trains 100 instances of 400 x 30."""
    done = subprocess.run([sys.executable, "-c", _MEMORY], capture_output=True, text=True, check=True)
    return float(done.stdout) / 1e3
