"""What gradient flow makes of two features in one dimension: basins, their boundaries, and probabilities of what it ends in.

Open problem O50, part 1.  n = 2, m = 1, importances (1, I), the flow of L + lambda R in (w_1, w_2, b_1, b_2) from Gaussian
weights of deviation sigma and b = 0.  Ends are, in the list's words, D2 (feature 1 alone), A2 (feature 2 alone), S (a pair of
opposite signs), and O (anything else: here a pair of equal signs, or no end).

`tegum.theory.pair_basins` integrates the flow in closed form and locates where ends change on circles of initial weights, by
section and not by chance: sections to 2e-6 (paper profile: 1e-10), boundaries to what flows of a hundredth of the error
confirm, 1e-5 (paper profile: 1e-7).  Probabilities are integrals over the basins, for all sigma from the same boundaries,
with an error of 0.001 (paper profile: 2e-7) that decides on how many circles.  At boundaries from the smallest radii on
tegum.exact.gradient_flow, another gradient and another solver, is started on both sides, 1e-5 rad from them (paper profile:
1e-7).  A basin narrower than the fan of 48 angles (paper profile 256) may be missed.

The gradient has a kink only where a weight and its bias are both 0; such starts have probability 0, and from all others the
solution is unique.  Curvatures jump where w_2 = 0, which decides D2: one feature alone may be a saddle and still be the end of
a set of starts with a volume, as it is stable against traces of the second with the same sign.
"""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import Claim, Evidence, above, answer, below, equal, near, rising, share_at_least
from tegum.exact import Interference
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures.basins import BasinEdge, Panel, basin_panels
from tegum.figures.marked_curves import MarkedCurve, marked_panels
from tegum.theory import dropped_loss
from tegum.theory.pair_basins import Basins, pair_basins
from tegum.theory.stored_pair import cost_of_a_trace

SETTINGS: dict[Profile, list[tuple[float, float, float]]] = {
    "quick": [(0.5, 0.3, 0.0), (0.5, 0.3, 0.01), (1.0, 0.3, 0.0)],
    "paper": [
        (0.5, 0.3, 0.0),
        (0.5, 0.3, 0.01),
        (1.0, 0.3, 0.0),
        (1.0, 0.3, 0.02),
        (0.5, 0.1, 0.0),
        (2.0, 0.3, 0.0),
    ],
}
"""Importance, density, penalty."""
EFFORT: dict[Profile, dict[str, Any]] = {
    "quick": {"error": 5e-4, "nodes": 4, "fan": 48, "rounds": 6, "tol": 1e-9},
    "paper": {"error": 1e-7, "nodes": 6, "fan": 256, "rounds": 11, "tol": 1e-11},
}
DEVIATIONS = np.geomspace(0.1, 0.6, 13)
CHECKED: dict[Profile, int] = {"quick": 2, "paper": 4}
"""Boundaries of each setting at which tegum.exact.gradient_flow starts on both sides, the first on the smallest circle."""
APART: dict[Profile, float] = {"quick": 1e-5, "paper": 1e-7}
"""How far from a boundary, in rad; the solver's tolerances are a thousandth of it."""
DURATION, LABELLED, CONTINUED, SMALLEST = 2000.0, 0.95, 0.5, 0.01
NEAR, TRACE = 0.05, 1e-9
ENDS = ("D2", "A2", "S", "O")
MEANINGS = {"D2": "feature 1 alone", "A2": "feature 2 alone", "S": "opposite signs", "O": "equal signs"}
ANSWER = answer("O50")
MOST, MOST_EDGES, MOST_CIRCLES = 6, 4000, 1000


def study(profile: Profile) -> xr.Dataset:
    """Basins, probabilities by sigma, and the exact flow on both sides of some boundaries, of every setting."""
    parts = [of_setting(*setting, profile) for setting in SETTINGS[profile]]
    data = xr.concat(parts, "setting", join="outer")
    for k, name in enumerate(("importance", "density", "penalty")):
        data[name] = ("setting", [setting[k] for setting in SETTINGS[profile]])
    return (
        data.dropna("edge", how="all", subset=["radius"])
        .dropna("circle", how="all", subset=["circle_radius"])
        .assign_attrs(EFFORT[profile] | {"apart": APART[profile]})
    )


def of_setting(ratio: float, p: float, penalty: float, profile: Profile) -> xr.Dataset:
    """The same of one setting."""
    basins = pair_basins(p, ratio, penalty, DEVIATIONS, **EFFORT[profile])
    kinds = [kind(x) for x in basins.rests]
    members = np.array([[name == one for one in [*kinds, "O"]] for name in ENDS])

    def padded(values: NDArray[Any], size: int, fill: Any = np.nan) -> NDArray[Any]:
        whole = np.full((size, *values.shape[1:]), fill, dtype=object if values.dtype == object else float)
        whole[: len(values)] = values
        return whole

    names = np.array([*kinds, "O"], dtype=object)
    return xr.Dataset(
        {
            "rest": (("row", "parameter"), padded(basins.rests, MOST), {"description": "w1, w2, b1, b2"}),
            "kind": ("row", padded(np.array(kinds, dtype=object), MOST, "")),
            "radius": ("edge", padded(basins.radius, MOST_EDGES)),
            "angle": ("edge", padded(basins.angle, MOST_EDGES), {"units": "rad"}),
            "within": (
                "edge",
                padded(basins.within, MOST_EDGES),
                {"units": "rad", "description": "of the angle, by finer flows"},
            ),
            "below": ("edge", padded(names[basins.below], MOST_EDGES, "")),
            "above": ("edge", padded(names[basins.above], MOST_EDGES, "")),
            "circle_radius": ("circle", padded(basins.radii, MOST_CIRCLES)),
            "share": (("circle", "end"), padded(basins.shares @ members.T, MOST_CIRCLES)),
            "probability": (
                ("sigma", "end"),
                basins.probability @ members.T,
                {"description": "of each end, Gaussian initial weights"},
            ),
            "error": (("sigma", "end"), basins.error @ members.T, {"description": "of the probability, estimated"}),
            "nowhere": ("sigma", basins.probability[:, -1], {"description": "of no end, counted among O"}),
            "checked": ("side", both_sides(ratio, p, penalty, basins, profile)),
        },
        {"sigma": DEVIATIONS, "end": list(ENDS)},
    )


def kind(x: NDArray[np.float64]) -> str:
    """Which of the list's events a minimum belongs to."""
    w1, w2 = x[:2]
    return "D2" if abs(w2) < 1e-6 else "A2" if abs(w1) < 1e-6 else "S" if w1 * w2 < 0 else "O"


def both_sides(ratio: float, p: float, penalty: float, basins: Basins, profile: Profile) -> NDArray[np.float64]:
    """Whether tegum.exact.gradient_flow ends as said on both sides of some boundaries, from `SMALLEST` on, (2 count,)."""
    net, features = tg.nets.ReluOutput(2, 1), tg.features.Independent(2, density=p, importance=[1, ratio])
    count, apart = CHECKED[profile], APART[profile]
    found: list[float] = []
    if not basins.angle.size:
        return np.full(2 * count, np.nan)
    order = np.argsort(basins.radius, kind="stable")
    order = order[basins.radius[order] >= SMALLEST]
    for k in order[np.linspace(0, len(order) - 1, count + 1).round().astype(int)[:-1]]:
        for side, end in ((-1, basins.below[k]), (1, basins.above[k])):
            angle = basins.angle[k] + side * apart
            W = basins.radius[k] * np.array([[np.cos(angle), np.sin(angle)]])
            penalties = [Interference(penalty)] if penalty else []
            solver: dict[str, Any] = {"rtol": apart / 1000, "atol": apart / 1e4, "terms": 512, "progress": False}
            flow = tg.exact.gradient_flow(
                net, features, W, [0, 0], DURATION, times=[0, DURATION], penalties=penalties, **solver
            )
            last = np.concatenate([flow["W"].values[-1, 0], flow["b"].values[-1]])
            found.append(float(leads_to(last, basins.rests[end], ratio, p, penalty)))
    return np.array(found)


def leads_to(x: NDArray[np.float64], rest: NDArray[np.float64], ratio: float, p: float, penalty: float) -> bool:
    """Whether a flow is within `NEAR` of this end, or beside one feature alone with a trace that will take it there.

    Beside one feature alone a trace of opposite sign grows into a pair of opposite signs where that pays, and one of the same
    sign into one of equal signs where those are an end; the flow may stay for long.
    """
    near = min(np.abs(x * [sign, sign, 1, 1] - rest).max() for sign in (1, -1)) < NEAR
    trace, said = float(x[0] * x[1]), float(rest[0] * rest[1])
    if said == 0:
        own, other = (1.0, ratio) if rest[1] == 0 else (ratio, 1.0)
        grows = other * dropped_loss(p) > own * cost_of_a_trace(p) + 2 * penalty
        return bool(near and not (grows and trace < -TRACE))
    alone = min(abs(x[0]), abs(x[1])) < NEAR and abs(trace) > TRACE
    return bool(near or (alone and np.sign(trace) == np.sign(said)))


def of(data: xr.Dataset, ratio: float, p: float, penalty: float) -> xr.Dataset:
    """One setting of those studied."""
    fits = (data["importance"] == ratio) & (data["density"] == p) & (data["penalty"] == penalty)
    return data.isel(setting=int(np.argmax(fits.values)))


def claims(data: xr.Dataset) -> list[Claim]:
    """What signs decide, what no theory of minima alone says, and what the penalty does."""
    equal_ones, weak, penalised = of(data, 1.0, 0.3, 0.0), of(data, 0.5, 0.3, 0.0), of(data, 0.5, 0.3, 0.01)
    sigmas = [DEVIATIONS[0], DEVIATIONS[-1]]
    located = Evidence(f"basins on {count_of(data)} circles, {located_to(data)}; nothing is drawn by chance")

    def probability(setting: xr.Dataset, end: str) -> NDArray[np.float64]:
        return np.asarray(setting["probability"].sel(end=end, sigma=sigmas).values)

    return [
        Claim(
            "exact-flow",
            "Started on both sides of a boundary, the exact flow ends in both its sides.",
            source=ANSWER,
            how=f"tegum.exact.gradient_flow from {data.attrs['apart']:g} rad to either side: within {NEAR} of what is said, "
            "or beside one feature alone with a trace of the sign that leads there",
            measure=lambda checked: checked.values[np.isfinite(checked.values)] == 1,
            expect=share_at_least(1),
            of=data["checked"],
            against={"the ends exchanged": 1 - data["checked"]},
            evidence=Evidence(f"{int(np.isfinite(data['checked']).sum())} flows"),
        ),
        Claim(
            "digits",
            "All probabilities are known to the error that is said, and every flow ends somewhere.",
            source=ANSWER,
            how="largest estimated error of any probability, over twice the change to which panels of the radius were halved; "
            "probability of no end; at every sigma",
            measure=lambda found: {
                "error": float(found["error"].max()) / (2 * data.attrs["error"]),
                "no end": float(found["nowhere"].max()),
            },
            expect={"error": below(1), "no end": below(1e-6)},
            of=data,
            against={
                "errors times a thousand, a thousandth of the starts lost": data.assign(
                    error=1000 * data["error"], nowhere=data["nowhere"] + 0.001
                )
            },
            evidence=located,
        ),
        Claim(
            "pairs",
            "At I = 1/2, S = 0.7 and without a penalty, 49 of 100 flows store the pair with opposite signs.",
            source=ANSWER,
            how=f"P(S) at sigma {sigmas[0]:g} and {sigmas[1]:g}",
            measure=lambda setting: probability(setting, "S"),
            expect=near([0.494356, 0.488308], 0.001),
            of=weak,
            against={"with the penalty 0.01": penalised},
            evidence=located,
        ),
        Claim(
            "saddle-with-a-basin",
            "There feature 1 alone is a saddle, and still the end of half of all flows.",
            source=ANSWER,
            how="I v - q - 2 lambda, above 0 where a trace of opposite sign grows; P(D2)",
            measure=lambda setting: {"growth": growth(setting), "P(D2)": float(probability(setting, "D2").min())},
            expect={"growth": above(0), "P(D2)": above(0.4)},
            of=weak,
            against={"I = 1": equal_ones, "with the penalty 0.01": penalised},
            evidence=located,
            note="Traces of the same sign die out: the curvature jumps at w2 = 0. A minimum must not be asked for.",
        ),
        Claim(
            "equal-signs",
            "Two equal features end as a pair of equal signs from half of all initial weights, and never as one feature alone.",
            source=ANSWER,
            how="I = 1, S = 0.7, no penalty: P(O) and P(D2) + P(A2) at both sigma",
            measure=lambda setting: {
                "P(O)": probability(setting, "O"),
                "alone": probability(setting, "D2") + probability(setting, "A2"),
            },
            expect={"P(O)": above(0.45), "alone": equal([0.0, 0.0])},
            of=equal_ones,
            against={"I = 0.5": weak},
            evidence=located,
            note="It is none of the three that the list names: a minimum of its own, such as W = (1.008, 0.409).",
        ),
        Claim(
            "penalty-drops",
            "The penalty makes flows drop the weaker feature more often.",
            source=ANSWER,
            how="I = 0.5, S = 0.7: probability at lambda 0 and 0.01, sigma 0.1",
            measure=lambda end: np.array([probability(setting, end)[0] for setting in (weak, penalised)]),
            expect=rising(),
            of="D2",
            against={"the pair": "S"},
            evidence=located,
            note="With two features the coherence is 0 or 1, so that this is the law of part 2, Pr[mu <= c], for c < 1.",
        ),
    ]


def growth(setting: xr.Dataset) -> float:
    """By how much a trace of opposite sign lowers the objective beside feature 1 alone."""
    p, ratio = float(setting["density"]), float(setting["importance"])
    return float(ratio * dropped_loss(p) - cost_of_a_trace(p)) - 2 * float(setting["penalty"])


def count_of(data: xr.Dataset) -> str:
    """On how many circles, from the setting with the fewest to that with the most."""
    counts = np.isfinite(data["circle_radius"].values).sum(axis=1)
    return f"{counts.min()} to {counts.max()}"


def located_to(data: xr.Dataset) -> str:
    """How exactly the angles of boundaries are located."""
    found = data["within"].values[np.isfinite(data["within"].values)]
    return f"boundaries to {np.median(found):.0e} rad in the median and {found.max():.0e} at most"


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The basins, and the probabilities of their ends."""
    planes: dict[str, Panel] = {}
    curves = {}
    for row in range(data.sizes["setting"]):
        one = data.isel(setting=row)
        names = (("I", "importance"), ("p", "density"), ("λ", "penalty"))
        title = ", ".join(f"{name} = {float(one[key]):g}" for name, key in names)
        planes[title] = edges_of(one), rests_of(one), labels_of(one)
        curves[title] = [
            MarkedCurve(MEANINGS[end], DEVIATIONS, one["probability"].sel(end=end).values)
            for end in ENDS
            if float(one["probability"].sel(end=end).max()) > 1e-9
        ]
    return {
        "basins": Figure(
            basin_panels(planes),
            "The plane of the two initial weights, biases 0. Lines are the boundaries between what the gradient flow ends in, "
            "located on circles; symbols are where it ends. Near the axes a small weight of the other sign is overcome.",
        ),
        "probabilities": Figure(
            marked_panels(curves, "deviation of initial weights", "probability", height=430 * rows_of(planes)),
            "Probabilities of what the flow ends in, by quadrature over the basins.",
        ),
    }


def rows_of(panels: dict[str, Any]) -> int:
    """Rows of three panels."""
    return -(-len(panels) // 3)


def edges_of(setting: xr.Dataset) -> list[BasinEdge]:
    """The boundaries between two ends as curves: each point goes on with the nearest of its kind on the circle before."""
    curves: list[tuple[str, list[tuple[float, float]]]] = []
    points = setting[["radius", "angle", "below", "above"]].dropna("edge").sortby(["radius", "angle"])
    for radius, angle, low, high in zip(*(points[name].values for name in points), strict=True):
        name = " | ".join(sorted((MEANINGS[low], MEANINGS[high])))
        turned = [angle + np.pi * np.round((path[-1][1] - angle) / np.pi) for _, path in curves]
        fits = [
            (abs(turn - path[-1][1]), k, turn)
            for k, ((kind_of, path), turn) in enumerate(zip(curves, turned, strict=True))
            if kind_of == name and path[-1][0] < radius
        ]
        if fits and min(fits)[0] < CONTINUED:
            _, k, turn = min(fits)
            curves[k][1].append((radius, turn))
        else:
            curves.append((name, [(radius, angle)]))
    return [BasinEdge(name, np.array(path)) for name, path in curves]


def labels_of(setting: xr.Dataset) -> list[tuple[str, float, float]]:
    """What flows end in, and where between the boundaries on the circle next to `LABELLED` it is to be written."""
    off = abs(setting["radius"] - LABELLED)
    chosen = setting.isel(edge=(off == off.min()).values).sortby("angle")
    angles = chosen["angle"].values
    middle = (angles + np.append(angles[1:], angles[:1] + np.pi)) / 2
    turns = np.append(middle, middle + np.pi)
    return [
        (MEANINGS[end], LABELLED * np.cos(turn), LABELLED * np.sin(turn))
        for end, turn in zip(np.tile(chosen["above"].values, 2), turns, strict=True)
    ]


def rests_of(setting: xr.Dataset) -> dict[str, NDArray[np.float64]]:
    """The weights of what flows end in, by its name."""
    kinds = setting["kind"].values
    return {MEANINGS[end]: setting["rest"].values[kinds == end, :2] for end in ENDS if (kinds == end).any()}


experiment = Experiment(
    __name__,
    title="Gradient flow of two features in one dimension: basins and probabilities, located and not sampled",
    paper="Open problem O50",
    seconds={"quick": 8, "paper": 200},
    order=50,
)
