"""How often errors are larger than the engine says, over hostile models of every distribution.

    python -m benchmarks.honesty [cases] [losses] [hessians] [targets] [absolute] [smooth] [moments] [tails]

A model is a map of three features with couplings of one size or of many, dropped features, biases next to the kink
(`tests.oracle.patterns.hostile_model`).  The truth is Gauss and Legendre's points between all kinks, which is exact for
polynomials (`tests.oracle.outputs`), of Hessians rational numbers, and of tails the volumes that half spaces cut off cubes.  A
line is a distribution: cases, those off by more than the error said and rounding, those off by more than ``tol`` was.
"""

import itertools
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np
from numpy.typing import NDArray
from tests.oracle import rational
from tests.oracle.outputs import Points, kinked_points
from tests.oracle.patterns import hostile_model, patterns
from tests.unit.test_exact_laws import DISTRIBUTIONS

import tegum as tg
from tegum.features import AnticorrelatedSets, CorrelatedSets, Features, Independent
from tegum.nets import ACTIVATIONS

Array = NDArray[np.float64]

CASES, ROUNDING, ORDERS = 500, 1e-13, (1, 2, 3, 4)
LAWS: dict[str, Features] = {
    "independent": Independent(3, [0.3, 0.8, 0.05]),
    "correlated": CorrelatedSets(1, 3, 0.4),
    "anticorrelated": AnticorrelatedSets(1, 3, [0.3, 0.2, 0.4]),
    **{name: law.replaced(importance=1.0) for name, law in DISTRIBUTIONS.items()},
}


class Off(NamedTuple):
    """By how much one case is off, the error said, by how much it was to be at most, and the size of what is rounded."""

    by: float
    said: float
    asked: float
    size: float


class Row(NamedTuple):
    """The points (T, n) and weights (T,) of a row whose kinks they know, and s there."""

    x: Array
    w: Array
    s: Array


def row_of(features: Features, g: Array, b: float) -> Row:
    """Points of a row, with pieces between its kink at s = 0."""
    x, w = kinked_points(features, g, np.array([-b]))
    return Row(x, w, x @ g + b)


def losses(features: Features, rng: np.random.Generator) -> Off:
    """The loss and its gradient by the map and the biases."""
    G, b = hostile_model(rng, 3)
    tol = 10.0 ** -rng.uniform(4, 10)
    found = tg.exact.evaluate(G, b, features, tol, gradient=True, tied=False, threads=1)
    return _compared(found, tol, G, b, features, np.eye(3), np.zeros(3))


def targets(features: Features, rng: np.random.Generator) -> Off:
    """The same where outputs are compared with a linear map of the features."""
    G, b = hostile_model(rng, 3)
    A, v = rng.normal(size=(3, 3)) * (rng.random((3, 3)) < 0.6), rng.normal(size=3) * (rng.random(3) < 0.3)
    net = tg.nets.Untied(3, 3, target_map=tg.nets.TargetMap(A, v, relu=False))
    tol = 10.0 ** -rng.uniform(4, 9)
    params = {"W1": np.eye(3), "W2": G, "b": b}
    found = tg.exact.evaluate(params, features=features, net=net, tol=tol, gradient=True, threads=1)
    return _compared(found.assign(dW=found["dW2"]), tol, G, b, features, A, v)


def _compared(found: Any, tol: float, G: Array, b: Array, features: Features, A: Array, v: Array) -> Off:
    loss, slopes, size = 0.0, [], 0.0
    for j in range(3):
        x, w, s = row_of(features, G[j], b[j])
        wrong, on = x @ A[j] + v[j] - np.maximum(s, 0), s > 0
        loss += float(w @ wrong**2)
        slopes.append(np.append((-2 * w * wrong * on) @ x, -2 * float(w @ (wrong * on))))
        size = max(size, float(np.abs(s).max()) + float(np.abs(x).max()))
    by_map = np.column_stack([found.dW.values, found.db.values])
    value = Off(abs(float(found.loss) - loss), float(found.loss_error), tol * loss, size**2)
    slope = Off(float(np.abs(by_map - slopes).max()), float(found.gradient_error), np.inf, size)
    return value if value.by - value.said > slope.by - slope.said else slope._replace(asked=value.asked and np.inf)


def hessians(features: Features, rng: np.random.Generator) -> Off:
    """Second derivatives by all parameters; rational arithmetic has them by steps of 2^-24 of its exact gradient."""
    W, b = (np.round(part * 2**24) / 2**24 for part in (rng.normal(size=(2, 3)) * 0.7, rng.normal(size=3) * 0.2))
    x, step = np.append(W.ravel(), b), 2.0**-24
    exact = []
    for v in np.eye(9) * step:
        up, down = (rational.loss((x + sign * v)[:6].reshape(2, 3), (x + sign * v)[6:], features) for sign in (1, -1))
        sides = [[*itertools.chain(*one.dW), *one.db] for one in (up, down)]
        exact.append([float((p - q) / 2) / step for p, q in zip(*sides, strict=True)])
    objective = tg.exact.Objective(tg.nets.ReluOutput(3, 2), features, terms=int(2 ** rng.integers(5, 11)))
    H, said = tg.exact.hessian_at(objective, x)
    size = float(np.abs(exact).max())
    return Off(float(np.linalg.norm(H - exact)), said, np.inf, 10 * size)


def absolute(features: Features, rng: np.random.Generator) -> Off:
    """Outputs |s|."""
    G, b = hostile_model(rng, 3)
    found, tol = None, 10.0 ** -rng.uniform(4, 10)
    net = tg.nets.Untied(3, 3, activation="abs")
    found = tg.exact.evaluate({"W1": np.eye(3), "W2": G, "b": b}, features=features, net=net, tol=tol, threads=1)
    rows = [row_of(features, G[j], b[j]) for j in range(3)]
    loss = sum(float(w @ (x[:, j] - np.abs(s)) ** 2) for j, (x, w, s) in enumerate(rows))
    size = max(float(np.abs(s).max()) + 1 for _, _, s in rows)
    return Off(abs(float(found.loss) - loss), float(found.loss_error), tol * loss, size**2)


def smooth(features: Features, rng: np.random.Generator) -> Off:
    """Outputs through a smooth function."""
    G, b = hostile_model(rng, 3)
    name = str(rng.choice(["softplus", "gelu", "tanh", "square"]))
    net, tol = tg.nets.Untied(3, 3, activation=name), 10.0 ** -rng.uniform(4, 10)
    found = tg.exact.evaluate({"W1": np.eye(3), "W2": G, "b": b}, features=features, net=net, tol=tol, threads=1)
    loss = float(_points(features).squared_errors(G, b, ACTIVATIONS[name])[0].sum())
    size = 1 + float(np.abs(G).sum(axis=1).max()) * float(np.abs(_points(features).x).max())
    return Off(abs(float(found.loss) - loss), float(found.loss_error), tol * loss, size**4 if name == "square" else size**2)


_POINTS: dict[int, Points] = {}


def _points(features: Features) -> Points:
    return _POINTS.setdefault(id(features), Points(features))


def moments(features: Features, rng: np.random.Generator) -> Off:
    """Moments of orders 1 to 4; the worst of all outputs and orders counts."""
    G, b = hostile_model(rng, 3)
    found = tg.exact.moments(G, b, features, ORDERS, tied=False)
    worst = Off(0.0, np.inf, np.inf, 0.0)
    for j in range(3):
        x, w, s = row_of(features, G[j], b[j])
        off = x[:, j] - np.maximum(s, 0)
        for place, k in enumerate(ORDERS):
            by, said = abs(float(found.moment[j, place]) - float(w @ off**k)), float(found.error[j, place])
            one = Off(by, said, np.inf, float(w @ np.abs(off) ** k))
            worst = one if by - said > worst.by - worst.said else worst
    return worst


def tails(features: Features, rng: np.random.Generator) -> Off:
    """Tails at two thresholds; the worst of all outputs, thresholds and sides counts."""
    G, b = hostile_model(rng, 3)
    thresholds = np.sort(rng.uniform(0.01, 1.2, size=2))
    found = tg.exact.tails(G, b, features, thresholds, tied=False)
    worst = Off(0.0, np.inf, np.inf, 0.0)
    for j in range(3):
        for place, t in enumerate(thresholds):
            exact = _tails_of(features, j, G[j], float(b[j]), float(t))
            for value, side in zip(exact, (found.below, found.above), strict=True):
                one = Off(abs(float(side[j, place]) - value), float(found.error[j, place]), np.inf, 1.0)
                worst = one if one.by - one.said > worst.by - worst.said else worst
    return worst


def _tails_of(features: Features, j: int, g: Array, b: float, t: float) -> tuple[float, float]:
    """P(x_j - r(s) > t) = P(x_j > t, x_j - s > t), and P(r(s) - x_j > t) = P(x_j < -t) + P(x_j > -t, s - x_j > t)."""
    below = above = mp.mpf(0)
    with mp.workdps(60):
        for p, on in patterns(features):
            own = next(((low, high) for i, low, high in on if i == j), (mp.mpf(0), mp.mpf(0)))
            others = [(mp.mpf(float(g[i])), low, high) for i, low, high in on if i != j]
            for share, cut in _cut(own, mp.mpf(t), mp.inf):
                form = [(-c, low, high) for c, low, high in others] + [(1 - mp.mpf(float(g[j])), *cut)]
                below += p * share * _above(-mp.mpf(b) - mp.mpf(t), form)
            for share, cut in _cut(own, mp.mpf(-t), mp.inf):
                form = [*others, (mp.mpf(float(g[j])) - 1, *cut)]
                above += p * share * _above(mp.mpf(b) - mp.mpf(t), form)
            above += p * sum(share for share, _ in _cut(own, -mp.inf, mp.mpf(-t)))
    return float(below), float(above)


def _cut(interval: tuple[Any, Any], low: Any, high: Any) -> list[tuple[Any, tuple[Any, Any]]]:
    """The part of a uniform law, or of a constant, between two numbers: its probability and its interval, if there is one."""
    first, last = interval
    if first == last:
        return [(mp.mpf(1), interval)] if low < first < high else []
    cut = max(first, low), min(last, high)
    return [((cut[1] - cut[0]) / (last - first), cut)] if cut[0] < cut[1] else []


def _above(b: Any, form: list[tuple[Any, Any, Any]]) -> Any:
    """P(b + sum c x > 0) of independent x, uniform on intervals: a signed sum over the corners of a cube."""
    b = b + mp.fsum(c * low for c, low, _ in form)
    g = [c * (high - low) for c, low, high in form if c * (high - low) != 0]
    if not g:
        return mp.mpf(b > 0)
    total = mp.mpf(0)
    for corner in range(2 ** len(g)):
        v = [corner >> i & 1 for i in range(len(g))]
        s = b + mp.fsum(c for c, one in zip(g, v, strict=True) if one)
        total += (-1) ** (len(g) - sum(v)) * max(s, 0) ** len(g)
    return total / (mp.factorial(len(g)) * mp.fprod(g))


def _is_covered(kind: str, law: Features) -> bool:
    """Whether the kind's oracle knows a distribution."""
    if kind == "hessians":
        plain = isinstance(law, Independent | CorrelatedSets | AnticorrelatedSets)
        return plain and not law.signed and law.magnitude == tg.features.Uniform()
    return True


KINDS: dict[str, Callable[[Features, np.random.Generator], Off]] = {
    "losses": losses,
    "hessians": hessians,
    "targets": targets,
    "absolute": absolute,
    "smooth": smooth,
    "moments": moments,
    "tails": tails,
}


def main() -> None:
    """Prints the tables."""
    asked = sys.argv[1:]
    cases = int(asked[0]) if asked and asked[0].isdigit() else CASES
    for kind in [one for one in asked if one in KINDS] or list(KINDS):
        total = dishonest = 0
        for name, law in LAWS.items():
            if not _is_covered(kind, law):
                continue
            began, wrong, missed, refused = time.perf_counter(), 0, 0, ""
            rng = np.random.default_rng([len(name), len(kind)])
            for _ in range(cases):
                try:
                    off = KINDS[kind](law, rng)
                except tg.InvalidInputError as no:
                    refused = str(no)[:90]
                    break
                wrong += off.by > off.said + ROUNDING * off.size
                missed += off.by > off.asked + ROUNDING * off.size
            if refused:
                print(f"{kind:<10}{name:<32} refused: {refused}", flush=True)
                continue
            total, dishonest = total + cases, dishonest + wrong
            print(f"{kind:<10}{name:<32}{cases:>5}{wrong:>5}{missed:>5}   {time.perf_counter() - began:.0f} s", flush=True)
        print(f"{kind}: {dishonest} of {total} off by more than said\n", flush=True)


if __name__ == "__main__":
    main()
