"""Scaling laws of minima: how the loss falls with m where features are as frequent as words, in weak and strong superposition.

Liu, Liu and Gore (NeurIPS 2025): x_i = u_i v_i, v_i uniform on [0, 2], feature i active with p_i proportional to i^-(1 +
alpha), one active on average, n = 1,000, m = 10 to 100. With *weak* superposition (decay 1 of W) the loss falls like
m^-alpha_m with alpha_m about alpha; with *strong* superposition (decay -1, which pulls features to unit norms,
`Recipe(unit_norms=1)`) alpha_m is about 1 for every alpha, and squared overlaps are 1/m. (Their last version counts alpha
from 1 on, and has 2 alpha where frequencies are skewed.) Equally frequent features are alpha = -1.

Trained as published: AdamW at 0.01, warm-up over a tenth of 20,000 batches of 2,048, cosine to a twentieth, weights normal
with variance 1/m; biases start at 0 and not at random, epsilon is 1e-8 n because their loss is a mean over features. Quick:
n = 48, m = 2 to 13, 4,000 batches of 64, in which the rarest features are as often active as in theirs. Two more protocols:
no decay, and a third of the steps. *Exact*: L itself minimised, the lowest of two ends, one from where training ended lowest
and one from random weights. In the paper profile, where a gradient takes half a second, at two alpha and by few steps: how
near they come to a minimum is recorded. *Without superposition* m features are exact and the others constant: a closed form,
the minimum of the linear net.

Intervals are 95 % of a slope through all sizes, by Student's t.
"""

from typing import Any

import numpy as np
import scipy
import xarray as xr
from numpy.typing import ArrayLike, NDArray

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, above, at_most, below, later, near
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures.clouds import Cloud, clouds
from tegum.figures.marked_curves import MarkedCurve, marked_panels
from tegum.geometry import cosines, feature_norms

LIU = "Liu et al., 2025"
N: dict[Profile, int] = {"quick": 48, "paper": 1000}
WIDTHS: dict[Profile, list[int]] = {"quick": [2, 3, 4, 6, 9, 13], "paper": [10, 15, 25, 39, 63, 100]}
ALPHAS: dict[Profile, list[float]] = {"quick": [-1.0, 0.0, 0.5, 1.0], "paper": [-1.0, 0.0, 1.0]}
MINIMISED: dict[Profile, list[float]] = {"quick": ALPHAS["quick"], "paper": [-1.0, 0.0]}
"""The alpha at which L itself is minimised as well."""
QUICK = tg.Recipe(
    steps=4000,
    warmup_steps=400,
    batch_size=64,
    learning_rate=0.01,
    schedule="cosine",
    final_fraction=0.05,
    weight_decay=0.0,
    initialisation="normal",
    evaluation_samples=4096,
)
RECIPE: dict[Profile, tg.Recipe] = {
    "quick": QUICK,
    "paper": QUICK.replaced(steps=20_000, warmup_steps=2000, batch_size=2048),
}
WEAK, NEITHER, STRONG, SHORT = "weak", "neither", "strong", "strong, a third of the steps"
PROTOCOLS = (WEAK, NEITHER, STRONG, SHORT)
EXACT, RANDOM = "exact", "exact, from random weights"
GRADIENT = 1e-5
SEARCH: dict[Profile, dict[str, Any]] = {"quick": {"terms": 64, "most_steps": 2000}, "paper": {"terms": 32, "most_steps": 200}}
"""Of searches: the norm of the gradient at which they end, terms of the loss, and quasi-Newton steps at most."""
CLOSED, POWER_LAW = "without superposition", "a power law"
SHOWN = (WEAK, STRONG, EXACT, CLOSED)
MANY = 10**6
"""So many features are as good as infinitely many, in the closed form."""
NOT_MEASURED = dict.fromkeys(("loss", "represented", "above", "overlap", "gradient"), np.nan)


def world(n: int, alpha: float) -> tg.features.Independent:
    """N features of which one is active on average, as frequent as i^-(1 + alpha), uniform on [0, 2]."""
    p = np.arange(1, n + 1) ** -(1 + alpha)
    return tg.features.Independent(n, density=p / p.sum(), magnitude=tg.features.Uniform(0, 2))


def without_superposition(n: int, m: ArrayLike, alpha: float) -> NDArray[np.float64]:
    """The loss where m features are exact and the others constant: the variances of the others, the least frequent."""
    p = world(n, alpha).density
    left = np.append(np.cumsum((4 / 3 * p - p**2)[::-1])[::-1], 0.0)
    return np.asarray(left[np.asarray(m)])


def study(profile: Profile) -> xr.Dataset:
    """Losses, features represented and squared overlaps, over alpha, m and how the model came about."""
    n = N[profile]
    rows = [[of_size(profile, n, m, alpha) for m in WIDTHS[profile]] for alpha in ALPHAS[profile]]
    kinds = [*PROTOCOLS, EXACT, RANDOM]
    data = {
        name: (("alpha", "m", "kind"), np.array([[[one[kind][name] for kind in kinds] for one in row] for row in rows]))
        for name in NOT_MEASURED
    }
    closed = np.array([without_superposition(n, WIDTHS[profile], alpha) for alpha in ALPHAS[profile]])
    coordinates = {"alpha": ALPHAS[profile], "m": WIDTHS[profile], "kind": kinds}
    return xr.Dataset(data | {"closed": (("alpha", "m"), closed)}, coordinates, {"n": n})


def of_size(profile: Profile, n: int, m: int, alpha: float) -> dict[str, dict[str, float]]:
    """All kinds of models of one world and width."""
    net, features = tg.nets.ReluOutput(n, m), world(n, alpha)
    recipe = RECIPE[profile].replaced(initialisation_scale=m**-0.5, epsilon=1e-8 * n)
    parts = 1, 1, 1, 3
    protocols = tg.Axis(
        PROTOCOLS,
        weight_decay=[{"W": 1.0}, 0.0, 0.0, 0.0],
        unit_norms=[0.0, 0.0, 1.0, 1.0],
        steps=[recipe.steps // part for part in parts],
        warmup_steps=[recipe.warmup_steps // part for part in parts],
    )
    trained = tg.train(net, features, recipe, sweep={"kind": protocols}, progress=False).isel(seed=0)
    W = trained["W"].transpose("kind", "hidden", "feature").values
    found = dict(zip(PROTOCOLS, zip(W, trained["b"].transpose("kind", "feature").values, strict=True), strict=True))
    each = {name: measured(W, b, features) for name, (W, b) in found.items()}
    if alpha not in MINIMISED[profile]:
        return each | dict.fromkeys((EXACT, RANDOM), NOT_MEASURED)
    how: dict[str, Any] = {"gradient_tolerance": GRADIENT, "certify": False, "progress": False, **SEARCH[profile]}
    lowest = found[min(each, key=lambda name: each[name]["loss"])]
    starts: list[dict[str, Any]] = [{"initial": dict(zip(("W", "b"), lowest, strict=True))}, {}]
    ends = [tg.exact.minimise(net, features, seeds=1, **one, **how).isel(seed=0) for one in starts]
    better, random = (
        measured(end["W"].transpose("hidden", "feature").values, end["b"].values, features)
        | {"gradient": float(end["gradient_norm"])}
        for end in ends
    )
    return each | {EXACT: min(better, random, key=lambda one: one["loss"]), RANDOM: random}


def measured(W: NDArray[np.floating], b: NDArray[np.floating], features: tg.features.Independent) -> dict[str, float]:
    """The exact loss, how many features have a norm above 1/2 and above 1, and the mean squared cosine among the latter.

    The gradient is that of ends of searches, which know it.
    """
    W, b = W.astype(np.float64), b.astype(np.float64)
    norms = feature_norms(W)
    strong = norms > 1
    squares = cosines(W)[np.ix_(strong, strong)] ** 2
    k = int(strong.sum())
    return {
        "loss": float(tg.exact.loss(W, b, features, tol=1e-6)),
        "represented": float((norms > 0.5).sum()),
        "above": float(k),
        "overlap": float((squares.sum() - k) / (k * (k - 1))) if k > 1 else float("nan"),
        "gradient": np.nan,
    }


def exponent(values: xr.DataArray) -> tuple[float, float]:
    """alpha_m of a loss over ``m``, values ~ m^-alpha_m, and the half width of its 95 % interval."""
    x, y = np.log(values["m"].values.astype(float)), np.log(values.values)
    fit = scipy.stats.linregress(x, y)
    return -float(fit.slope), float(scipy.stats.t.ppf(0.975, len(x) - 2) * fit.stderr) if len(x) > 2 else np.inf


def exponents(data: xr.Dataset, kind: str, alphas: list[float]) -> dict[str, Any]:
    """alpha_m for each alpha, and the half widths of all intervals."""
    each = [exponent(of_kind(data, kind).sel(alpha=alpha)) for alpha in alphas]
    found: dict[str, Any] = {f"alpha {alpha:g}": value for alpha, (value, _) in zip(alphas, each, strict=True)}
    return found | {"half widths": [width for _, width in each]}


def off(data: xr.Dataset, kind: str, other: str) -> float:
    """The largest difference of alpha_m between two kinds over all alpha where both are measured."""
    alphas = [alpha for alpha in measured_at(data, kind) if alpha in measured_at(data, other)]
    one, two = ([exponent(of_kind(data, each).sel(alpha=alpha))[0] for alpha in alphas] for each in (kind, other))
    return float(np.abs(np.subtract(one, two)).max())


def measured_at(data: xr.Dataset, kind: str) -> list[float]:
    """The alpha at which there are losses of one kind."""
    return [float(alpha) for alpha in data["alpha"].values if np.isfinite(of_kind(data, kind).sel(alpha=alpha)).all()]


def of_kind(data: xr.Dataset, kind: str) -> xr.DataArray:
    """The losses of one kind of models, of the closed form, or 1 / m."""
    if kind == POWER_LAW:
        return 1 / data["m"] + xr.zeros_like(data["closed"])
    return data["closed"] if kind == CLOSED else data["loss"].sel(kind=kind)


def closed_exponent(n: int, m: list[int], alpha: float) -> float:
    """alpha_m without superposition."""
    return exponent(xr.DataArray(without_superposition(n, m, alpha), {"m": m}, ["m"]))[0]


def claims(data: xr.Dataset) -> list[Claim]:
    """What holds of published exponents, and that minima have the same as training."""
    alphas, m = [float(alpha) for alpha in data["alpha"].values], data["m"].values
    skewed = [alpha for alpha in alphas if alpha >= 0]
    sizes = Evidence(f"{len(m)} widths, {data.attrs['n']} features, one model each")
    strong = data["above"] > data["m"] + 1
    trained = data["loss"].sel(kind=[WEAK, STRONG])
    welch = (data["above"] - data["m"]) / (data["m"] * (data["above"] - 1))
    even: dict[str, Any] = {"alpha": -1.0}
    return [
        Claim(
            "even-is-one",
            "Strong superposition of equally frequent features has a loss like 1/m.",
            source=later(LIU, "For even feature frequencies, vectors Wi tend to be isotropic in space"),
            how="alpha_m, printed 1, and the half width of its interval",
            measure=lambda kind: exponents(data, kind, [-1.0]),
            expect={"alpha -1": near(1.0, 0.25)},
            of=STRONG,
            against={"without superposition": CLOSED},
            evidence=sizes,
        ),
        Claim(
            "strong-is-one",
            "With strong superposition the loss falls like 1/m however frequencies are distributed.",
            source=later(LIU, "the loss generically scales inversely with model dimension"),
            how="alpha_m, printed 1, for every alpha, and half widths of intervals",
            measure=lambda kind: exponents(data, kind, alphas),
            expect={f"alpha {alpha:g}": near(1.0, 0.25) for alpha in alphas},
            of=STRONG,
            against={"without superposition": CLOSED},
            evidence=sizes,
            note="Their last version says 2 alpha for skewed frequencies, in our letters.",
        ),
        Claim(
            "weak-is-alpha",
            "With weak superposition alpha_m is alpha.",
            source=later(LIU, "the loss follows a power law only if data feature frequencies are power-law distributed"),
            how="alpha_m of training with decay 1, printed alpha, for alpha of at least 0, and half widths",
            measure=lambda kind: exponents(data, kind, skewed),
            expect={f"alpha {alpha:g}": near(alpha, 0.25) for alpha in skewed},
            of=WEAK,
            against={"strong": STRONG},
            evidence=sizes,
            note=f"Decay 1 under AdamW leaves {', '.join(f'{r:.0f}' for r in weak_represented(data))} features represented at "
            f"m = {', '.join(map(str, m))}, alpha = 0: more than m.",
        ),
        Claim(
            "weak-in-closed-form",
            "Where m features are exact and the others dropped alpha_m is alpha of very many features, not yet of 1,000.",
            source=OURS,
            how="alpha_m over the published widths for a million features, alpha = 0.5 and 1; for 1,000 and alpha = 0.5",
            measure=lambda n: {
                "off by": [abs(closed_exponent(n, WIDTHS["paper"], alpha) - alpha) for alpha in (0.5, 1.0)],
                "thousand": closed_exponent(N["paper"], WIDTHS["paper"], 0.5),
            },
            expect={"off by": at_most(0.05)},
            of=MANY,
            against={"a thousand features": N["paper"]},
            evidence=Evidence("closed form"),
        ),
        Claim(
            "overlaps-are-one-over-m",
            "Squared overlaps of strongly represented features are about 1/m.",
            source=later(LIU, "the mean of squared overlaps collapse on 1/m"),
            how="m times the mean squared cosine of features with norms above 1, equal frequencies, more than m + 1 of them",
            measure=lambda one: (one * data["m"]).values[np.isfinite(one.values)],
            expect=near(1.0, 0.3),
            of=data["overlap"].sel({"kind": EXACT, **even}).where(strong.sel({"kind": EXACT, **even})),
            against={"parallel features": xr.ones_like(data["m"], dtype=float)},
            evidence=sizes,
        ),
        Claim(
            "overlaps-are-least",
            "Minima have the least squared overlaps that so many directions can have, (k - m) / (m (k - 1)), and not 1/m.",
            source=OURS,
            how="mean squared cosine over that of k features in m dimensions, equal frequencies, more than m + 1 of them",
            measure=lambda one: (one / welch).sel({"kind": EXACT, **even}).values[strong.sel({"kind": EXACT, **even}).values],
            expect=near(1.0, 0.1),
            of=data["overlap"],
            against={"random directions, 1/m": xr.ones_like(data["overlap"]) / data["m"]},
            evidence=sizes,
        ),
        Claim(
            "minima-scale-alike",
            "Scaling laws of minima are those of training with strong superposition.",
            source=OURS,
            how="largest difference of alpha_m over alpha, from lowest ends and from those of random weights, which lose "
            "up to so much more",
            measure=lambda kind: {
                **{end: off(data, kind, end) for end in (EXACT, RANDOM)},
                "more": float((data["loss"].sel(kind=RANDOM) / data["loss"].sel(kind=EXACT)).max() - 1),
            },
            expect={EXACT: at_most(0.2), RANDOM: at_most(0.2)},
            units={"more": "%"},
            of=STRONG,
            against={"without superposition": CLOSED},
            evidence=sizes,
        ),
        Claim(
            "minima-drop-features",
            "Minima are not in strong superposition: they represent few features at small m, nearly all at large m.",
            source=OURS,
            how="share of features represented, alpha = 0, smallest and largest m",
            measure=lambda shares: {"smallest m": float(shares[0]), "largest m": float(shares[-1])},
            expect={"smallest m": below(0.25), "largest m": above(0.9)},
            of=data["represented"].sel(kind=EXACT, alpha=0.0) / data.attrs["n"],
            against={
                "strong": data["represented"].sel(kind=STRONG, alpha=0.0) / data.attrs["n"],
                "without superposition": data["m"] / data.attrs["n"],
            },
            evidence=sizes,
            note=f"Their losses are at most {float((data['loss'].sel(kind=EXACT) / trained).max()):.3g} of those of weak and "
            "strong training, from the lower of which one search starts; searches ended at gradients of up to "
            f"{float(data['gradient'].sel(kind=EXACT).max()):.1g}.",
        ),
        Claim(
            "no-power-law",
            "On so many widths the loss of minima is no power of m: its slope steepens as m² / 2 comes near to n.",
            source=OURS,
            how="alpha_m between the two smallest and the two largest widths, equal frequencies, and m² / 2n at the ends",
            measure=lambda kind: {
                "small m": exponent(of_kind(data, kind).sel(even).isel(m=slice(0, 2)))[0],
                "large m": exponent(of_kind(data, kind).sel(even).isel(m=slice(-2, None)))[0],
                "m² / 2n": [float(one**2 / (2 * data.attrs["n"])) for one in (m[0], m[-1])],
            },
            expect={"small m": below(0.5), "large m": above(1.5)},
            of=EXACT,
            against={"without superposition": CLOSED, "a power law": POWER_LAW},
            evidence=sizes,
            note="An exponent through all widths is a matter of which; in print they are those with m² / 2n from 0.05 to 5.",
        ),
        Claim(
            "steps-matter-little",
            "A third of the steps changes no exponent of strong superposition by more than 0.2.",
            source=OURS,
            how="largest difference of alpha_m over alpha",
            measure=lambda kind: off(data, kind, STRONG),
            expect=at_most(0.2),
            of=SHORT,
            against={"without superposition": CLOSED},
            evidence=sizes,
        ),
    ]


def weak_represented(data: xr.Dataset) -> NDArray[np.float64]:
    """How many features weak training represents at each width, alpha = 0."""
    return np.asarray(data["represented"].sel(kind=WEAK, alpha=0.0).values)


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Losses over m for every alpha, exponents over alpha, features represented."""
    m = data["m"].values.astype(float)
    losses = {
        f"alpha = {alpha:g}": [
            MarkedCurve(kind, m, of_kind(data, kind).sel(alpha=alpha).values)
            for kind in SHOWN
            if alpha in measured_at(data, kind)
        ]
        for alpha in data["alpha"].values
    }
    fits = {
        kind: np.array([[alpha, *exponent(of_kind(data, kind).sel(alpha=alpha))] for alpha in measured_at(data, kind)])
        for kind in SHOWN
    }
    represented = {
        f"alpha = {alpha:g}": [
            MarkedCurve(kind, m, data["represented"].sel(kind=kind, alpha=alpha).values)
            for kind in (WEAK, STRONG, EXACT)
            if alpha in measured_at(data, kind)
        ]
        for alpha in data["alpha"].values
    }
    return {
        "losses": Figure(
            marked_panels(losses, "hidden dimensions m", "loss", log_x=True, log_y=True, columns=2, height=700),
            "Exact losses over m. Features are as frequent as i^-(1 + alpha): at -1 equally frequent, one active on average.",
        ),
        "exponents": Figure(
            clouds({"": [Cloud(kind, *fit.T) for kind, fit in fits.items()]}, "alpha", "alpha_m"),
            "Exponents of the loss over m with 95 % intervals. In print: 1 with strong superposition, alpha with weak.",
        ),
        "represented": Figure(
            marked_panels(represented, "hidden dimensions m", "features represented", log_x=True, columns=2, height=700),
            "How many features have a norm above 1/2. Pulled to unit norms all have; minima represent few at small m.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Scaling laws of minima: weak and strong superposition over alpha and m",
    paper="Neural scaling (Liu et al., 2025)",
    seconds={"quick": 25, "paper": 18_000},
    order=4,
)
