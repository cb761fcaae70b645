"""Three correlated pairs from sparse to dense: one pair after another collapses to its principal component.

Paper: section 5, collapse of correlated features (F25).  n = 6, m = 2, three sets of two, densities 0.01 to 0.9.  The paper
shows five models and gives neither training nor selection.  Here every seed is trained by AdamW at 3e-3 with a cosine schedule,
no decay, equal importances, Xavier starts, and counted; the number of collapsed pairs at a density is that of the certified
optimum, the lowest of many exact minima.  A pair is collapsed where its members have a cosine above 0.95 and norms within 0.08
of each other; a second reading asks for the norm 1/sqrt(2) besides.  The minima are followed through density, and where two
cost the same is found with the exact engine.
"""

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims.old import Claim, Control, Disagreement
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s5_correlated_features.shared import best_model, census, census_figure, counted, optimum, share
from tegum.figures import curve_panel, set_arrows
from tegum.geometry import POLYGON, aligned, arrangement_of, collapsed_at, feature_norms, set_relations
from tegum.geometry.sets import COLLAPSED

DENSITIES = [0.01, 0.03, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9]
SHOWN = [0.75, 0.3, 0.2, 0.1, 0.01]
STARTS: dict[Profile, int] = {"quick": 24, "paper": 96}
RECIPE: dict[Profile, tg.Recipe] = {
    "quick": tg.Recipe(steps=4000, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=16),
    "paper": tg.Recipe(steps=10_000, learning_rate=3e-3, schedule="cosine", weight_decay=0, seeds=96),
}
NAMES = [POLYGON, "1 collapsed", "2 collapsed", "3 collapsed", "1 absent"]
BRANCHES: dict[str, tuple[str, float, float]] = {
    "none collapsed": (POLYGON, 0.03, 0.11),
    "1 collapsed": ("1 collapsed", 0.1, 0.15),
    "1 collapsed, sparser": ("1 collapsed", 0.1, 0.03),
    "2 collapsed, one unevenly": ("2 collapsed", 0.15, 0.12),
    "2 collapsed": ("2 collapsed", 0.2, 0.42),
    "3 collapsed": ("3 collapsed", 0.3, 0.42),
}
"""Kind, the density where its lowest minimum is taken, and that to which it is followed."""
MEETINGS = {
    "0 to 1": ("none collapsed", "1 collapsed, sparser"),
    "1 to 2": ("1 collapsed", "2 collapsed, one unevenly"),
    "2 to 3": ("2 collapsed", "3 collapsed"),
}
POINTS, DEFINITE = 9, 1e-5
HALF = float(np.sqrt(0.5))


def study(profile: Profile) -> xr.Dataset:
    """The census over density, the branches and where they meet, and the optimum of independent features."""
    net, world = tg.nets.ReluOutput(6, 2), tg.features.CorrelatedSets(3, 2)
    data = census(net, world, DENSITIES, RECIPE[profile], STARTS[profile], 2)
    branches = {}
    for name, (kind, start, end) in BRANCHES.items():
        W, b = (optimum(data, start, kind)[f"minima_{each}"].values for each in ("W", "b"))
        branches[name] = tg.exact.follow(net, world, W, b, [start, end], tolerance=1e-4)
    meetings, along, losses = [], [], []
    for pair in ([branches[name] for name in names] for names in MEETINGS.values()):
        meetings.append(tg.exact.crossing(*pair, tol=DEFINITE))
        ends = np.array([[each.data["density"].min(), each.data["density"].max()] for each in pair])
        along.append(np.linspace(ends[:, 0].max(), ends[:, 1].min(), POINTS))
        losses.append([[each.minimum(p).loss for p in along[-1]] for each in pair])
    loose = tg.best(tg.exact.minimise(net, tg.features.Independent(6), seeds=STARTS[profile], sweep={"density": DENSITIES}))
    others = loose["W"].transpose("density", "hidden", "feature").values
    return data.assign(
        branch_density=(("step", "point"), np.array(along)),
        branch_loss=(("step", "side", "point"), np.array(losses)),
        meeting=("step", meetings),
        independent_count=("density", [arrangement_of(W, 2).collapsed for W in others]),
        independent_strict=("density", [collapsed_at(W, 2, HALF) for W in others]),
    ).assign_coords(step=list(MEETINGS))


def counts(data: xr.Dataset, radius: float | None = None) -> dict[float, int]:
    """Collapsed pairs of the certified optimum at each density; with a radius, those whose norms are near it."""
    models = {float(p): optimum(data, p)["minima_W"].values for p in data["density"].values}
    if radius is None:
        return {p: arrangement_of(W, 2).collapsed for p, W in models.items()}
    return {p: collapsed_at(W, 2, radius) for p, W in models.items()}


def as_the_paper(found: dict[float, int]) -> bool:
    """0 at density 0.03, 1 or more at 0.1, 2 or more at 0.2, 3 at 0.6."""
    return found[0.03] == 0 and found[0.1] >= 1 and found[0.2] >= 2 and found[0.6] == 3


def in_words(found: dict[float, int]) -> str:
    """The count at every density."""
    return ", ".join(f"{count} at {p:g}" for p, count in found.items())


def sum_share(W: np.ndarray) -> float:
    """The share of ||W||^2 along the sums (a + b)/sqrt(2) of the pairs, the first three principal components."""
    sums = np.kron(np.eye(3), np.full((2, 1), HALF))
    return float(np.square(W @ sums).sum() / np.square(W).sum())


def in_losses(data: xr.Dataset, density: float) -> str:
    """What the lowest exact minimum with two and with three collapsed pairs costs at a density."""
    losses = {k: float(optimum(data, density, f"{k} collapsed")["minima_loss"]) for k in (2, 3)}
    return ", ".join(
        f"{k} collapsed {loss:.6f}" if np.isfinite(loss) else f"{k} collapsed not found" for k, loss in losses.items()
    )


def unevenness(W: np.ndarray) -> float:
    """The largest difference of the two norms of a collapsed pair."""
    collapsed = np.array(set_relations(W, 2)) == COLLAPSED
    return float(np.ptp(feature_norms(W).reshape(-1, 2), axis=1)[collapsed].max(initial=0.0))


def below_components(data: xr.Dataset, density: float) -> float:
    """By how much the certified optimum is below the loss of the principal components, as a share."""
    return 1 - float(optimum(data, density)["minima_loss"]) / float(data["linear_loss"].sel(density=density))


def claims(data: xr.Dataset) -> list[Claim]:
    """How many pairs are collapsed, from where on, and what becomes of them."""
    return [*_counted(data), *_thresholds(data), *_components(data)]


def _counted(data: xr.Dataset) -> list[Claim]:
    found, strict = counts(data), counts(data, HALF)
    loose, firm = (
        dict(zip(data["density"].values.tolist(), data[f"independent_{kind}"].values.tolist(), strict=True))
        for kind in ("count", "strict")
    )
    rising = list(found.values()) == sorted(found.values())
    enough = bool(np.isfinite(data["minima_loss"].min("start")).all())
    proof = f"lowest of {data.sizes['start']} exact starts at each of {data.sizes['density']} densities"
    norms = np.linalg.norm(optimum(data, 0.6)["minima_W"].values, axis=0)
    dense = optimum(data, 0.9)["minima_W"].values
    steps = "0 at 0.03, at least 1 at 0.1, at least 2 at 0.2, 3 at 0.6"
    return [
        Claim(
            name="one-after-another",
            statement="The denser the world, the more pairs collapse into one direction.",
            how="pairs with cosine above 0.95 and equal norms, in the certified optimum",
            expected=f"{steps}; never falling",
            tolerance="none",
            measured=in_words(found),
            holds=as_the_paper(found) and rising,
            evidence=proof,
            enough=enough,
            control=Control("six independent features, the same pairs of numbers", in_words(loose), as_the_paper(loose)),
        ),
        Claim(
            name="norm",
            statement="Both members of a collapsed pair have the norm 1/√2.",
            how="the same count, with both norms within 0.08 of 0.707",
            expected=steps,
            tolerance="as stated",
            measured=in_words(strict),
            holds=as_the_paper(strict),
            evidence=proof,
            enough=enough,
            control=Control("six independent features", in_words(firm), as_the_paper(firm)),
            disagreement=Disagreement(
                "1/√2 for every collapsed pair",
                f"{norms.min():.3f} at density 0.6, where {found[0.6]} of 3 pairs are collapsed",
                "Three directions do not fit into two dimensions: in the dense limit the squared norms of all six add up to 2, "
                f"1/√3 for each where they are equal. At density 0.9 they add up to {np.square(dense).sum():.2f}, and the "
                f"norms are {np.linalg.norm(dense, axis=0).min():.3f} to {np.linalg.norm(dense, axis=0).max():.3f}.",
            ),
        ),
    ]


def _thresholds(data: xr.Dataset) -> list[Claim]:
    one, two, three = (float(data["meeting"].sel(step=step)) for step in MEETINGS)
    seeds = data.sizes["seed"]
    either = [p for p in (0.25, 0.3, 0.4) if min(share(data, p, f"{k} collapsed") for k in (2, 3)) >= 0.05]
    uneven = unevenness(optimum(data, 0.15, "2 collapsed")["minima_W"].values)
    dense = min(share(data, 0.75, f"{k} collapsed") for k in (2, 3)) >= 0.05
    return [
        Claim(
            name="first-and-second",
            statement="The first pair collapses at a density of about 0.05, the second at about 0.15.",
            how="exact losses of the followed minima are equal",
            expected="0.05; 0.15",
            tolerance="0.03",
            measured=f"{one:.5f}; {two:.5f}",
            holds=abs(one - 0.05) <= 0.03 and abs(two - 0.15) <= 0.03,
            evidence=f"branches followed from certified minima, crossings to {DEFINITE:g}",
            note=f"The second pair collapses unevenly at first: at density 0.15 two norms of one pair differ by {uneven:.3f}.",
        ),
        Claim(
            name="all-from-a-quarter",
            statement="All pairs are collapsed from a density of 0.25 on.",
            how="density above which three collapsed pairs cost less than two",
            expected="0.25",
            tolerance="0.05",
            measured=f"{three:.4f}",
            holds=abs(three - 0.25) <= 0.05,
            evidence=f"branches followed from certified minima, crossing to {DEFINITE:g}",
            disagreement=Disagreement(
                "0.25",
                f"{three:.4f}",
                f"Lowest exact minima at 0.25: {in_losses(data, 0.25)}. Training there: {counted(data, 0.25)}.",
            ),
        ),
        Claim(
            name="either",
            statement="Between densities 0.25 and 0.4 training ends with two or with three pairs collapsed.",
            how="densities 0.25, 0.3, 0.4 at which each makes up 5 % of seeds or more",
            expected="all three",
            tolerance="as stated",
            measured=f"{len(either)}; " + "; ".join(f"{p:g}: {counted(data, p)}" for p in (0.25, 0.3, 0.4)),
            holds=len(either) == 3,
            evidence=f"{seeds} seeds at each density, all counted",
            enough=seeds >= 16,
            control=Control("density 0.75", counted(data, 0.75), dense),
        ),
    ]


def _components(data: xr.Dataset) -> list[Claim]:
    dense, sparse = best_model(data, 0.75)["W"].values, best_model(data, 0.03)["W"].values
    gap, wide = below_components(data, 0.75), below_components(data, 0.03)
    return [
        Claim(
            name="sum-kept",
            statement="Of a pair the model keeps (a + b)/√2 and drops (a - b)/√2.",
            how="share of ||W||² along the principal components, the sums of pairs; best trained model at density 0.75",
            expected="1",
            tolerance="0.01",
            measured=f"{sum_share(dense):.4f}",
            holds=sum_share(dense) >= 0.99,
            evidence=f"best of {data.sizes['seed']} by exact loss",
            enough=data.sizes["seed"] >= 8,
            control=Control("the best model at density 0.03", f"{sum_share(sparse):.3f}", sum_share(sparse) >= 0.99),
        ),
        Claim(
            name="dense-limit",
            statement="In the dense limit the model is principal component analysis.",
            how="by how much the certified optimum at density 0.75 costs less than the first two components (closed form)",
            expected="0",
            tolerance="2 %",
            measured=f"{gap:.2%}",
            holds=abs(gap) <= 0.02,
            evidence=f"lowest of {data.sizes['start']} exact starts",
            control=Control("density 0.03", f"{wide:.0%}", abs(wide) <= 0.02),
            note=f"At density 0.5 {below_components(data, 0.5):.1%}, at 0.9 {below_components(data, 0.9):.2%}.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The optimum over density, every seed, and the branches with their meetings."""
    models = {f"density {p:g}<br>{counts(data)[p]} collapsed": aligned(optimum(data, p)["minima_W"].values) for p in SHOWN}
    curves = {}
    for step in MEETINGS:
        mine = data.sel(step=step)
        excess = 100 * (mine["branch_loss"].isel(side=1) / mine["branch_loss"].isel(side=0) - 1)
        curves[f"{step} collapsed"] = xr.DataArray(excess.values, {"density": mine["branch_density"].values}, ["density"])
    meetings = ", ".join(f"{step} at {float(data['meeting'].sel(step=step)):.4f}" for step in MEETINGS)
    return {
        "arrows": Figure(
            set_arrows(models, 2, (HALF, 1.0)),
            "The certified optimum, from dense to sparse. Pairs have one colour; a pair that lies on one line has collapsed to "
            "its principal component; its second member is the hollow ring. Circles have radius 1/√2 and 1.",
        ),
        "branches": Figure(
            curve_panel(curves, "density", "loss added by collapsing one more pair, %"),
            "Exact losses of the minima with 0 to 3 collapsed pairs, followed over density: what one more collapsed pair adds. "
            f"Below 0 it pays. The losses cross: {meetings}.",
        ),
        "census": census_figure(data, NAMES),
    }


experiment = Experiment(
    __name__,
    title="Correlated pairs collapse to their principal components as the world grows denser",
    paper="Section 5, collapse of correlated features (F25)",
    seconds={"quick": 7, "paper": 70},
    study=study,
    figures=figures,
    claims=claims,
    order=7,
)
