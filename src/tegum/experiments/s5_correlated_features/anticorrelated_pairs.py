"""Two anticorrelated pairs in two dimensions: partners become exact opposites, and nothing is lost.

Paper: section 5, anticorrelated features (F22).  n = 4, m = 2, two sets of two of which at most one member is on.  The paper
gives neither density nor training.  Here the density of a *feature* is 0.1 for what is judged (a set is then on with
probability 0.2), scanned from 0.01 to 0.5; AdamW at 3e-3 with a cosine schedule, no decay, equal importances, Xavier starts.
Every seed is kept; judged is the lowest by exact loss, beside how many seeds agree.  Controls: correlated pairs, the best
linear model (which keeps the difference of partners: their directions, but not their norms), and independent features.
"""

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims.old import Claim, Control, Disagreement
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s5_correlated_features.shared import (
    arrows_of_seeds,
    best_model,
    census,
    census_figure,
    counted,
    evidence,
    optimum,
    scanned,
    share,
)
from tegum.geometry import ANTIPODAL_PAIRS, LOCAL_BASES, cosines, feature_norms

DENSITY = 0.1
DENSITIES = [0.01, 0.05, 0.1, 0.2, 0.35, 0.5]
STARTS = 24
RECIPE: dict[Profile, tg.Recipe] = {
    "quick": tg.Recipe(steps=5000, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=24),
    "paper": tg.Recipe(steps=10_000, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=128),
}
NAMES = [ANTIPODAL_PAIRS, LOCAL_BASES, "1 absent"]


def study(profile: Profile) -> xr.Dataset:
    """Anticorrelated pairs over density; three controls at the density that is judged."""
    net, recipe = tg.nets.ReluOutput(4, 2), RECIPE[profile]
    world = tg.features.AnticorrelatedSets(2, 2, density=DENSITY)
    data = census(net, world, DENSITIES, recipe, STARTS, 2)
    correlated = tg.best(tg.exact.minimise(net, tg.features.CorrelatedSets(2, 2, density=DENSITY), seeds=STARTS))
    independent = tg.best(tg.exact.minimise(net, tg.features.Independent(4, density=DENSITY), seeds=STARTS))
    linear, _ = tg.theory.best_linear(world, 2)
    return data.assign(
        correlated_W=(("hidden", "feature"), correlated["W"].transpose("hidden", "feature").values),
        linear_W=(("hidden", "feature"), linear),
        independent_loss=float(independent["loss"]),
    )


def claims(data: xr.Dataset) -> list[Claim]:
    """What is seen in the five runs."""
    model = best_model(data, DENSITY)
    W, loss = model["W"].values, float(model["exact_loss"])
    c, other = cosines(W), cosines(data["correlated_W"].values)
    own, other_own = max(c[0, 1], c[2, 3]), max(other[0, 1], other[2, 3])
    far, other_far = abs(c[:2, 2:]).max(), abs(other[:2, 2:]).max()
    norms, linear_norms = feature_norms(W), feature_norms(data["linear_W"].values)
    independent = float(data["independent_loss"])
    usual, wrong = share(data, DENSITY, ANTIPODAL_PAIRS), float(optimum(data, DENSITY, LOCAL_BASES)["minima_loss"])
    proof, enough = f"{evidence(data, DENSITY)}; {counted(data, DENSITY)}", data.sizes["seed"] >= 8
    densest = float(data["density"].max())
    return [
        Claim(
            name="opposites",
            statement="Anticorrelated partners are exact opposites.",
            how=f"larger cosine between partners at density {DENSITY:g}",
            expected="below -0.99",
            tolerance="as stated",
            measured=f"{own:.5f}",
            holds=bool(own < -0.99),
            evidence=proof,
            enough=enough,
            control=Control("correlated pairs", f"{other_own:.3f}", bool(other_own < -0.99)),
            note="The best linear model has opposites on orthogonal axes as well, at a loss: see the norms.",
        ),
        Claim(
            name="axes",
            statement="The axes of the two pairs are orthogonal.",
            how="largest |cos| across pairs",
            expected="below 0.05",
            tolerance="as stated",
            measured=f"{far:.5f}",
            holds=bool(far < 0.05),
            evidence=proof,
            enough=enough,
            control=Control("correlated pairs", f"{other_far:.3f}", bool(other_far < 0.05)),
        ),
        Claim(
            name="norms",
            statement="All features are represented in full.",
            how="feature norms",
            expected="1",
            tolerance="0.05",
            measured=f"{norms.min():.3f} to {norms.max():.3f}",
            holds=bool((abs(norms - 1) < 0.05).all()),
            evidence=proof,
            enough=enough,
            control=Control(
                "the best linear model",
                f"{linear_norms.min():.3f} to {linear_norms.max():.3f}",
                bool((abs(linear_norms - 1) < 0.05).all()),
            ),
        ),
        Claim(
            name="lossless",
            statement="Four anticorrelated features fit into two dimensions without loss.",
            how="exact loss of the best trained model",
            expected="below 1e-4",
            tolerance="as stated",
            measured=f"{loss:.1e}",
            holds=loss < 1e-4,
            evidence=proof,
            enough=enough,
            control=Control("exact optimum of independent features", f"{independent:.1e}", independent < 1e-4),
        ),
        Claim(
            name="every-run",
            statement="Runs end with partners as opposites.",
            how=f"share of seeds with antipodal pairs at density {DENSITY:g}",
            expected="at least half of the seeds, as all five that the paper shows",
            tolerance="as stated",
            measured=f"{usual:.0%}",
            holds=usual >= 0.5,
            evidence=f"{data.sizes['seed']} seeds, all counted",
            enough=data.sizes["seed"] >= 20,
            note=f"Over density: {scanned(data, ANTIPODAL_PAIRS)}.",
            disagreement=Disagreement(
                "five of five runs",
                f"{usual:.0%} of runs; opposites across the pairs "
                + (f"are a minimum too, of loss {wrong:.5f}" if np.isfinite(wrong) else "were not found as a minimum"),
                "The two arrangements differ in what happens when two features are on, which is rare, so the start decides. "
                f"At density {densest:g} it is {share(data, densest, ANTIPODAL_PAIRS):.0%} of runs.",
            ),
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Five runs, and all of them over density."""
    return {"arrows": arrows_of_seeds(data, DENSITY, 2), "census": census_figure(data, NAMES)}


experiment = Experiment(
    __name__,
    title="Two anticorrelated pairs: partners as opposites, nothing lost",
    paper="Section 5, anticorrelated features (F22)",
    seconds={"quick": 3, "paper": 17},
    study=study,
    figures=figures,
    claims=claims,
    order=4,
)
