"""The phase diagram before any training: the cheapest of a few candidate solutions, and where they take over from each other.

Paper: section 3, theory for n = 2, m = 1 (F10) and n = 3, m = 2 (F13), generalised to n features in n - 1 dimensions.  W leaves
out one direction v: e_i drops a feature, (e_i + e_j) makes an antipodal pair, (1, 1, 1) a triangle.  The paper leaves the
triangle out of its diagram, and calls it optimal in its aside on polytopes; here every simplex takes part, with unit vectors
and, at equal importances, with the best norm and bias.  Nothing is trained.  For n = 2 the lowest certified minimum of
16 starts is followed over density at five importances, and each transition located where the losses of two minima are equal.
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import IDENTITY, OURS, Claim, Evidence, above, at_least, at_most, closed_form, equal, near, share_at_least
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s3_phase_change.shared import FIRST_ORDER_ABOVE, orders
from tegum.theory import dropped_loss, pair_boundary, paired_loss
from tegum.theory.candidates import best_simplex, phase_losses

SIDE: dict[Profile, int] = {"quick": 150, "paper": 600}
SIZES = (2, 3, 4)
RATIOS = (0.1, 0.3, 0.5, 0.85, 1.0)
APEX = 4 / 7
GONE = 0.01
"""Features of a smaller norm have faded out: where the weaker of two does so is the control of the transitions."""
EXTRA, ANOTHER, PAIRED, OTHERS = "extra ignored", "another ignored", "extra in a pair", "two others in a pair"
COLOURS = {EXTRA: "#dddddd", ANOTHER: "#003399", PAIRED: "#dd4444", OTHERS: "#2255bb"}
"""Those of the authors' notebook."""
DROPPED, UNIT_PAIR = "one dropped", "antipodal pair"
PAIR, TRIANGLE, OPTIMUM = (
    "antipodal pair, best norm and bias",
    "triangle, best norm and bias",
    "lowest certified minimum of 24 starts",
)


def study(profile: Profile) -> xr.Dataset:
    """The cheapest candidate for n = 2, 3, 4; at r = 1 the curves of n = 3; the transitions of n = 2."""
    p, r = np.geomspace(0.01, 1, SIDE[profile]), np.geomspace(0.1, 10, SIDE[profile])
    maps = {f"lowest_{n}": (("density", "importance_ratio"), cheapest(phase_losses(n, p[:, None], r))) for n in SIZES}
    few = np.linspace(0.01, 1, 100)
    three, two = (tg.nets.ReluOutput(n, n - 1) for n in (3, 2))
    optimum = tg.exact.minimise(three, tg.features.Independent(3), seeds=24, sweep={"density": list(few)}, warm_starts=1)
    curves = {
        DROPPED: dropped_loss(few),
        UNIT_PAIR: paired_loss(few),
        "triangle": phase_losses(3, few, 1.0)["extra in a triangle"],
        PAIR: 2 * best_simplex(2, few)[0],
        TRIANGLE: 3 * best_simplex(3, few)[0],
        OPTIMUM: tg.best(optimum)["loss"].values,
    }
    sweep = {"importance_ratio": tg.maps.ratio_axis(2, RATIOS), "density": list(np.geomspace(0.01, 0.99, 60))}
    minima = tg.best(tg.exact.minimise(two, tg.features.Independent(2), seeds=16, sweep=sweep, warm_starts=1))
    superposed = tg.maps.extra_phase(tg.maps.extra_feature(minima)) == tg.geometry.measures.SUPERPOSITION
    kept = tg.geometry.feature_norms(minima["W"].transpose(..., "hidden", "feature").values).min(axis=-1) > GONE
    # 2 a pair, 1 no pair any more but both still kept, 0 one of them dropped
    names = superposed.astype(int).transpose("importance_ratio", "density") + minima["loss"].copy(data=kept)
    found = tg.maps.transitions_between(two, minima, names)
    return xr.Dataset(
        maps | {"curve_loss": (("curve", "equal_density"), list(curves.values()))},
        {"density": p, "importance_ratio": r, "curve": list(curves), "equal_density": few},
    ).merge(found.assign(fading=found["before"] < 2).rename(at="ratio").drop_vars(["before", "after"]))


def cheapest(losses: Mapping[str, NDArray[np.float64]]) -> NDArray[np.str_]:
    """The name of the lowest of some losses, elementwise."""
    return np.asarray(np.array(list(losses))[np.argmin(np.broadcast_arrays(*losses.values()), axis=0)])


def slope_fall(at: float) -> float:
    """By how much the slope of the cheapest candidate's loss falls at a density, at equal importances."""
    step = 1e-6
    below, here, above_it = np.min(list(phase_losses(2, np.array([at - step, at, at + step]), 1.0).values()), axis=0)
    return float((here - below) / step - (above_it - here) / step)


def highest_density(cells: xr.DataArray) -> xr.DataArray:
    """The highest density at which cells are true, for each importance."""
    return cells["density"].where(cells).max("density")


def triangles(lowest: xr.DataArray) -> dict[str, int | set[str]]:
    """At how many points the cheapest is neither a dropped feature nor a pair, but a triangle or a larger simplex."""
    larger = ~lowest.isin([*COLOURS, DROPPED, UNIT_PAIR, PAIR])
    return {"triangle or larger": int(larger.sum()), "of": lowest.size, "cheapest": set(np.unique(lowest.values).tolist())}


def map_claims(data: xr.Dataset) -> list[Claim]:
    """The maps against the printed boundaries, and what can be read off them."""
    p, r = data["density"].values[:, None], data["importance_ratio"].values
    two, left = data["lowest_2"], pair_boundary(r)
    # without ReLU a pair tells neither feature from the other
    without = {EXTRA: dropped_loss(p, r), ANOTHER: dropped_loss(p), PAIRED: (1 + r) * dropped_loss(p)}
    linear = {"linear outputs": two.copy(data=cheapest(without))}
    cells = closed_form(densities=p.size, importances=r.size)
    cell = float(p[1, 0] / p[0, 0]) - 1
    edge = highest_density(two == PAIRED).sel(importance_ratio=[0.1, 1.0], method="nearest")

    def claim(n: int, whole: str, right: str, against: dict[str, xr.DataArray]) -> Claim:
        pair, edge = (PAIRED, left) if n == 2 else (OTHERS, np.array(APEX))
        predicted = np.where(r < 1, np.where(p < left, PAIRED, EXTRA), np.where(p < edge, pair, ANOTHER))
        return Claim(
            f"map-{n}",
            f"Comparing the candidates gives the phase diagram of {whole}.",
            source=IDENTITY,
            how=f"n = {n}: cells as the boundaries predict, p* = 4r/(5r + 2) on the left, {right} on the right, r = 1 between",
            measure=lambda lowest: lowest == predicted,
            expect=share_at_least(1),
            of=data[f"lowest_{n}"],
            against=against,
            evidence=cells,
        )

    return [
        claim(2, "two features in one dimension", "4/(5 + 2r)", linear),
        claim(3, "three features in two", "4/7", {"the map of two features": two}),
        claim(4, "any number of features in one dimension less", "4/7", {"the map of two features": two}),
        Claim(
            "needs-relu",
            "Superposition can pay only because of the ReLU.",
            source=IDENTITY,
            how="share of the map of two features in which the antipodal pair is cheapest",
            measure=lambda lowest: (lowest == PAIRED).mean(),
            expect=above(0, "%"),
            of=two,
            against=linear,
            evidence=cells,
        ),
        Claim(
            "needs-sparsity",
            "Superposition needs sparsity: where features are dense no importance makes a pair worthwhile.",
            source=IDENTITY,
            how="highest density of the map of two features at which a pair is cheapest; the apex has 4/7",
            measure=lambda cells: highest_density(cells).max(),
            expect=at_most(APEX),
            of=two == PAIRED,
            uncontrolled="no other candidate needs sparsity",
            evidence=closed_form(cells=two.size),
        ),
        Claim(
            "printed",
            "How much sparsity depends on importance: the printed panel has 0.166 at 0.1x and 0.58 at its apex.",
            source=OURS,
            how="boundary of the pair at importances 0.1 and 1 (n = 2), to 5 % and a grid cell",
            expect=near([0.166, 0.58], 0.05 + cell, relative=True),
            of=edge.values,
            against={
                "certified minima instead of candidates": data["value"].values[
                    np.isin(data["ratio"], [0.1, 1.0]) & ~data["fading"]
                ]
            },
            evidence=closed_form(densities=p.size),
            note=f"By the formulas {pair_boundary(0.1):.4f} and {APEX:.4f}.",
        ),
    ]


def crossing_claims(data: xr.Dataset) -> list[Claim]:
    """How the phases meet."""
    fading, leaving = (data.isel(transition=part.values) for part in (data["fading"], ~data["fading"]))
    theory = ", ".join(f"{edge:.3f}" for edge in pair_boundary(leaving["ratio"]))
    return [
        Claim(
            "apex",
            "Three phases meet at equal importance and density 4/7.",
            source=IDENTITY,
            how="spread of the losses of the three candidates of two features there",
            measure=lambda losses: np.ptp(list(losses.values())),
            expect=near(0, 1e-9),
            of=phase_losses(2, APEX, 1.0),
            against={"importance ratio 0.9": phase_losses(2, APEX, 0.9)},
            evidence=closed_form(),
        ),
        Claim(
            "jump",
            "The derivative of the optimal loss jumps where candidates cross: a first-order transition.",
            source=IDENTITY,
            how="fall of the slope of the cheapest candidate's loss at p* = 4/7, r = 1: by formula |(1/3 - p*/2) - 2p*/3|",
            measure=slope_fall,
            expect=near(abs((1 / 3 - APEX / 2) - 2 * APEX / 3), 1e-4),
            of=APEX,
            against={"density 0.4, inside a phase": 0.4},
            evidence=closed_form(),
        ),
        Claim(
            "first-order",
            "The derivative of the true optimum's loss, whose norms and biases adapt, jumps as well.",
            source=OURS,
            how=f"n = 2, where the pair ends: relative jump of dL/d log p between two certified minima; {FIRST_ORDER_ABOVE}",
            measure=lambda found: {"importances": np.sort(found["ratio"].values)} | orders(found),
            expect={"importances": equal(RATIOS), "order": equal({tg.exact.FIRST_ORDER})},
            of=leaving,
            against={"where the weaker feature of a former pair fades out": fading},
            evidence=Evidence(f"{leaving['ratio'].size} transitions, located to at most {leaving['width'].max():.0e}"),
            note=f"The candidates' boundary lies lower: {theory}.",
        ),
    ]


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of the two theoretical figures; last whether the solution that the paper leaves out may be left out."""
    loss, density = data["curve_loss"], data["equal_density"].values
    best = loss.sel(curve=[DROPPED, PAIR, TRIANGLE])

    def lowest_of(*curves: str) -> xr.DataArray:
        return loss.sel(curve=list(curves)).idxmin("curve").astype(str)

    lowest = lowest_of(DROPPED, PAIR, TRIANGLE)
    certified, printed = loss.sel(curve=OPTIMUM).values, loss.sel(curve=[DROPPED, UNIT_PAIR]).min("curve").values
    off = abs(certified / best.min("curve").values - 1).max()
    gain = 1 - certified / printed
    k = int(gain.argmax())
    unit = xr.concat([data["lowest_3"], data["lowest_4"]], "n")
    return [
        *map_claims(data),
        *crossing_claims(data),
        Claim(
            "unit-simplices",
            "A triangle, W orthogonal to (1, 1, 1), need not be among the candidates.",
            source=OURS,
            how="n = 3 and 4: cells in which the cheapest simplex of unit vectors without bias is a triangle or larger",
            measure=triangles,
            expect={"triangle or larger": equal(0)},
            of=unit,
            against={"the best norm and bias instead, equal importances": lowest},
            evidence=closed_form(cells=unit.size),
        ),
        Claim(
            "triangle",
            "The optimum of the loss itself uses the triangle, which the phase diagram leaves out.",
            source=OURS,
            how="n = 3, r = 1: densities at which the best triangle costs less than the best pair and than dropping a feature",
            measure=triangles,
            expect={"triangle or larger": at_least(1)},
            of=lowest,
            against={"unit vectors without bias, n = 3 and 4": unit},
            evidence=closed_form(densities=lowest.size).adding(
                f"lowest certified minimum of 24 starts within {off:.0e} of their lowest"
            ),
            note=f"It is lowest from density {density[lowest.values == TRIANGLE].min(initial=1):.2f} on, at {density[k]:.2f} "
            f"by {gain[k]:.0%} ({certified[k]:.5f} against {printed[k]:.5f} of the paper's candidates), and even where every "
            f"feature is always active: {certified[-1]:.5f} against {printed[-1]:.5f}.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The maps and the curves at equal importance."""
    maps = {f"{n} features, {n - 1} dimension{'s' * (n > 2)}": data[f"lowest_{n}"] for n in SIZES[:2]}
    relative = data["curve_loss"] / data["curve_loss"].sel(curve=DROPPED, drop=True)
    curves = {str(name): relative.sel(curve=name, drop=True).where(lambda loss: loss < 1.15) for name in data["curve"].values}
    return {
        "theory": Figure(
            tg.figures.category_panels(maps, COLOURS),
            "The cheapest of the candidate solutions, importances (1, ..., 1, r) with r the extra feature's. Four features in "
            "three dimensions give the same map as three in two. With two features there are no two others to pair: the "
            "boundary turns down again on the right.",
        ),
        "curves": Figure(
            tg.figures.curve_panel(curves, "feature density 1 − S", "expected loss / loss of dropping one"),
            "Three equally important features in two dimensions, relative to dropping one. The paper's candidates (dropped, "
            "pair) cross at 4/7. The lowest of 24 certified minima follows the pair with its best norm and bias up to half "
            "density, and above it the triangle, which the paper does not consider.",
        ),
    }


experiment = Experiment(
    __name__,
    title="The phase diagram in theory: dropped, paired or alone",
    paper="Section 3, theoretical phase diagrams (F10, F13)",
    seconds={"quick": 3, "paper": 5},
    order=1,
)
