"""Does a penalty on interference lower the coherence of every minimiser?  For three features in two dimensions, yes.

Open problem O44.  Of all pairs of features, R sums up <W_i, W_j>^2 and the coherence mu is the largest |cos|; minimisers of
L + lambda R are to lose less than storing m features and dropping the others, (n - m) v, v = p/3 - p^2/4.

1. An explicit quadruple (n, m, S, lambda) at which every minimiser is less coherent than every one of L?  Without a penalty
(3, 2)    stores a pair of opposites, mu = 1, beside a dedicated feature.  To leading order in p a pair costs 2 v t / (1 + t)
and a triangle    1.5 v t / (1 + t / 2), t = lambda / v: the triangle, mu = 1/2, is less for every t < 1; what it costs at t =
0 is of order p^2.    Both are minimised and followed along lambda, to where they cost the same. 2. The map lambda ->
coherences of the minima at (5, 2), S = 0.999: pentagon, two pairs and triangle are followed.

All minima that 12 starts find (paper profile 64) at seven weights say what else there is; the lowest are certified locally.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

import tegum as tg
from tegum.claims import IDENTITY, Claim, Evidence, above, answer, below, near, rising
from tegum.exact import Branch
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.open_problems.shared import certified
from tegum.figures.marked_curves import MarkedCurve, marked_panels
from tegum.geometry import polygon
from tegum.theory import dropped_loss
from tegum.theory.stored_pair import pair_limit

ANSWER = answer("O44")
STARTS: dict[Profile, int] = {"quick": 12, "paper": 64}
SPARSE, FEW = 0.001, 0.1
"""Densities of (5, 2) and of (3, 2)."""
WEIGHTS = np.array([0.0, 0.1, 0.3, 0.4, 0.6, 0.8, 0.95])
"""Weights of the penalty, in units of v."""
PENALTY = 0.1
"""The weight of the quadruple, in units of v."""
WINDOWS = {3: [(0.0, 0.3), (0.4, 0.8)], 5: [(0.1, 0.3)]}
"""By n, between which weights the branches cost the same once."""
CROSSING = {3: [0.0344901, 0.6815527], 5: [0.2409133]}
"""There."""
NONZERO, SAME, TOL = 1e-4, 1e-6, 1e-8
PROBLEMS: dict[str, tuple[int, float]] = {"(3, 2), S = 0.9": (3, FEW), "(5, 2), S = 0.999": (5, SPARSE)}
PAIRS, TRIANGLE, PENTAGON = "pairs of opposites", "triangle", "pentagon"
BRANCHES: dict[str, dict[str, tuple[Any, float]]] = {
    "(3, 2), S = 0.9": {PAIRS: ([[1, -1, 0], [0, 0, 1]], 0.0), TRIANGLE: (polygon(3), 0.0)},
    "(5, 2), S = 0.999": {
        PENTAGON: (1.17 * polygon(5), 0.0),
        PAIRS: ([[1, -1, 0, 0, 0], [0, 0, 1, -1, 0]], 0.3),
        TRIANGLE: (np.pad(polygon(3), ((0, 0), (0, 2))), 0.8),
    },
}
"""Where branches begin: weights, and the weight of the penalty at which they are minimised first."""
DRAWN = [(3, PAIRS, 0.0), (3, TRIANGLE, 0.1), (5, PENTAGON, 0.0), (5, PAIRS, 0.4), (5, TRIANGLE, 0.8)]


def coherence(W: ArrayLike) -> NDArray[np.float64]:
    """The largest |cos| between two columns that are stored, shape (...)."""
    W = np.asarray(W, dtype=np.float64)
    return np.asarray(tg.geometry.coherence(np.where(np.linalg.norm(W, axis=-2, keepdims=True) > NONZERO, W, 0)))


def interference(W: ArrayLike) -> NDArray[np.float64]:
    """R: the sum of <W_i, W_j>^2 over ordered pairs, shape (...)."""
    G = np.swapaxes(np.asarray(W), -1, -2) @ np.asarray(W)
    return np.asarray((G**2).sum(axis=(-2, -1)) - (np.diagonal(G, axis1=-2, axis2=-1) ** 2).sum(axis=-1))


def branches(name: str) -> dict[str, list[Branch]]:
    """The branches of one problem along lambda / v, each downwards and upwards from where it is minimised first."""
    n, p = PROBLEMS[name]
    net, features, v = tg.nets.ReluOutput(n, 2), tg.features.Independent(n, density=p), float(dropped_loss(p))
    found = {}
    for kind, (W, start) in BRANCHES[name].items():
        penalty = [tg.exact.Interference(start * v)] if start else []
        b = np.where(np.linalg.norm(W, axis=0) > 0, 0.0, p / 2)
        first = tg.exact.minimise(net, features, seeds=1, initial={"W": W, "b": b}, penalties=penalty, progress=False).isel(
            seed=0
        )
        ways = [WEIGHTS[start >= WEIGHTS][::-1], WEIGHTS[start <= WEIGHTS]]
        found[kind] = [
            tg.exact.follow(
                net,
                lambda _: features,
                first["W"].values,
                first["b"].values,
                way,
                field="weight",
                penalties=lambda t: [tg.exact.Interference(t * v)] if t else [],
                gradient_tolerance=1e-11,
                progress=False,
            )
            for way in ways
            if way.size > 1
        ]
    return found


def study(profile: Profile) -> xr.Dataset:
    """Branches and all minima found, along the weight of the penalty, of both problems."""
    parts = dict[str, Any]()
    for name, (n, p) in PROBLEMS.items():
        net, features, v = tg.nets.ReluOutput(n, 2), tg.features.Independent(n, density=p), float(dropped_loss(p))
        followed = branches(name)
        for kind, ways in followed.items():
            rows = xr.concat([way.data[["W", "b", "loss"]] for way in ways], "weight").drop_duplicates("weight")
            parts |= named(f"{n} {kind}", rows.sortby("weight").assign(objective=objective(rows.sortby("weight"), v)), n)
        first, second = [ways for kind, ways in followed.items() if kind != TRIANGLE or n == 3]
        each = [tg.exact.crossing(first[-1], second[0], tol=TOL, between=one, progress=False) for one in WINDOWS[n]]
        parts[f"{n} crossing"] = xr.DataArray(each, dims=f"crossing of {n}")
        options: dict[str, Any] = {"seeds": STARTS[profile], "gradient_tolerance": 1e-10, "progress": False}
        census = [
            tg.exact.minimise(net, features, penalties=[tg.exact.Interference(t * v)] if t else [], **options)[
                ["W", "b", "loss", "status"]
            ]
            for t in WEIGHTS
        ]
        found = xr.concat(census, "weight").assign_coords(weight=WEIGHTS)
        parts |= named(f"{n} found", found.assign(objective=objective(found, v)), n)
    return xr.Dataset(parts).assign_attrs(starts=STARTS[profile])


def objective(data: xr.Dataset, v: float) -> xr.DataArray:
    """L + lambda R of models along ``weight``."""
    return data["loss"] + data["weight"] * v * data["loss"].copy(data=interference(data["W"].values))


def named(name: str, data: xr.Dataset, n: int) -> dict[str, xr.DataArray]:
    """The variables of a part of the dataset, whose axes are its own."""
    own = {"feature": f"feature of {n}"} | ({} if "seed" in data.dims else {"weight": f"weight of {name}"})
    plain = data.drop_vars(["feature_density", "feature_importance", "start"], errors="ignore")
    return {
        f"{name} {one}": plain[one].rename({old: new for old, new in own.items() if old in plain[one].dims}) for one in plain
    }


def lowest(data: xr.Dataset, n: int, t: float) -> dict[str, Any]:
    """Of all starts that reached the lowest objective at a weight: coherences, loss in units of (n - m) v, R; a status."""
    at = data.sel(weight=t)
    score = at[f"{n} found objective"].values
    best = score <= score.min() * (1 + SAME)
    W, v = at[f"{n} found W"].values[best], float(dropped_loss(dict(PROBLEMS.values())[n]))
    loss = at[f"{n} found loss"].values[best] / ((n - 2) * v)
    status = at[f"{n} found status"].values[score.argmin()]
    return {"coherence": coherence(W), "loss": loss, "R": interference(W), "status": status}


def before_and_after(data: xr.Dataset, n: int, t: float) -> dict[str, Any]:
    """Coherence of all lowest minimisers without a penalty and at a weight, and the highest loss of the latter."""
    before, after = lowest(data, n, 0.0), lowest(data, n, t)
    return {
        "least before": float(before["coherence"].min()),
        "most after": float(after["coherence"].max()),
        "loss": float(after["loss"].max()),
    }


def claims(data: xr.Dataset) -> list[Claim]:
    """The quadruple, where it begins, the map at (5, 2), and the laws of a penalty."""
    starts = int(data.attrs["starts"])
    ways = Evidence(f"two exact branches, their crossing to {TOL:g}")
    rows = {n: [lowest(data, n, float(t)) for t in WEIGHTS] for n in (3, 5)}
    status = certified([row["status"] for n in rows for row in rows[n]])
    evidence = Evidence(f"lowest of {starts} starts at each of {WEIGHTS.size} weights, {status}")
    path = {
        n: {one: np.array([float(np.mean(row[one])) for row in rows[n]]) for one in ("coherence", "loss", "R")} for n in (3, 5)
    }
    triangle = data[f"5 {TRIANGLE} objective"].values, data[f"weight of 5 {TRIANGLE}"].values
    best = np.array([data["5 found objective"].sel(weight=t).min() for t in WEIGHTS])
    shared = np.isin(triangle[1], WEIGHTS)
    above_best = triangle[0][shared] - best[np.isin(WEIGHTS, triangle[1])]
    return [
        Claim(
            "quadruple",
            f"At n = 3, m = 2, S = 0.9, λ = {PENALTY:g} v every lowest minimiser of L + λR is less coherent than every "
            "one of L, and "
            "loses less than v.",
            source=ANSWER,
            how="coherence of all starts that reached the lowest: least without penalty, most with it; highest loss / "
            "(n − m) v then",
            measure=lambda at: before_and_after(data, *at),
            expect={"least before": near(1, 1e-6), "most after": near(0.5, 1e-6), "loss": below(0.999)},
            of=(3, PENALTY),
            against={"n = 5, S = 0.999": (5, PENALTY), "λ = 0.95 v": (3, 0.95)},
            evidence=evidence,
        ),
        Claim(
            "where-the-triangle-wins",
            "The triangle costs less than a pair and a dedicated feature between two weights.",
            source=ANSWER,
            how="both λ / v at which L + λR of the branches are equal, at n = 3, m = 2, S = 0.9",
            measure=lambda values: values.values,
            expect=near(CROSSING[3], 1e-6),
            of=data["3 crossing"],
            against={"weights in units of λ of the leading order, 0 and 1": xr.DataArray([0.0, 1.0])},
            evidence=ways,
        ),
        Claim(
            "map-of-five",
            "At n = 5, m = 2, S = 0.999 the coherence of the lowest minimisers rises from cos 36° to 1 where pairs "
            "take over from the "
            "pentagon.",
            source=ANSWER,
            how=f"coherence of the lowest at λ / v = {WEIGHTS[0]:g} and {WEIGHTS[-1]:g}, and λ / v where the branches cross",
            measure=lambda parts: {"first": parts[0][0], "last": parts[0][-1], "crossing": float(parts[1][0])},
            expect={"first": near(np.cos(np.pi / 5), 1e-6), "last": near(1, 1e-6), "crossing": near(CROSSING[5][0], 1e-6)},
            of=(path[5]["coherence"], data["5 crossing"]),
            against={"n = 3, S = 0.9": (path[3]["coherence"], data["3 crossing"])},
            evidence=ways.adding(evidence.words),
        ),
        Claim(
            "triangle-second",
            "There a triangle, followed from one weight to the next, is never the lowest.",
            source=ANSWER,
            how="by how much L + λR of the followed triangle is above the lowest found, relative, at its weights",
            measure=lambda gap: gap,
            expect=above(0),
            of=above_best / best[np.isin(WEIGHTS, triangle[1])],
            against={"the lowest itself": 0 * above_best},
            evidence=evidence,
        ),
        Claim(
            "laws",
            "Along the lowest minimisers R never rises with λ, and L never falls.",
            source=IDENTITY,
            how="R, downwards, and L at all weights of both problems",
            measure=lambda each: {
                f"{name}, n = {n}": sign * each[n][name] for n in (3, 5) for name, sign in (("loss", 1), ("R", -1))
            },
            expect={f"{name}, n = {n}": rising(strictly=False) for n in (3, 5) for name in ("loss", "R")},
            of=path,
            against={"weights in reverse": {n: {name: one[::-1] for name, one in own.items()} for n, own in path.items()}},
            evidence=evidence,
        ),
    ]


def visited_coherences(
    data: xr.Dataset, n: int, p: float, kinds: tuple[str, str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The coherence of the lower of two branches along lambda / v; NaN where one takes over from the other.

    Pairs stay opposite when they become unequal, where their branch ends, and up to where they are lost: from there on two
    orthogonal features are stored.
    """
    ends, lost = [0.0, *data[f"{n} crossing"].values, WEIGHTS[-1]], float(pair_limit(p)["weight"] / dropped_loss(p))
    visited, mu = list[float](), list[float]()
    for k, (low, high) in enumerate(pairwise(ends)):
        along, W = data[f"weight of {n} {kinds[k % 2]}"].values, data[f"{n} {kinds[k % 2]} W"]
        own = np.unique(np.append(along[(along > low) & (along < high)], [low, min(high, along.max())]))
        each = coherence(W.transpose(..., "hidden", f"feature of {n}").values)
        visited, mu = [*visited, *own], [*mu, *np.interp(own, along, each)]
        if own[-1] < high:
            visited, mu = [*visited, min(lost, high)], [*mu, 1.0]
            if lost < high:
                visited, mu = [*visited, lost, lost, high], [*mu, np.nan, 0.0, 0.0]
        visited, mu = [*visited, high], [*mu, np.nan]
    return np.array(visited), np.array(mu)


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """L + lambda R along the branches, the coherence of the lower one, and the geometries."""
    costs, maps = dict[str, list[MarkedCurve]](), dict[str, list[MarkedCurve]]()
    for name, (n, p) in PROBLEMS.items():
        v, where = float(dropped_loss(p)), data[f"{n} crossing"].values
        first, second = [kind for kind in BRANCHES[name] if kind != TRIANGLE or n == 3]
        costs[name] = []
        for kind in BRANCHES[name]:
            t, cost = data[f"weight of {n} {kind}"].values, data[f"{n} {kind} objective"].values / v
            marked = where if kind == first else where[:0]
            kinks = np.stack([marked, np.interp(marked, t, cost)], axis=-1)
            costs[name].append(MarkedCurve(kind, t, cost, kinks, [f"λ / v = {one:.8f}" for one in marked]))
        maps_of = visited_coherences(data, n, p, (first, second))
        maps[name] = [MarkedCurve("coherence of the lower branch", *maps_of)]
    drawn = {f"{kind}, n = {n}, λ = {t:g} v": (n, kind, t) for n, kind, t in DRAWN}
    W = np.zeros((len(drawn), 2, 5))
    for k, (n, kind, weight) in enumerate(drawn.values()):
        W[k, :, :n] = data[f"{n} {kind} W"].sel({f"weight of {n} {kind}": weight}).transpose("hidden", f"feature of {n}").values
    return {
        "branches": Figure(
            marked_panels(costs, "λ / v", "(L + λR) / v"),
            "Minima of L + λR followed along λ. Left: without a penalty a pair beside a dedicated feature costs less than a "
            "triangle, between the circles more. Right: pairs take over from the pentagon; the triangle stays above.",
        ),
        "map": Figure(
            marked_panels(maps, "λ / v", "coherence μ"),
            "The coherence of the lower of the two branches that cross: 1, 1/2 and 1 again with three features, until the "
            "pair is lost and two orthogonal features are left, from cos 36° up to 1 with five at S = 0.999.",
        ),
        "geometries": Figure(
            tg.figures.arrow_panels(xr.Dataset({"W": (("model", "hidden", "feature"), W)}, {"model": list(drawn)}), "model"),
            "The minima that are followed, an arrow for each feature that is stored.",
        ),
    }


experiment = Experiment(
    __name__,
    title="A penalty on interference can lower the coherence of every minimiser",
    paper="Open problem O44",
    seconds={"quick": 6, "paper": 40},
    order=44,
)
