"""The phase diagram before any training: the cheapest of a few candidate solutions, and where they take over from each other.

Paper: section 3, theory for n = 2, m = 1 (F10) and n = 3, m = 2 (F13), generalised to n features in n - 1 dimensions.  W leaves
out one direction v: e_i drops a feature, (e_i + e_j) makes an antipodal pair, (1, 1, 1) a triangle.  The paper leaves the
triangle out; here every simplex takes part, with unit vectors and, at equal importances, with the best norm and bias.  Nothing
is trained.  For n = 2 the certified optimum is followed over density at five importances, and each transition located where the
losses of two minima are equal.
"""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims.old import Claim, Control, Disagreement
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s3_phase_change.shared import extra_feature
from tegum.figures import category_panels, curve_panel
from tegum.geometry import SUPERPOSITION, phase_of
from tegum.theory import best_simplex, dropped_loss, fates, pair_boundary, paired_loss

SIDE: dict[Profile, int] = {"quick": 150, "paper": 600}
SIZES = (2, 3, 4)
SHOWN = 1.15
RATIOS = (0.1, 0.3, 0.5, 0.85, 1.0)
APEX = 4 / 7
BREAK = 0.63
"""Near this density the pair of two equal features becomes lopsided."""
COLOURS = {
    "extra ignored": "#dddddd",
    "another ignored": "#003399",
    "extra in a pair": "#dd4444",
    "two others in a pair": "#2255bb",
}
"""Those of the authors' notebook."""
DROPPED, UNIT_PAIR = "one dropped", "antipodal pair"
PAIR, TRIANGLE, OPTIMUM = "antipodal pair, best norm and bias", "triangle, best norm and bias", "certified optimum"


def study(profile: Profile) -> xr.Dataset:
    """The cheapest candidate for n = 2, 3, 4; at r = 1 the curves of n = 3; the certified transitions of n = 2."""
    side = SIDE[profile]
    p, r = np.geomspace(0.01, 1, side), np.geomspace(0.1, 10, side)
    cells = ("density", "importance_ratio")
    data = xr.Dataset(coords={"density": p, "importance_ratio": r}, attrs={"interrupted": 0})
    for n in SIZES:
        losses = fates(n, p[:, None], r)
        names = np.array(list(losses))
        data[f"lowest_{n}"] = (cells, names[np.argmin([np.broadcast_to(x, (side, side)) for x in losses.values()], axis=0)])
    return data.merge(equal_curves()).merge(certified_transitions())


def equal_curves() -> xr.Dataset:
    """Losses of three equally important features in two dimensions, against density."""
    p = np.linspace(0.01, 1, 100)
    optimum = tg.exact.minimise(
        tg.nets.ReluOutput(3, 2), tg.features.Independent(3), seeds=24, sweep={"density": list(p)}, warm_starts=1
    )
    curves = {
        DROPPED: dropped_loss(p),
        UNIT_PAIR: paired_loss(p),
        "triangle": fates(3, p, 1.0)["extra in a triangle"],
        PAIR: 2 * best_simplex(2, p)[0],
        TRIANGLE: 3 * best_simplex(3, p)[0],
        OPTIMUM: tg.best(optimum)["loss"].values,
    }
    return xr.Dataset(
        {"curve_loss": (("curve", "equal_density"), np.stack(list(curves.values())))},
        {"curve": list(curves), "equal_density": p},
    )


def certified_transitions() -> xr.Dataset:
    """Where the certified optimum of two features leaves superposition, and where equal ones break their symmetry."""
    net, density = tg.nets.ReluOutput(2, 1), np.geomspace(0.01, 0.99, 60)
    importance = [(1.0, ratio) for ratio in RATIOS]
    sweep = {"importance_ratio": tg.Axis(list(RATIOS), importance=importance), "density": list(density)}
    best = tg.best(tg.exact.minimise(net, tg.features.Independent(2), seeds=16, sweep=sweep, warm_starts=1))
    extra = extra_feature(best)
    mixed = phase_of(extra["norm"].values, extra["interference"].values) == SUPERPOSITION
    leaves = mixed[:, :-1] != mixed[:, 1:]
    leaves[-1, np.searchsorted(density, BREAK) - 1] = True
    row, k = np.nonzero(leaves)
    W = best["W"].transpose("importance_ratio", "density", "hidden", "feature").values
    b = best["b"].transpose("importance_ratio", "density", "feature").values

    def worlds(values: np.ndarray) -> tg.features.Independent:
        return tg.features.Independent(2, density=values[:, None], importance=np.array(importance)[row])

    found = tg.exact.transitions(
        net,
        worlds,
        np.stack([density[k], density[k + 1]], axis=1),
        np.stack([W[row, k], W[row, k + 1]], axis=1),
        np.stack([b[row, k], b[row, k + 1]], axis=1),
    )
    inside = mixed[row, k] & mixed[row, k + 1]
    return found.assign(ratio=("transition", np.array(RATIOS)[row]), inside=("transition", inside))


def predicted(n: int, data: xr.Dataset) -> NDArray[Any]:
    """The fate of the extra feature by the printed boundaries, (density, importance_ratio)."""
    p, r = data["density"].values[:, None], data["importance_ratio"].values
    pair, edge = ("extra in a pair", pair_boundary(r)) if n == 2 else ("two others in a pair", np.array(APEX))
    left = np.where(p < pair_boundary(r), "extra in a pair", "extra ignored")
    return np.where(r < 1, left, np.where(p < edge, pair, "another ignored"))


def agreement(n: int, data: xr.Dataset, lowest: NDArray[Any]) -> float:
    """The share of a map that is as predicted for n features."""
    return float((predicted(n, data) == lowest).mean())


def linear_lowest(data: xr.Dataset) -> NDArray[Any]:
    """The cheapest candidate of two features without ReLU, where a pair tells neither feature from the other."""
    p, r = data["density"].values[:, None], data["importance_ratio"].values
    names = np.array(["extra ignored", "another ignored", "extra in a pair"])
    costs = [dropped_loss(p, r), dropped_loss(p) + 0 * r, (1 + r) * dropped_loss(p)]
    return np.asarray(names[np.argmin(np.stack(costs), axis=0)])


def jump(at: float) -> float:
    """By how much the slope of the cheapest candidate's loss falls there, at equal importances."""
    step = 1e-6
    below, here, above = np.min(list(fates(2, np.array([at - step, at, at + step]), 1.0).values()), axis=0)
    return float((here - below) / step - (above - here) / step)


def map_claim(n: int, data: xr.Dataset, what: str, other: NDArray[Any]) -> Claim:
    """One map against the printed boundaries; the control is another map against the same ones."""
    share, control = agreement(n, data, data[f"lowest_{n}"].values), agreement(n, data, other)
    return Claim(
        name=f"map-{n}",
        statement="Comparing the candidates gives the phase diagram of "
        + {
            2: "two features in one dimension.",
            3: "three features in two.",
            4: "any number of features in one dimension less.",
        }[n],
        how=f"n = {n}: share of the map where the cheapest candidate is the one predicted by p* = 4r/(5r + 2) on the left, "
        + ("4/(5 + 2r)" if n == 2 else "4/7")
        + " on the right and r = 1 between",
        expected="100 %",
        tolerance="none",
        measured=f"{share:.2%}",
        holds=share == 1,
        evidence=f"{data['density'].size} x {data['importance_ratio'].size} cells, closed form",
        control=Control(what, f"{control:.1%}", control == 1),
    )


def crossing_claims(data: xr.Dataset) -> list[Claim]:
    """How the phases meet."""
    slope = abs((1 / 3 - APEX / 2) - 2 * APEX / 3)
    spread = {r: float(np.ptp(list(fates(2, APEX, r).values()))) for r in (1.0, 0.9)}
    lopsided, leaving = data.isel(transition=data["inside"].values), data.isel(transition=~data["inside"].values)
    ratio, value, fall = (leaving[name].values for name in ("ratio", "value", "jump"))
    theory = pair_boundary(ratio)
    return [
        Claim(
            name="apex",
            statement="Three phases meet at equal importance and density 4/7.",
            how="spread of the losses of the three candidates of two features there",
            expected="0",
            tolerance="1e-9",
            measured=f"{spread[1.0]:.0e}",
            holds=spread[1.0] < 1e-9,
            evidence="closed form",
            control=Control("importance ratio 0.9", f"{spread[0.9]:.1e}", spread[0.9] < 1e-9),
        ),
        Claim(
            name="jump",
            statement="The derivative of the optimal loss jumps where candidates cross: a first-order transition.",
            how="by how much the slope of the cheapest candidate's loss falls at p* = 4/7, equal importances",
            expected=f"{slope:.4f}, that is |(1/3 - p*/2) - 2p*/3|",
            tolerance="1e-4",
            measured=f"{jump(APEX):.4f}",
            holds=abs(jump(APEX) - slope) < 1e-4,
            evidence="closed form",
            control=Control("density 0.4, inside a phase", f"{jump(0.4):.4f}", abs(jump(0.4) - slope) < 1e-4),
        ),
        Claim(
            name="first-order",
            statement="So does that of the true optimum, whose norms and biases adapt.",
            how="n = 2: relative jump of dL/d log p where the losses of two certified minima are equal",
            expected="first order (above 0.1 %) at every importance",
            tolerance="as stated",
            measured=", ".join(f"r {a:g}: {c:.0%} at {b:.4f}" for a, b, c in zip(ratio, value, fall, strict=True)),
            holds=set(ratio) == set(RATIOS) and bool((leaving["order"] == tg.exact.FIRST_ORDER).all()),
            evidence=f"{len(ratio)} transitions, each interval halved to at most {float(leaving['width'].max()):.0e}",
            control=Control(
                "the pair of equal features becoming lopsided",
                f"{float(lopsided['jump'].max()):.1%} at density {float(lopsided['value'].max()):.3f}",
                bool((lopsided["order"] == tg.exact.FIRST_ORDER).any()),
            ),
            note="The candidates' boundary lies lower: " + ", ".join(f"{x:.3f}" for x in theory) + ".",
        ),
    ]


def printed_claims(data: xr.Dataset) -> list[Claim]:
    """What can be read off the printed theory: superposition needs sparsity, and how much depends on importance."""
    p, r = data["density"].values, data["importance_ratio"].values
    pair = data["lowest_2"].transpose("density", "importance_ratio").values == "extra in a pair"
    highest, others = float(p[pair.any(axis=1)].max()), float(p[~pair.all(axis=1)].max())
    cell = float(p[1] / p[0])
    left, middle = (float(p[pair[:, int(abs(np.log(r / at)).argmin())]].max()) for at in (0.1, 1.0))
    return [
        Claim(
            name="needs-sparsity",
            statement="Superposition needs sparsity: in dense worlds no importance makes a pair worthwhile.",
            how="highest density of the map of two features at which a pair is cheapest, over all importances",
            expected=f"at most 4/7 = {APEX:.4f}",
            tolerance="none",
            measured=f"{highest:.4f}",
            holds=highest <= APEX,
            evidence=f"{pair.size} cells, closed form",
            control=Control("a dropped or dedicated feature instead", f"{others:.4f}", others <= APEX),
        ),
        Claim(
            name="printed",
            statement="How much sparsity depends on importance: the printed panel has 0.166 at 0.1x and 0.58 at its apex.",
            how="boundary of the pair in the map of two features at relative importance 0.1 and 1",
            expected="0.166, 0.58 (read off the figure; 0.1600 and 0.5714 by the formulas)",
            tolerance=f"5 %, and a grid cell of {100 * (cell - 1):.1f} %",
            measured=f"{left:.4f}, {middle:.4f}",
            holds=bool(abs(left / 0.166 - 1) < 0.05 + cell - 1 and abs(middle / 0.58 - 1) < 0.05 + cell - 1),
            evidence=f"{p.size} densities, closed form",
            control=Control(
                "equal importance in place of 0.1x", f"{middle:.4f}", bool(abs(middle / 0.166 - 1) < 0.05 + cell - 1)
            ),
        ),
    ]


def triangle_claims(data: xr.Dataset) -> list[Claim]:
    """Whether the solution that the paper leaves out may be left out."""
    cheapest = set(data["lowest_3"].values.ravel()) | set(data["lowest_4"].values.ravel())
    loss = data["curve_loss"]
    certified, triangle, pair, dropped = (loss.sel(curve=name).values for name in (OPTIMUM, TRIANGLE, PAIR, DROPPED))
    printed = np.minimum(dropped, loss.sel(curve=UNIT_PAIR).values)
    density, wins = data["equal_density"].values, triangle < np.minimum(pair, dropped)
    gain = 1 - certified / printed
    best = int(gain.argmax())
    off = abs(certified / np.minimum(np.minimum(triangle, pair), dropped) - 1).max()
    return [
        Claim(
            name="unit-simplices",
            statement="A triangle, W orthogonal to (1, 1, 1), need not be among the candidates.",
            how="the cheapest of all simplices of unit vectors without bias, three and four features",
            expected="a dropped feature or a pair everywhere",
            tolerance="none",
            measured=", ".join(sorted(cheapest)),
            holds=cheapest <= set(COLOURS),
            evidence=f"{2 * data['lowest_3'].size} cells, closed form",
            control=Control(
                "the best norm and bias instead, equal importances",
                f"triangle cheapest at {wins.sum()} of {wins.size} densities",
                not wins.any(),
            ),
        ),
        Claim(
            name="triangle",
            statement="Nor does the optimum of the loss itself use it.",
            how="n = 3, equal importances: densities at which the triangle costs less than a pair, both with the best norm and "
            "bias, and less than dropping a feature",
            expected="none",
            tolerance="none",
            measured=f"density {density[wins].min():.2f} to {density[wins].max():.2f}" if wins.any() else "none",
            holds=not wins.any(),
            evidence=f"{density.size} densities; the certified optimum is within {off:.0e} of the lowest of these",
            disagreement=Disagreement(
                f"dropping a feature, {printed[best]:.5f}, or a pair (density {density[best]:.2f}); the triangle is left out",
                f"the triangle, {certified[best]:.5f}, {gain[best]:.0%} less",
                f"It is lowest even where every feature is always on: {certified[-1]:.5f} against {printed[-1]:.5f}.",
            ),
        ),
    ]


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of the two theoretical figures."""
    linear = linear_lowest(data)
    share = {
        name: float((cells == "extra in a pair").mean()) for name, cells in (("relu", data["lowest_2"]), ("linear", linear))
    }
    return [
        map_claim(2, data, "linear outputs", linear),
        map_claim(3, data, "the map of two features", data["lowest_2"].values),
        map_claim(4, data, "the map of two features", data["lowest_2"].values),
        Claim(
            name="needs-relu",
            statement="Superposition can pay only because of the ReLU.",
            how="share of the map of two features in which the antipodal pair is cheapest",
            expected="above 0",
            tolerance="none",
            measured=f"{share['relu']:.0%}",
            holds=share["relu"] > 0,
            evidence=f"{linear.size} cells, closed form",
            control=Control("linear outputs", f"{share['linear']:.0%}", share["linear"] > 0),
        ),
        *printed_claims(data),
        *crossing_claims(data),
        *triangle_claims(data),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The maps and the curves at equal importance."""
    maps = {f"{n} features, {n - 1} dimension{'s' * (n > 2)}": data[f"lowest_{n}"] for n in SIZES[:2]}
    relative = data["curve_loss"] / data["curve_loss"].sel(curve=DROPPED, drop=True)
    curves = {str(name): relative.sel(curve=name, drop=True) for name in data["curve"].values}
    curves = {name: curve.where(curve < SHOWN) for name, curve in curves.items()}
    return {
        "theory": Figure(
            category_panels(maps, COLOURS),
            "The cheapest of the candidate solutions, importances (1, ..., 1, r) with r the extra feature's. Four features in "
            "three dimensions give the same map as three in two. With two features there are no two others to pair: the "
            "boundary turns down again on the right.",
        ),
        "curves": Figure(
            curve_panel(curves, "feature density 1 − S", "expected loss / loss of dropping one"),
            "Three equally important features in two dimensions, relative to dropping one. The paper's candidates (dropped, "
            "pair) cross at 4/7. The certified optimum follows the pair with its best norm and bias in sparse worlds, and "
            "above half density the triangle, which the paper does not consider.",
        ),
    }


experiment = Experiment(
    __name__,
    title="The phase diagram in theory: dropped, paired or alone",
    paper="Section 3, theoretical phase diagrams (F10, F13)",
    seconds={"quick": 3, "paper": 5},
    study=study,
    figures=figures,
    claims=claims,
    order=1,
)
