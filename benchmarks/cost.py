"""What trainings cost and what was estimated: forty recipes of all kinds, none of which the estimate was fitted to.

Part of ``make bench``; alone, and without PyTorch, it is ``python -m benchmarks.cost``.
"""

import sys
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import tegum as tg

ROUNDS = 3
WITHIN = 1.5

F, N = tg.features, tg.nets


@dataclass(frozen=True)
class Case:
    """A training: a net, its features, fields of the recipe, and what else `tegum.train` takes."""

    net: N.Net
    features: F.Features
    fields: dict[str, Any]
    others: dict[str, Any] = field(default_factory=dict)

    @property
    def recipe(self) -> tg.Recipe:
        """The recipe, with few samples in its test set but where another number is asked for."""
        return tg.Recipe(**{"evaluation_samples": 640, **self.fields})

    def __str__(self) -> str:
        net = f"{type(self.net).__name__} {self.net.n_features}, {self.net.n_hidden}"
        law = type(self.features).__name__
        asked = ", ".join(
            f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in self.fields.items()
        )
        return f"{net}; {law} {self.features.feature_density.mean():.3g}; {asked}; {', '.join(self.others)}".rstrip("; ")


def independent(n: int, density: float, **fields: Any) -> F.Features:
    """Features that are all alike."""
    return F.Independent(n, density=density, **fields)


QUARTIC = tg.training.OwnLoss("quartic", lambda y, x: ((y - x) ** 4).sum(axis=1), lambda y, x: 4 * (y - x) ** 3)
TABLE = np.random.default_rng(0).random((50, 12)).round()
RECORDS = {"record": ("loss", "W"), "record_steps": 40}

CASES = (
    # short and long, small and large batches
    Case(N.ReluOutput(2, 1), independent(2, 0.2), {"steps": 100, "batch_size": 100, "seeds": 2000}),
    Case(N.ReluOutput(2, 1), independent(2, 0.05), {"steps": 1_000_000, "batch_size": 64}),
    Case(N.ReluOutput(4, 2), independent(4, 0.5), {"steps": 600_000, "batch_size": 16}),
    Case(N.ReluOutput(4, 3), independent(4, 0.02), {"steps": 80_000, "batch_size": 2000}),
    Case(N.ReluOutput(7, 3), independent(7, 1.0), {"steps": 400_000, "batch_size": 48}),
    Case(N.ReluOutput(12, 6), independent(12, 0.3), {"steps": 20_000, "batch_size": 256, "seeds": 8}),
    Case(N.ReluOutput(25, 8), independent(25, 0.1), {"steps": 50_000, "batch_size": 512}),
    Case(N.ReluOutput(50, 3), independent(50, 0.1), {"steps": 100_000, "batch_size": 128}),
    Case(N.ReluOutput(50, 30), independent(50, 0.7), {"steps": 6_000, "batch_size": 1000}),
    Case(N.ReluOutput(75, 15), independent(75, 0.05), {"steps": 4_000, "batch_size": 2048}),
    Case(N.ReluOutput(150, 12), independent(150, 0.1), {"steps": 4_000, "batch_size": 1024}),
    Case(N.ReluOutput(250, 50), independent(250, 0.2), {"steps": 10_000, "batch_size": 16}),
    Case(N.ReluOutput(400, 30), independent(400, 0.5), {"steps": 200, "batch_size": 4096}),
    Case(N.ReluOutput(400, 60), independent(400, 0.1), {"steps": 700, "batch_size": 512}),
    # very sparse features
    Case(N.ReluOutput(80, 20), independent(80, 0.002), {"steps": 6_000, "batch_size": 1024}),
    Case(N.ReluOutput(250, 30), independent(250, 0.001), {"steps": 1_500, "batch_size": 1024}),
    Case(N.ReluOutput(400, 40), independent(400, 0.004), {"steps": 1_000, "batch_size": 1024}),
    # families and functions
    Case(N.Linear(30, 10), independent(30, 0.3), {"steps": 30_000, "batch_size": 700}),
    Case(N.ReluHidden(10, 8), independent(10, 0.1), {"steps": 30_000, "batch_size": 1024, "seeds": 3}),
    Case(N.AbsoluteValue(60, 25), independent(60, 0.1, signed=True), {"steps": 4_000, "batch_size": 1024}),
    Case(N.Untied(15, 5, activation="gelu"), independent(15, 0.2), {"steps": 20_000, "batch_size": 900}),
    Case(N.UntiedNeurons(20, 20, hidden_bias=True), independent(20, 0.1), {"steps": 30_000, "batch_size": 300}),
    Case(
        N.UntiedNeurons(12, 24, target_map=N.TargetMap(np.eye(12) + np.eye(12, k=1))), independent(12, 0.1), {"steps": 30_000}
    ),
    Case(N.ActivationOutput(8, 3, activation="tanh"), independent(8, 0.1), {"steps": 60_000, "batch_size": 1024}),
    Case(N.ActivationOutput(40, 8, activation="softplus"), independent(40, 0.1), {"steps": 20_000, "batch_size": 256}),
    # optimizers, schedules, regularisers, attacks
    Case(N.ReluOutput(30, 6), independent(30, 0.1), {"steps": 50_000, "batch_size": 200, "optimizer": "sgd"}),
    Case(N.ReluOutput(200, 40), independent(200, 0.1), {"steps": 4_000, "batch_size": 64, "optimizer": "rmsprop"}),
    Case(N.ReluOutput(120, 10), independent(120, 0.1), {"steps": 20_000, "batch_size": 64, "schedule": "cosine"}),
    Case(N.ReluHidden(20, 40), independent(20, 0.1), {"steps": 10_000, "batch_size": 500, "dropout": 0.3, "l1": 0.01}),
    Case(N.ReluOutput(50, 10), independent(50, 0.05), {"steps": 6_000, "batch_size": 600, "attack_size": 0.2}),
    Case(N.ReluOutput(10, 4), independent(10, 0.05), {"steps": 40_000, "attack_size": 0.1, "attack_draw": "batch"}),
    # other distributions, fixed sets, records
    Case(N.ReluOutput(9, 3), independent(9, 0.2, magnitude=F.Exponential(1.0)), {"steps": 30_000, "batch_size": 600}),
    Case(N.ReluOutput(40, 10), F.CorrelatedSets(20, 2, density=0.1), {"steps": 10_000, "batch_size": 1024}),
    Case(N.ReluOutput(30, 6), F.KSparse(30, 4), {"steps": 20_000, "batch_size": 512}),
    Case(N.ReluOutput(16, 4), independent(16, 0.1), {"steps": 100_000, "batch_size": 100, "data_set_size": 100}),
    Case(N.ReluOutput(16, 4), independent(16, 0.1), {"steps": 20_000, "batch_size": 512, "data_set_size": 50_000}),
    Case(N.ReluOutput(6, 2), independent(6, 0.1), {"steps": 30_000, "evaluation_samples": 65_536, **RECORDS, "seeds": 5}),
    Case(N.ReluOutput(12, 4), F.Empirical(TABLE), {"steps": 10_000, "batch_size": 256}),
    Case(N.ReluOutput(12, 4), independent(12, 0.1), {"steps": 1_000, "batch_size": 512}, {"loss": QUARTIC}),
    Case(
        N.ReluOutput(5, 2),
        independent(5, 0.1),
        {"evaluation_samples": 65_536, "seeds": 2},
        {"sweep": {"density": np.geomspace(0.01, 1, 10), "steps": [100, 1_000, 10_000]}},
    ),
)


def cpu_seconds(case: Case) -> float:
    """What one thread works for the training, the least of some rounds: other programs take turns, but hardly change this."""
    seconds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        tg.train(case.net, case.features, case.recipe, threads=1, progress=False, **case.others)
        seconds.append(time.process_time() - began)
    return min(seconds)


def print_costs() -> None:
    """The table of what was estimated and what it took."""
    tg.train(CASES[0].net, CASES[0].features, tg.Recipe(steps=1, data_set_size=1024), progress=False)
    print("seconds of one thread: estimated, taken, and their ratio\n")
    ratios = []
    for case in CASES:
        estimated = tg.training.estimated_seconds(case.net, case.features, case.recipe, threads=1, **case.others)
        taken = cpu_seconds(case)
        ratios.append(estimated / taken)
        print(f"{estimated:8.3f}{taken:8.3f}{ratios[-1]:7.2f}   {case}")
        sys.stdout.flush()
    off = np.maximum(ratios, 1 / np.array(ratios))
    print(f"\nwithin a factor of {WITHIN}: {(off < WITHIN).mean():.0%}; the worst is off by {off.max():.2f}\n")


if __name__ == "__main__":
    print_costs()
