"""Computing |x| of three features with six neurons: one for each sign of each feature, their outputs summed.

Paper: section 9, the absolute value model without superposition (F36); importances, density and training are not given.  Here
n = 3, m = 6, y = ReLU(W2 ReLU(W1 x) + b), x uniform on [-1, 1] at density 1, importance 0.7^i, Xavier initial weights, AdamW
at 3e-3 without decay, cosine schedule to 0; the best of all seeds, and how many reach it.  Weights are shown at the canonical
scale, each neuron's largest input weight 1.  Baseline: the best net without superposition has these neurons and loses nothing.
"""

from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import OURS, Claim, below, best_of, equal, paper
from tegum.experiments import Experiment, Figure, Profile

N, M = 3, 6
FEATURES = tg.features.Independent(N, importance=tg.features.geometric(0.7, N), signed=True)
ADAMW = tg.Recipe(learning_rate=3e-3, schedule="cosine", weight_decay=0, record=("loss", "W1", "W2"), record_steps=(0,))
QUICK = ADAMW.replaced(steps=6000, batch_size=256, seeds=64)
RECIPE = {"quick": QUICK, "paper": QUICK.replaced(steps=20_000, batch_size=1024, seeds=256, evaluation_samples=2**20)}
SOLVED = 1e-4


def study(profile: Profile) -> xr.Dataset:
    """All seeds."""
    return tg.train(tg.nets.AbsoluteValue(N, M), FEATURES, RECIPE[profile])


def weights(net: xr.Dataset) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """W1 and W2 at the canonical scale."""
    return tg.geometry.rescaled_neurons(*(net[name].values.astype(np.float64) for name in ("W1", "W2")))


def structure(net: xr.Dataset) -> dict[str, object]:
    """How many inputs neurons have, what the largest read, how far output weights are from 1 there and from 0 elsewhere."""
    W1, W2 = weights(net)
    main = tg.geometry.main_features(W1)
    own = np.arange(N)[:, None] == main
    return {
        "inputs of each neuron": tg.geometry.weights_above(W1),
        "largest inputs": sorted(f"{'+' if W1[k, i] > 0 else '−'}x_{i}" for k, i in enumerate(main)),
        "own weights from 1": float(abs(W2[own] - 1).max()),
        "others from 0": float(abs(W2[~own]).max()),
    }


def claims(data: xr.Dataset) -> list[Claim]:
    """Structure, weights and loss of the best net."""
    best = tg.best(data)
    first = best[["W1_history", "W2_history"]].sel(step=0).rename(W1_history="W1", W2_history="W2")
    solved = f"{float((data['loss'] < SOLVED).mean()):.0%} of them have a loss below {SOLVED:g}"
    evidence = best_of(data, "loss on a common test set").adding(solved)
    before = {"the same net before training": first}
    claim = partial(Claim, measure=structure, of=best, against=before, evidence=evidence)
    signs = [f"{sign}x_{i}" for sign in "+−" for i in range(N)]
    return [
        claim(
            "two-neurons-each",
            "Each feature has one neuron for ReLU(x) and one for ReLU(−x).",
            source=paper("Computation in Superposition, Basic Results", 'it constructs a "positive side" neuron'),
            how="weights W1 above a tenth of the neuron's largest, and their signs",
            expect={"inputs of each neuron": equal(1), "largest inputs": equal(signs)},
        ),
        claim(
            "outputs-summed",
            "The output of a feature is the sum of its two neurons.",
            source=paper(
                "Computation in Superposition, Basic Results", "It then adds these together to compute absolute value"
            ),
            how="W2 after rescaling the largest input weights to 1, beside 1 at the neuron's own feature and 0 elsewhere",
            expect={"own weights from 1": below(0.05), "others from 0": below(0.05)},
        ),
        claim(
            "exact",
            "So |x| is computed without error.",
            source=OURS,
            how="loss on the common test set, and the largest |b|",
            measure=lambda net: {"loss": float(net["loss"]), "bias": float(abs(net["b"].values).max())},
            expect={"loss": below(SOLVED), "bias": below(0.01)},
            against={
                "the worst of all seeds": data.isel(seed=data["loss"].argmax("seed")),
                "the one of the largest bias": data.isel(seed=abs(data["b"]).max("feature").argmax("seed")),
            },
            note="The best net without superposition has loss 0 too: here there is a neuron for every half of every feature.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The best net as a graph, and as stacks with its matrices."""
    W1, W2 = weights(tg.best(data))
    mixed = ~tg.geometry.monosemantic(W1)
    panels = {"input weights W1": tg.figures.NeuronPanel(W1, mixed), "output weights W2": tg.figures.NeuronPanel(W2.T, mixed)}
    return {
        "graph": Figure(
            tg.figures.weight_graphs({"n = 3, m = 6": tg.figures.WeightGraph(W1, W2, mixed)}),
            "Every input excites one neuron (red) and, with the other sign, a second one (blue); both excite the feature's "
            f"output. The best of {data.sizes['seed']} seeds.",
        ),
        "stacks": Figure(
            tg.figures.stack_panels(panels, colour="feature", matrix=True, ordered_by=W1),
            "The same weights as matrices (above) and as a stack for each neuron (below), at the canonical scale, neurons "
            "sorted by feature and sign.",
        ),
    }


experiment = Experiment(
    __name__,
    title="|x| of three features with six neurons",
    paper="Section 9, the absolute value without superposition (F36)",
    seconds={"quick": 1, "paper": 15},
    order=1,
)
