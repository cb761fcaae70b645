"""What experiments on double descent share: the world of Henighan et al. (2023), their recipe and a shorter one, trainings."""

import numpy as np
import xarray as xr

import tegum as tg
from tegum.experiments import Profile
from tegum.features import Features, FiniteLaw, Independent, UnitLength, data_set
from tegum.nets import Net

WORLD: dict[Profile, tuple[int, float]] = {"quick": (1000, 0.01), "paper": (10_000, 0.001)}
"""Features and their density: of a course, and as printed."""

PRINTED = tg.Recipe(
    steps=50_000,
    warmup_steps=2500,
    learning_rate=1e-3,
    schedule="cosine",
    weight_decay=1e-2,
    evaluation_samples=8192,
    record=("loss", "training_loss"),
)
SHORT = PRINTED.replaced(steps=5000, warmup_steps=250, learning_rate=1e-2)
"""As long a way as `PRINTED` in a tenth of the steps: the recipe of the curves, at a tenth of the cost."""

HENIGHAN = "Henighan et al., 2023"
NOTE = (
    "Bands of T are read off a replication. Of the printed curve a replicator reads a middle from 700 to 5,000, with test "
    "losses of about 1.01; of his own one from 100 to 20,000, with losses up to 5,000."
)
MEMORISED, PEAK = 141, 707
"""Printed bands of T: memorised below, worst up to."""


def world_of(profile: Profile) -> tuple[UnitLength, Independent]:
    """Samples of unit length, and the same unscaled."""
    n, density = WORLD[profile]
    return UnitLength(Independent(n, density)), Independent(n, density)


def sets_of(world: Features, size: int, seeds: int) -> list[FiniteLaw]:
    """The data set of each seed."""
    return [data_set(world, size, seed) for seed in range(seeds)]


def trained(net: Net, world: Features, size: int, recipe: tg.Recipe, seeds: int) -> xr.Dataset:
    """Models of some seeds, each on all of its own set at every step."""
    return tg.train(net, world, recipe.replaced(batch_size=size, seeds=seeds), data=sets_of(world, size, seeds), progress=False)


def losses(runs: dict[int, xr.Dataset], along: str, prefix: str = "") -> xr.Dataset:
    """Losses of trainings over an axis."""
    names = [name for name in ("loss", "loss_standard_error", "training_loss", "exact") if name in next(iter(runs.values()))]
    return xr.Dataset(
        {f"{prefix}{name}": ((along, f"{prefix}seed"), [one[name].values for one in runs.values()]) for name in names},
        {along: list(runs)},
    )


def rise_and_fall(test: xr.DataArray) -> dict[str, float]:
    """How many times the highest loss is that of the first place, and of the last."""
    values = np.asarray(test, dtype=np.float64)
    return {"rise": float(values.max() / values[0]), "fall": float(values.max() / values[-1])}
