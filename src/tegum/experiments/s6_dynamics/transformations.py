"""Two sets of features bundle up, open into triangles, and turn into an octahedron, while the loss rests and falls.

Paper: section 6, learning as geometric transformations (F27): two sets of three correlated features in three dimensions;
density and training are not given.  Here the density is 0.01, importances are equal, and first weights are a tenth of Xavier's
(some are Xavier's own, for the census of ways).  Every start is followed by AdamW at 3e-3, constant, no decay, batches of 1024,
8,000 steps; some of them also by the exact gradient flow of the expected loss until time 20,000.  The loss is exact in both.
Stages and plateaus are found by `tegum.geometry.stages`, whose thresholds are its own: A near zero, B bundles (each set one
direction), C triangles, D octahedron.  A plateau counts where the loss falls by more than a fifth after it, so the last one
does not.  Every start counts; shown is one that visits most stages, and among those one with bundles most nearly on one axis.
"""

from collections import Counter

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims.old import Claim, Control
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s6_dynamics.shared import FLOW, TRAINING, flowed_path, trained_path
from tegum.figures import path_slider

SET, M, DENSITY = 3, 3, 0.01
SEEDS: dict[Profile, int] = {"quick": 32, "paper": 128}
OTHERS: dict[Profile, int] = {"quick": 12, "paper": 48}
FLOWS: dict[Profile, int] = {"quick": 5, "paper": 32}
RECIPE = tg.Recipe(steps=8000, learning_rate=3e-3, weight_decay=0, record_steps=250, initialisation_scale=0.1)
TIMES = np.geomspace(3, 20_000, 240)
CLOCK = {TRAINING: "optimizer steps", FLOW: "time (learning rate × steps)"}
LARGE, INDEPENDENT, LINEAR = "ten times larger starts", "independent features", "linear models"
KEYS = {TRAINING: "trained", FLOW: "flow", LARGE: "large", INDEPENDENT: "independent", LINEAR: "linear"}
WAYS = {
    "ABCD": "bundles, triangles, octahedron",
    "ABD": "bundles, then straight to the octahedron",
    "ACD": "straight to triangles, then the octahedron",
    "AD": "straight to the octahedron",
    "CD": "straight to triangles, then the octahedron (never near zero)",
}


def study(profile: Profile) -> xr.Dataset:
    """Correlated sets in training and in the exact flow; beside them large starts, independent features, and linear models."""
    net, few = tg.nets.ReluOutput(2 * SET, M), RECIPE.replaced(seeds=OTHERS[profile])
    sets = tg.features.CorrelatedSets(2, SET, density=DENSITY)
    trained = trained_path(net, sets, RECIPE.replaced(seeds=SEEDS[profile]))
    paths = {
        TRAINING: trained,
        FLOW: flowed_path(net, sets, trained.isel(seed=slice(FLOWS[profile])), TIMES, threads=1),
        LARGE: trained_path(net, sets, few.replaced(initialisation_scale=1.0)),
        INDEPENDENT: trained_path(net, tg.features.Independent(2 * SET, density=DENSITY), few),
        LINEAR: trained_path(tg.nets.Linear(2 * SET, M), sets, few),
    }
    named = [
        path.rename({str(name): f"{KEYS[kind]}_{name}" for name in (*path.data_vars, "seed", "time")})
        for kind, path in paths.items()
    ]
    data = xr.merge(named, combine_attrs="drop")
    data.attrs = (
        trained.attrs | paths[FLOW].attrs | {"interrupted": max(int(path.attrs["interrupted"]) for path in paths.values())}
    )
    return data


def path_of(data: xr.Dataset, kind: str) -> xr.Dataset:
    """The paths of one kind, times above 0; those that did not come to their end are left out."""
    key = KEYS[kind]
    path = data[[f"{key}_{name}" for name in ("W", "loss", "D")]]
    path = path.rename({f"{key}_{name}": name for name in ("W", "loss", "D", "seed", "time")})
    path = path.isel(time=path["time"].values > 0)
    return path.isel(seed=np.isfinite(path["loss"].isel(time=-1).values))


def weights(path: xr.Dataset) -> np.ndarray:
    """W (seed, time, hidden, feature) in float64."""
    return path["W"].transpose("seed", "time", "hidden", "feature").values.astype(np.float64)


def visits(path: xr.Dataset) -> list[tuple[tg.geometry.Visit, ...]]:
    """The stages that every path visits."""
    return [tg.geometry.visits(W, path["time"].values, SET) for W in weights(path)]


def order(found: tuple[tg.geometry.Visit, ...]) -> str:
    """The letters of the stages in order, each as often as it is visited."""
    return "".join(visit.stage for visit in found)


def octahedra(path: xr.Dataset) -> float:
    """The share of paths that end in an octahedron with opposites from different sets and all D_i within 0.02 of 1/2."""
    ends = [tg.geometry.stages(W[-1:], SET)[0] == "D" for W in weights(path)]
    half = (abs(path["D"].isel(time=-1).values - 0.5) <= 0.02).all(axis=1)
    return float((np.array(ends) & half).mean())


def resting(path: xr.Dataset) -> list[int]:
    """How many plateaus of every path's loss end with a fall."""
    times = path["time"].values
    counts = []
    for loss in path["loss"].transpose("seed", "time").values:
        found = tg.geometry.plateaus(loss, times)
        counts.append(sum(loss[plateau.last :].min() < 0.8 * plateau.loss for plateau in found))
    return counts


def census(path: xr.Dataset) -> str:
    """Which ways the paths take, most frequent first."""
    ways = Counter(order(found) or "none" for found in visits(path))
    return "; ".join(f"{WAYS.get(way, way)} {count / path.sizes['seed']:.0%}" for way, count in ways.most_common())


def bundled(path: xr.Dataset) -> tuple[float, float]:
    """The shares of paths to an octahedron with stage B on the way, and with B on one axis."""
    before = [[visit for visit in found if visit.stage == "B"] if order(found).endswith("D") else [] for found in visits(path)]
    axes = [any(visit.one_axis for visit in found) for found in before]
    return float(np.mean([bool(found) for found in before])), float(np.mean(axes))


def engine_claims(data: xr.Dataset, engine: str) -> list[Claim]:
    """The checks of F27 in training or in the exact flow."""
    path, alone, linear = (path_of(data, kind) for kind in (engine, INDEPENDENT, LINEAR))
    key, count = "training" if engine == TRAINING else "flow", path.sizes["seed"]
    lost = f", {data.attrs['flows_that_gave_up']} flows gave up" if engine == FLOW else ""
    evidence, enough = f"{count} starts, all counted{lost}", count >= 5
    end, other = octahedra(path), max(octahedra(alone), octahedra(linear))
    some, axis = bundled(path)
    no_bundles = bundled(alone)
    rests, single = resting(path), resting(alone)
    several, control = float(np.mean(np.array(rests) >= 2)), float(np.mean(np.array(single) >= 2))
    return [
        Claim(
            name=f"octahedron-{key}",
            statement=f"An octahedron whose opposites come from different sets is a strong attractor ({engine}).",
            how="starts that end with |cos| < 0.1 within sets, a partner at cos < -0.95 in the other set for every feature, "
            "and all "
            "D_i within 0.02 of 1/2",
            expected="at least 90 %",
            tolerance="as stated",
            measured=f"{end:.0%}",
            holds=end >= 0.9,
            evidence=evidence,
            enough=enough,
            control=Control(
                "the same check on independent features, and on linear models, trained",
                f"{octahedra(alone):.0%}, {octahedra(linear):.0%}",
                other >= 0.9,
            ),
        ),
        Claim(
            name=f"bundles-{key}",
            statement=f"On the way each set is one direction, as in principal components ({engine}).",
            how="starts with a window of at least 0.05 decades in which all cosines within sets are above 0.9, before the "
            "octahedron",
            expected="at least 90 %",
            tolerance="as stated",
            measured=f"{some:.0%}",
            holds=some >= 0.9,
            evidence=evidence,
            enough=enough,
            control=Control("independent features", f"{no_bundles[0]:.0%}", no_bundles[0] >= 0.9),
            note=f"Ways: {census(path)}.",
        ),
        Claim(
            name=f"one-axis-{key}",
            statement=f"There the two sets lie on one axis, opposite to each other ({engine}).",
            how="starts where, in that window, the mean directions of the sets have cos < -0.9",
            expected="at least one start, as the paper shows one",
            tolerance="as stated",
            measured=f"{axis:.0%}",
            holds=axis > 0,
            evidence=evidence,
            enough=axis > 0 or count >= 30,
            control=Control("independent features", f"{no_bundles[1]:.0%}", no_bundles[1] > 0),
            note="Sets are seldom on together, so the angle between their bundles hardly matters while it is obtuse: most "
            "starts keep "
            "the one they had.",
        ),
        Claim(
            name=f"plateaus-{key}",
            statement=f"The stages are visible in the loss: it rests at least twice before its last fall ({engine}).",
            how="starts with two or more stretches of 0.2 decades in which the loss falls by less than t^0.1, each followed "
            "by a fall",
            expected="at least 90 %",
            tolerance="as stated",
            measured=f"{several:.0%}; median {np.median(rests):.0f}",
            holds=several >= 0.9,
            evidence=evidence,
            enough=enough,
            control=Control("independent features", f"{control:.0%}; median {np.median(single):.0f}", control >= 0.9),
        ),
    ]


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of section 6, with and without noise, and that several ways exist."""
    small, large = path_of(data, TRAINING), path_of(data, LARGE)
    ways = {order(found) for path in (small, large) for found in visits(path)}
    straight = [way for way in ways if way.endswith("D") and ("B" not in way or "C" not in way)]
    return [
        *engine_claims(data, TRAINING),
        *engine_claims(data, FLOW),
        Claim(
            name="several-ways",
            statement="Several trajectories exist; some go straight to the antiprism or pair up directly.",
            how="different orders of stages among starts in training that end in an octahedron, near zero and ten times "
            "larger; "
            "straight: without bundles, or without triangles at rest",
            expected="at least two, one of them straight",
            tolerance="as stated",
            measured=f"near zero: {census(small)}. Larger: {census(large)}",
            holds=len([way for way in ways if way.endswith("D")]) >= 2 and bool(straight),
            evidence=f"{small.sizes['seed']} and {large.sizes['seed']} starts, all counted",
            enough=small.sizes["seed"] >= 16,
            control=Control(
                "linear models",
                census(path_of(data, LINEAR)),
                any(order(found).endswith("D") for found in visits(path_of(data, LINEAR))),
            ),
            note=f"In the exact flow: {census(path_of(data, FLOW))}.",
        ),
    ]


def shown(path: xr.Dataset) -> int:
    """The start that visits most stages, and among those the one whose bundles are most nearly opposite."""
    found = visits(path)
    axis = [tg.geometry.between_sets(W, SET) for W in weights(path)]

    def rank(k: int) -> tuple[int, float]:
        rows = [row for visit in found[k] if visit.stage == "B" for row in range(visit.first, visit.last + 1)]
        return len(set(order(found[k]))), -float(np.min(axis[k][rows], initial=1.0))

    return max(range(len(found)), key=rank)


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """One path in each engine."""
    made = {}
    for engine, name in ((FLOW, "flow"), (TRAINING, "training")):
        path = path_of(data, engine)
        k = shown(path)
        noise = "without noise" if engine == FLOW else "in training"
        made[name] = Figure(
            path_slider(path.isel(seed=k), visits(path)[k], SET, CLOCK[engine]),
            f"Six features in three dimensions {noise}, from the side and from above (both can be turned); the slider moves "
            f"them along "
            "their paths. A: near zero. B: each set is a bundle. C: each set has opened into a triangle. D: the triangles "
            "have turned until every corner opposes one of the other set, an octahedron. Below, the exact loss rests and "
            "falls; stages that the path visits are shaded.",
        )
    return made


experiment = Experiment(
    __name__,
    title="Learning as geometry: bundles, triangles, an octahedron",
    paper="Section 6, learning as geometric transformations (F27)",
    seconds={"quick": 12, "paper": 80},
    study=study,
    figures=figures,
    claims=claims,
    order=2,
)
