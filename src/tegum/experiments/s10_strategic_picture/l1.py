"""A penalty on activity removes superposition by killing features; per activation, superposition saves no more than neurons.

Paper: section 10, the strategic picture (F40, F41), without a plot.  Adding l1 |h|_1 to the loss removes superposition at the
price of a higher loss; for small penalties superposition falls while the loss changes to second order only.  World and training
are not given.  Here: n = 20, m = 5, density 0.1, importances 0.7^i or all equal; AdamW at 5e-3, cosine, no decay; the loss is
exact and without the penalty; every seed counts.  Exponents are measured twice: in closed form, for an antipodal pair
(`tegum.theory.pair`), and in models with equal importances trained on from no penalty under 0, 0.01, 0.02 and 0.04 (slope of a
line through logarithms, median over seeds).  F41, a preliminary result that the paper mentions: loss saved
against dropping the features, over the mean number of active hidden units; a feature alone, an antipodal pair, and the best
pentagon with one corner on an axis, which leaves the other unit silent.
"""

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims.old import Claim, Control
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures import curve_panel
from tegum.theory import alone, dropped_loss, pair, regular_polygon
from tegum.theory.scaling import exponent

N, M, DENSITY = 20, 5, 0.1
WORLDS = {"falling": tg.features.geometric(0.7, N), "equal": np.ones(N)}
PENALTIES: dict[Profile, list[float]] = {
    "quick": [0.0, 0.001, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9],
    "paper": [0.0, *np.geomspace(1e-4, 1, 33).tolist()],
}
SEEDS: dict[Profile, int] = {"quick": 4, "paper": 16}
RECIPE = tg.Recipe(steps=4000, batch_size=512, learning_rate=5e-3, schedule="cosine", weight_decay=0)
SMALL = (0.0, 0.01, 0.02, 0.04)
SPARSE = np.geomspace(0.001, 0.1, 9)


def study(profile: Profile) -> xr.Dataset:
    """Models under every penalty; some of them trained on under small ones; the closed forms."""
    net, recipe = tg.nets.ReluOutput(N, M), RECIPE.replaced(seeds=SEEDS[profile])
    worlds = []
    for importance in WORLDS.values():
        features = tg.features.Independent(N, density=DENSITY, importance=importance)
        run = tg.train(net, features, recipe, sweep={"l1": PENALTIES[profile]})
        worlds.append(measured(run, features).assign_attrs(run.attrs))
    free = run.sel(l1=0.0)
    start = {name: free[name].values.astype(np.float64) for name in ("W", "b")}
    slowly = recipe.replaced(learning_rate=2e-3)
    further = tg.train(net, features, slowly, sweep={"l1": list(SMALL)}, initial=start)
    data = xr.concat(worlds, "world", combine_attrs="drop_conflicts").assign_coords(world=list(WORLDS))
    near = measured(further, features).rename(l1="small")
    data = data.merge(near.rename({name: f"near_{name}" for name in near.data_vars}))
    return data.merge(per_activation())


def measured(run: xr.Dataset, features: tg.features.Features) -> xr.Dataset:
    """Size, superposition and exact loss of every model, and whether the represented features are the most important ones."""
    W = run["W"].transpose("l1", "seed", "hidden", "feature").values.astype(np.float64)
    b = run["b"].transpose("l1", "seed", "feature").values.astype(np.float64)
    G = tg.geometry.gram(W)
    represented = tg.geometry.feature_norms(W) >= 0.5
    values = {
        "per_dimension": (W**2).sum(axis=(-2, -1)) / M,
        "represented": represented.sum(axis=-1),
        "most_important": (np.diff(represented.astype(int), axis=-1) <= 0).all(axis=-1),
        "least_important": (np.diff(represented.astype(int), axis=-1) >= 0).all(axis=-1),
        "overlap": abs(G * (1 - np.eye(N))).max(axis=(-2, -1)),
        "loss": tg.exact.loss(W, b, features, tol=1e-8),
    }
    return xr.Dataset({name: (("l1", "seed"), value) for name, value in values.items()}, {d: run[d] for d in ("l1", "seed")})


def per_activation() -> xr.Dataset:
    """Loss saved per active hidden unit, alone, as a pair and as a pentagon."""
    net = tg.nets.ReluOutput(5, 2)
    start = {"W": regular_polygon(5), "b": np.full(5, -0.1)}
    found = tg.exact.minimise(net, tg.features.Independent(5), sweep={"density": SPARSE.tolist()}, seeds=1, initial=start)
    active = 2 - (1 - SPARSE) ** 5 - (1 - SPARSE) ** 4
    values = {
        "alone": [alone(p).reduction_per_activation for p in SPARSE],
        "pair": [pair(p).reduction_per_activation for p in SPARSE],
        "pentagon": (5 * dropped_loss(SPARSE) - found["loss"].isel(seed=0).values) / active,
    }
    return xr.Dataset({f"saved_{name}": ("density", np.asarray(value)) for name, value in values.items()}, {"density": SPARSE})


def near_exponents(data: xr.Dataset) -> tuple[float, float, float]:
    """Medians over seeds: of superposition lost, of the loss, and of the loss with its penalty left in, in small penalties."""
    l1 = data["small"].values[1:]
    size, loss = (data[f"near_{name}"].transpose("seed", "small").values for name in ("per_dimension", "loss"))
    falls = [exponent(l1, row[0] - row[1:]) for row in size]
    rises = [exponent(l1, row[1:] - row[0]) for row in loss]
    return float(np.median(falls)), float(np.median(rises)), float(np.isfinite(falls + rises).mean())


def closed_exponents() -> tuple[float, float, float]:
    """The same for an antipodal pair, in closed form, at penalties around 1e-3; last, of the penalised loss."""
    l1 = np.geomspace(1e-4, 1e-2, 9)
    form = pair(DENSITY)
    s = form.penalised(l1)
    rise = form.loss(s) - form.loss(form.penalised(0.0))
    return exponent(l1, form.best - s), exponent(l1, rise), exponent(l1, rise + l1 * form.activity * np.sqrt(s))


def gone(data: xr.Dataset, world: str) -> xr.DataArray:
    """Penalties under which every seed represents 1 to m features without overlap, at a higher loss than without penalty."""
    here = data.sel(world=world)
    clear = (here["represented"] >= 1) & (here["represented"] <= M) & (here["overlap"] < 0.05)
    worse = here["loss"] > here["loss"].sel(l1=0.0).max("seed")
    return here["l1"][(clear & worse).all("seed").values]


def killed(data: xr.Dataset, world: str) -> str:
    """What every penalty leaves, in words."""
    here = data.sel(world=world)
    return "; ".join(f"l1 {float(l1):g}: {left_by(here, float(l1))}" for l1 in here["l1"][1 :: max(1, here.sizes["l1"] // 9)])


def left_by(here: xr.Dataset, l1: float) -> str:
    """How many features one penalty leaves in one world, over the seeds, and how much they overlap."""
    count = here["represented"].sel(l1=l1).values
    return f"{count.min()} to {count.max()} features, overlap {float(here['overlap'].sel(l1=l1).median()):.2f}"


def claims(data: xr.Dataset) -> list[Claim]:
    """Penalties on activity, and the loss saved per activation."""
    count = data.sizes["seed"]
    evidence = f"{count} models at each of {data.sizes['l1']} penalties, all counted"
    falling = data.sel(world="falling")
    falls, rises, usable = near_exponents(data)
    closed_falls, closed_rises, control = closed_exponents()
    left = falling["represented"]
    some = falling["l1"][((left.max("seed") < M) & (left.min("seed") > 0)).values]
    order = float(falling["most_important"].sel(l1=some).mean()) if some.size else 0.0
    reverse = float(falling["least_important"].sel(l1=some).mean()) if some.size else 0.0
    threshold = alone(DENSITY).killing_l1
    expected = [(WORLDS["falling"] * threshold >= float(l1)).sum() for l1 in some]
    off = abs(falling["represented"].sel(l1=some).median("seed").values - np.minimum(expected, M))
    share = data["saved_pair"] / data["saved_alone"]
    corners = data["saved_pentagon"] / data["saved_alone"]
    return [
        removed_claim(
            data, "falling", "removed", "A penalty on activity removes superposition at the price of a higher loss.", evidence
        ),
        removed_claim(data, "equal", "removed-equal", "It does so too where all features are equally important.", evidence),
        Claim(
            name="killed",
            statement="It kills the features below a threshold of importance.",
            how="models in which the represented features (norm at least 0.5) are the most important ones, over penalties "
            f"under which every seed has 1 to m - 1 of them ({some.size} of the penalties)",
            expected="at least 90 %",
            tolerance="as stated",
            measured=f"{order:.0%}; as many as have {threshold:.3f} I > l1, within {off.max(initial=0):.0f} (median)",
            holds=bool(order >= 0.9),
            evidence=evidence,
            enough=some.size > 0,
            control=Control("the least important ones", f"{reverse:.0%}", reverse >= 0.9),
        ),
        Claim(
            name="second-order",
            statement="Small penalties lower superposition to first order and raise the loss to second order only (a pair).",
            how="exponents in l1 of the fall of ||W||^2 and of the rise of the loss, closed form",
            expected="1 and 2",
            tolerance="0.02",
            measured=f"{closed_falls:.4f} and {closed_rises:.4f}",
            holds=abs(closed_falls - 1) <= 0.02 and abs(closed_rises - 2) <= 0.02,
            evidence="closed form",
            control=Control("the loss with its penalty", f"{control:.3f}", abs(control - 2) <= 0.02),
        ),
        Claim(
            name="second-order-trained",
            statement="The same in trained models of many features.",
            how="the same between l1 = 0.01 and 0.04, equal importances, trained on from no penalty; median over seeds",
            expected="1 and 2",
            tolerance="0.2",
            measured=f"{falls:.2f} and {rises:.2f}",
            holds=abs(falls - 1) <= 0.2 and abs(rises - 2) <= 0.2,
            evidence=f"{count} models, {usable:.0%} of the curves rise or fall throughout",
            control=Control("the fall of superposition for the loss", f"{falls:.2f}", abs(falls - 2) <= 0.2),
        ),
        Claim(
            name="per-activation",
            statement="Per activation, pairs save less loss than features alone, but asymptotically as much.",
            how="loss saved over active hidden units, pair over alone, densities 0.1 to 0.001, closed form",
            expected="below 1, and above 0.999 at 0.001",
            tolerance="as stated",
            measured=f"{float(share[-1]):.5f} at density 0.1, {float(share[0]):.7f} at 0.001",
            holds=bool((share < 1).all() and share[0] > 0.999),
            evidence="closed form",
            control=Control(
                "the best pentagon",
                f"{float(corners[-1]):.3f} at density 0.1, {float(corners[0]):.3f} at 0.001",
                bool((corners < 1).all() and corners[0] > 0.999),
            ),
            note="A corner that is not on an axis needs both hidden units: pentagons stay far below, in sparse worlds too.",
        ),
    ]


def removed_claim(data: xr.Dataset, world: str, name: str, statement: str, evidence: str) -> Claim:
    """Whether some penalty removes superposition in a world."""
    found = gone(data, world)
    shown = data.sel(world=world)
    free = bool(((shown["represented"].sel(l1=0.0) <= M) & (shown["overlap"].sel(l1=0.0) < 0.05)).all())
    ratio = shown["loss"].median("seed") / shown["loss"].sel(l1=0.0).median("seed")
    which = "no penalty" if not found.size else ", ".join(f"l1 {float(l1):.2g}" for l1 in found)
    return Claim(
        name=name,
        statement=statement,
        how="penalties under which every seed represents 1 to m features (norm at least 0.5), max |G_ij| < 0.05, and the exact "
        "loss is above that without penalty",
        expected="at least one",
        tolerance="as stated",
        measured=which + (f"; loss {float(ratio.sel(l1=found[0])):.2f} times as high at the first" if found.size else ""),
        holds=found.size > 0,
        evidence=evidence,
        control=Control("no penalty, whatever its loss", left_by(shown, 0.0), free),
        note=f"{killed(data, world)}."
        + (
            " A pair pays less than its members would alone, so penalties kill equal pairs rather than part them: where no "
            "overlap is left, nearly all features are dead."
            if world == "equal"
            else ""
        ),
    )


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Superposition and loss against the penalty; loss saved per activation against density."""

    def curves(name: str) -> dict[str, xr.DataArray]:
        names = {"falling": "importance 0.7^i", "equal": "equal importance"}
        middle = data[name].median("seed").sel(l1=data["l1"] > 0)
        return {names[world]: middle.sel(world=world, drop=True) for world in WORLDS}

    loss = data["loss"].median("seed")
    data = data.assign(relative=data["loss"] / loss.sel(l1=0.0))
    saved = {name: data[f"saved_{name}"] for name in ("alone", "pair", "pentagon")}
    penalty = "penalty l1 on the hidden activity"
    return {
        "superposition": Figure(
            curve_panel(curves("per_dimension"), penalty, "‖W‖² / m", log_x=True),
            "Features per dimension against the penalty (median over seeds). Small penalties shrink all norms a little; large "
            "ones kill features at once, the least important first.",
        ),
        "price": Figure(
            curve_panel(curves("relative"), penalty, "exact loss, relative to no penalty", log_x=True),
            "The loss without its penalty: flat at first (second order), then higher with the features killed.",
        ),
        "per-activation": Figure(
            curve_panel(saved, "density", "loss saved per active hidden unit", log_x=True),
            "Loss saved over the mean number of active hidden units. Pairs approach features alone as inputs become sparse; "
            "pentagons do not, because most of their features need both units.",
        ),
    }


experiment = Experiment(
    __name__,
    title="A penalty on activity removes superposition",
    paper="Section 10, the strategic picture: L1 and loss per activation (F40, F41)",
    seconds={"quick": 3, "paper": 30},
    study=study,
    figures=figures,
    claims=claims,
    order=1,
)
