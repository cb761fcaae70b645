"""A linear model: two forces, and no reason to hold more features than dimensions.

Paper: section 2.2 (F06), after Saxe, McClelland and Ganguli.  y = W^T W x without bias, 20 features in 5 dimensions, importance
0.7^i, every feature active, of either sign, uniform on [-1, 1]: uncorrelated and of equal variance 1/3, which is all that a
linear model sees of a Gaussian.  Trained by AdamW at 3e-3 without decay, cosine schedule to 0, batches of 1024, 16 seeds; W
recorded at 200 steps.  Without the noise of batches: the expected loss of the linear model with bias, whose bias takes the
means away, minimised from 16 random starts at density 0.05; beside it the ReLU-output model of the same features.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import IDENTITY, OURS, Claim, above, below, equal, every, near, paper
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s2_demonstration.shared import BASE, overlaps
from tegum.theory.linear import feature_benefit, linear_interference

N, M = 20, 5
IMPORTANCE = tg.features.geometric(0.7, N)
VARIANCE = 1 / 3
SPARSE = 0.05
FEATURES = tg.features.Independent(N, density=1.0, importance=IMPORTANCE, signed=True)
QUICK = BASE.replaced(steps=6000, seeds=16, final_fraction=0, record=("W",), record_steps=200)
RECIPE = {"quick": QUICK, "paper": QUICK.replaced(steps=20_000, seeds=32)}
SAMPLES = 200_000


def study(profile: Profile) -> xr.Dataset:
    """The linear models with their trajectories, a sampled loss of the initial weights, and ReLU models of sparse features."""
    run = tg.train(tg.nets.Linear(N, M, bias=False), FEATURES, RECIPE[profile])
    sparse = tg.features.Independent(N, density=SPARSE, importance=IMPORTANCE)
    relu = tg.best(tg.exact.minimise(tg.nets.ReluOutput(N, M), sparse, seeds=8))
    exact = tg.exact.minimise(tg.nets.Linear(N, M), sparse, seeds=16)
    history = run["W_history"].values.astype(np.float64)
    x = FEATURES.sample(SAMPLES, seed=1)
    errors = [(x - x @ G) ** 2 @ IMPORTANCE for G in tg.geometry.gram(history[:4, 0])]
    model = ("hidden", "feature")
    return xr.Dataset(
        {
            "W": (("seed", *model), run["W"].values.astype(np.float64)),
            "first": (("seed", *model), history[:, 0]),
            "relu_W": (model, relu["W"].values),
            "relu_loss": relu["loss"].values,
            "exact_W": (("exact_seed", *model), exact["W"].values),
            **{name: (("seed", "step"), term) for name, term in both_terms(history).items()},
            "sampled": ("sample", [each.mean() for each in errors]),
            "standard_error": ("sample", [each.std() / SAMPLES**0.5 for each in errors]),
        },
        {name: run[name] for name in ("step", "feature_density", "feature_importance")},
        run.attrs,
    )


def both_terms(W: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Feature benefit and interference of models (..., m, n) at unit variance, shape (...)."""
    return {"benefit": feature_benefit(W, IMPORTANCE), "interference": linear_interference(W, IMPORTANCE)}


def size_and_overlap(W: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """How many features of each model (..., m, n) have a norm above 0.9, and the largest overlap of two in any."""
    return {"features": (tg.geometry.feature_norms(W) > 0.9).sum(axis=-1), "largest overlap": abs(overlaps(W)).max()}


def claims(data: xr.Dataset) -> list[Claim]:  # long: one declaration after the other
    """The statements about the linear model."""
    initial, relu_W = data["first"].values, data["relu_W"].values
    squared, largest = (part(overlaps(initial) ** 2, axis=(-2, -1)) for part in (np.sum, np.max))
    smallest = np.min(overlaps(initial) ** 2 + np.eye(N), axis=(-2, -1))
    left_out, no_bias = ((np.eye(N) - tg.geometry.gram(initial)) ** 2).sum(axis=(-2, -1)), np.zeros((len(initial), N))
    sampled = both_terms(initial[: data.sizes["sample"]])
    rises = (data["benefit"].max("step") > 1.01 * data["benefit"].isel(step=0)).sum()
    kept, leftover = size_and_overlap(data["W"].values).values()
    share = data["interference"] / (data["benefit"] + data["interference"])
    relu_share = linear_interference(relu_W, IMPORTANCE) / sum(both_terms(relu_W).values())
    small = both_terms(initial / 10)
    small_share = small["interference"] / (small["benefit"] + small["interference"])
    weigh = tg.theory.dropped_loss(SPARSE, IMPORTANCE[M:]).sum()
    random_models = every(data["first"], "random model")
    return [
        Claim(
            "frobenius",
            "For uncorrelated features of equal variance and importance the loss is |1 - W^T W|^2, all entries squared.",
            source=IDENTITY,
            how="expected loss at the initial weights, divided by the variance, over that sum: deviation from 1",
            measure=lambda features: abs(tg.theory.linear_loss(initial, no_bias, features) / VARIANCE / left_out - 1),
            expect=below(1e-9),
            of=FEATURES.replaced(importance=1.0),
            against={"importances 0.7^i": FEATURES},
            evidence=random_models.adding("from second moments, which are all that a linear model sees of a Gaussian"),
        ),
        Claim(
            "two-forces",
            "A linear model's loss is feature benefit plus interference, weighted by the disturbed feature.",
            source=IDENTITY,
            how="the two terms at the initial weights of four seeds against the loss of samples, in standard errors",
            measure=lambda loss: abs(VARIANCE * loss - data["sampled"]) / data["standard_error"],
            expect=below(4),
            of=sampled["benefit"] + sampled["interference"],
            against={"feature benefit alone": sampled["benefit"]},
            evidence=every(data["sampled"], over="sample").adding(f"{SAMPLES:,} samples each"),
            note="Whether the disturbed or the disturbing feature's importance weighs an overlap makes no difference here: "
            "W^T W is symmetric, so both sums are the same.",
        ),
        Claim(
            "competing",
            "Two forces compete; a linear model gives up the benefit of some features to be rid of all interference.",
            source=paper(
                "Mathematical Understanding", "there are fundamentally two competing forces which control learning dynamics"
            ),
            how="share of interference in the loss at the initial weights and after training",
            expect={"at first": above(0.1, "%"), "at last": below(1e-3, "%")},
            of={"at first": share.isel(step=0), "at last": share.isel(step=-1)},
            against={
                f"ReLU outputs, density {SPARSE:g}, after training": dict.fromkeys(("at first", "at last"), relu_share),
                "initial weights a tenth the size, not trained": dict.fromkeys(("at first", "at last"), small_share),
            },
            evidence=every(data["benefit"], "seed").adding(f"W at {data.sizes['step']} steps"),
            note=f"In {rises:d} seeds the benefit term even rises for a while (by more than 1 %): features shrink to be out "
            "of each other's way before the most important grow.",
        ),
        Claim(
            "two-norms",
            "Interference is the squared L2 norm of all overlaps; compressed sensing's coherence is their largest.",
            source=IDENTITY,
            how="equal importances: interference over the sum of squared overlaps; whether both norms bound each other",
            measure=lambda norms: {
                "deviation from 1": abs(linear_interference(initial, norms[0]) / squared - 1),
                "each norm bounds the other": ((norms[1] <= squared) & (squared <= N * (N - 1) * norms[1])).all(),
            },
            expect={"deviation from 1": below(1e-9), "each norm bounds the other": equal(True)},
            of=(np.ones(N), largest),
            against={"importances 0.7^i; of the overlaps the smallest": (IMPORTANCE, smallest)},
            evidence=random_models,
        ),
        Claim(
            "no-more-than-dimensions",
            "It is never worthwhile for a linear model to represent more features than it has dimensions.",
            source=paper(
                "Mathematical Understanding",
                "never worthwhile for the linear model to represent more features than it has dimensions",
            ),
            how="features with norm above 0.9, and the largest overlap, after descent of the expected loss from random weights",
            measure=size_and_overlap,
            expect={"features": equal(M), "largest overlap": below(1e-3)},
            of=data["exact_W"].values,
            against={"ReLU outputs": relu_W},
            evidence=every(data["exact_W"], "start", over="exact_seed"),
            note=f"Stochastic training keeps {' or '.join(map(str, np.unique(kept)))} in each of {data.sizes['seed']} seeds; "
            f"the noise of its batches leaves overlaps up to {leftover:.1e} between the last one kept and the first one not.",
        ),
        Claim(
            "bound",
            "Its best loss is what the least important features weigh.",
            source=OURS,
            how="loss after training over the sum of the importances beyond the first five (unit variance)",
            expect=near(1, 1e-3),
            of=(data["benefit"] + data["interference"]).isel(step=-1) / IMPORTANCE[M:].sum(),
            against={f"ReLU outputs, density {SPARSE:g}, over what the same features weigh": data["relu_loss"] / weigh},
            evidence=every(data["W"], "seed"),
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The two terms through training."""
    benefit, interference = (data[name].isel(seed=0, step=slice(1, None)) for name in ("benefit", "interference"))
    curves = {"feature benefit": benefit, "interference": interference, "their sum, the loss": benefit + interference}
    return {
        "forces": Figure(
            tg.figures.curve_panel(curves, "training step", "loss at unit variance", log_x=True),
            "A linear model of 20 features in 5 dimensions (first seed). Interference is driven out; what is lost of the "
            "features themselves falls for the five that are represented, and what remains is the weight of the other 15.",
        )
    }


experiment = Experiment(
    __name__,
    title="A linear model: two forces, and no superposition",
    paper="Section 2.2, mathematical understanding (F06)",
    seconds={"quick": 3, "paper": 15},
    order=3,
)
