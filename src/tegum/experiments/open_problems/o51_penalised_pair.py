"""Two features in one dimension under a penalty on interference: the phase diagram, and the surface that ends the pair.

Open problem O51.  n = 2, m = 1, importances (1, I), objective L + lambda R with R = 2 w_1^2 w_2^2.  Exchanging the two features
turns (I, lambda) into (1 / I, lambda / I) and divides the objective by I, so that I <= 1 is enough; the maps show both sides.

Twice, independently: tegum.exact minimises from six given starts at every point of a grid (paper profile: from 16 random ones
as well), and the minima are certified locally; and the surface lambda_c(I, S) comes from the closed form of
`tegum.theory.stored_pair`, lambda_c = sup (I v - L) / R.  At some points minima of tegum.exact are followed along lambda
besides, to where they cost the same or lose stability.  A feature is stored where its weight is above 1e-4; a pair is *unequal*
where the smaller weight is below 0.8 of the larger.  With equal importance the pair has equal weights up to lambda_e(S), found
by bisection as where its curvature against exchange reaches 0 or an unequal pair becomes lower.
"""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import IDENTITY, Claim, Evidence, above, answer, at_most, below, equal, near, share_at_least
from tegum.exact import Interference
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.open_problems.shared import TOL, certified
from tegum.figures.marked_curves import MarkedCurve, marked_panels
from tegum.figures.pair_maps import limit_panels, pair_panels
from tegum.theory import dropped_loss
from tegum.theory.stored_pair import descended_pair, pair_limit, stored_pair

PENALTIES = [0.0, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04]
MAP: dict[Profile, tuple[int, int]] = {"quick": (5, 7), "paper": (25, 33)}
"""Densities and importances of the maps."""
SURFACE: dict[Profile, tuple[int, int]] = {"quick": (13, 12), "paper": (97, 96)}
"""Densities and importances of the surface."""
SLICE: dict[Profile, int] = {"quick": 11, "paper": 65}
"""Densities of the slice of equal importance."""
ALONG: dict[Profile, int] = {"quick": 21, "paper": 121}
"""Penalties along which single minima are shown."""
STARTS = [(1, -0.9), (1, -0.4), (0.4, -1), (1, 0.1), (0.1, 1), (0.6, 0.7)]
RANDOM: dict[Profile, int] = {"quick": 0, "paper": 16}
SHOWN = [(1.0, 0.1), (1.0, 0.35), (0.5, 0.1), (0.9, 0.7)]
FOLLOWED: dict[Profile, list[tuple[float, float]]] = {
    "quick": [(0.9, 0.7), (1.0, 0.3)],
    "paper": [(0.9, 0.7), (1.0, 0.3), (1.0, 0.05), (0.5, 0.1), (0.3, 0.02), (0.7, 0.3), (0.95, 0.45), (1, 0.6), (1, 0.8)],
}
"""Importance and density where minima of tegum.exact are followed."""
ANSWER = answer("O51")
MEASURED = ("importance", "density", "value", "within", "closed_form", "fades")
STORED, UNEQUAL, BISECTIONS = 1e-4, 0.8, 12
DROPPED, DEDICATED, PAIR, LOPSIDED = "feature 1 alone", "feature 2 alone", "pair, nearly equal", "pair, unequal"
COLOURS = {DROPPED: "#e4e4e4", DEDICATED: "#bcd4ea", PAIR: "#ee9988", LOPSIDED: "#f3d27a"}
NET = tg.nets.ReluOutput(2, 1)
GRID = ("density", "importance_ratio")


def study(profile: Profile) -> xr.Dataset:
    """Minima on a grid at eight penalties, the surface, the slice of equal importance, and minima along the penalty."""
    rows, columns = MAP[profile]
    p, ratio = np.linspace(0.04, 0.96, rows), np.geomspace(0.2, 5, columns)
    found = xr.concat([minima(value, p, ratio, RANDOM[profile]) for value in PENALTIES], "penalty", join="override")
    data = found.assign_coords(penalty=PENALTIES, density=p, importance_ratio=ratio)
    data["geometry"] = geometries(data["W"])
    data["limit_at_cell"] = (GRID, pair_limit(p[:, None], ratio)["weight"])
    rows, columns = SURFACE[profile]
    at = {"surface_density": np.linspace(0.02, 0.98, rows), "surface_importance": np.linspace(1 / columns, 1, columns)}
    limit = pair_limit(at["surface_density"][:, None], at["surface_importance"])
    names = {"limit": limit["weight"], "fades": limit["fades"], "weight_lost": np.abs(limit["x"][..., 1])}
    data = data.assign_coords(at).assign({name: (tuple(at), values) for name, values in names.items()})
    parts = equal_importance(SLICE[profile]), along_penalties(ALONG[profile]), followed(FOLLOWED[profile])
    return xr.merge([data, *parts]).assign_attrs(random=RANDOM[profile])


def minima(penalty: float, p: NDArray[np.float64], ratio: NDArray[np.float64], random: int) -> xr.Dataset:
    """The lowest minimum of tegum.exact at each density and importance under one penalty."""
    sweep = {"density": list(p), "importance": [[1.0, value] for value in ratio]}
    how: dict[str, Any] = {"sweep": sweep, "penalties": [Interference(penalty)] if penalty else [], "progress": False}
    starts = {"W": np.array(STARTS, dtype=float)[:, None], "b": np.zeros((len(STARTS), 2))}
    runs = [tg.exact.minimise(NET, tg.features.Independent(2), seeds=len(STARTS), initial=starts, **how)]
    runs += [tg.exact.minimise(NET, tg.features.Independent(2), seeds=random, **how)] if random else []
    both = xr.concat(
        [run[["W", "b", "loss", "status", *(["objective"] if penalty else [])]] for run in runs], "seed", join="override"
    )
    value = both["objective"] if penalty else both["loss"]
    best = both.isel(seed=value.argmin("seed")).isel(hidden=0).rename(importance="importance_ratio")
    best["objective"] = value.min("seed").rename(importance="importance_ratio")
    best = best[["W", "b", "loss", "objective", "status"]].drop_vars(set(best.coords))
    weaker = (ratio == 1) & (abs(best["W"].isel(feature=0)) < abs(best["W"].isel(feature=1)))  # either may be the first
    return best.assign({name: best[name].isel(feature=[1, 0]).where(weaker, best[name]) for name in ("W", "b")})


def geometries(W: xr.DataArray) -> xr.DataArray:
    """What each pair of weights (..., feature) is called."""
    small, large = abs(W).min("feature"), abs(W).max("feature")
    alone = np.where(abs(W.isel(feature=0)) > abs(W.isel(feature=1)), DROPPED, DEDICATED)
    return small.copy(data=np.where(small < STORED, alone, np.where(small < UNEQUAL * large, LOPSIDED, PAIR)))


def equal_importance(count: int) -> xr.Dataset:
    """With equal importance, by density: up to which penalty the pair has equal weights, and up to which it is stored."""
    p = np.linspace(0.02, 0.98, count)
    limit = pair_limit(p)
    low, high = np.zeros(count), limit["weight"].copy()
    for _ in range(40):
        middle = (low + high) / 2
        equal = stays_equal(p, middle)
        low, high = np.where(equal, middle, low), np.where(equal, high, middle)
    loses = xr.Dataset({"equal_up_to": ("slice_density", np.where(stays_equal(p, np.zeros(count)), low, np.nan))})
    found = loses.assign(pair_up_to=("slice_density", limit["weight"]), slice_fades=("slice_density", limit["fades"]))
    borders = fading_borders(p, limit["fades"])
    found["border_density"], found["border_up_to"] = (("border", one) for one in (borders, pair_limit(borders)["weight"]))
    return found.assign(ratio_lost=("slice_density", -limit["x"][:, 1] / limit["x"][:, 0])).assign_coords(slice_density=p)


def fading_borders(p: NDArray[np.float64], fades: NDArray[Any]) -> NDArray[np.float64]:
    """Densities between which, with equal importance, the second feature fades out, to 1e-4: by bisection."""
    change = np.flatnonzero(np.diff(fades.astype(int)))
    low, high, before = p[change], p[change + 1], fades[change]
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        same = pair_limit(middle)["fades"] == before
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return np.asarray((low + high) / 2)


def stays_equal(p: NDArray[np.float64], penalty: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the pair of equal weights is the lowest and curves up against an exchange, elementwise."""
    x, value = descended_pair([1.0, -1.0, 0.0, 0.0], p, 1.0, penalty)
    against = np.stack([[1, 1, 0, 0], [0, 0, 1, -1]]) / np.sqrt(2)  # one weight grows as the other shrinks, biases likewise
    H = against @ stored_pair(x, p, 1.0, penalty)[2] @ against.T
    starts = np.array([[1.0, -share, 0.0, 0.2] for share in (0.6, 0.3, 0.1)])
    _, others = descended_pair(starts, p[:, None], 1.0, penalty[:, None])
    return np.asarray((np.linalg.eigvalsh(H)[:, 0] > 0) & (others.min(axis=1) >= value * (1 - 1e-12)))


def along_penalties(count: int) -> xr.Dataset:
    """The lowest minimum in closed form along the penalty, from 0 to beyond where no pair is stored."""
    ratio, p = np.array(SHOWN).T
    last = pair_limit(p, ratio)["weight"]
    share = np.unique(np.concatenate([np.linspace(0, 0.9, count // 3), np.linspace(0.9, 1.02, count), [1.2]]))
    penalty = share * last[:, None]
    starts = np.array([[*start, 0.0, 0.1] for start in STARTS])
    x, value = descended_pair(starts, p[:, None, None], ratio[:, None, None], penalty[..., None])
    best = np.take_along_axis(x, value.argmin(axis=-1)[..., None, None], axis=-2)[..., 0, :]
    weaker = (ratio == 1)[:, None] & (np.abs(best[..., 0]) < np.abs(best[..., 1]))  # either may be the first
    best = np.where(weaker[..., None], best[..., [1, 0, 3, 2]], best)
    R = 2 * (best[..., 0] * best[..., 1]) ** 2
    along = ("shown", "share")
    said = {"along_penalty": (along, penalty), "along_R": (along, R), "along_L": (along, value.min(axis=-1) - penalty * R)}
    return xr.Dataset(said | {"along_W": ((*along, "feature"), best[..., :2])}, {"share": share})


def followed(points: list[tuple[float, float]]) -> xr.Dataset:
    """Where minima of tegum.exact end to be the lowest along the penalty, at some importances and densities.

    The pair and one feature alone are followed towards each other.  Where the pair jumps they cross; where it fades the one
    that is alone loses stability, which is located less exactly.
    """
    columns: dict[str, list[float]] = {name: [] for name in MEASURED}
    for ratio, p in points:
        features, limit = tg.features.Independent(2, density=p, importance=[1, ratio]), pair_limit(p, ratio)
        expected = float(limit["weight"])
        near, x = [0.998 * expected, 1.002 * expected], limit["x"]
        starts = [(np.array([1.0, 0]), np.array([0, p / 2]), near[::-1]), (x[:2], x[2:], near)]
        alone, *pair = [
            tg.exact.follow(
                NET,
                lambda _, features=features: features,  # type: ignore[misc]
                W[None],
                b,
                values,
                field="penalty",
                penalties=lambda value: [Interference(value)],
                tolerance=TOL,
                progress=False,
            )
            for W, b, values in (starts[:1] if limit["fades"] else starts)
        ]
        value, within = float(alone.lost_at or np.nan), float(alone.data.attrs["lost_error"])
        if pair:
            around = (expected * (1 - 1e-3), expected * (1 + 1e-3))
            value, within = tg.exact.crossing(alone, *pair, tol=TOL, between=around, progress=False), TOL
        fades = bool(limit["fades"])
        for name, one in zip(columns, (ratio, p, value, within, expected, fades), strict=True):
            columns[name].append(one)
    return xr.Dataset({f"followed_{name}": ("point", values) for name, values in columns.items()})


def stores_a_pair(data: xr.Dataset) -> xr.DataArray:
    """Where the lowest minimum of tegum.exact stores both features, on the maps."""
    return data["geometry"].isin([PAIR, LOPSIDED])


def agreement(data: xr.Dataset, limit: xr.DataArray) -> NDArray[np.bool_]:
    """Whether a pair is stored just where the penalty is below a limit, cell by cell, those within 1e-6 of it left out.

    Where the limit is 0 no pair is to be stored without a penalty either.
    """
    clear = (abs(data["penalty"] - limit) > 1e-6 * limit) | (limit == 0)
    same = stores_a_pair(data) == (data["penalty"] < limit)
    return np.asarray(same.values[clear.broadcast_like(same).transpose(*same.dims).values])


def claims(data: xr.Dataset) -> list[Claim]:
    """The surface is where pairs end; how they end; what the penalty does to equal features."""
    cells = data.sizes["density"] * data.sizes["importance_ratio"]
    searched = Evidence(
        f"lowest of {len(STARTS)} given starts and {data.attrs['random']} random ones "
        f"at {cells} points for each of {len(PENALTIES)} penalties, {certified(data['status'])}"
    )
    ratio, p = data["importance_ratio"], data["density"]
    leading = dropping(p) * ratio.clip(max=1)
    off = abs(data["followed_value"] - data["followed_closed_form"])
    R = 2 * (data["W"].prod("feature")) ** 2
    sparse = np.array([1e-2, 1e-3])
    share = {r: pair_limit(sparse, r)["weight"] / (r * dropped_loss(sparse)) for r in (0.3, 1.0)}
    unequal = data["ratio_lost"].where(data["slice_density"] < 0.2, drop=True)
    return [
        Claim(
            "surface",
            "A pair is stored exactly where the penalty is below the surface, sup (I v - L) / R.",
            source=ANSWER,
            how="cells whose lowest minimum stores both features if and only if lambda is below the closed form",
            measure=lambda limit: agreement(data, limit),
            expect=share_at_least(1),
            of=data["limit_at_cell"],
            against={"the leading order, I v": leading},
            evidence=searched,
        ),
        Claim(
            "followed",
            "Minima that are followed along the penalty change places on the surface.",
            source=ANSWER,
            how=f"largest distance, in units of its error, at {off.size} points (I, S), a jump and a fading one among them",
            measure=lambda distance: float((distance / data["followed_within"]).max()),
            expect=at_most(2),
            of=off,
            against={"the leading order, I v": abs(data["followed_value"] - leading_at(data))},
            evidence=Evidence(f"{off.size} points; crossings to {TOL:g}, the others to the error that is said"),
        ),
        Claim(
            "sparse-limit",
            "Where features are sparse the surface tends to I v, what dropping the second feature costs.",
            source=ANSWER,
            how="lambda_c / (I v) at densities 0.01 and 0.001, for importances 0.3 and 1",
            measure=lambda values: np.array(list(values.values())).ravel(),
            expect=near(1, 0.05),
            of=share,
            against={"density 0.3": {1.0: pair_limit([0.3], 1.0)["weight"] / dropped_loss(0.3)}},
            evidence=Evidence("closed form"),
        ),
        Claim(
            "fades",
            "With equal importance the second feature is lost in a jump, fades out at middle densities, and jumps again.",
            source=ANSWER,
            how="whether it fades at densities 0.2, 0.7 and 0.95",
            measure=lambda r: pair_limit([0.2, 0.7, 0.95], r)["fades"],
            expect=equal([False, True, False]),
            of=1.0,
            against={"importance 0.5": 0.5},
            evidence=Evidence("closed form, three densities; the map of the surface has the others"),
            note="Where it fades lambda_c is (I v - q) / 2, with q(p) in closed form.",
        ),
        Claim(
            "unequal-though-equal",
            "Near the surface the best pair of sparse features (density below 0.2) is unequal, even of equally important ones.",
            source=ANSWER,
            how="I = 1, density below 0.2: smaller over larger weight at lambda_c",
            measure=lambda values: float(values.max()),
            expect=below(UNEQUAL),
            of=unequal,
            against={"without the penalty": xr.ones_like(unequal)},
            evidence=Evidence(f"closed form, {unequal.size} densities"),
        ),
        Claim(
            "scalarisation",
            "As the penalty grows the interference falls and the loss rises.",
            source=IDENTITY,
            how="least rise of L and of -R from one penalty to the next, over all cells",
            measure=lambda both: {name: float(values.diff("penalty").min()) for name, values in both.items()},
            expect={"L": above(-1e-8), "-R": above(-1e-5)},
            of={"L": data["loss"], "-R": -R},
            uncontrolled="it holds for all functions L and R",
            evidence=searched,
        ),
        Claim(
            "one-bound",
            "No pair pays above a penalty of 0.0396, whatever S, for I up to 1.",
            source=ANSWER,
            how="the highest point of the surface",
            measure=lambda limit: float(limit.max()),
            expect=below(0.0396),
            of=data["limit"],
            against={"the leading order, I v": dropping(data["surface_density"]) * data["surface_importance"]},
            evidence=Evidence(f"closed form, {data['limit'].size} points"),
        ),
    ]


def leading_at(data: xr.Dataset) -> xr.DataArray:
    """I v where minima are followed."""
    return data["followed_importance"] * dropping(data["followed_density"])


def dropping(density: xr.DataArray) -> xr.DataArray:
    """v, what dropping a feature of importance 1 costs."""
    return density.copy(data=dropped_loss(density.values))


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The maps, the surface, the slice of equal importance, and minima along the penalty."""
    rename = {"surface_density": "density", "surface_importance": "importance_ratio"}
    surface = data[["limit", "fades"]].rename(rename)
    scale = surface["importance_ratio"] * dropping(surface["density"])
    p = data["slice_density"].values
    ends = np.stack([data["border_density"].values, data["border_up_to"].values], axis=-1)
    curves = [
        MarkedCurve("equal weights below", p, data["equal_up_to"].values),
        MarkedCurve(
            "a pair below, one feature above", p, data["pair_up_to"].values, ends, ["from a jump to fading"] * len(ends)
        ),
    ]
    branches = {}
    for row, (ratio, density) in enumerate(SHOWN):
        one = data.isel(shown=row)
        x = one["along_penalty"].values
        signs = np.sign(one["along_W"].values[:, 0])
        branches[f"I = {ratio:g}, p = {density:g}"] = [
            MarkedCurve(f"weight {k + 1}", x, one["along_W"].values[:, k] * signs) for k in range(2)
        ]
    return {
        "maps": Figure(
            pair_panels(data, COLOURS),
            "The lowest minimum of L + λR by importance and density. In each cell the one dimension with both features, bars "
            "as long as their weights, to the left where the sign is opposite. The penalty takes pairs away from all sides; "
            "those that stay become unequal, unless the features are equally important.",
        ),
        "surface": Figure(
            limit_panels(surface["limit"], scale, surface["fades"], ("λc(I, S)", "λc / (I v)")),
            "The penalty above which no pair is stored, and its share of I v, to which it tends where features are sparse. "
            "Inside the dotted line the second feature fades out continuously and λc is a formula; elsewhere it is lost in a "
            "jump.",
        ),
        "equal-importance": Figure(
            marked_panels({"I = 1": curves}, "density p = 1 − S", "penalty λ"),
            "Two equally important features: below the lower curve the pair has equal weights, between the curves unequal "
            "ones, above the upper one only one feature is stored. From p = 0.237 to 0.498 the curves are one: equal weights "
            "are lost at once. Between the circles the second feature fades out.",
        ),
        "along": Figure(
            marked_panels(branches, "penalty λ", "weight", columns=2, height=700),
            "Weights of the lowest minimum as the penalty grows, up to 1.2 λc. Equal weights, a jump to unequal ones, another "
            "to one feature alone; one jump from equal weights; one from unequal ones; a second feature that fades out.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Two features in one dimension under an interference penalty: where it ends the pair",
    paper="Open problem O51",
    seconds={"quick": 8, "paper": 300},
    order=51,
)
