"""How often errors are larger than the engine says, over hostile models of every distribution.

    python -m benchmarks.honesty [cases] [kinds] [distributions]
    python -m benchmarks.honesty 500 tails hessians tree "away from 0"

A model is a map of a few features with couplings of one size or of many, dropped features, biases next to the kink
(`tests.oracle.patterns.hostile_model`).  The truth is Gauss and Legendre's points between all kinks, which knows nothing of the
engine (`tests.oracle.outputs`); of k of many features rational numbers, whose couplings take few values.  A case counts as off
where the loss, or an entry of the gradient, or any other number asked for is further from the truth than the error said for it
and 100 roundings.  The table has a row for each distribution and a column for each kind: cases off, and by which factor at
most the error said was exceeded.  Every core takes a distribution and a kind at a time; all of it takes hours on two.  Kinds
(losses, absolute, targets, smooth, linear, neurons, noise, hessians, moments, tails) and distributions, by the names in the
table, are taken alone where they are named.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr
from tests.oracle import rational
from tests.oracle.outputs import cut, kinked_points, pieces_of
from tests.oracle.own import Triangular
from tests.oracle.patterns import hostile_model
from tests.unit.test_exact_laws import DISTRIBUTIONS

import tegum as tg
from tegum.features import AnticorrelatedSets, Constant, CorrelatedSets, Exponential, Features, Independent, KSparse, Uniform
from tegum.nets import Activation

Array = NDArray[np.float64]

CASES, ROUNDING, ORDERS, BEND = 500, 1e-14, (1, 2, 3, 4), 2.0
_MOST_SLOW = 9
"""Hessians of what is inverted in NumPy have 32 to 256 terms, others 32 to 1,024."""
LAWS: dict[str, Features] = {
    "independent": Independent(3, [0.3, 0.8, 0.05]),
    "correlated": CorrelatedSets(1, 3, 0.4),
    "anticorrelated": AnticorrelatedSets(1, 3, [0.3, 0.2, 0.4]),
    "exponential": Independent(2, [0.3, 0.8], magnitude=Exponential(0.7)),
    "exponential, signed": Independent(2, [0.3, 0.8], magnitude=Exponential(0.7), signed=True),
    "exponential, correlated": CorrelatedSets(1, 2, 0.4, magnitude=Exponential()),
    "exponential, anticorrelated": AnticorrelatedSets(1, 3, [0.3, 0.2, 0.4], magnitude=Exponential()),
    **{name: law.replaced(importance=1.0) for name, law in DISTRIBUTIONS.items()},
    "constant, met in the middle": Independent(10, 0.2, magnitude=Constant(0.7)),
    "4 of 14": KSparse(14, 4),
    "a magnitude of your own": Independent(2, [0.3, 0.8], magnitude=Triangular()),
    "your own in sets": CorrelatedSets(1, 2, 0.4, magnitude=Triangular(), signed=True),
}
SWISH = Activation("swish", value=lambda y: y * expit(y), slope=lambda y: expit(y) * (1 + y * expit(-y)))
SMOOTH: tuple[Any, ...] = ("softplus", "gelu", "tanh", "square", SWISH)


class Off(NamedTuple):
    """By how much a number is off, the error said, by how much it was to be at most, and the size of what is rounded."""

    by: float
    said: float
    asked: float
    size: float

    def factor(self) -> float:
        """By which the error said is exceeded, roundings aside."""
        wrong = self.by - ROUNDING * self.size
        return wrong / self.said if self.said > 0 else (np.inf if wrong > 0 else 0.0)


Cases = list[list[Off]]
"""The numbers of every case that a model makes: one, or one for each of its outputs."""


def model(features: Features, rng: np.random.Generator) -> tuple[Array, Array]:
    """A map and biases; of many features of which k are active each output has a few different couplings."""
    n = features.n_features
    if n < 6:
        return hostile_model(rng, n)
    few, b = hostile_model(rng, 3)
    G = (
        few[rng.integers(3, size=n)[:, None], rng.integers(3, size=n)]
        if isinstance(features, KSparse)
        else rng.normal(size=(n, n))
    )
    return G, rng.normal(size=n) * np.abs(b).max()


def compared(
    features: Features,
    rng: np.random.Generator,
    output: str | Activation = "relu",
    target: tuple[Array, Array] | None = None,
    most: float = 10,
) -> Cases:
    """The loss of y = f(G x + b) compared with A x + v, and its gradient by G and b."""
    G, b = model(features, rng)
    n, tol = len(b), 10.0 ** -rng.uniform(4, most)
    compare = {} if target is None else {"target_map": tg.nets.TargetMap(*target, relu=False)}
    A, v = target or (np.eye(n), np.zeros(n))
    net = tg.nets.Untied(n, n, activation=output, **compare)
    if output == "relu" and target is None:
        found = tg.exact.evaluate(G, b, features, tol, gradient=True, tied=False, threads=1)
    else:
        params = {"W1": np.eye(n), "W2": G, "b": b}
        found = tg.exact.evaluate(params, features=features, net=net, tol=tol, gradient=True, threads=1)
        found = found.assign(dW=found["dW2"])
    one_row = _rational_row if isinstance(features, KSparse) and n > 6 else _row
    rows = [one_row(features, j, G[j], b[j], A[j], v[j], net.output_activation) for j in range(n)]
    loss, slopes = sum(one.value for one in rows), np.array([one.slopes for one in rows])
    size, steep = sum(one.size for one in rows), max(one.steep for one in rows)
    by_map = np.column_stack([found.dW.values, found.db.values])
    value = Off(abs(float(found.loss) - loss), float(found.loss_error), tol * loss, size)
    return [[value, Off(float(np.abs(by_map - slopes).max()), float(found.gradient_error), np.inf, steep)]]


class Row(NamedTuple):
    """The squared error of an output, its derivatives by its row of the map and by its bias, and how large their terms are."""

    value: float
    slopes: Array
    size: float
    steep: float


def _row(features: Features, j: int, g: Array, b: float, a: Array, v: float, f: Activation) -> Row:
    bent = f.name in ("relu", "abs", "identity")
    x, w = kinked_points(features, g, np.array([-b] if bent else []), np.inf if bent or f.name == "square" else BEND)
    s = x @ g + b
    wrong, y = f(s) - x @ a - v, np.column_stack([x, np.ones(len(x))])
    pull, reach = 2 * w * wrong * f.slopes(s), np.abs(f(s)) + np.abs(x @ a) + np.abs(s)
    return Row(
        float(w @ wrong**2), pull @ y, float(w @ reach**2), float((w * reach * np.abs(f.slopes(s))) @ np.abs(y).sum(axis=1))
    )


def _rational_row(features: Features, j: int, g: Array, b: float, _: Array, __: float, f: Activation) -> Row:
    """Of outputs r(s), or |s| = r(s) + r(-s)."""
    sides = [rational.row(features, j, list(sign * g), sign * b) for sign in ((1, -1) if f.name == "abs" else (1,))]
    second = float(features.second_moment()[j, j])
    value = float(sum(one.squared_error for one in sides)) - (len(sides) - 1) * second
    each = [np.array([*rational.floats(one.by_coupling), float(one.by_bias)]) for one in sides]
    size = second + (np.abs(g) @ np.sqrt(np.diag(features.second_moment())) + abs(b)) ** 2
    return Row(value, each[0] - (each[1] if len(each) > 1 else 0), size, size)


def losses(features: Features, rng: np.random.Generator) -> Cases:
    """Outputs with a ReLU."""
    return compared(features, rng, most=_finest(features) + 1)


def absolute(features: Features, rng: np.random.Generator) -> Cases:
    """Outputs |s|."""
    return compared(features, rng, "abs", most=_finest(features) + 1)


def targets(features: Features, rng: np.random.Generator) -> Cases:
    """Outputs r(s) or |s| that are compared with a linear map of the features."""
    n = features.n_features
    A, v = rng.normal(size=(n, n)) * (rng.random((n, n)) < 0.6), rng.normal(size=n) * (rng.random(n) < 0.3)
    return compared(features, rng, str(rng.choice(["relu", "abs"])), (A, v), most=_finest(features))


def smooth(features: Features, rng: np.random.Generator) -> Cases:
    """Outputs through a smooth function, of the engine's own or another."""
    return compared(features, rng, SMOOTH[rng.integers(len(SMOOTH) - _is_unbounded(features))])


def linear(features: Features, rng: np.random.Generator) -> Cases:
    """Linear nets."""
    return compared(features, rng, "identity")


def neurons(features: Features, rng: np.random.Generator) -> Cases:
    """One hidden ReLU, y_j = r(w_j r(g x + c) + b_j): its loss, and its gradient by all parameters."""
    G, b = model(features, rng)
    n, tol, c = len(b), 10.0 ** -rng.uniform(4, _finest(features)), float(b[0])
    g, w2, b = G[0], G[1], np.roll(b, 1)
    net, params = tg.nets.UntiedNeurons(n, 1, hidden_bias=True), {"W1": g[None], "W2": w2[:, None], "b": b, "b_hidden": [c]}
    found = tg.exact.evaluate(params, features=features, net=net, tol=tol, gradient=True, threads=1)
    loss, by_w, by_b, by_s, size, steep = 0.0, np.zeros(n), np.zeros(n), np.zeros(n + 1), 0.0, 0.0
    for j in range(n):
        x, w = kinked_points(features, g, np.array([-c, -b[j] / w2[j] - c]) if w2[j] else np.array([-c]))
        h = np.maximum(x @ g + c, 0)
        s, y = w2[j] * h + b[j], np.column_stack([x, np.ones(len(x))])
        wrong = np.maximum(s, 0) - x[:, j]
        pull, reach = 2 * w * wrong * (s > 0), np.abs(s) + np.abs(x[:, j]) + np.abs(x) @ np.abs(g)
        loss, size = loss + float(w @ wrong**2), size + float(w @ reach**2)
        by_w[j], by_b[j] = pull @ h, pull.sum()
        by_s += (pull * w2[j] * (h > 0)) @ y
        steep += float((w * reach * (1 + np.abs(w2[j]))) @ np.abs(y).sum(axis=1)) + float((w * reach) @ h)
    pairs = ("dW2", by_w), ("db", by_b), ("dW1", by_s[:-1]), ("db_hidden", by_s[-1:])
    wrong_slope = max(float(np.abs(found[name].values.ravel() - by).max()) for name, by in pairs)
    value = Off(abs(float(found.loss) - loss), float(found.loss_error), tol * loss, size)
    return [[value, Off(wrong_slope, float(found.gradient_error), np.inf, steep)]]


def noise(features: Features, rng: np.random.Generator) -> Cases:
    """The loss where hidden values are noisy: of a decoder row of length l, E r(s + sigma l xi)^k of a Gaussian xi."""
    G, b = model(features, rng)
    n, sigma, loss, size = len(b), 10.0 ** rng.uniform(-0.7, 0.3), 0.0, 0.0
    found = tg.exact.noisy({"W1": np.eye(n), "W2": G, "b": b}, None, features, sigma, net=tg.nets.Untied(n, n))
    for j, g in enumerate(G):
        t = sigma * float(np.linalg.norm(g))
        x, w = kinked_points(features, g, np.zeros(0), 2 * t)
        s = x @ g + b[j]
        above, density = ndtr(s / t), np.exp(-((s / t) ** 2) / 2) / np.sqrt(2 * np.pi)
        mean, square = s * above + t * density, (s * s + t * t) * above + s * t * density
        loss += float((w * (x[:, j] ** 2 - 2 * x[:, j] * mean + square)).sum())
        size += float(w @ (np.abs(x[:, j]) + np.abs(s) + t) ** 2)
    return [[Off(abs(float(found.loss) - loss), float(found.loss_error), np.inf, size)]]


def hessians(features: Features, rng: np.random.Generator) -> Cases:
    """Second derivatives of a tied net by all parameters, in Frobenius norm."""
    n = features.n_features
    W, b = rng.normal(size=(2, n)) * 0.7, rng.normal(size=n) * 0.2
    terms = int(2 ** rng.integers(5, _MOST_SLOW if _is_slow(features) else 11))
    objective, exact = tg.exact.Objective(tg.nets.ReluOutput(n, 2), features, terms), exact_hessian(features, W, b)
    found, said = tg.exact.hessian_at(objective, np.append(W.ravel(), b))
    return [[Off(float(np.linalg.norm(found - exact)), said, np.inf, 10 * float(np.linalg.norm(exact)))]]


def exact_hessian(features: Features, W: Array, b: Array) -> Array:
    """The Hessian of the loss of y = r(W^T W x + b) by W (2, n) and b, d = 3 n, of importances 1."""
    n, G = len(b), W.T @ W
    H, slopes = np.zeros((3 * n, 3 * n)), np.zeros((n, n))
    for j, g in enumerate(G):
        by_row, slopes[j] = _row_hessian(features, j, g, b[j])
        J = np.zeros((n + 1, 3 * n))  # the row's couplings and bias by all parameters
        for k in range(n):
            for a in range(2):
                J[k, a * n + j] += W[a, k]
                J[k, a * n + k] += W[a, j]
        J[n, 2 * n + j] = 1
        H += J.T @ by_row @ J
    for a in range(2):
        H[a * n : (a + 1) * n, a * n : (a + 1) * n] += slopes + slopes.T
    return H


def _row_hessian(features: Features, j: int, g: Array, b: float) -> tuple[Array, Array]:
    """Second derivatives of E (x_j - r(s))^2 by the couplings and the bias, and first ones by the couplings.

    2 E y y^T [s > 0] - 2 E x_j y y^T delta(s), y = (x, 1)
    """
    x, w = kinked_points(features, g, np.array([-b]))
    y, s = np.column_stack([x, np.ones(len(x))]), x @ g + b
    H = 2 * (y * (w * (s > 0))[:, None]).T @ y
    slopes = (2 * w * (np.maximum(s, 0) - x[:, j]) * (s > 0)) @ x
    x, w = kinked_points(features, g, np.array([-b]), surface=True)
    y = np.column_stack([x, np.ones(len(x))])
    return H - 2 * (y * (w * x[:, j])[:, None]).T @ y, slopes


def moments(features: Features, rng: np.random.Generator) -> Cases:
    """Moments of orders 1 to 4; every output is a case."""
    G, b = model(features, rng)
    found, cases = tg.exact.moments(G, b, features, ORDERS, tied=False), []
    for j, g in enumerate(G):
        offs = []
        x, w = kinked_points(features, g, np.array([-b[j]]))
        off, reach = x[:, j] - np.maximum(x @ g + b[j], 0), np.abs(x[:, j]) + np.abs(x @ g + b[j])
        for place, k in enumerate(ORDERS):
            by, said = abs(float(found.moment[j, place]) - float(w @ off**k)), float(found.error[j, place])
            offs.append(Off(by, said, np.inf, float(w @ reach**k)))
        cases.append(offs)
    return cases


def tails(features: Features, rng: np.random.Generator) -> Cases:
    """Tails at two thresholds; every output is a case.

    P(x_j - r(s) > t) = P(x_j > t, x_j - s > t), and P(r(s) - x_j > t) = P(x_j < -t) + P(x_j > -t, s - x_j > t)
    """
    G, b = model(features, rng)
    thresholds = np.sort(rng.uniform(0.01, 1.2, size=2))
    found, pieces, cases = tg.exact.tails(G, b, features, thresholds, tied=False), pieces_of(features), []
    for j, g in enumerate(G):
        offs = []
        difference = np.eye(len(b))[j] - g  # x_j - s + b_j
        for place, t in enumerate(thresholds):
            x, w = kinked_points(cut(pieces, j, t, np.inf), difference, np.array([b[j] + t]))
            below = float(w[x @ difference > b[j] + t].sum())
            x, w = kinked_points(cut(pieces, j, -t, np.inf), difference, np.array([b[j] - t]))
            above = float(w[x @ difference < b[j] - t].sum())
            above += float(kinked_points(cut(pieces, j, -np.inf, -t), difference, np.zeros(0))[1].sum())
            for value, side in ((below, found.below), (above, found.above)):
                offs.append(Off(abs(float(side[j, place]) - value), float(found.error[j, place]), np.inf, 1.0))
        cases.append(offs)
    return cases


def _finest(features: Features) -> float:
    """The digits asked for at most where a loss is made of many: what is inverted in NumPy takes seconds for nine."""
    return 6 if _is_slow(features) else 9


def _is_slow(features: Features) -> bool:
    """Whether losses are inverted in NumPy."""
    law = getattr(features, "magnitude", None)
    own = isinstance(law, Triangular) or (isinstance(law, Uniform) and law.low > 0)
    return own or (isinstance(features, KSparse) and features.n_features > 6)


def _is_unbounded(features: Features) -> bool:
    return isinstance(getattr(features, "magnitude", None), Exponential)


KINDS: dict[str, Callable[[Features, np.random.Generator], Cases]] = {
    "losses": losses,
    "absolute": absolute,
    "targets": targets,
    "smooth": smooth,
    "linear": linear,
    "neurons": neurons,
    "noise": noise,
    "hessians": hessians,
    "moments": moments,
    "tails": tails,
}


class Found(NamedTuple):
    """Of one kind and distribution: cases off, cases that miss what was asked, the largest factor, seconds, or the refusal."""

    wrong: int
    missed: int
    factor: float
    seconds: float
    refused: str = ""

    def __str__(self) -> str:
        if self.refused:
            return "refused"
        return f"{self.wrong} ({self.factor:.3g})" if self.wrong else "0"


def study(kind: str, name: str, cases: int) -> Found:
    """All cases of a kind and a distribution."""
    began, wrong, missed, factor = time.perf_counter(), 0, 0, 0.0
    if kind not in ("losses", "absolute") and name == "4 of 14":
        return Found(0, 0, 0.0, 0.0, "no oracle for so many choices")
    done = seed = 0
    while done < cases:
        rng = np.random.default_rng([*f"{kind} {name}".encode(), seed])
        try:
            found = KINDS[kind](LAWS[name], rng)
        except tg.InvalidInputError as no:
            return Found(0, 0, 0.0, 0.0, str(no)[:200])
        for offs in found[: cases - done]:
            worst = max(one.factor() for one in offs)
            wrong, factor = wrong + int(worst > 1), max(factor, float(worst))
            missed += any(one.by > one.asked + ROUNDING * one.size for one in offs)
        done, seed = done + len(found), seed + 1
    return Found(wrong, missed, factor, time.perf_counter() - began)


def table(found: dict[tuple[str, str], Found], kinds: list[str], names: list[str]) -> str:
    """The table as Markdown."""
    lines = [f"| features | {' | '.join(kinds)} |", "|---" * (1 + len(kinds)) + "|"]
    lines += [f"| {name} | {' | '.join(str(found[kind, name]) for kind in kinds)} |" for name in names]
    return "\n".join(lines)


def main() -> None:
    """Prints how each study went, then the table."""
    asked = sys.argv[1:]
    cases = int(asked.pop(0)) if asked and asked[0].isdigit() else CASES
    if unknown := [one for one in asked if one not in KINDS and one not in LAWS]:
        sys.exit(f"no kind and no distribution: {', '.join(unknown)}; there are {'; '.join([*KINDS, *LAWS])}")
    kinds, names = ([one for one in all_of if one in asked] or list(all_of) for all_of in (KINDS, LAWS))
    found: dict[tuple[str, str], Found] = {}
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # of the processes to come, which share the cores
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = {pool.submit(study, kind, name, cases): (kind, name) for kind in kinds for name in names}
        for job in as_completed(jobs):
            kind, name = jobs[job]
            one = found[kind, name] = job.result()
            details = (
                one.refused or f"{one.wrong:>4} off {one.missed:>4} missed tol, factor {one.factor:.3g} {one.seconds:>5.0f} s"
            )
            print(f"{kind:<10}{name:<32}{details}", flush=True)
    print(f"\nOf {cases} cases:\n\n{table(found, kinds, names)}")


if __name__ == "__main__":
    main()
