"""Two features in one dimension without bias: the exact loss surface, and a phase in which both features are mixed up.

Paper: Tom McGrath's comment (F12).  y = ReLU(W^T W x), n = 2, m = 1, importances (1, r): the loss of the two weights is known
in closed form, so nothing is trained.  The comment's parameters are not given; shown are r = 1 at three densities.  Every
minimum is found at 200 densities (paper profile 400) for three importances, and the lowest on a map of 40 x 30 worlds (paper
profile 100 x 60).  On the map a weight below 1/2 counts as dropped, weights of opposite signs as antipodal, others as
confused.  Where neighbours along density differ, the transition is located by following both minima to where their losses are
equal; it is first order where the slope of the loss jumps by more than 0.1 %, else continuous.  Basins are shares of |w| <=
1.5 under steepest descent.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tegum.claims.old import Claim, Control, Disagreement
from tegum.exact import CONTINUOUS, FIRST_ORDER, transitions
from tegum.experiments import Experiment, Figure, Profile
from tegum.features import Independent
from tegum.figures import Marks, category_panels, surface_panels
from tegum.nets import ReluOutput
from tegum.theory import basin_shares, dropped_loss, every_two_in_one_minimum, paired_loss, two_in_one_loss, two_in_one_minima

RATIOS = [0.1, 0.3, 1.0]
SHOWN = [0.9, 0.58, 0.3]
COUNT: dict[Profile, int] = {"quick": 200, "paper": 400}
MAP: dict[Profile, tuple[int, int]] = {"quick": (40, 30), "paper": (100, 60)}
"""Densities and importances of the map."""
FOLLOWED = 12
"""Importances at which transitions are located, evenly spaced on the map."""
BASINS = [(0.1, 0.2), (0.3, 0.46), (0.6, 0.35), (1.0, 0.57), (1.0, 0.9)]
"""Importance and density of the worlds whose basins are measured."""
JUMP = 0.1
DROPPED, ANTIPODAL, CONFUSED = "second dropped", "antipodal", "confused"
COLOURS = {DROPPED: "#dddddd", ANTIPODAL: "#dd4444", CONFUSED: "#4477aa"}


def study(profile: Profile) -> xr.Dataset:
    """Every minimum along density, the lowest on a map with the transitions between them, and some basins."""
    densities = np.linspace(0.02, 1, COUNT[profile])
    found = every_two_in_one_minimum(densities, np.array(RATIOS)[:, None])
    parts = {name: (("importance_ratio", "density", "minimum"), found[..., k]) for k, name in enumerate(("w1", "w2", "loss"))}
    data = xr.Dataset(parts, {"importance_ratio": RATIOS, "density": densities}, {"interrupted": 0})
    rows, columns = MAP[profile]
    density, ratio = np.geomspace(0.01, 1, rows), np.geomspace(0.1, 1, columns)
    lowest = every_two_in_one_minimum(density[:, None], ratio)[:, :, 0, :2]
    data = data.merge(xr.Dataset({"lowest": (("map_density", "map_ratio", "weight"), lowest)}))
    shares = np.full((len(BASINS), found.shape[2]), np.nan)
    for row, (r, p) in zip(shares, BASINS, strict=True):
        basins = basin_shares(p, r)
        row[: len(basins)] = basins
    data["basin"] = (("world", "minimum"), shares)
    return data.assign_coords(map_density=density, map_ratio=ratio).merge(located(density, ratio, lowest))


def kinds(lowest: NDArray[np.float64]) -> NDArray[np.str_]:
    """Which solution each pair of weights (..., 2) is."""
    w1, w2 = lowest[..., 0], lowest[..., 1]
    return np.where(np.minimum(abs(w1), abs(w2)) < 0.5, DROPPED, np.where(w1 * w2 < 0, ANTIPODAL, CONFUSED))


def located(density: NDArray[np.float64], ratio: NDArray[np.float64], lowest: NDArray[np.float64]) -> xr.Dataset:
    """Where the kind of the optimum changes with density at some importances, and the order of each transition."""
    chosen = np.unique(np.linspace(0, len(ratio) - 1, FOLLOWED).round().astype(int))
    kind = kinds(lowest)[:, chosen]
    k, column = np.nonzero(kind[:-1] != kind[1:])
    importance = np.stack([np.ones(len(column)), ratio[chosen[column]]], axis=1)

    def worlds(values: NDArray[np.float64]) -> Independent:
        return Independent(2, density=values[:, None], importance=importance)

    W = np.stack([lowest[k, chosen[column]], lowest[k + 1, chosen[column]]], axis=1)[:, :, None]
    ends = np.stack([density[k], density[k + 1]], axis=1)
    found = transitions(ReluOutput(2, 1, bias=False), worlds, ends, W, np.zeros((len(k), 2, 2)))
    names = {"before": kind[k, column], "after": kind[k + 1, column], "ratio": importance[:, 1]}
    return found.assign({name: ("transition", values) for name, values in names.items()})


def confused(data: xr.Dataset) -> xr.DataArray:
    """Where the lowest minimum has both weights equal and positive."""
    best = data.isel(minimum=0)
    return (abs(best["w1"] - best["w2"]) < 0.02) & (best["w2"] > 0.5)


def jumps(data: xr.Dataset) -> xr.DataArray:
    """How far the optimum's weights move from one density to the next."""
    best = data.isel(minimum=0)
    return (best["w1"].diff("density") ** 2 + best["w2"].diff("density") ** 2) ** 0.5


def claims(data: xr.Dataset) -> list[Claim]:
    """The comment's statements, (i) to (v)."""
    return [*minima_claims(data), *transition_claims(data), *basin_claims(data)]


def minima_claims(data: xr.Dataset) -> list[Claim]:
    """Where minima are: near the candidates (i), and confused (iii)."""
    equal = data.sel(importance_ratio=1.0)
    phase = confused(equal)
    dense = phase["density"].values[phase.values]
    antipodal = equal.isel(minimum=0).where(equal["density"] < 0.5, drop=True)
    off, dense_off = abs(antipodal["w1"] - 1), abs(equal["w1"].isel(minimum=0).where(phase, drop=True) - 1)
    tie = float(abs(equal["loss"].isel(minimum=0).where(phase) - dropped_loss(equal["density"])).max())
    weight = float(equal["w1"].isel(minimum=0, density=-1))
    unequal = confused(data.sel(importance_ratio=0.1))
    return [
        Claim(
            name="near-candidates",
            statement="Minima lie near the candidate solutions but are not equal to them.",
            how="r = 1, density below 0.5: how far the antipodal optimum's weights are from 1, and its loss",
            expected="between 0 and 0.1, and a loss below the candidate's",
            tolerance="as stated",
            measured=f"{float(off.min()):.4f} to {float(off.max()):.4f}",
            holds=bool((off < 0.1).all() and (off > 0).all() and (antipodal["loss"] < paired_loss(antipodal["density"])).all()),
            evidence=f"{antipodal.sizes['density']} densities, closed form",
            control=Control("confused optima", f"{float(dense_off.min()):.3f} at least", bool((dense_off < 0.1).all())),
        ),
        Claim(
            name="confused",
            statement="At low sparsity two equally important features share one direction: both weights near 0.707.",
            how="r = 1: densities at which the lowest minimum has equal positive weights",
            expected="an interval that ends at density 1, weights 0.707",
            tolerance="0.01",
            measured=f"density {dense.min():.3f} to {dense.max():.3f}, weights {weight:.4f}",
            holds=bool(dense.max() == 1 and abs(weight - np.sqrt(0.5)) < 0.01),
            evidence=f"{equal.sizes['density']} densities, closed form",
            control=Control("r = 0.1", f"{int(unequal.sum())} densities", bool(unequal.any())),
            note=f"Its loss is p/3 - p^2/4 to {tie:.0e}, exactly that of dropping a feature and giving its output a bias. With "
            "biases the phase is therefore no better than dropping one of the two.",
        ),
    ]


def transition_claims(data: xr.Dataset) -> list[Claim]:
    """Which transitions are continuous (ii), and which are not (iv)."""
    leap, unlike = jumps(data.sel(importance_ratio=1.0)), jumps(data.sel(importance_ratio=0.1))
    where = float(leap["density"].values[leap.values.argmax()])
    inside = leap.where(leap["density"] < 0.5, drop=True)
    leaving = data.isel(transition=(data["before"] == ANTIPODAL).values)
    to_confused, to_dropped = (leaving.isel(transition=(leaving["after"] == name).values) for name in (CONFUSED, DROPPED))
    growing = data.isel(transition=((data["before"] == DROPPED) & (data["after"] == CONFUSED)).values)
    return [
        Claim(
            name="first-order",
            statement="Antipodal and confused solutions are separated by a discontinuous transition.",
            how="transitions from antipodal to confused on the map: relative jump of dL/d log p where both losses are equal",
            expected="first order (above 0.1 %) at every importance",
            tolerance="as stated",
            measured=ranges(to_confused) + f"; at r = 1 the weights move by {float(leap.max()):.2f} at density {where:.3f}",
            holds=bool(to_confused.sizes["transition"] and (to_confused["order"] == FIRST_ORDER).all()),
            evidence=f"{to_confused.sizes['transition']} importances from {spread(to_confused['ratio'], 2)}",
            control=Control(
                "from dropped to confused",
                ranges(growing),
                bool((growing["order"] == FIRST_ORDER).any()),
            ),
        ),
        Claim(
            name="continuous",
            statement="Between dropping the second feature and storing it as an opposite the weights change continuously.",
            how=f"r = 0.1: largest step of the optimum's weights between {unlike.sizes['density'] + 1} neighbouring densities",
            expected=f"below {JUMP}",
            tolerance="as stated",
            measured=f"{float(unlike.max()):.2f} at density {float(unlike['density'].values[unlike.values.argmax()]):.3f}",
            holds=float(unlike.max()) < JUMP,
            evidence=f"{unlike.sizes['density']} steps, closed form; {to_dropped.sizes['transition']} importances located",
            control=Control("r = 1", f"{float(leap.max()):.2f}", float(leap.max()) < JUMP),
            note="The comment does not give the importances of its panels. "
            f"Within the antipodal solution (r = 1, density below 0.5) the largest step is {float(inside.max()):.3f}.",
            disagreement=Disagreement(
                "dropped and antipodal solutions turn into each other continuously",
                f"first order at every importance located: {ranges(to_dropped)}",
                "What is continuous is the passage from a dropped second feature to the confused solution: its weight grows "
                f"through 1/2 at density {spread(growing['value'], 3)} without any jump of the slope.",
            ),
        ),
        Claim(
            name="grows-in",
            statement="Without bias a dropped feature turns into a confused one continuously.",
            how="every passage from dropped to confused on the map: relative jump of dL/d log p",
            expected="continuous (below 0.1 %) at every importance",
            tolerance="as stated",
            measured=ranges(growing),
            holds=bool(growing.sizes["transition"] and (growing["order"] == CONTINUOUS).all()),
            evidence=f"{growing.sizes['transition']} importances",
            control=Control("from antipodal to dropped", ranges(to_dropped), bool((to_dropped["order"] == CONTINUOUS).any())),
            note="Ours: the comment names two kinds of transition, this is the third on its surface.",
        ),
    ]


def ranges(found: xr.Dataset) -> str:
    """Jumps and densities of some transitions in words."""
    if not found.sizes["transition"]:
        return "none"
    return f"jumps {100 * float(found['jump'].min()):.2g} to {100 * float(found['jump'].max()):.2g} % at density " + spread(
        found["value"], 4
    )


def spread(values: xr.DataArray, digits: int) -> str:
    """The lowest and highest value."""
    return f"{float(values.min()):.{digits}f} to {float(values.max()):.{digits}f}" if values.size else "none"


def basin_claims(data: xr.Dataset) -> list[Claim]:
    """Two minima at once, and the lower one not always easier to find (v)."""
    equal = data.sel(importance_ratio=1.0)
    leap = jumps(equal)
    where = float(leap["density"].values[leap.values.argmax()])
    two = equal["loss"].isel(minimum=1).notnull()
    few = data["loss"].sel(importance_ratio=0.1, density=slice(None, 0.1)).isel(minimum=1).notnull()
    both = equal.sel(density=where, method="nearest")
    lowest, other = data["basin"].isel(minimum=0).values, data["basin"].isel(minimum=1).values
    smaller = lowest < other
    return [
        Claim(
            name="two-minima",
            statement="Some worlds have two different local minima, whose order changes.",
            how="r = 1: densities with at least two minima up to sign, on both sides of the transition",
            expected="some on each side",
            tolerance="as stated",
            measured=f"{int(two.sum())} of {two.size}; at density {float(both['density']):.3f} losses "
            + ", ".join(f"{value:.5f}" for value in both["loss"].dropna("minimum").values),
            holds=bool(two.where(two["density"] < where).any() and two.where(two["density"] > where).any()),
            evidence=f"{equal.sizes['density']} densities, closed form",
            control=Control("r = 0.1, below density 0.1", f"{int(few.sum())} of {few.size}", bool(few.any())),
        ),
        Claim(
            name="smaller-basin",
            statement="The lowest minimum sometimes has the smaller basin.",
            how="share of the square |w| <= 1.5 from which steepest descent ends in the lowest minimum, and in the other, at "
            + ", ".join(f"(r, p) = ({r:g}, {p:g})" for r, p in BASINS[:-1]),
            expected="smaller in at least one",
            tolerance="as stated",
            measured=", ".join(f"{a:.0%} against {b:.0%}" for a, b in zip(lowest[:-1], other[:-1], strict=True)),
            holds=bool(smaller[:-1].any()),
            evidence="576 starts in each world",
            control=Control(
                "(r, p) = ({:g}, {:g}), far from any transition".format(*BASINS[-1]),
                f"{lowest[-1]:.0%} against {other[-1]:.0%}",
                bool(smaller[-1]),
            ),
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Three surfaces at equal importance, and the map of phases without bias."""
    w = np.linspace(-1.4, 1.4, 141)
    panels, minima = {}, {}
    for density in SHOWN:
        title = f"density {density:g}"
        panels[title] = xr.DataArray(two_in_one_loss(w[:, None], w[None, :], density), {"w1": w, "w2": w}, ("w1", "w2"))
        minima[title] = two_in_one_minima(density)
    caption = (
        "The exact loss of two equally important features in one dimension, without bias, over both weights: yellow is low, "
        "dark blue high. The star is the "
        "optimum, circles are other minima. In dense worlds both features share one direction (upper right and lower left), "
        "in sparse ones they are opposite; between, both minima exist and one overtakes the other."
    )
    kind = xr.DataArray(
        kinds(data["lowest"].values).astype(object),
        {"density": data["map_density"].values, "importance_ratio": data["map_ratio"].values},
        ("density", "importance_ratio"),
    )
    phases = category_panels({"optimum without bias": kind}, COLOURS, marks(data), label="importance of the second feature")
    return {
        "surfaces": Figure(surface_panels(panels, minima), caption),
        "phases": Figure(
            phases,
            "The lowest minimum of the exact surface without bias. Circles: first-order transitions, crosses: continuous "
            "ones. An antipodal pair ends suddenly, whatever the importance; between dropping the second feature and mixing "
            "both there is no transition, only the weight of 1/2 at which we change the name.",
        ),
    }


def marks(data: xr.Dataset) -> dict[str, Marks]:
    """The transitions located, by their order."""
    drawn = {}
    for order in (FIRST_ORDER, CONTINUOUS):
        some = data.isel(transition=(data["order"] == order).values)
        texts = [
            f"{before} → {after}<br>density {value:.4f}: the slope jumps by {jump:.1%}"
            for before, after, value, jump in zip(
                *(some[name].values for name in ("before", "after", "value", "jump")), strict=True
            )
        ]
        drawn[f"{order} transition"] = Marks(some["ratio"].values, some["value"].values, texts)
    return drawn


experiment = Experiment(
    __name__,
    title="Two features, one dimension, no bias: the exact surface and its confused phase",
    paper="Comment by Tom McGrath (F12)",
    seconds={"quick": 4, "paper": 10},
    study=study,
    figures=figures,
    claims=claims,
    order=4,
)
