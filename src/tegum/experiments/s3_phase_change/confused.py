"""Two features in one dimension without bias: the exact loss surface, and a phase in which both features are mixed up.

Paper: Tom McGrath's comment (F12).  y = ReLU(W^T W x), n = 2, m = 1, importances (1, r): the loss of the two weights is known
in closed form, so nothing is trained.  The comment's parameters are not given; shown are r = 1 at three densities.  The
minima are found at 200 densities (paper profile 400) for three importances, and the lowest on a map of 40 x 30 densities and
importances (paper profile 100 x 60).  On the map a weight below 1/2 counts as dropped, weights of opposite signs as antipodal,
others as confused.  Where neighbours along density differ, the transition is located by following both minima to where their
losses are equal; it is first order where the slope of the loss jumps by more than 0.1 %, and none where the same minimum goes
on.  Basins are shares of |w| <= 1.5 under steepest descent.
"""

from typing import Any

import numpy as np
import xarray as xr
from scipy.optimize import brentq

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, above, at_least, below, between, closed_form, comment, equal, near, rising
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s3_phase_change.shared import FIRST_ORDER_ABOVE, orders
from tegum.theory.two_in_one import basin_shares, every_two_in_one_minimum

RATIOS = [0.1, 0.3, 1.0]
SHOWN = [0.9, 0.58, 0.3]
COUNT: dict[Profile, int] = {"quick": 200, "paper": 400}
MAP: dict[Profile, tuple[int, int]] = {"quick": (40, 30), "paper": (100, 60)}
"""Densities and importances of the map."""
FOLLOWED = 12
"""Importances at which transitions are located, evenly spaced on the map."""
BASINS = [(0.1, 0.2), (0.3, 0.46), (0.6, 0.35), (1.0, 0.57), (1.0, 0.9)]
"""Importances and densities at which basins are measured; the last is far from any transition."""
LATTICE = 24
"""Points along each side of the square from which steepest descent starts."""
DROPPED, ANTIPODAL, CONFUSED = "second dropped", "antipodal", "confused"
COLOURS = {DROPPED: "#dddddd", ANTIPODAL: "#dd4444", CONFUSED: "#4477aa"}


def study(profile: Profile) -> xr.Dataset:
    """Every minimum along density, the lowest on a map with the transitions between them, and some basins."""
    densities = np.linspace(0.02, 1, COUNT[profile])
    found = every_two_in_one_minimum(densities, np.array(RATIOS)[:, None])
    parts = {name: (("importance_ratio", "density", "minimum"), found[..., k]) for k, name in enumerate(("w1", "w2", "loss"))}
    rows, columns = MAP[profile]
    density, ratio = np.geomspace(0.01, 1, rows), np.geomspace(0.1, 1, columns)
    lowest = every_two_in_one_minimum(density[:, None], ratio)[:, :, 0, :2]
    shares = np.full((len(BASINS), found.shape[2]), np.nan)
    for row, (r, p) in zip(shares, BASINS, strict=True):
        basins = basin_shares(p, r, LATTICE)
        row[: len(basins)] = basins
    data = xr.Dataset(
        parts | {"lowest": (("map_density", "map_ratio", "weight"), lowest), "basin": (("distribution", "minimum"), shares)},
        {"importance_ratio": RATIOS, "density": densities, "map_density": density, "map_ratio": ratio},
    )
    # where the kind of the optimum changes with density at some importances, and the order of each transition
    chosen = np.unique(np.linspace(0, columns - 1, FOLLOWED).round().astype(int))
    weights = weights_on_map(data).isel(importance_ratio=chosen)
    minima = xr.Dataset({"W": weights.expand_dims("hidden"), "b": xr.zeros_like(weights)})
    transitions = tg.maps.transitions_between(tg.nets.ReluOutput(2, 1, bias=False), minima, kinds(weights))
    return data.merge(transitions.rename(at="ratio"))


def weights_on_map(data: xr.Dataset) -> xr.DataArray:
    """Both weights of the optimum over (density, importance_ratio, feature)."""
    return data["lowest"].rename(map_density="density", map_ratio="importance_ratio", weight="feature")


def kinds(weights: xr.DataArray) -> xr.DataArray:
    """Which solution each pair of weights is."""
    product = weights.prod("feature")
    names = np.where(abs(weights).min("feature") < 0.5, DROPPED, np.where(product < 0, ANTIPODAL, CONFUSED))
    return product.copy(data=names)


def halfway(ratios: xr.DataArray) -> xr.DataArray:
    """The density at which the second weight of the optimum that is not antipodal is 1/2, by importance; by bisection."""

    def excess(density: float, ratio: float) -> float:
        found = every_two_in_one_minimum(np.array([density]), np.array([ratio]))[0]
        return float(found[found[:, 0] * found[:, 1] >= 0][0, 1]) - 0.5

    return ratios.copy(data=[brentq(excess, 0.3, 0.999, args=(ratio,)) for ratio in ratios.values])


def confused(optimum: xr.Dataset) -> xr.DataArray:
    """Where both weights are equal and positive."""
    return (abs(optimum["w1"] - optimum["w2"]) < 0.02) & (optimum["w2"] > 0.5)


def steps(optimum: xr.Dataset) -> xr.DataArray:
    """How far the weights move from one density to the next."""
    return (optimum["w1"].diff("density") ** 2 + optimum["w2"].diff("density") ** 2) ** 0.5


def largest_step(optimum: xr.Dataset) -> dict[str, float]:
    """The largest of these steps, and where it is."""
    moved = steps(optimum)
    return {"step": float(moved.max()), "at density": float(moved.idxmax())}


def extent(cells: xr.DataArray) -> dict[str, float]:
    """The lowest and the highest density at which something is true, and at how many it is."""
    density = cells["density"].where(cells)
    return {"from": float(density.min()), "to": float(density.max()), "densities": int(cells.sum()), "of": cells.size}


def around(cells: xr.DataArray, place: float) -> dict[str, Any]:
    """The lowest density at which something is true, another density, and the highest; and at how many it is."""
    found = extent(cells)
    return {"from below the transition to above it": [found.pop("from"), place, found.pop("to")]} | found


def span(values: xr.DataArray, form: str) -> str:
    """The lowest and highest value."""
    return f"{values.min():{form}} to {values.max():{form}}" if values.size else "none"


def minima_claims(same: xr.Dataset, unequal: xr.Dataset) -> list[Claim]:
    """Where minima are: near the candidates (i), and confused (iii)."""
    antipodal, mixed = (same.isel(density=part.values) for part in (same["density"] < 0.5, confused(same)))
    candidate = antipodal["loss"].copy(data=tg.theory.paired_loss(antipodal["density"].values))
    tie = abs(mixed["loss"] - tg.theory.dropped_loss(mixed["density"])).max()
    return [
        Claim(
            "near-candidates",
            "Minima lie near the candidate solutions but are not equal to them.",
            source=comment("Tom McGrath", "they can be quantitatively different, as Figure 1a shows"),
            how="r = 1, density below 0.5: the antipodal optimum's distance from weight 1, and from the candidate's loss",
            measure=lambda optimum: {
                "distance from 1": abs(optimum["w1"].values - 1),
                "below the candidate's loss by": tg.theory.paired_loss(optimum["density"]) - optimum["loss"].values,
            },
            expect={"distance from 1": between(0, 0.1, included=False), "below the candidate's loss by": above(0)},
            of=antipodal,
            against={"confused optima": mixed, "the candidate": antipodal.assign(w1=1.0 + 0 * antipodal["w1"], loss=candidate)},
            evidence=closed_form(densities=antipodal.sizes["density"]),
        ),
        Claim(
            "confused",
            "At low sparsity two equally important features share one direction: both weights near 0.707.",
            source=comment(
                "Tom McGrath", "This 'confused feature' regime occurs when sparsity is low and both features are important"
            ),
            how="r = 1: densities at which the lowest minimum has equal positive weights, an interval that ends at 1",
            measure=lambda optimum: extent(confused(optimum)) | {"weights": optimum["w1"].values[confused(optimum).values]},
            expect={"to": equal(1.0), "weights": near(np.sqrt(0.5), 0.01)},
            of=same,
            against={"r = 0.1": unequal},
            evidence=closed_form(densities=same.sizes["density"]),
            note=f"Its loss is p/3 - p^2/4 to {tie:.0e}, exactly that of dropping a feature and giving its output a bias. With "
            "biases the phase is therefore no better than dropping one of the two.",
        ),
    ]


def transition_claims(data: xr.Dataset, same: xr.Dataset, unequal: xr.Dataset) -> list[Claim]:
    """Where minima move smoothly (ii), and where they jump (iv)."""
    leap, inside = largest_step(same), same.sel(density=slice(None, 0.5))
    to_confused, to_dropped, growing = (
        data.isel(transition=((data["before"] == before) & (data["after"] == after)).values)
        for before, after in [(ANTIPODAL, CONFUSED), (ANTIPODAL, DROPPED), (DROPPED, CONFUSED)]
    )
    halves = ", ".join(f"{p:.4f}" for p in halfway(growing["ratio"].sortby(growing["ratio"])).values)
    return [
        Claim(
            "first-order",
            "Antipodal and confused solutions are separated by a discontinuous transition.",
            source=comment(
                "Tom McGrath", "The transition between the antipodal and confused-feature solutions appears to be discontinuous"
            ),
            how=f"from antipodal to confused on the map: relative jump of dL/d log p where they tie; {FIRST_ORDER_ABOVE}",
            measure=orders,
            expect={"order": equal({tg.exact.FIRST_ORDER})},
            of=to_confused,
            against={"from dropped to confused": growing},
            evidence=Evidence(f"{to_confused['ratio'].size} importances from {span(to_confused['ratio'], '.2f')}"),
            note=f"At r = 1 the weights move by {leap['step']:.2f} at density {leap['at density']:.3f}.",
        ),
        Claim(
            "continuous",
            "Within one solution the minimum moves smoothly as the density changes.",
            source=comment("Tom McGrath", "the minima moves smoothly in weight space as the degree of sparsity alters"),
            how="r = 1, antipodal (density below 0.5): largest step of the optimum's weights between neighbouring densities",
            measure=largest_step,
            expect={"step": below(0.1)},
            of=inside,
            against={"r = 1, all densities": same},
            evidence=closed_form(densities=inside.sizes["density"]),
            note="The comment says it of two of its panels, whose parameters it does not give.",
        ),
        Claim(
            "dropped-suddenly",
            "Between dropping the second feature and storing it as an opposite the optimum changes suddenly.",
            source=OURS,
            how="from antipodal to dropped on the map: relative jump of dL/d log p where they tie; first order above 0.1 %",
            measure=orders,
            expect={"order": equal({tg.exact.FIRST_ORDER})},
            of=to_dropped,
            against={"from dropped to confused": growing},
            evidence=Evidence(f"{to_dropped['ratio'].size} importances"),
            note=f"The slope jumps by {span(to_dropped['jump'], '.1%')} at density {span(to_dropped['value'], '.4f')}; at "
            f"r = 0.1 the weights move by {largest_step(unequal)['step']:.2f}. Smooth is the passage from dropped to confused: "
            f"the weight grows through 1/2 at density {span(halfway(growing['ratio']), '.4f')}, and the same minimum goes on.",
        ),
        Claim(
            "grows-in",
            "Without bias a dropped feature turns into a confused one without any transition.",
            source=OURS,
            how=f"from dropped to confused on the map: relative jump of dL/d log p, {FIRST_ORDER_ABOVE}; no curvature is 0",
            measure=orders,
            expect={"order": equal({tg.exact.NONE})},
            of=growing,
            against={"from antipodal to dropped": to_dropped},
            evidence=Evidence(f"{growing['ratio'].size} importances"),
            note=f"The second weight is 1/2 at density {halves} (importances as above).",
        ),
    ]


def claims(data: xr.Dataset) -> list[Claim]:
    """The comment's statements, (i) to (v); last that two minima exist, and the lower one is not always easier to find."""
    same, unequal = (data.sel(importance_ratio=ratio, minimum=0) for ratio in (1.0, 0.1))
    loss, where = data["loss"].sel(importance_ratio=1.0), largest_step(same)["at density"]
    losses = ", ".join(f"{value:.5f}" for value in loss.sel(density=where).dropna("minimum"))
    *places, far = (f"({r:g}, {p:g})" for r, p in BASINS)
    return [
        *minima_claims(same, unequal),
        *transition_claims(data, same, unequal),
        Claim(
            "two-minima",
            "Some data distributions have two different local minima, whose order changes.",
            source=comment(
                "Tom McGrath",
                "some combinations of sparsity and relative feature importance lead to loss surfaces with two minima",
            ),
            how="r = 1: densities with at least two minima up to sign, from below to above the transition",
            measure=lambda loss: around(loss.isel(minimum=1).notnull(), where),
            expect={"from below the transition to above it": rising()},
            of=loss,
            against={"r = 0.1": data["loss"].sel(importance_ratio=0.1)},
            evidence=closed_form(densities=loss.sizes["density"]),
            note=f"At density {where:.3f} their losses are {losses}.",
        ),
        Claim(
            "smaller-basin",
            "The lowest minimum sometimes has the smaller basin.",
            source=comment(
                "Tom McGrath", "the global minimum can have a considerably smaller basin of attraction than local minima"
            ),
            how=f"shares of |w| <= 1.5 that descend to the lowest and to the other minimum, (r, p) = {', '.join(places)}",
            measure=lambda shares: {"smaller in": int((shares[:, 0] < 0.9 * shares[:, 1]).sum()), "shares": shares[:, :2]},
            expect={"smaller in": at_least(1)},
            note="Smaller by a tenth or more, as the lattice resolves no less. Of 257 places with two minima, importances 0.1 "
            "to 1 and densities 0.1 to 0.95, it is smallest at the first of these, 0.71 of the other's.",
            of=data["basin"][:-1],
            against={f"(r, p) = {far}, far from any transition": data["basin"][-1:]},
            evidence=Evidence(f"{LATTICE**2} starts each"),
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Three surfaces at equal importance, and the map of phases without bias."""
    w = np.linspace(-1.4, 1.4, 141)
    surfaces = [xr.DataArray(tg.theory.two_in_one_loss(w[:, None], w, p), {"w1": w, "w2": w}, ("w1", "w2")) for p in SHOWN]
    titles = [f"density {p:g}" for p in SHOWN]
    minima = dict(zip(titles, map(tg.theory.two_in_one_minima, SHOWN), strict=True))
    map_of_kinds = {"optimum without bias": kinds(weights_on_map(data))}
    marks = tg.figures.transition_marks(data.rename(ratio="at").assign(along="density"))
    return {
        "surfaces": Figure(
            tg.figures.surface_panels(dict(zip(titles, surfaces, strict=True)), minima),
            "The exact loss of two equally important features in one dimension, without bias, over both weights: yellow is "
            "low, dark blue high. The star is the optimum, circles are other minima. Dense features share one direction (upper "
            "right and lower left), sparse ones are opposite; between, both minima exist and one overtakes the other.",
        ),
        "phases": Figure(
            tg.figures.category_panels(map_of_kinds, COLOURS, marks, label="importance of the second feature"),
            "The lowest minimum of the exact surface without bias. Crosses: first-order transitions. An antipodal pair ends "
            "suddenly, whatever the importance; between dropping the second feature and mixing both there is no transition, "
            "only the weight of 1/2 at which we change the name.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Two features, one dimension, no bias: the exact surface and its confused phase",
    paper="Comment by Tom McGrath (F12)",
    seconds={"quick": 4, "paper": 10},
    order=4,
)
