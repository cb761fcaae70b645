"""How many terms the exact engine spends beside someone who knows beforehand how few hold the loss.

A case is a model and a tolerance: random weights, trained ones, and antipodal pairs with noise of 1e-3; 2 to 20 features;
densities from 0.01 to 0.7; tol from 1e-4 to 1e-10.  The fewest terms that hold are those from which on the loss, with so many
terms for every output, stays within tol of the loss with many more.  Terms spent are the mean over outputs, of all passes.
"""

import sys
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import tegum as tg
from benchmarks.models import orthogonal_sums, random_models
from tegum.exact.batches import evaluated
from tegum.exact.distributions import distributions_of
from tegum.exact.kernel.model import Batch, Settings, enter_distribution, model_loss, point_for
from tegum.exact.kernel.records import MOST_TERMS, work_for

SIZES, DENSITIES, CASES = (2, 3, 5, 8, 12, 20), (0.01, 0.03, 0.1, 0.3, 0.7), 1000
KINDS = "random", "trained", "noisy"
LOOKS = [*range(8, 64, 8), *(2**k * quarter // 4 for k in range(6, 12) for quarter in (4, 5, 6, 7))]
_SEEDS, _STEPS, _BATCH, _FIRST, _FINER, _ROUNDING = 8, 1500, 512, 8, 8, 2e-15


class Case(NamedTuple):
    """A model, its features, and the tolerance asked for."""

    kind: str
    W: NDArray[np.float64]
    b: NDArray[np.float64]
    features: tg.features.Independent
    tol: float


class Spent(NamedTuple):
    """Features, terms spent on an output, those of the costliest in the end, the fewest that hold, and the error over tol."""

    n: int
    terms: float
    costliest: int
    fewest: int
    off: float


def mixed_cases(count: int) -> list[Case]:
    """Models of all sizes and kinds in turn."""
    rng, trained, cases = (
        np.random.default_rng(0),
        dict[tuple[int, int, float], tuple[NDArray[np.float64], ...]](),
        list[Case](),
    )
    for k in range(count):
        n, kind = SIZES[k % len(SIZES)], KINDS[k // len(SIZES) % len(KINDS)]
        density, m = float(rng.choice(DENSITIES)), max(1, n // int(rng.choice([2, 4])))
        features = tg.features.Independent(n, density=density)
        if kind == "trained":
            if (n, m, density) not in trained:
                recipe = tg.Recipe(steps=_STEPS, batch_size=_BATCH, seeds=_SEEDS)
                data = tg.train(tg.nets.ReluOutput(n, m), features, recipe, progress=False)
                trained[n, m, density] = data.W.values.astype(float), data.b.values.astype(float)
            W, b = trained[n, m, density]
        else:
            W, b = (random_models if kind == "random" else orthogonal_sums)(n, m, CASES // 100)
        one = rng.integers(len(W))
        cases.append(Case(kind, W[one], b[one], features, float(10.0 ** -rng.uniform(4, 10))))
    return cases


def _loss(case: Case, least: int, most: int, gradient: bool = False) -> Batch:
    """The loss with ``least`` to ``most`` terms; one short of ``most`` is ``most`` for every output, dropped ones as well."""
    settings = Settings(1, 0, int(gradient), least, most, case.tol)
    return evaluated(case.W, case.b, np.zeros((), dtype=np.int64), distributions_of(case.features), settings, threads=1)


def _terms(case: Case, gradient: bool) -> tuple[float, int]:
    """The mean terms of an output, of all passes, and those of the costliest in the end."""
    m, n = case.W.shape
    tables, point = distributions_of(case.features), point_for(m, n)
    distribution = tables.blank()
    enter_distribution(distribution, point, tables.weight, tables.importance, 0)
    point.W[...], point.b[...] = case.W, case.b
    found = model_loss(distribution, work_for(n), point, Settings(1, 0, int(gradient), _FIRST, MOST_TERMS, case.tol))
    return float(np.maximum(point.rows.spent, _FIRST).mean()), max(found.terms, _FIRST)


def spent(case: Case, gradient: bool = False) -> Spent:
    """What a case takes."""
    found = _loss(case, _FIRST, MOST_TERMS, gradient)
    terms, costliest = _terms(case, gradient)
    last = next(k for k, look in enumerate(LOOKS) if look >= min(_FINER * costliest, LOOKS[-1]))
    truth = float(_loss(case, LOOKS[last] - 1, LOOKS[last]).loss)
    limit, fewest = case.tol * truth + _ROUNDING, LOOKS[0]
    for k in range(last - 1, -1, -1):
        if abs(float(_loss(case, LOOKS[k] - 1, LOOKS[k]).loss) - truth) > limit:
            fewest = LOOKS[k + 1]
            break
    return Spent(len(case.b), terms, costliest, fewest, abs(float(found.loss) - truth) / limit)


def print_terms(count: int = CASES) -> None:
    """The table of terms."""
    cases = mixed_cases(count)
    print(f"\nterms an output, all passes, beside the fewest that hold the loss, {count} mixed models (geometric means)\n")
    print(f"{'':5}{'loss':>36}{'loss and gradient':>36}")
    print(f"{'n':>5}" + 2 * f"{'terms':>9}{'ratio':>8}{'worst':>8}{'costliest':>11}" + f"{'fewest':>10}{'off':>5}")
    found = [(spent(case), spent(case, gradient=True)) for case in cases]
    for n in (*SIZES, None):
        rows = [pair for pair in found if n in (None, pair[0].n)]
        fewest = np.array([one.fewest for one, _ in rows])
        print(f"{n or 'all':>5}", end="")
        for each in zip(*rows, strict=True):
            terms, costliest = (np.array([getattr(one, name) for one in each]) for name in ("terms", "costliest"))
            print(f"{_mean(terms):>9.1f}{_mean(terms / fewest):>8.2f}{(terms / fewest).max():>8.1f}", end="")
            print(f"{_mean(costliest / fewest):>11.2f}", end="")
        print(f"{_mean(fewest):>10.1f}{sum(one.off > 1 for pair in rows for one in pair):>5}", flush=True)


def _mean(values: NDArray[np.floating]) -> float:
    """Their geometric mean."""
    return float(np.exp(np.log(values).mean()))


if __name__ == "__main__":
    print_terms(int(sys.argv[1]) if sys.argv[1:] else CASES)
