"""Models of every kind that the lab knows, with the loss and gradient of `tegum.exact`: what its JavaScript is held against.

Half are random, half are orthogonal sums of digons, triangles and pentagons with noise of 1e-1 to 1e-8 on every weight and
bias, which are the hard ones.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import tegum as tg

KINDS = ("independent", "signed", "correlated", "anticorrelated")


def models(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Each with ``address``, ``loss``, ``error``, and ``gradient`` by W, row by row, and b; None where the net is linear."""
    generator = np.random.default_rng(seed)
    return [_model(generator, KINDS[k % 4], linear=k % 16 > 11) for k in range(count)]


def _model(generator: np.random.Generator, kind: str, linear: bool) -> dict[str, Any]:
    size = int(generator.integers(2, 4))
    n, m = int(generator.integers(2, 8)), int(generator.integers(1, 6))
    n = max(n // size, 1) * size if kind in ("correlated", "anticorrelated") else n
    density = np.full(n, generator.choice([0.01, 0.05, 0.1, 0.3, 0.7, 1.0])) * generator.uniform(
        0.7, 1, n
    ) ** generator.integers(2)
    importance = tg.features.geometric(0.9, n) if generator.random() < 0.5 else generator.uniform(0.2, 2, n)
    features: tg.features.Features
    if kind == "correlated":
        features = tg.features.CorrelatedSets(n // size, size, density[: n // size], importance)
    elif kind == "anticorrelated":
        features = tg.features.AnticorrelatedSets(n // size, size, density / size, importance)
    else:
        features = tg.features.Independent(n, density, importance, signed=kind == "signed")
    if generator.random() < 0.5:
        W, b = 0.9 * generator.normal(size=(m, n)) / np.sqrt(m), 0.2 * generator.normal(size=n)
    else:
        noise = 10.0 ** -generator.integers(1, 9)
        W = orthogonal_sum(generator, n, m) + noise * generator.normal(size=(m, n))
        b = -0.2 * generator.random(n) * generator.integers(2, size=n) + noise * generator.normal(size=n)
    net = (tg.nets.Linear if linear else tg.nets.ReluOutput)(n, m)
    found: dict[str, Any] = {"address": tg.lab.link(net, features, W, b), "kind": kind}
    if linear:
        return found | {"loss": float(tg.exact.loss(W, b, features, net=net)), "error": 0.0, "gradient": None}
    known = tg.exact.evaluate(W, b, features, gradient=True, tol=1e-10)
    gradient = [*known["dW"].values.ravel().tolist(), *known["db"].values.tolist()]
    return found | {"loss": float(known["loss"]), "error": float(known["loss_error"]), "gradient": gradient}


def orthogonal_sum(generator: np.random.Generator, n: int, m: int) -> NDArray[np.float64]:
    """Features in single dimensions, digons, triangles and pentagons, turned at random; those without room are 0."""
    W, feature, axis = np.zeros((m, n)), 0, 0
    while feature < n and axis < m:
        kind = int(generator.integers(1, 6))
        if kind >= 3 and axis + 1 < m:
            k = min(3 if kind == 4 else kind, n - feature)
            W[axis : axis + 2, feature : feature + k] = tg.geometry.polygon(k)
            feature, axis = feature + k, axis + 2
        else:
            k = min(2 if kind > 1 else 1, n - feature)
            W[axis, feature : feature + k] = [1, -1][:k]
            feature, axis = feature + k, axis + 1
    turn = np.linalg.qr(generator.normal(size=(m, m)))[0]
    return np.asarray(turn @ W * generator.uniform(0.7, 1.2))
