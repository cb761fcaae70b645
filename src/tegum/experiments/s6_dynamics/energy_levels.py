"""Features jump from one energy level to another, and change places, while the loss falls.

Paper: section 6, discrete energy-level jumps (F26).  The paper shows one model whose features all end as digons and gives
neither sizes nor training.  Here n = 20, m = 5, equal importances, density 0.4 (the middle of the digon plateau), Xavier
starts.  Every start is followed twice: by AdamW at 1e-3, constant, no decay, batches of 1024, 10,000 steps, and by the exact
gradient flow of the expected loss until time 3000, in which no noise can fake a jump.  The loss is exact in both.  An event
is a change of some D_i by more than 0.2 within 0.2 decades of time (5 % of four decades) after half of the features have come
within 0.1 of where they end (`tegum.geometry.events`); the loss falls suddenly where it falls 3 times as fast as just before
and after.  Every seed counts; shown is the one with the latest sudden swap.
"""

from collections.abc import Callable

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims.old import Claim, Control
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s6_dynamics.shared import FLOW, TRAINING, flowed_path, found_events, trained_path
from tegum.figures import level_panels, level_slider

N, M, DENSITY = 20, 5, 0.4
SEEDS: dict[Profile, int] = {"quick": 16, "paper": 128}
RECIPE = tg.Recipe(steps=10_000, weight_decay=0, record_steps=250)
TIMES = np.geomspace(0.1, 3000, 300)
CLOSE = 0.02
CLOCK = {TRAINING: "optimizer steps", FLOW: "time (learning rate × steps)"}


def study(profile: Profile) -> xr.Dataset:
    """Every start followed by training and by the exact flow; linear models beside them, in both ways."""
    features = tg.features.Independent(N, density=DENSITY)
    recipe = RECIPE.replaced(seeds=SEEDS[profile])
    parts = {}
    for kind, net in (("relu", tg.nets.ReluOutput(N, M)), ("linear", tg.nets.Linear(N, M))):
        trained = trained_path(net, features, recipe)
        parts[kind, "step"] = trained
        parts[kind, "time"] = flowed_path(net, features, trained, TIMES)
    named = [
        path.rename({name: f"{kind}_{clock}_{name}" for name in path.data_vars} | {"time": clock})
        for (kind, clock), path in parts.items()
    ]
    data = xr.merge(named, combine_attrs="drop_conflicts")
    data.attrs |= parts["relu", "step"].attrs | parts["relu", "time"].attrs
    data.attrs["interrupted"] = max(path.attrs["interrupted"] for path in parts.values())
    return data


def path_of(data: xr.Dataset, engine: str, kind: str = "relu") -> xr.Dataset:
    """One engine's paths, times above 0; flows that gave up before the end are left out."""
    clock = "step" if engine == TRAINING else "time"
    prefix = f"{kind}_{clock}_"
    mine = data[[name for name in data.data_vars if str(name).startswith(prefix)]]
    path = mine.rename(
        {name: str(name).removeprefix(prefix) for name in mine.data_vars} | ({"step": "time"} if clock == "step" else {})
    )
    path = path.isel(time=path["time"].values > 0)
    return path.isel(seed=np.isfinite(path["loss"].isel(time=-1).values))


def digons(path: xr.Dataset) -> float:
    """The share of models whose features all end at D = 0 or 1/2."""
    D = path["D"].isel(time=-1).values
    return float((np.minimum(abs(D), abs(D - 0.5)) <= CLOSE).all(axis=1).mean())


def shares(path: xr.Dataset) -> dict[str, float]:
    """The shares of models with at least one event of each sort."""
    found = found_events(path)
    sorts: dict[str, Callable[[tg.geometry.Event], bool]] = {
        "jump": lambda event: True,
        "swap": lambda event: event.swap,
        "sudden": lambda event: event.sudden,
        "sudden swap": lambda event: event.swap and event.sudden,
    }
    return {sort: float(np.mean([any(test(event) for event in events) for events in found])) for sort, test in sorts.items()}


def engine_claims(data: xr.Dataset, engine: str) -> list[Claim]:
    """The same two statements for training and for the flow."""
    path, linear = path_of(data, engine), path_of(data, engine, "linear")
    key = "training" if engine == TRAINING else "flow"
    here, there = shares(path), shares(linear)
    count = path.sizes["seed"]
    lost = f", {data.attrs['flows_that_gave_up']} flows gave up" if engine == FLOW else ""
    evidence, enough = f"{count} models, all counted{lost}", count >= 16
    events = [event for found in found_events(path) for event in found]
    pairs = [found for found in found_events(path) if len(found) > 1]
    later = sum(found[1].loss_drop > found[0].loss_drop for found in pairs)
    return [
        Claim(
            name=f"digons-{key}",
            statement=f"The features end as digons or unlearned ({engine}).",
            how="models whose D_i are all within 0.02 of 0 or 1/2 at the end",
            expected="at least half of the models",
            tolerance="as stated",
            measured=f"{digons(path):.0%}",
            holds=digons(path) >= 0.5,
            evidence=evidence,
            enough=enough,
            control=Control("linear models from the same starts", f"{digons(linear):.0%}", digons(linear) >= 0.5),
        ),
        Claim(
            name=f"swaps-{key}",
            statement=f"Features jump between levels and change places while the loss drops suddenly ({engine}).",
            how="models with an event after half the features have settled: some D_i jumps, another moves against it, and the "
            "loss falls more than 3 times as fast as in the stretches before and after",
            expected="in at least one model",
            tolerance="as stated",
            measured=f"{here['sudden swap']:.0%}; a jump in {here['jump']:.0%}, a swap in {here['swap']:.0%}, a jump with a "
            f"sudden fall of the loss in {here['sudden']:.0%}",
            holds=here["sudden swap"] > 0,
            evidence=f"{evidence}; {len(events)} events",
            enough=enough,
            control=Control("linear models from the same starts", f"{there['sudden swap']:.0%}", there["sudden swap"] > 0),
            note="In other events the loss falls nearly as fast before or after. In the paper's example the second event "
            f"lowers the loss more than the first; here it does in {later} of {len(pairs)} models with two events. "
            f"A jump in {there['jump']:.0%} of the linear models.",
        ),
    ]


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of section 6, with and without noise."""
    return engine_claims(data, TRAINING) + engine_claims(data, FLOW)


def shown(path: xr.Dataset) -> int:
    """The seed with the latest sudden swap."""
    return int(np.argmax([max((e.begins for e in found if e.swap and e.sudden), default=0) for found in found_events(path)]))


def told(found: list[tg.geometry.Event], model: xr.Dataset, clock: str) -> str:
    """Every event of a model: when, who rises and falls, and by how much the loss falls; "none" without any."""

    def names(features: tuple[int, ...]) -> str:
        return ", ".join(str(i) for i in features) or "none"

    start = model["loss"].values
    unit = clock.split()[1] if clock == CLOCK[TRAINING] else clock.split()[0]
    said = [
        f"{unit} {event.begins:,.0f} to {event.ends:,.0f}: rising {names(event.risen)}, falling {names(event.fallen)}, "
        f"loss down by {event.loss_drop / start[event.first]:.2%}" + (" (suddenly)" if event.sudden else "")
        for event in found
    ]
    return "; ".join(said) or "none"


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """One model in each engine, and one with a slider."""
    models = {}
    for engine in (TRAINING, FLOW):
        path = path_of(data, engine)
        k = shown(path)
        models[engine] = (path.isel(seed=k), found_events(path)[k])
    model, found = models[FLOW]
    return {
        "levels": Figure(
            level_panels(models, CLOCK),
            "The dimensionality of every feature (above) and the exact loss (below), through stochastic training and through "
            "the gradient flow of the expected loss, which has no noise. Shaded are the events: features jump to another "
            "level, most often while others move against them. Shown is the model with the latest such exchange at which the "
            f"loss falls suddenly, of {data.sizes['seed']} starts. Events, by feature number: "
            + ". ".join(f"{engine}, {told(events, path, CLOCK[engine])}" for engine, (path, events) in models.items())
            + ".",
        ),
        "slider": Figure(
            level_slider(model, found, CLOCK[FLOW]),
            "The same exact flow; the slider moves the mark through time and shows what the model computes. Two blue squares "
            "off the diagonal are a pair of opposites. Move it across a shaded stretch to see which squares appear or vanish.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Features jump between energy levels, with noise and without",
    paper="Section 6, discrete energy-level jumps (F26)",
    seconds={"quick": 11, "paper": 35},
    study=study,
    figures=figures,
    claims=claims,
    order=1,
)
