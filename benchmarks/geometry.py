"""Geometry: milliseconds to name the shapes in a model of 400 features."""

import time
from statistics import median

import numpy as np
from tests.oracle.sums import EVERY, OF_THE_PAPER, scrambled, with_noise

from tegum.geometry import identify

ROUNDS = 7


def print_identification() -> None:
    """The table of shapes."""
    rng = np.random.default_rng(0)
    print("\nnaming the shapes of one model of about 400 features, noise 5 %, target 50 ms\n")
    models = {f"{400 // W.shape[1]} x {name}": [W] * (400 // W.shape[1]) for name, W in OF_THE_PAPER.items()}
    every = list(EVERY.values())
    models["the whole catalogue"] = every + every[: max(1, len(every) // 2)]
    cases = {name: with_noise(scrambled(parts, rng), 0.05, rng) for name, parts in models.items()}
    cases["random W"] = rng.normal(size=(30, 400))
    for name, W in cases.items():
        measured = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            identify(W)
            measured.append((time.perf_counter() - began) * 1e3)
        print(f"{name:<24}n = {W.shape[1]:<5}m = {W.shape[0]:<5}{median(measured):>8.1f} ms")
