"""Reference values of the exact engine, computed once by the oracle and kept in ``exact_values.json``.

    python -m tests.oracle.exact_cases          # writes the file anew, half a minute

Each case holds a feature distribution, W and b, the expected squared error of each feature and the gradient of the loss.  The
cases called "prototype" have up to 60 features, more than the oracle can enumerate: their values come from an independent
prototype and have no gradient.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tegum.features import AnticorrelatedSets, CorrelatedSets, Exponential, Features, Independent, Uniform
from tests.oracle.expected_loss import Oracle, gradient_by_weights
from tests.oracle.polytopes import SHAPES, summed

FILE = Path(__file__).with_name("exact_values.json")

Case = dict[str, Any]


def features_of(case: Case) -> Features:
    """The features of a stored case."""
    size, n = case["set_size"], len(case["importance"])
    magnitude = Uniform() if case["exponential_mean"] is None else Exponential(case["exponential_mean"])
    options = {"density": case["density"], "importance": case["importance"], "magnitude": magnitude}
    if case["distribution"] == "Independent":
        return Independent(n, **options)
    return {"CorrelatedSets": CorrelatedSets, "AnticorrelatedSets": AnticorrelatedSets}[case["distribution"]](
        n // size, size, **options
    )


def stored() -> list[Case]:
    """Every case of the file."""
    cases: list[Case] = json.loads(FILE.read_text(encoding="utf-8"))["cases"]
    return cases


def _case(name: str, W: NDArray[np.float64], b: NDArray[np.float64], density: Any, **features: Any) -> Case:
    n = W.shape[1]
    return {
        "name": name,
        "distribution": "Independent",
        "set_size": 1,
        "exponential_mean": None,
        "density": np.broadcast_to(density, features.pop("densities", n)).tolist(),
        "importance": np.broadcast_to(features.pop("importance", 1.0), n).tolist(),
        "W": W.tolist(),
        "b": b.tolist(),
    } | features


def _random(rng: np.random.Generator) -> list[Case]:
    """Random weights in every distribution, sparse and dense, uniform and exponential."""
    cases = []
    for mean in (None, 0.7):
        law = "uniform" if mean is None else "exponential"
        for density in (0.05, 0.5, 1.0):
            W, b, importance = rng.normal(size=(2, 4)) * 0.7, rng.normal(size=4) * 0.2, rng.uniform(0.1, 2, 4).round(3)
            features = {"importance": importance, "exponential_mean": mean}
            spread = density * rng.uniform(0.2, 1, 4).round(3) if density < 1 else density
            cases.append(_case(f"independent {law} {density}", W, b, spread, **features))
            for distribution, sets, size, share in (
                ("CorrelatedSets", 2, 2, 1),
                ("CorrelatedSets", 1, 4, 1),
                ("AnticorrelatedSets", 4, 2, 2),
                ("AnticorrelatedSets", 4, 4, 4),
            ):
                name = f"{distribution} of {size} {law} {density}"
                of_sets = features | {"distribution": distribution, "set_size": size, "densities": sets}
                cases.append(_case(name, W, b, density / share, **of_sets))
    return cases


def _noisy_sums(rng: np.random.Generator) -> list[Case]:
    """Orthogonal sums of polytopes with noise: couplings of every scale, biases at the kink."""
    cases = []
    for parts in (("digon", "dedicated"), ("triangle", "digon"), ("digon", "digon")):
        clean = summed([SHAPES[name] for name in parts])
        for noise in (1e-1, 1e-2, 1e-4, 1e-6, 1e-8):
            W, b = clean + noise * rng.normal(size=clean.shape), noise * rng.normal(size=clean.shape[1])
            cases.append(_case(f"{'+'.join(parts)} noise {noise:g}", W, b, 0.2))
            if clean.shape[1] == 4:
                for distribution, density, sets in (("CorrelatedSets", 0.2, 2), ("AnticorrelatedSets", 0.2, 4)):
                    features = {"distribution": distribution, "set_size": 2, "densities": sets}
                    cases.append(_case(f"{'+'.join(parts)} noise {noise:g} {distribution}", W, b, density, **features))
            if noise in (1e-2, 1e-6):
                cases.append(_case(f"{'+'.join(parts)} noise {noise:g} exponential", W, b, 0.2, exponential_mean=1.0))
    return cases


def _corners(rng: np.random.Generator) -> list[Case]:
    """Features and weights at the edges of what is allowed."""
    W, b = rng.normal(size=(2, 3)) * 0.8, np.array([0.1, -0.05, 0.02])
    twins = np.array([[0.8, 0.8, -0.8, 0.1]])
    cases = [
        _case("one feature", np.array([[0.9]]), np.array([-0.1]), 0.3),
        _case("one feature always on", np.array([[1.2]]), np.array([-0.2]), 1.0),
        _case("one feature, W 0", np.array([[0.0]]), np.array([0.2]), 0.3),
        _case("never on", W, b, 0.0),
        _case("one never on", W, b, [0.3, 0.0, 0.5]),
        _case("one nearly never on", W, b, [0.3, 1e-8, 0.5]),
        _case("one always on", W, b, [0.3, 1.0, 0.5]),
        _case("no weights", np.zeros((2, 3)), b, 0.3),
        _case("one dropped", W * [1, 0, 1], b, 0.3),
        _case("one almost dropped", W * [1, 1e-5, 1], b * [1, 1e-5, 1], 0.3),
        _case("rows linear, dead and both", W, np.array([5.0, -5.0, 0.0]), 0.3),
        _case("equal and opposite columns", twins, np.array([0.0, -0.1, 0.0, 0.02]), 0.3),
        _case("importance 0", W, b, 0.3, importance=[1.0, 0.0, 2.0]),
        _case("large weights", W * 30, b * 30, 0.3),
        _case("six features", rng.normal(size=(3, 6)) * 0.6, rng.normal(size=6) * 0.1, rng.uniform(0.05, 0.6, 6).round(3)),
        _case("sparse", W, b - 0.2, 1e-3),
    ]
    for mean in (0.2, 3.0):
        cases.append(_case(f"exponential of mean {mean:g}", W, b, [0.3, 1e-8, 1.0], exponential_mean=mean))
        cases.append(_case(f"twins, exponential of mean {mean:g}", twins, -0.1 * np.ones(4), 0.3, exponential_mean=mean))
    return cases


def computed(case: Case) -> Case:
    """The case with what the oracle says of it."""
    W, b, features = np.array(case["W"]), np.array(case["b"]), features_of(case)
    oracle, G = Oracle(features), W.T @ W
    by_map, by_bias = oracle.gradient(G, b)
    return case | {
        "squared_error": oracle.squared_errors(G, b).tolist(),
        "dW": gradient_by_weights(W, by_map).tolist(),
        "db": by_bias.tolist(),
    }


def _write() -> None:
    kept = [case for case in stored() if case["name"].startswith("prototype")] if FILE.exists() else []
    rng = np.random.default_rng(20240607)
    cases = [computed(case) for case in _random(rng) + _noisy_sums(rng) + _corners(rng)]
    lines = ",\n".join(json.dumps(case) for case in cases + kept)
    FILE.write_text(f'{{"cases": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    _write()
