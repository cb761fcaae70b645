"""What little coherence costs: P(c), the lowest loss of W whose columns have |cos| <= c, a staircase.

Open problem O4.  k lines in a plane have two at an angle of at most 180 / k degrees, so that with a coherence c < cos(180 / (k
+ 1)) at most k of n features can be stored in m = 2 dimensions; every other column is 0 and costs at least v = p/3 - p^2/4.  P
falls by a jump where one more fits, at c = cos 60 = 1/2, cos 45, cos 36 degrees; for c < 1/2 two orthogonal features are
stored and P = (n - 2) v.

At each c the loss is minimised under `tegum.exact.Coherence` from 3 starts (paper profile 24), from a regular polygon that is
bent until it uses the coherence allowed, which random starts hardly ever find, from the best at the next smaller c, which is
allowed at c as well (so that P can only fall), and from the best at the next larger one.  From 1/2 on the lowest are certified
locally, along what the constraint allows.  The regular polygon, the model at the smallest c where something is lower, and the
one at c = 0.95 are followed in c; kinks are where the branches that are lowest on either side cost the same.
"""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import IDENTITY, Claim, Evidence, above, answer, at_least, below, equal, falling, near
from tegum.datasets import Status
from tegum.exact import Branch, Coherence
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures.marked_curves import MarkedCurve, marked_panels
from tegum.geometry import polygon
from tegum.theory import dropped_loss

ANSWER = answer("O4")
STARTS: dict[Profile, int] = {"quick": 3, "paper": 24}
PROBLEMS = {"(3, 2), S = 0.9": (3, 0.1), "(5, 2), S = 0.7": (5, 0.3), "(5, 2), S = 0.9": (5, 0.1), "(3, 2), S = 0.5": (3, 0.5)}
COUNT: dict[Profile, int] = {"quick": 3, "paper": 4}
"""How many of the problems a profile has."""
STEPS = [np.cos(np.pi / k) for k in (3, 4, 5)]
COARSE = [0.25, 0.6, 0.75, 0.92, 0.94, 0.95, 0.98, 1.0]
LIMITS: dict[Profile, list[float]] = {"quick": COARSE, "paper": [*COARSE, *np.round(np.linspace(0.52, 0.98, 47), 3)]}
BELOW, STORED, TOL, SAME, ASIDE = 1e-3, 1e-3, 1e-8, 1e-7, 0.09
OWN = ["feature_density", "feature_importance"]
OPEN = 0.95
"""Where the branch begins that is the last to take over."""
KINKS = {"(3, 2), S = 0.9": [0.5985935], "(5, 2), S = 0.7": [0.9108579, 0.9456900], "(3, 2), S = 0.5": [0.9095430]}
"""Where the lowest changes its shape above the last step; nowhere if the regular polygon is the lowest of all."""
MOST_KINKS, TWICE, BETWEEN = 2, "(5, 2), S = 0.7", 0.94
"""The problem with two kinks, and a limit between them."""


def limits_of(profile: Profile) -> NDArray[np.float64]:
    """The values of c: a grid, and each step from both sides."""
    return np.unique([*LIMITS[profile], *STEPS, *(step - BELOW for step in STEPS)])


def bent(n: int, c: float) -> NDArray[np.float64]:
    """A polygon of which two features stand so much nearer to the first that the closest lines have the coherence c."""
    angle = 2 * np.pi * np.arange(n) / n
    angle[[1, -1]] += np.array([-1, 1]) * (np.pi / n - np.arccos(c))
    return np.stack([np.cos(angle), np.sin(angle)])


def frontier(n: int, p: float, limits: NDArray[np.float64], starts: int) -> xr.Dataset:
    """The best model found at every c, ascending, of random starts of its own, a bent polygon and its neighbours' models."""
    net, features, best = tg.nets.ReluOutput(n, 2), tg.features.Independent(n, density=p), list[xr.Dataset]()

    def ends(c: float, seeds: int | tuple[int, ...], at: xr.Dataset | None = None, certify: bool = False) -> xr.Dataset:
        options: dict[str, Any] = {} if at is None else {"initial": {name: at[name].values for name in ("W", "b")}}
        options |= {"constraints": [Coherence(c)], "certify": certify, "progress": False}
        found = tg.exact.minimise(net, features, seeds=seeds, **options)
        return found[["W", "b", "loss", "curvature", "status"]].drop_vars(["start", *OWN], errors="ignore")

    def lower(*tries: xr.Dataset) -> xr.Dataset:
        every = xr.concat(tries, "seed", coords="minimal", compat="override")
        return tg.best(every).drop_vars("seed")

    for k, c in enumerate(limits.tolist()):
        own = tuple(range(k * starts, (k + 1) * starts))
        others = [xr.Dataset({"W": (("hidden", "feature"), bent(n, c)), "b": ("feature", np.zeros(n))}), *best[-1:]]
        best.append(lower(ends(c, own), *(ends(c, 1, one) for one in others)))
    for k in range(limits.size - 2, -1, -1):
        best[k] = lower(best[k].expand_dims(seed=[0]), ends(limits[k], 1, best[k + 1]))
    for k in np.flatnonzero(limits >= STEPS[0]).tolist():
        certified = ends(limits[k], 1, best[k], certify=True).isel(seed=0, drop=True)
        if certified["status"] != Status.NOT_CONVERGED:  # else no certificate: its curvature stays unknown
            best[k] = certified
    return xr.concat(best, "c", coords="minimal", compat="override").assign_coords(c=limits)


def followed(n: int, p: float, start: xr.Dataset, values: NDArray[np.float64]) -> Branch:
    """One solution along c."""
    features = tg.features.Independent(n, density=p)
    return tg.exact.follow(
        tg.nets.ReluOutput(n, 2),
        lambda _: features,
        start["W"].values,
        start["b"].values,
        values,
        field="c",
        constraints=lambda c: [Coherence(c)],
        progress=False,
    )


def kinks(n: int, p: float, found: xr.Dataset, regular: xr.Dataset) -> list[tuple[float, float]]:
    """Where the lowest branch changes, from the regular polygon on, and the loss there; nowhere where that stays lowest."""
    lower = found["c"].values[(found["c"] <= OPEN) & (found["loss"] < regular["loss"] * (1 - SAME))]
    if not lower.size:
        return []
    begins, start = np.cos(np.pi / n) + ASIDE, float(lower[0])
    first, last = found.sel(c=start), found.sel(c=OPEN)
    flat = followed(n, p, regular, np.array([begins, OPEN]))
    final = followed(n, p, last, np.unique([begins, start, OPEN])[::-1])
    if float(final.data["loss"].sel(c=start)) <= float(first["loss"]) * (1 + SAME):
        pairs = [(flat, final)]
    else:
        down, up = (followed(n, p, first, np.array([start, end])) for end in (begins, OPEN))
        pairs = [(flat, down), (up, final)]
    places = [tg.exact.crossing(*ways, tol=TOL, progress=False) for ways in pairs]
    return [(one, ways[0].minimum(one).objective) for one, ways in zip(places, pairs, strict=True)]


def study(profile: Profile) -> xr.Dataset:
    """P over (problem, c), the models behind it, what the regular polygon costs, and the kinks."""
    limits, parts = limits_of(profile), list[xr.Dataset]()
    names = list(PROBLEMS)[: COUNT[profile]]
    for n, p in (PROBLEMS[name] for name in names):
        found = frontier(n, p, limits, STARTS[profile])
        net, features, first = tg.nets.ReluOutput(n, 2), tg.features.Independent(n, density=p), {"W": polygon(n)}
        regular = tg.exact.minimise(net, features, seeds=1, initial=first, progress=False).isel(seed=0)
        changes = np.full((MOST_KINKS, 2), np.nan)
        for k, change in enumerate(kinks(n, p, found, regular)):
            changes[k] = change
        stored = (np.linalg.norm(found["W"].transpose("c", "hidden", "feature").values, axis=1) > STORED).sum(axis=1)
        unit = (n - 2) * float(dropped_loss(p))
        part = found.assign(stored=("c", stored), regular=float(regular["loss"]) / unit)
        part = part.assign(kink=("place", changes[:, 0]), kink_share=("place", changes[:, 1] / unit))
        part["loss"] = part["loss"] / unit
        parts.append(part.pad(feature=(0, 5 - n), constant_values=np.nan))
    data = xr.concat(parts, "problem", combine_attrs="drop_conflicts").assign_coords(problem=names)
    data = data.rename(loss="share", feature="padded_feature")
    return data.assign_attrs(starts=STARTS[profile])


def most_stored(c: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many lines in the plane have |cos| <= c in pairs."""
    angle = np.arccos(np.minimum(c, 1 - 1e-12))
    return np.asarray(np.floor(np.pi / angle + 1e-9), dtype=np.int64)


def room(stored: xr.DataArray) -> int:
    """How many more features could be stored, at the c where that is least."""
    return int((most_stored(stored["c"].values) - stored.transpose(..., "c").values).min())


def jumps(data: xr.Dataset) -> NDArray[np.float64]:
    """By how much P falls at the steps that a problem has, relative to before."""
    found = []
    for name in data["problem"].values.tolist():
        n, share = PROBLEMS[name][0], data["share"].sel(problem=name)
        found += [float(1 - share.sel(c=one) / share.sel(c=one - BELOW)) for one in STEPS[: n - 2]]
    return np.array(found)


def smooth_falls(data: xr.Dataset) -> NDArray[np.float64]:
    """The same where there is no step: from 0.25 to just below 1/2."""
    share = data["share"]
    return np.asarray(1 - share.sel(c=STEPS[0] - BELOW) / share.sel(c=0.25)).ravel()


def unevenness(data: xr.Dataset, ends: dict[str, float]) -> dict[str, float]:
    """By problem, how far P is from what the regular polygon costs, relative, from its step up to an end."""
    apart = abs(data["share"] / data["regular"] - 1)
    steps = {name: STEPS[n - 3] for name, (n, _) in PROBLEMS.items()}
    return {name: float(apart.sel(problem=name, c=slice(steps[name], end)).max()) for name, end in ends.items()}


def smallest_free(share: xr.DataArray) -> float:
    """The smallest c at which P is what it is at the largest."""
    return float(share["c"].values[(share <= share[-1] * (1 + 1e-7)).values][0])


def claims(data: xr.Dataset) -> list[Claim]:
    """The steps, the treads, the kinks, the smallest coherence that costs nothing, and that P never rises."""
    starts = int(data.attrs["starts"])
    evidence = Evidence(f"lowest of {starts + 3} starts at each of {data.sizes['c']} limits, certified locally")
    names, share = data["problem"].values.tolist(), data["share"]
    kinked = [name for name in names if name in KINKS]
    places = {name: data["kink"].sel(problem=name).dropna("place").values for name in kinked}
    flat = {name: float(KINKS[name][0]) if name in KINKS else 1.0 for name in names}
    last = share.isel(c=-1)
    certified = data["curvature"].where(data["c"] >= STEPS[0], drop=True).values
    return [
        Claim(
            "two-below-a-half",
            "Below a coherence of 1/2 two orthogonal features are stored, and P is (n − 2) v.",
            source=ANSWER,
            how="P / (n − 2) v at all c below 1/2",
            measure=lambda values: values.values,
            expect=near(1, 1e-9),
            of=share.sel(c=share["c"] < STEPS[0]),
            against={"c from 1/2 to 0.7": share.sel(c=(share["c"] >= STEPS[0]) & (share["c"] < 0.7))},
            evidence=Evidence(
                "proved: of three lines in a plane two are at 60° or less, and a feature that is not stored costs v"
            ),
        ),
        Claim(
            "lines-in-a-plane",
            "At most 180° / arccos c features are stored.",
            source=IDENTITY,
            how="how many more could be stored, at the c where that is least",
            measure=room,
            expect=at_least(0),
            of=data["stored"],
            against={"what is stored at c = 1": data["stored"].isel(c=[-1] * data.sizes["c"]).assign_coords(c=data["c"])},
            evidence=evidence,
        ),
        Claim(
            "jumps",
            "P jumps where one more feature fits: at 1/2, cos 45° and cos 36°.",
            source=ANSWER,
            how=f"fall of P within {BELOW:g} before each of the steps, relative: one with three features, three with five",
            measure=lambda falls: falls,
            expect=at_least(0.01, "%"),
            of=jumps(data),
            against={"from c = 0.25 to 0.499": smooth_falls(data)},
            evidence=evidence,
        ),
        Claim(
            "flat-treads",
            "From its step to the first kink P is flat: nothing is cheaper than the regular polygon.",
            source=ANSWER,
            how="largest distance of P from what the regular polygon costs, relative, over c and problems",
            measure=lambda ends: max(unevenness(data, ends).values()),
            expect=below(SAME),
            of=flat,
            against={f"up to c = {OPEN:g}": dict.fromkeys(names, OPEN)},
            evidence=evidence,
        ),
        Claim(
            "kinks",
            f"P has one kink above its last step, and two at {TWICE}; none where the regular polygon is the lowest of all.",
            source=ANSWER,
            how="c at which the branches that are lowest on either side cost the same: " + "; ".join(kinked),
            measure=lambda values: np.concatenate(list(values.values())),
            expect=near(np.concatenate([KINKS[name] for name in kinked]), 1e-6),
            of=places,
            against={
                "the steps": {name: np.full(len(KINKS[name]), np.cos(np.pi / PROBLEMS[name][0])) for name in kinked},
            },
            evidence=Evidence(f"two or three exact branches each, their crossings to {TOL:g}"),
        ),
        Claim(
            "bent-then-dropped",
            f"At {TWICE} a bent pentagon is the lowest between the kinks, and beyond them a model that drops a feature.",
            source=ANSWER,
            how=f"features stored at c = {BETWEEN:g} and {OPEN:g}",
            measure=lambda name: data["stored"].sel(problem=name, c=[BETWEEN, OPEN]).values,
            expect=equal([5, 4]),
            of=TWICE,
            against={"(5, 2), S = 0.9": "(5, 2), S = 0.9"},
            evidence=evidence,
        ),
        Claim(
            "costs-nothing",
            "The smallest coherence that costs nothing is cos 36° at (5, 2), S = 0.9, where the pentagon is the lowest "
            "of all, and 1 where "
            "pairs of opposites are.",
            source=ANSWER,
            how="smallest c of the grid at which P is P(1)",
            measure=lambda values: [smallest_free(values.sel(problem=name)) for name in names],
            expect=near([np.cos(np.pi / 5) if name == "(5, 2), S = 0.9" else 1.0 for name in names], 1e-9),
            of=share,
            against={"if 6 % more were nothing": share.where(share > 1.06 * last, last)},
            evidence=evidence,
        ),
        Claim(
            "all-are-minima",
            "From c = 1/2 on the lowest are minima along what the constraint allows.",
            source=ANSWER,
            how="smallest curvature there, least over c and problems; how many have no certificate",
            measure=lambda curvature: {"curvature": float(np.nanmin(curvature)), "without": int(np.isnan(curvature).sum())},
            expect={"curvature": above(-1e-6), "without": equal(0)},
            of=certified,
            against={"the other way up, the first lost": np.where(np.arange(certified.shape[-1]) == 0, np.nan, -certified)},
            evidence=evidence,
        ),
        Claim(
            "never-rises",
            "P never rises with c.",
            source=IDENTITY,
            how="P / (n − 2) v along c, of each problem",
            measure=lambda values: {str(one): values.sel(problem=one).values for one in values["problem"].values},
            expect={name: falling(strictly=False) for name in names},
            of=share.copy(data=np.round(share.values, 10)),
            against={"backwards": share.copy(data=share.values[:, ::-1])},
            evidence=evidence,
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The frontiers with their steps and kinks, and the models on the treads."""
    panels, c = dict[str, list[MarkedCurve]](), data["c"].values
    for name in data["problem"].values.tolist():
        n, share = PROBLEMS[name][0], data["share"].sel(problem=name)
        steps = STEPS[: n - 2]
        at = np.searchsorted(c, steps)
        marks = [[one, float(share.sel(c=one))] for one in steps]
        texts = [f"{k} features fit from here on" for k in range(3, n + 1)]
        x, y = np.insert(c, at, steps), np.insert(share.values, at, np.nan)
        own = data.sel(problem=name).dropna("place", subset=["kink"])
        for where, cost in zip(own["kink"].values.tolist(), own["kink_share"].values.tolist(), strict=True):
            marks.append([where, cost])
            texts.append(f"another shape becomes the cheapest, c = {where:.7f}")
            after = int(np.searchsorted(x, where))
            x, y = np.insert(x, after, where), np.insert(y, after, cost)
        panels[name] = [MarkedCurve("P(c) / (n − 2) v", x, y, np.array(marks), texts)]
    picked = {f"n = {name[1]}{name[6:]}, c = {one:.3g}": data["W"].sel(problem=name, c=one) for name, one in DRAWN}
    W = np.nan_to_num(np.array([one.transpose("hidden", "padded_feature").values for one in picked.values()]))
    return {
        "frontier": Figure(
            marked_panels(
                panels, "largest coherence allowed, c", "P / (n − 2) v", columns=2, height=430 if len(panels) <= 2 else 760
            ),
            "The lowest loss of W whose columns have |cos| ≤ c, in units of storing two orthogonal features. It jumps "
            "where one more "
            "line fits into the plane (1/2, cos 45°, cos 36°), and has kinks where the regular polygon is overtaken, and "
            "where a bent one is (circles).",
        ),
        "models": Figure(
            tg.figures.arrow_panels(xr.Dataset({"W": (("model", "hidden", "feature"), W)}, {"model": list(picked)}), "model"),
            "The cheapest models found, one for each tread of the staircase.",
        ),
    }


DRAWN: list[tuple[str, Any]] = [
    ("(3, 2), S = 0.9", STEPS[0]),
    ("(3, 2), S = 0.9", 0.92),
    ("(5, 2), S = 0.7", 0.25),
    ("(5, 2), S = 0.7", STEPS[1]),
    ("(5, 2), S = 0.7", STEPS[2]),
    ("(5, 2), S = 0.7", BETWEEN),
    ("(5, 2), S = 0.7", 1.0),
]
"""Which models the figure shows."""

experiment = Experiment(
    __name__,
    title="What little coherence costs: a staircase, and the smallest coherence that is free",
    paper="Open problem O4",
    seconds={"quick": 16, "paper": 460},
    order=4,
)
