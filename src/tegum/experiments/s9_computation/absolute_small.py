"""Computing |x| of three features with six neurons: one for each sign of each feature, their outputs summed.

Paper: section 9, the absolute value model without superposition (F36); importances, density and training are not given.  Here
n = 3, m = 6, y = ReLU(W2 ReLU(W1 x) + b), x uniform on [-1, 1] at density 1, importance 0.7^i, Xavier starts, AdamW at 3e-3
without decay, cosine schedule to 0; the best of all seeds, and how many reach it.  Weights are shown at the canonical scale,
each neuron's largest input weight 1.  Baseline: the best net without superposition has these six neurons and loses nothing,
so that nothing here is computed in superposition.
"""

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims.old import Claim, Control
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures import NeuronPanel, WeightGraph, stack_panels, weight_graphs
from tegum.geometry import main_features, monosemantic, rescaled_neurons, weights_above

N, M = 3, 6
FEATURES = tg.features.Independent(N, importance=tg.features.geometric(0.7, N), signed=True)
RECIPE = tg.Recipe(learning_rate=3e-3, schedule="cosine", weight_decay=0, record=("loss", "W1", "W2"), record_steps=(0,))
SIZE: dict[Profile, tg.Recipe] = {
    "quick": RECIPE.replaced(steps=6000, batch_size=256, seeds=64),
    "paper": RECIPE.replaced(steps=20_000, batch_size=1024, seeds=256, evaluation_samples=2**20),
}
LEAST_LOSS = 1e-4


def study(profile: Profile) -> xr.Dataset:
    """All seeds."""
    return tg.train(tg.nets.AbsoluteValue(N, M), FEATURES, SIZE[profile])


def weights(model: xr.Dataset, start: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """W1 and W2 at the canonical scale; on request those of the start."""
    source = {name: model[f"{name}_history"].isel(step=0) if start else model[name] for name in ("W1", "W2")}
    return rescaled_neurons(*(source[name].values.astype(np.float64) for name in ("W1", "W2")))


def two_each(W1: np.ndarray) -> tuple[str, bool]:
    """Which neurons hold which feature, and whether each feature has exactly one of either sign."""
    main = main_features(W1)
    sign = np.sign(W1[np.arange(len(W1)), main]).astype(int)
    words = ", ".join(f"{'+' if s > 0 else '−'}x_{i}" for i, s in sorted(zip(main.tolist(), sign.tolist(), strict=True)))
    single = int((weights_above(W1) == 1).sum())
    complete = {(i, s) for i in range(N) for s in (-1, 1)} == set(zip(main.tolist(), sign.tolist(), strict=True))
    return f"{single} of {len(W1)} neurons have one input; largest inputs {words}", complete and single == len(W1)


def outputs(W1: np.ndarray, W2: np.ndarray) -> tuple[str, bool]:
    """How far output weights are from 1 at the neuron's own feature and from 0 elsewhere."""
    own = np.arange(N)[:, None] == main_features(W1)
    off, stray = float(abs(W2[own] - 1).max()), float(abs(W2[~own]).max())
    return f"own weights within {off:.4f} of 1, others at most {stray:.4f}", max(off, stray) < 0.05


def claims(data: xr.Dataset) -> list[Claim]:
    """Structure, weights and loss of the best net."""
    best = tg.best(data)
    last, first = weights(best), weights(best, start=True)
    loss, bias = data["loss"].values, float(abs(best["b"]).max())
    reached = float((loss < LEAST_LOSS).mean())
    stuck = data.isel(seed=int(loss.argmax()))
    evidence = f"best of {len(loss)}; {reached:.0%} of them have a loss below 1e-4"
    return [
        Claim(
            name="two-neurons-each",
            statement="Each feature has one neuron for ReLU(x) and one for ReLU(−x).",
            how="weights W1 above a tenth of the neuron's largest, and their signs",
            expected="six neurons with one input each, one of either sign for each feature",
            tolerance="as stated",
            measured=two_each(last[0])[0],
            holds=two_each(last[0])[1],
            evidence=evidence,
            control=Control("the same net before training", *two_each(first[0])),
        ),
        Claim(
            name="outputs-summed",
            statement="The output of a feature is the sum of its two neurons.",
            how="W2 after rescaling the largest input weights to 1",
            expected="1 at the neuron's own feature, 0 elsewhere",
            tolerance="0.05",
            measured=outputs(*last)[0],
            holds=outputs(*last)[1],
            evidence=evidence,
            control=Control("the same net before training", *outputs(*first)),
        ),
        Claim(
            name="exact",
            statement="So |x| is computed without error.",
            how="loss on the common test set, and the largest |b|",
            expected="loss 0, bias 0",
            tolerance="1e-4 for the loss, 0.01 for the bias",
            measured=f"loss {float(best['loss']):.1e}, bias {bias:.1e}",
            holds=bool(float(best["loss"]) < LEAST_LOSS and bias < 0.01),
            evidence=evidence,
            control=Control(
                "the worst of all seeds", f"loss {float(stuck['loss']):.1e}", bool(float(stuck["loss"]) < LEAST_LOSS)
            ),
            note="The best net without superposition has loss 0 too: here there is a neuron for every half of every feature.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The best net as a graph, and as stacks with its matrices."""
    W1, W2 = weights(tg.best(data))
    mixed = ~monosemantic(W1)
    panels = {"input weights W1": NeuronPanel(W1, mixed), "output weights W2": NeuronPanel(W2.T, mixed)}
    return {
        "graph": Figure(
            weight_graphs({"n = 3, m = 6": WeightGraph(W1, W2, mixed)}),
            "Every input excites one neuron (red) and, with the other sign, a second one (blue); both excite the feature's "
            f"output. The best of {data.sizes['seed']} seeds.",
        ),
        "stacks": Figure(
            stack_panels(panels, colour="feature", matrix=True, ordered_by=W1),
            "The same weights as matrices (above) and as a stack for each neuron (below), at the canonical scale, neurons "
            "sorted by feature and sign.",
        ),
    }


experiment = Experiment(
    __name__,
    title="|x| of three features with six neurons",
    paper="Section 9, the absolute value without superposition (F36)",
    seconds={"quick": 1, "paper": 15},
    study=study,
    figures=figures,
    claims=claims,
    order=1,
)
