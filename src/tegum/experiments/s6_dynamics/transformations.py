"""Two sets of features bundle up, open into triangles, and turn into an octahedron, while the loss rests and falls.

Paper: section 6, learning as geometric transformations (F27): two sets of three correlated features in three dimensions,
nothing else given.  Here density 0.01, equal importances, initial weights a tenth of Xavier's (or Xavier's own, for the census
of ways).  All are followed by AdamW at 3e-3, constant, no decay, batches of 1024, 8,000 steps; some also by the exact gradient
flow until time 20,000.  The loss is exact in both.  Stages and plateaus are those of `tegum.geometry.stages`, thresholds ours:
A near zero, B bundles (each set one direction), C triangles, D octahedron.  A plateau counts if the loss falls by over a fifth
after it.  Every model counts; shown is one with most stages, its bundles most nearly on one axis.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

import tegum as tg
from tegum.claims import OURS, Claim, above, at_least, every, fisher, paper, share_at_least
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s6_dynamics import shared
from tegum.experiments.s6_dynamics.shared import CLOCK, FLOW, SHORT, TRAINING

SET, M, DENSITY = 3, 3, 0.01
SEEDS: dict[Profile, int] = {"quick": 32, "paper": 128}
OTHERS: dict[Profile, int] = {"quick": 12, "paper": 48}
FLOWS: dict[Profile, int] = {"quick": 5, "paper": 32}
RECIPE = tg.Recipe(steps=8000, learning_rate=3e-3, weight_decay=0, record_steps=250, initialisation_scale=0.1)
TIMES = np.geomspace(3, 20_000, 240)
LARGE, INDEPENDENT, LINEAR = "ten times larger initial weights", "independent features", "linear models"
KEYS = {TRAINING: "trained", FLOW: "flow", LARGE: "large", INDEPENDENT: "independent", LINEAR: "linear"}
WAYS = {
    "ABCD": "bundles, triangles, octahedron",
    "ABD": "bundles, then straight to the octahedron",
    "ACD": "straight to triangles, then the octahedron",
    "AD": "straight to the octahedron",
    "CD": "straight to triangles, then the octahedron (never near zero)",
}


def study(profile: Profile) -> xr.Dataset:
    """Correlated sets in training and in the exact flow; beside them larger weights, independent features, linear models."""
    net, few = tg.nets.ReluOutput(2 * SET, M), RECIPE.replaced(seeds=OTHERS[profile])
    sets = tg.features.CorrelatedSets(2, SET, density=DENSITY)
    trained = shared.trained_path(net, sets, RECIPE.replaced(seeds=SEEDS[profile]))
    paths = {
        TRAINING: trained,
        FLOW: shared.flowed_path(net, sets, trained.isel(seed=slice(FLOWS[profile])), TIMES, threads=1),
        LARGE: shared.trained_path(net, sets, few.replaced(initialisation_scale=1.0)),
        INDEPENDENT: shared.trained_path(net, tg.features.Independent(2 * SET, density=DENSITY), few),
        LINEAR: shared.trained_path(tg.nets.Linear(2 * SET, M), sets, few),
    }
    return shared.side_by_side({KEYS[kind]: path for kind, path in paths.items()}, "seed", "time")


def path_of(data: xr.Dataset, kind: str) -> xr.Dataset:
    """The paths of one kind."""
    return shared.path_called(data, KEYS[kind])


def visits(path: xr.Dataset) -> list[tuple[tg.geometry.Visit, ...]]:
    """The stages that every model visits."""
    return [tg.geometry.visits(W, path["time"].values, SET) for W in path["W"].values]


def order(found: Sequence[tg.geometry.Visit]) -> str:
    """The letters of the stages in order, each as often as it is visited."""
    return "".join(visit.stage for visit in found)


def octahedra(path: xr.Dataset) -> xr.DataArray:
    """Whether a model ends as an octahedron with opposites from different sets, all D_i within 0.02 of 1/2, (seed,)."""
    ends = [tg.geometry.stages.stages(W[-1:], SET)[0] == "D" for W in path["W"].values]
    return (abs(path["D"].isel(time=-1) - 0.5) <= 0.02).all("feature") & np.array(ends, bool)


def bundles(path: xr.Dataset) -> list[list[tg.geometry.Visit]]:
    """Where every model visits stage B on its way to an octahedron."""
    return [[visit for visit in found if visit.stage == "B" and order(found).endswith("D")] for found in visits(path)]


def on_one_axis(path: xr.Dataset) -> list[bool]:
    """Whether a model's bundles lie on one axis, (seed,)."""
    return [any(visit.one_axis for visit in each) for each in bundles(path)]


def resting(path: xr.Dataset) -> dict[str, object]:
    """Whether a model's loss has two plateaus or more that end with a fall, (seed,); and the median number of them."""
    times = path["time"].values
    counts = [
        sum(loss[plateau.last :].min() < 0.8 * plateau.loss for plateau in tg.geometry.stages.plateaus(loss, times))
        for loss in path["loss"].values
    ]
    return {"at least two": np.array(counts) >= 2, "median number": float(np.median(counts)) if counts else np.nan}


def census(path: xr.Dataset) -> str:
    """Which ways the models take, most frequent first."""
    ways = Counter(order(found) or "none" for found in visits(path))
    return "; ".join(f"{WAYS.get(way, way)} {count / path.sizes['seed']:.0%}" for way, count in ways.most_common())


def ways_to_octahedra(paths: Mapping[str, xr.Dataset]) -> dict[str, object]:
    """How many orders of stages end in an octahedron, how many of them without bundles or triangles, and the census."""
    ways = {way for path in paths.values() for way in map(order, visits(path)) if way.endswith("D")}
    straight = [way for way in ways if "B" not in way or "C" not in way]
    return {"ways": len(ways), "straight ones": len(straight)} | {kind: census(path) for kind, path in paths.items()}


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of section 6, with and without noise, and that several ways exist."""
    small, large = path_of(data, TRAINING), path_of(data, LARGE)
    return [
        *engine_claims(data, TRAINING),
        *(replace(one, source=OURS) for one in engine_claims(data, FLOW)),
        Claim(
            "several-ways",
            "Several trajectories exist; some go straight to the antiprism or pair up directly.",
            source=paper(
                "Learning as Geometric Transformations", "one of a few different learning trajectories that attract the model"
            ),
            how="different orders of stages in training that end in an octahedron; straight ones skip bundles or triangles",
            measure=ways_to_octahedra,
            expect={"ways": at_least(2), "straight ones": at_least(1)},
            of={"initial weights near zero": small, "ten times larger": large},
            against={LINEAR: {"initial weights near zero": path_of(data, LINEAR)}},
            evidence=every(small).adding(f"{large.sizes['seed']} with larger initial weights"),
            needs=16,
            note=f"In the exact flow: {census(path_of(data, FLOW))}.",
        ),
    ]


def engine_claims(data: xr.Dataset, engine: str) -> list[Claim]:
    """The checks of F27 in training or in the exact flow."""
    path, independent, key = path_of(data, engine), path_of(data, INDEPENDENT), SHORT[engine]
    claim = partial(Claim, of=path, against={INDEPENDENT: independent}, evidence=shared.evidence(data, path, engine))

    def untold(check: Callable[[xr.Dataset], ArrayLike]) -> str:
        """What is lacking where independent features do the same as often, by Fisher's exact test; nothing if p < 0.05."""
        p = fisher(check(path), check(independent))
        return "" if p < 0.05 else f"a difference from independent features (Fisher's p = {p:.2g})"

    often = partial(claim, expect=share_at_least(0.9), needs=5)
    return [
        often(
            f"octahedron-{key}",
            f"An octahedron whose opposites come from different sets is a strong attractor ({engine}).",
            source=paper(
                "Learning as Geometric Transformations",
                "with features from different correlated sets arranged in antipodal pairs",
            ),
            how="at the end |cos| < 0.1 within sets, each feature has a partner at cos < -0.95 in the other, D_i = 1/2 ± 0.02",
            measure=octahedra,
            lacking=untold(octahedra),
            against={f"{kind}, trained": path_of(data, kind) for kind in (INDEPENDENT, LINEAR)},
        ),
        often(
            f"bundles-{key}",
            f"On the way each set is one direction, as in principal components ({engine}).",
            source=paper(
                "Learning as Geometric Transformations",
                "the toy network learns a linear PCA solution before moving to a better nonlinear solution",
            ),
            how="models with all cosines within sets above 0.9 for 0.05 decades of time or more, before the octahedron",
            measure=lambda path: [bool(found) for found in bundles(path)],
            note=f"Ways: {census(path)}.",
        ),
        claim(
            f"one-axis-{key}",
            f"There the two sets lie on one axis, opposite to each other ({engine}).",
            source=OURS,
            how="models in which the mean directions of the sets then have cos < -0.9; the paper shows one",
            measure=lambda path: float(np.mean(on_one_axis(path))),
            expect=above(0, "%"),
            lacking=untold(on_one_axis),
            note="Sets are seldom active together: an obtuse angle between bundles hardly matters, so most models keep it.",
        ),
        often(
            f"plateaus-{key}",
            f"The stages are visible in the loss: it rests at least twice before its last fall ({engine}).",
            source=paper("Learning as Geometric Transformations", "distinct regimes which are visible in the loss curve"),
            how="models with two or more stretches of 0.2 decades where the loss falls slower than t^-0.1, each before a fall",
            measure=resting,
            expect={"at least two": share_at_least(0.9)},
        ),
    ]


def shown(path: xr.Dataset) -> int:
    """The model that visits most stages, and among those the one whose bundles are most nearly opposite."""
    ranks = []
    for W, found in zip(path["W"].values, visits(path), strict=True):
        rows = [row for visit in found if visit.stage == "B" for row in range(visit.first, visit.last + 1)]
        nearest = np.min(tg.geometry.stages.between_sets(W, SET)[rows], initial=1.0)
        ranks.append((len(set(order(found))), -float(nearest)))
    return ranks.index(max(ranks))


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """One path in each engine."""
    net, sets = tg.nets.ReluOutput(2 * SET, M), tg.features.CorrelatedSets(2, SET, density=DENSITY)
    made = {}
    for engine, noise in ((FLOW, "without noise"), (TRAINING, "in training")):
        path = shared.as_models(path_of(data, engine), net, sets)
        k = shown(path)
        made[SHORT[engine]] = Figure(
            tg.figures.path_slider(path.isel(seed=k), visits(path)[k], SET, CLOCK[engine]),
            f"Six features in three dimensions {noise}, from the side and from above (both can be turned); the slider moves "
            "them along their paths. A: near zero. B: each set is a bundle. C: each set has opened into a triangle. D: the "
            "triangles have turned until every corner opposes one of the other set, an octahedron. Below, the exact loss rests "
            "and falls; stages that the path visits are shaded.",
        )
    return made


experiment = Experiment(
    __name__,
    title="Learning as geometry: bundles, triangles, an octahedron",
    paper="Section 6, learning as geometric transformations (F27)",
    seconds={"quick": 12, "paper": 80},
    order=2,
)
