"""Features jump from one energy level to another, and change places, while the loss falls.

Paper: section 6, discrete energy-level jumps (F26): one model whose features all end as digons, neither sizes nor training
given.  Here n = 20, m = 5, equal importances, density 0.4 (the middle of the digon plateau), Xavier initial weights, followed
twice: by AdamW at 1e-3, constant, no decay, batches of 1024, 10,000 steps, and by the exact gradient flow of the expected loss
until time 3000, in which no noise can fake a jump.  The paper profile also trains 16 models of the sizes of section 4, n = 400,
m = 30.  The loss is exact everywhere.  An event is a change of some D_i by more than 0.2 within 0.2 decades of time, after half
of the features have come within 0.1 of where they end (`tegum.geometry.events`); the loss falls suddenly where it falls 3 times
as fast as just before and after.  Every seed counts; shown is the one with the latest sudden swap.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, above, every, paper, share_at_least
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s6_dynamics import shared
from tegum.experiments.s6_dynamics.shared import CLOCK, FLOW, SHORT, TRAINING
from tegum.geometry import Event

N, M, DENSITY = 20, 5, 0.4
SEEDS: dict[Profile, int] = {"quick": 16, "paper": 128}
LARGE, LARGE_SEEDS, LINEAR_SEEDS = (400, 30), 16, 5
"""The sizes of section 4, trained in the paper profile, and so many models with a ReLU and without."""
RECIPE = tg.Recipe(steps=10_000, weight_decay=0, record_steps=250)
TIMES = np.geomspace(0.1, 3000, 300)
CLOSE = 0.02
TIME = {TRAINING: "step", FLOW: "time"}
"""What the time of each engine is called in the data."""
SORTS: dict[str, Callable[[Event], bool]] = {
    "jump": lambda event: True,
    "swap": lambda event: event.swap,
    "sudden jump": lambda event: event.sudden,
    "sudden swap": lambda event: event.swap and event.sudden,
}


def study(profile: Profile) -> xr.Dataset:
    """Initial weights followed by training and by the exact flow; linear models beside them, in both ways."""
    features = tg.features.Independent(N, density=DENSITY)
    recipe = RECIPE.replaced(seeds=SEEDS[profile])
    paths = {}
    for kind, net in (("relu", tg.nets.ReluOutput(N, M)), ("linear", tg.nets.Linear(N, M))):
        trained = shared.trained_path(net, features, recipe)
        paths[f"{kind}_step"] = trained.rename(time="step")
        paths[f"{kind}_time"] = shared.flowed_path(net, features, trained, TIMES)
    if profile == "paper":
        paths |= large_paths(recipe)
    return shared.side_by_side(paths)


def large_paths(recipe: tg.Recipe) -> dict[str, xr.Dataset]:
    """The same training at the sizes of section 4, without weights, which would weigh a hundred times as much."""
    features, paths = tg.features.Independent(LARGE[0], density=DENSITY), {}
    for kind, net, seeds in (
        ("relu", tg.nets.ReluOutput(*LARGE), LARGE_SEEDS),
        ("linear", tg.nets.Linear(*LARGE), LINEAR_SEEDS),
    ):
        trained = shared.trained_path(net, features, recipe.replaced(seeds=seeds, record_steps=120))
        dims = {dim: f"{kind}_large_{dim}" for dim in ("time", "seed", "feature")}
        paths[f"{kind}_large"] = trained[["loss", "D"]].rename(dims)
    return paths


def path_of(data: xr.Dataset, engine: str, kind: str = "relu") -> xr.Dataset:
    """The paths of ReLU-output or linear models in one engine."""
    return shared.path_called(data, f"{kind}_{TIME[engine]}")


def digons(path: xr.Dataset) -> xr.DataArray:
    """Whether all features end at D = 0 or 1/2, (seed,)."""
    D = path["D"].isel(time=-1)
    return ((abs(D) <= CLOSE) | (abs(D - 0.5) <= CLOSE)).all("feature")


def found_events(path: xr.Dataset) -> list[list[Event]]:
    """The events of every seed, after half its features have settled."""
    times = path["time"].values
    return [tg.geometry.events(D, times, loss) for D, loss in zip(path["D"].values, path["loss"].values, strict=True)]


def shares(found: Sequence[Sequence[Event]]) -> dict[str, float]:
    """The shares of models with at least one event of each sort."""
    return {sort: sum(any(map(test, events)) for events in found) / max(len(found), 1) for sort, test in SORTS.items()}


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of section 6, with and without noise."""
    flow = (replace(one, source=OURS) for one in engine_claims(data, FLOW))
    return [*engine_claims(data, TRAINING), *flow, *large_claims(data)]


def engine_claims(data: xr.Dataset, engine: str) -> list[Claim]:
    """The same statements for training and for the flow."""
    path, linear = path_of(data, engine), path_of(data, engine, "linear")
    found = found_events(path)
    control, evidence = "linear models from the same initial weights", shared.evidence(data, path, engine)
    return [
        Claim(
            f"digons-{SHORT[engine]}",
            f"The features end as digons or unlearned ({engine}).",
            source=OURS,
            how=f"models whose D_i are all within {CLOSE:g} of 0 or 1/2 at the end",
            measure=digons,
            expect=share_at_least(0.5),
            of=path,
            against={control: linear},
            evidence=evidence,
            needs=16,
        ),
        *event_claims(
            found,
            SHORT[engine],
            engine,
            evidence,
            {f"{control}, {way}": found_events(path_of(data, way, "linear")) for way in (TRAINING, FLOW)},
        ),
    ]


def large_claims(data: xr.Dataset) -> list[Claim]:
    """The same at the sizes of section 4, which are not said to be those of the figure."""
    (n, m), against = LARGE, "linear models of that size"
    if "relu_large_D" in data:
        path, linear = (shared.path_called(data, f"{kind}_large") for kind in ("relu", "linear"))
        found, control, evidence, why = found_events(path), found_events(linear), every(path["loss"]), ""
    else:
        found, control, evidence = None, None, Evidence("no model")
        why = f"needs {n} features in {m} dimensions, which only the paper profile trains"
    claims = event_claims(found, "large", f"training, n = {n}", evidence, {against: control}, why)
    return [replace(one, source=OURS, needs=LARGE_SEEDS // 2) for one in claims]


def event_claims(
    found: list[list[Event]] | None, name: str, way: str, evidence: Evidence, against: dict[str, Any], not_run: str = ""
) -> list[Claim]:
    """What is said of the events of all models, and of the first two of each."""
    pairs = None if found is None else [events[:2] for events in found if len(events) > 1]
    two = [len(each or []) for each in (pairs, found)]
    return [
        Claim(
            f"swaps-{name}",
            f"Features jump between levels and change places while the loss drops suddenly ({way}).",
            source=paper(
                'Discrete "Energy Level" Jumps',
                'the dimensionality of some features "jump" between different values and swap places',
            ),
            how="models in which, after half the features have settled, some D_i jumps; that is a swap where another D_i moves "
            "against it, and sudden where the loss falls more than 3 times as fast as just before and after",
            measure=shares,
            expect=dict.fromkeys(SORTS, above(0, "%")),
            of=found,
            against=against,
            evidence=evidence.adding(f"{sum(map(len, found or []))} events"),
            needs=16,
            not_run=not_run,
        ),
        Claim(
            f"second-larger-{name}",
            f"In some models the second jump lowers the loss more than the first ({way}).",
            source=paper(
                'Discrete "Energy Level" Jumps', "a very small one at the first jump, and a larger one at the second jump"
            ),
            how="models of two events or more in which the second lowers the loss more; one is enough, as the paper shows one",
            measure=lambda pairs: sum(second.loss_drop > first.loss_drop for first, second in pairs) / max(len(pairs), 1),
            expect=above(0, "%"),
            of=pairs,
            uncontrolled="linear models do not have two events",
            evidence=Evidence(f"{two[0]} of {two[1]} models have two events", two[0]),
            needs=16,
            not_run=not_run,
        ),
    ]


def shown(found: Sequence[Sequence[Event]]) -> int:
    """The seed with the latest sudden swap."""
    last = [max((event.begins for event in filter(SORTS["sudden swap"], events)), default=0) for events in found]
    return int(np.argmax(last))


def told(events: Sequence[Event], model: xr.Dataset, unit: str) -> str:
    """Every event of a model: when, which features rise and fall, and by how much the loss falls; "none" without any."""
    said = []
    for event in events:
        risen, fallen = (", ".join(map(str, features)) or "none" for features in (event.risen, event.fallen))
        drop = f"{event.loss_drop / float(model['loss'][event.first]):.2%}" + (" (suddenly)" if event.sudden else "")
        said.append(f"{unit} {event.begins:,.0f} to {event.ends:,.0f}: rising {risen}, falling {fallen}, loss down by {drop}")
    return "; ".join(said) or "none"


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """One model in each engine, and one with a slider."""
    models, said = {}, []
    net, features = tg.nets.ReluOutput(N, M), tg.features.Independent(N, density=DENSITY)
    for engine, unit in ((TRAINING, "steps"), (FLOW, "time")):
        path = shared.as_models(path_of(data, engine), net, features)
        found = found_events(path)
        k = shown(found)
        models[engine] = (path.isel(seed=k), found[k])
        said.append(f"{engine}, {told(found[k], path.isel(seed=k), unit)}.")
    return {
        "levels": Figure(
            tg.figures.level_panels(models, CLOCK),
            "The dimensionality of every feature (above) and the exact loss (below), through stochastic training and through "
            "the gradient flow of the expected loss, which has no noise. Shaded are the events: features jump to another "
            "level, most often while others move against them. Shown is the model with the latest such exchange at which the "
            f"loss falls suddenly, of {data.sizes['seed']} models. Events, by feature number: {' '.join(said)}",
        ),
        "slider": Figure(
            tg.figures.level_slider(*models[FLOW], CLOCK[FLOW]),
            "The same exact flow; the slider moves the mark through time and shows what the model computes. Two blue squares "
            "off the diagonal are a pair of opposites. Move it across a shaded stretch to see which squares appear or vanish.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Features jump between energy levels, with noise and without",
    paper="Section 6, discrete energy-level jumps (F26)",
    seconds={"quick": 11, "paper": 240},
    order=1,
)
