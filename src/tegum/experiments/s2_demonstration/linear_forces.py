"""A linear model: two forces, and no reason to hold more features than dimensions.

Paper: section 2.2 (F06), after Saxe, McClelland and Ganguli.  y = W^T W x without bias, 20 features in 5 dimensions, importance
0.7^i, every feature on, of either sign, uniform on [-1, 1]: uncorrelated and of equal variance 1/3, which is all that a linear
model sees of a Gaussian.  Trained by AdamW at 3e-3 without decay, cosine schedule to 0, batches of 1024, 16 seeds; W recorded
at 200 steps.  Without the noise of batches: the expected loss of the linear model with bias, whose bias takes the means away,
minimised from 16 random starts at density 0.05; beside it the ReLU-output model of the same world.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims.old import Claim, Control
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures import curve_panel
from tegum.theory import dropped_loss, feature_benefit, linear_interference, linear_loss

N, M = 20, 5
IMPORTANCE = tg.features.geometric(0.7, N)
VARIANCE = 1 / 3
SPARSE = 0.05
WORLD = tg.features.Independent(N, density=1.0, importance=IMPORTANCE, signed=True)
RECIPE: dict[Profile, tg.Recipe] = {
    "quick": tg.Recipe(steps=6000, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=16, final_fraction=0),
    "paper": tg.Recipe(steps=20_000, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=32, final_fraction=0),
}
SAMPLES = 200_000


def study(profile: Profile) -> xr.Dataset:
    """The linear models with their trajectories, a sampled loss of the first weights, and ReLU models in a sparse world."""
    recipe = RECIPE[profile].replaced(record=("W",), record_steps=200)
    run = tg.train(tg.nets.Linear(N, M, bias=False), WORLD, recipe)
    W, history = (run[name].transpose(..., "hidden", "feature").values.astype(np.float64) for name in ("W", "W_history"))
    first = history[..., 0, :, :] if run["W_history"].dims[0] == "seed" else history[0]
    x = WORLD.sample(SAMPLES, seed=1)
    errors = [((x - x @ G) ** 2 @ IMPORTANCE) for G in tg.geometry.gram(first[:4])]
    sparse = tg.features.Independent(N, density=SPARSE, importance=IMPORTANCE)
    relu = tg.best(tg.exact.minimise(tg.nets.ReluOutput(N, M), sparse, seeds=8))
    exact = tg.exact.minimise(tg.nets.Linear(N, M), sparse, seeds=16)
    data = xr.Dataset({"W": (("seed", "hidden", "feature"), W), "first": (("seed", "hidden", "feature"), first)})
    data["relu_W"] = relu["W"].transpose("hidden", "feature").drop_vars(["seed", "start"], errors="ignore")
    data["relu_loss"] = float(relu["loss"])
    data["exact_W"] = exact["W"].transpose("seed", "hidden", "feature").drop_vars(["seed", "start"]).rename(seed="exact_seed")
    steps = run["W_history"].transpose("seed", "step", "hidden", "feature").values.astype(np.float64)
    data = data.assign_coords(step=run["step"].values)
    data["benefit"] = (("seed", "step"), feature_benefit(steps, IMPORTANCE))
    data["interference"] = (("seed", "step"), linear_interference(steps, IMPORTANCE))
    data["sampled"] = ("sample", [each.mean() for each in errors])
    data["standard_error"] = ("sample", [each.std() / SAMPLES**0.5 for each in errors])
    return data.assign_attrs(run.attrs)


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements about the linear model."""
    first = data["first"].values[: data.sizes["sample"]]
    split = VARIANCE * (feature_benefit(first, IMPORTANCE) + linear_interference(first, IMPORTANCE))
    alone = VARIANCE * feature_benefit(first, IMPORTANCE)
    noise, sampled = data["standard_error"].values, data["sampled"].values
    deviation, wrong = abs(split - sampled) / noise, abs(alone - sampled) / noise
    kept, overlap = represented(data["exact_W"].values)
    kept_trained, overlap_trained = represented(data["W"].values)
    kept_relu, overlap_relu = represented(data["relu_W"].values[None])
    bound = float(IMPORTANCE[M:].sum())
    total = data["benefit"].isel(step=-1) + data["interference"].isel(step=-1)
    ratio, relu_ratio = total / bound, float(data["relu_loss"]) / float(dropped_loss(SPARSE, IMPORTANCE[M:]).sum())
    seeds = f"{data.sizes['seed']} seeds"
    return [
        frobenius_claim(data),
        Claim(
            name="two-forces",
            statement="A linear model's loss is feature benefit plus interference, weighted by the disturbed feature.",
            how="the two terms at the first weights of four seeds against the loss of samples",
            expected="equal",
            tolerance="4 standard errors",
            measured=f"{deviation.max():.1f} standard errors",
            holds=bool(deviation.max() < 4),
            evidence=f"{SAMPLES:,} samples each",
            control=Control("feature benefit alone", f"{wrong.max():.0f} standard errors", bool(wrong.max() < 4)),
            note="Whether the disturbed or the disturbing feature's importance weighs an overlap makes no difference here: "
            "W^T W is symmetric, so both sums are the same.",
        ),
        trajectory_claim(data),
        overlap_claim(data),
        Claim(
            name="no-more-than-dimensions",
            statement="It is never worthwhile for a linear model to represent more features than it has dimensions.",
            how="features with norm above 0.9, and the largest overlap, after descent of the expected loss from random weights",
            expected=f"{M}, below 0.001",
            tolerance="as stated",
            measured=f"{kept.min()} to {kept.max()}, {overlap:.1e}",
            holds=bool((kept == M).all() and overlap < 1e-3),
            evidence=f"all of {data.sizes['exact_seed']} starts",
            control=Control(
                "ReLU outputs", f"{kept_relu[0]}, {overlap_relu:.2f}", bool(kept_relu[0] == M and overlap_relu < 1e-3)
            ),
            note=f"Stochastic training keeps {kept_trained.min()} to {kept_trained.max()} in {seeds}; the noise of its batches "
            f"leaves overlaps of up to {overlap_trained:.1e}, between the last feature that is kept and the first that is not.",
        ),
        Claim(
            name="bound",
            statement="Its best loss is what the least important features weigh.",
            how="loss after training over the sum of the importances beyond the first five (unit variance)",
            expected="1",
            tolerance="1e-3",
            measured=f"{float(ratio.min()):.6f} to {float(ratio.max()):.6f}",
            holds=bool((abs(ratio - 1) < 1e-3).all()),
            evidence=f"all of {seeds}",
            control=Control(
                f"ReLU outputs, density {SPARSE:g}",
                f"{relu_ratio:.3f} of what the same features weigh",
                abs(relu_ratio - 1) < 1e-3,
            ),
        ),
    ]


def frobenius_claim(data: xr.Dataset) -> Claim:
    """The loss of equal importances as one norm."""
    W = data["first"].values.astype(np.float64)
    left_out = ((np.eye(N) - tg.geometry.gram(W)) ** 2).sum(axis=(-2, -1))
    off, unequal = (
        float(abs(linear_loss(W, np.zeros((len(W), N)), world) / VARIANCE / left_out - 1).max())
        for world in (WORLD.replaced(importance=1.0), WORLD)
    )
    return Claim(
        name="frobenius",
        statement="For uncorrelated features of equal variance and importance the loss is |1 - W^T W|^2, all entries squared.",
        how="expected loss of the linear model at its first weights, divided by the variance, over that sum",
        expected="1",
        tolerance="1e-9",
        measured=f"1 to within {off:.0e}",
        holds=off < 1e-9,
        evidence=f"{len(W)} random models; from second moments, which are all that a linear model sees of a Gaussian",
        control=Control("importances 0.7^i", f"off by up to {unequal:.2f}", unequal < 1e-9),
    )


def trajectory_claim(data: xr.Dataset) -> Claim:
    """The two terms through training: what is given up of the one to be rid of the other."""
    benefit, other = data["benefit"], data["interference"]
    share = other / (benefit + other)
    first, last = share.isel(step=0), share.isel(step=-1)
    W = data["relu_W"].values
    terms = float(feature_benefit(W, IMPORTANCE)), float(linear_interference(W, IMPORTANCE))
    relu = terms[1] / sum(terms)
    rises = (benefit.max("step") > 1.01 * benefit.isel(step=0)).sum()
    return Claim(
        name="competing",
        statement="Two forces compete; a linear model gives up the benefit of some features to be rid of all interference.",
        how="share of interference in the loss at the first weights and after training",
        expected="above 10 %, below 0.1 %",
        tolerance="as stated, every seed",
        measured=f"{float(first.min()):.0%} to {float(first.max()):.0%}; at most {float(last.max()):.1e}",
        holds=bool((first > 0.1).all() and (last < 1e-3).all()),
        evidence=f"{data.sizes['seed']} seeds, W at {data.sizes['step']} steps",
        control=Control(f"the same split for ReLU outputs, density {SPARSE:g}", f"{relu:.0%} after training", relu < 1e-3),
        note=f"In {int(rises)} seeds the benefit term even rises for a while (by more than 1 %): features shrink to be out of "
        "each other's way before the most important grow.",
    )


def overlap_claim(data: xr.Dataset) -> Claim:
    """Interference and coherence are two norms of the overlaps (the paper's footnote)."""
    W = data["first"].values.astype(np.float64)
    G = tg.geometry.gram(W)
    overlaps = (G * (1 - np.eye(N))).reshape(len(G), -1)
    squared, largest = (overlaps**2).sum(axis=-1), abs(overlaps).max(axis=-1)
    off, weighted = (float(abs(linear_interference(W, weight) / squared - 1).max()) for weight in (np.ones(N), IMPORTANCE))
    between = bool((largest**2 <= squared).all() and (squared <= N * (N - 1) * largest**2).all())
    return Claim(
        name="two-norms",
        statement="Interference is the squared L2 norm of all overlaps; compressed sensing's coherence is their largest.",
        how="equal importances: interference over the sum of squared overlaps of different features; whether both norms bound "
        "each other",
        expected="1; yes",
        tolerance="1e-9",
        measured=f"1 to within {off:.0e}; {'yes' if between else 'no'}",
        holds=off < 1e-9 and between,
        evidence=f"{len(G)} random models",
        control=Control("importances 0.7^i", f"off by up to {weighted:.2f}", weighted < 1e-9),
    )


def represented(W: NDArray[np.floating]) -> tuple[NDArray[np.int64], float]:
    """How many features of each model have a norm above 0.9, and the largest overlap of two in any."""
    G = tg.geometry.gram(W)
    kept = (tg.geometry.feature_norms(W) > 0.9).sum(axis=-1)
    return np.asarray(kept), float(abs(G - G * np.eye(N)).max())


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The two terms through training."""
    shown = data.isel(seed=0, step=slice(1, None))
    curves = {
        "feature benefit": shown["benefit"],
        "interference": shown["interference"],
        "their sum, the loss": shown["benefit"] + shown["interference"],
    }
    curves = {name: curve.drop_vars("seed", errors="ignore") for name, curve in curves.items()}
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
    study=study,
    figures=figures,
    claims=claims,
    order=3,
)
