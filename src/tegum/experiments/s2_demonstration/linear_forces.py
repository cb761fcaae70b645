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
from tegum.claims import Claim, above, below, equal, every, near
from tegum.experiments import Experiment, Figure, Profile
from tegum.features import Independent
from tegum.figures import curve_panel
from tegum.geometry import feature_norms, gram
from tegum.theory import dropped_loss, linear_loss
from tegum.theory.linear import feature_benefit, linear_interference

N, M = 20, 5
IMPORTANCE = tg.features.geometric(0.7, N)
VARIANCE = 1 / 3
SPARSE = 0.05
FEATURES = Independent(N, density=1.0, importance=IMPORTANCE, signed=True)
RECIPE: dict[Profile, tg.Recipe] = {
    "quick": tg.Recipe(steps=6000, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=16, final_fraction=0),
    "paper": tg.Recipe(steps=20_000, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=32, final_fraction=0),
}
SAMPLES = 200_000


def study(profile: Profile) -> xr.Dataset:
    """The linear models with their trajectories, a sampled loss of the initial weights, and ReLU models of sparse features."""
    run = tg.train(tg.nets.Linear(N, M, bias=False), FEATURES, RECIPE[profile].replaced(record=("W",), record_steps=200))
    sparse = Independent(N, density=SPARSE, importance=IMPORTANCE)
    relu = tg.best(tg.exact.minimise(tg.nets.ReluOutput(N, M), sparse, seeds=8))
    exact = tg.exact.minimise(tg.nets.Linear(N, M), sparse, seeds=16)
    history = run["W_history"].transpose("seed", "step", "hidden", "feature").values.astype(np.float64)
    first = history[:, 0]
    x = FEATURES.sample(SAMPLES, seed=1)
    errors = [(x - x @ G) ** 2 @ IMPORTANCE for G in gram(first[:4])]
    model, over_steps = ("seed", "hidden", "feature"), ("seed", "step")
    return xr.Dataset(
        {
            "W": (model, run["W"].transpose(*model).values.astype(np.float64)),
            "first": (model, first),
            "relu_W": (model[1:], relu["W"].transpose(*model[1:]).values),
            "relu_loss": relu["loss"].values,
            "exact_W": (("exact_seed", *model[1:]), exact["W"].transpose(*model).values),
            "benefit": (over_steps, feature_benefit(history, IMPORTANCE)),
            "interference": (over_steps, linear_interference(history, IMPORTANCE)),
            "sampled": ("sample", [each.mean() for each in errors]),
            "standard_error": ("sample", [each.std() / SAMPLES**0.5 for each in errors]),
        },
        {"step": run["step"].values},
        run.attrs,
    )


def interference_share(terms: xr.Dataset) -> dict[str, xr.DataArray]:
    """Which share of the loss is interference, at the first and at the last of some steps."""
    share = terms["interference"] / (terms["benefit"] + terms["interference"])
    return {"at first": share.isel(step=0), "at last": share.isel(step=-1)}


def size_and_overlap(W: NDArray[np.float64]) -> dict[str, NDArray[np.float64] | float]:
    """How many features of each model (..., m, n) have a norm above 0.9, and the largest overlap of two in any."""
    overlaps = gram(W) * (1 - np.eye(N))
    return {"features": (feature_norms(W) > 0.9).sum(axis=-1), "largest overlap": float(abs(overlaps).max())}


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements about the linear model."""
    first, relu_W = data["first"].values, data["relu_W"].values
    overlaps = (gram(first) * (1 - np.eye(N))).reshape(len(first), -1)
    squared, largest = (overlaps**2).sum(axis=-1), abs(overlaps).max(axis=-1)
    left_out = ((np.eye(N) - gram(first)) ** 2).sum(axis=(-2, -1))
    benefit, interference = (term(first[: data.sizes["sample"]], IMPORTANCE) for term in (feature_benefit, linear_interference))
    relu = {"benefit": feature_benefit(relu_W, IMPORTANCE), "interference": linear_interference(relu_W, IMPORTANCE)}
    rises = (data["benefit"].max("step") > 1.01 * data["benefit"].isel(step=0)).sum()
    trained = size_and_overlap(data["W"].values)
    random_models = every(data["first"], "random model")

    def frobenius(features: Independent) -> NDArray[np.float64]:
        return abs(linear_loss(first, np.zeros((len(first), N)), features) / VARIANCE / left_out - 1)

    def norms(importance: NDArray[np.float64]) -> dict[str, NDArray[np.float64] | bool]:
        return {
            "deviation from 1": abs(linear_interference(first, importance) / squared - 1),
            "each norm bounds the other": bool(((largest**2 <= squared) & (squared <= N * (N - 1) * largest**2)).all()),
        }

    return [
        Claim(
            "frobenius",
            "For uncorrelated features of equal variance and importance the loss is |1 - W^T W|^2, all entries squared.",
            how="expected loss of the linear model at its initial weights, divided by the variance, over that sum: deviation "
            "from 1",
            measure=frobenius,
            expect=below(1e-9),
            of=FEATURES.replaced(importance=1.0),
            against={"importances 0.7^i": FEATURES},
            evidence=random_models.adding("from second moments, which are all that a linear model sees of a Gaussian"),
        ),
        Claim(
            "two-forces",
            "A linear model's loss is feature benefit plus interference, weighted by the disturbed feature.",
            how="the two terms at the initial weights of four seeds against the loss of samples, in standard errors",
            measure=lambda loss: abs(VARIANCE * loss - data["sampled"]) / data["standard_error"],
            expect=below(4),
            of=benefit + interference,
            against={"feature benefit alone": benefit},
            evidence=every(data["sampled"], over="sample").adding(f"{SAMPLES:,} samples each"),
            note="Whether the disturbed or the disturbing feature's importance weighs an overlap makes no difference here: "
            "W^T W is symmetric, so both sums are the same.",
        ),
        Claim(
            "competing",
            "Two forces compete; a linear model gives up the benefit of some features to be rid of all interference.",
            how="share of interference in the loss at the initial weights and after training",
            measure=interference_share,
            expect={"at first": above(0.1, "%"), "at last": below(1e-3, "%")},
            of=data[["benefit", "interference"]],
            against={
                f"the same split for ReLU outputs, density {SPARSE:g}, after training": xr.Dataset(relu).expand_dims("step")
            },
            evidence=every(data["benefit"], "seed").adding(f"W at {data.sizes['step']} steps"),
            note=f"In {int(rises)} seeds the benefit term even rises for a while (by more than 1 %): features shrink to be out "
            "of each other's way before the most important grow.",
        ),
        Claim(
            "two-norms",
            "Interference is the squared L2 norm of all overlaps; compressed sensing's coherence is their largest.",
            how="equal importances: interference over the sum of squared overlaps of different features; whether both norms "
            "bound each other",
            measure=norms,
            expect={"deviation from 1": below(1e-9), "each norm bounds the other": equal(True)},
            of=np.ones(N),
            against={"importances 0.7^i": IMPORTANCE},
            evidence=random_models,
        ),
        Claim(
            "no-more-than-dimensions",
            "It is never worthwhile for a linear model to represent more features than it has dimensions.",
            how="features with norm above 0.9, and the largest overlap, after descent of the expected loss from random weights",
            measure=size_and_overlap,
            expect={"features": equal(M), "largest overlap": below(1e-3)},
            of=data["exact_W"].values,
            against={"ReLU outputs": relu_W},
            evidence=every(data["exact_W"], "start", over="exact_seed"),
            note=f"Stochastic training keeps {np.min(trained['features'])} to {np.max(trained['features'])} in "
            f"{data.sizes['seed']} seeds; the noise of its batches leaves overlaps of up to {trained['largest overlap']:.1e}, "
            "between the last feature that is kept and the first that is not.",
        ),
        Claim(
            "bound",
            "Its best loss is what the least important features weigh.",
            how="loss after training over the sum of the importances beyond the first five (unit variance)",
            expect=near(1, 1e-3),
            of=(data["benefit"] + data["interference"]).isel(step=-1) / IMPORTANCE[M:].sum(),
            against={
                f"ReLU outputs, density {SPARSE:g}, over what the same features weigh": data["relu_loss"]
                / dropped_loss(SPARSE, IMPORTANCE[M:]).sum()
            },
            evidence=every(data["W"], "seed"),
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The two terms through training."""
    shown = data.isel(seed=0, step=slice(1, None))
    curves = {
        "feature benefit": shown["benefit"],
        "interference": shown["interference"],
        "their sum, the loss": shown["benefit"] + shown["interference"],
    }
    return {
        "forces": Figure(
            curve_panel(curves, "training step", "loss at unit variance", log_x=True),
            "A linear model of 20 features in 5 dimensions (first seed). Interference is driven out; what is lost of the "
            "features themselves falls for the five that are kept, and what remains is the weight of the 15 that are given up.",
        )
    }


experiment = Experiment(
    __name__,
    title="A linear model: two forces, and no superposition",
    paper="Section 2.2, mathematical understanding (F06)",
    seconds={"quick": 3, "paper": 15},
    order=3,
)
