"""The measurement behind docs/pictures/exact-error.png: how the error of the exact loss falls with the number of terms.

Random weights are columns of norm 0.9 with biases of 0.05; orthogonal sums are digons, triangles and pentagons, each in
dimensions of its own, disturbed by noise of 1e-1 to 1e-8, which is what training ends near.  Errors are relative to the loss
with 8192 terms.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from plain_inversion import plain_losses

import tegum as tg

TERMS = [8, 16, 32, 64, 128, 256, 512]
TRUTH = 8192
N = 10
SUMS = ((2, 2, 2, 2, 2), (3, 3, 2, 2), (5, 5))
NOISES = [10.0**-k for k in range(1, 9)]
DENSITIES = (0.05, 0.3)
REPEATS = 3

Model = tuple[NDArray[np.float64], NDArray[np.float64], float]


def random_models(rng: np.random.Generator) -> list[Model]:
    """W (m, n), b (n,) and density of as many random models as there are sums."""
    models = []
    for density in DENSITIES:
        for _ in range(len(SUMS) * len(NOISES) * REPEATS):
            W = rng.normal(size=(4, N))
            models.append((W * (0.9 / np.linalg.norm(W, axis=0)), rng.normal(size=N) * 0.05, density))
    return models


def orthogonal_sum(sizes: tuple[int, ...]) -> NDArray[np.float64]:
    """Regular polygons, each in a plane of its own; a digon on a line."""
    rows: list[NDArray[np.float64]] = []
    first = 0
    for size in sizes:
        angle = 2 * np.pi * np.arange(size) / size
        for coordinate in (np.cos(angle), np.sin(angle))[: 1 if size == 2 else 2]:
            row = np.zeros(N)
            row[first : first + size] = coordinate
            rows.append(row)
        first += size
    return np.stack(rows)


def disturbed_sums(rng: np.random.Generator) -> list[Model]:
    """W (m, n), b (n,) and density of orthogonal sums with noise on every weight and bias."""
    models = []
    for sizes in SUMS:
        W = orthogonal_sum(sizes)
        for noise in NOISES:
            for density in DENSITIES:
                for _ in range(REPEATS):
                    models.append((W + noise * rng.normal(size=W.shape), noise * rng.normal(size=N), density))  # noqa: PERF401
    return models


def measured() -> xr.Dataset:
    """``error`` and ``terms``, each (kind, curve, case, effort), for `tegum.figures.error_curves`."""
    rng = np.random.default_rng(0)
    random, sums = random_models(rng), disturbed_sums(rng)
    uniform, exponential = tg.features.Uniform(), tg.features.Exponential(0.5)
    kinds = {
        "random weights": (random, uniform),
        "orthogonal sums with noise": (sums, uniform),
        "both, exponential magnitudes": (random + sums, exponential),
    }
    methods = ["plain inversion", "tegum"]
    cases = max(len(models) for models, _ in kinds.values())
    error = np.full((len(kinds), len(methods), cases, len(TERMS)), np.nan)
    terms = np.full_like(error, np.nan)
    for kind, (models, law) in enumerate(kinds.values()):
        for case, (W, b, density) in enumerate(models):
            features = tg.features.Independent(N, density=density, magnitude=law)
            truth = float(tg.exact.evaluate(W, b, features, terms=TRUTH).loss)
            if law == uniform:
                error[kind, 0, case] = abs(plain_losses(W, b, density, TERMS) - truth) / truth
                terms[kind, 0, case] = TERMS
            for effort, asked in enumerate(TERMS):
                found = tg.exact.evaluate(W, b, features, terms=asked)
                error[kind, 1, case, effort] = abs(float(found.loss) - truth) / truth
                terms[kind, 1, case, effort] = found.terms
    dims = ("kind", "curve", "case", "effort")
    return xr.Dataset(
        {
            "error": (dims, error, {"long_name": "relative error of the loss"}),
            "terms": (dims, terms, {"long_name": "terms of the sum"}),
        },
        {"kind": list(kinds), "curve": methods},
    )
