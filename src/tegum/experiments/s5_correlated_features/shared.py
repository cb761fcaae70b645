"""What the experiments with sets of features share: a census of trained models over density, with exact minima beside it.

Every trained model is kept, with its exact loss and the name of its arrangement (`tegum.geometry.sets`).  Minima that the exact
engine reaches from random starts say which arrangements there are, what each costs at best, and how far training is from the
lowest one.  The best linear model (principal components, closed form) is what losses are drawn against.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.experiments import Figure
from tegum.figures import census_dots, set_arrows
from tegum.geometry import UNNAMED_SETS, aligned, aligned_to, arrangement_of

LINEAR = "loss of the best linear model"


def census(
    net: tg.nets.Net, features: tg.features.Features, densities: Sequence[float], recipe: tg.Recipe, starts: int, set_size: int
) -> xr.Dataset:
    """Trained models and exact minima at each density.

    Returns:
        ``W``, ``b``, ``exact_loss``, ``kind`` (density, seed) of the trained models; ``minima_W``, ``minima_loss``,
        ``minima_kind`` (density, start) of the exact ones (loss infinite where a start reached no minimum); ``linear_loss``.
    """
    sweep = {"density": list(densities)}
    trained = tg.train(net, features, recipe, sweep=sweep).transpose("density", "seed", "hidden", "feature", ...)
    exact = tg.exact.minimise(net, features, seeds=starts, sweep=sweep).transpose("density", "seed", "hidden", "feature", ...)
    W, b = (trained[name].values.astype(np.float64) for name in ("W", "b"))
    worlds = features.replaced(density=np.array(densities)[:, None, None])
    reached = exact["loss"].where(exact["status"] == "minimum", np.inf).values
    each = [features.replaced(density=p) for p in densities]
    linear = [tg.theory.linear_loss(*tg.theory.best_linear(world, net.n_hidden), world) for world in each]
    data = xr.Dataset(
        {
            "W": trained["W"],
            "b": trained["b"],
            "exact_loss": (("density", "seed"), tg.exact.loss(W, b, worlds)),
            "kind": (("density", "seed"), kinds(W, set_size)),
            "minima_W": (("density", "start", "hidden", "feature"), exact["W"].values),
            "minima_b": (("density", "start", "feature"), exact["b"].values),
            "minima_loss": (("density", "start"), reached),
            "minima_kind": (("density", "start"), kinds(exact["W"].values, set_size)),
            "linear_loss": ("density", linear),
        },
        attrs=trained.attrs,
    )
    return data.assign_attrs(interrupted=max(trained.attrs["interrupted"], exact.attrs["interrupted"]))


def kinds(W: NDArray[np.floating], set_size: int) -> NDArray[np.str_]:
    """The name of every model's arrangement, shape (...) of W (..., m, n)."""
    names = [arrangement_of(model, set_size).name for model in W.reshape(-1, *W.shape[-2:])]
    return np.array(names, dtype=np.str_).reshape(W.shape[:-2])


def best_model(data: xr.Dataset, density: float) -> xr.Dataset:
    """The trained model with the lowest exact loss at a density."""
    here = data[["W", "b", "exact_loss", "kind"]].sel(density=density)
    return here.isel(seed=int(here["exact_loss"].fillna(np.inf).argmin("seed")))


def optimum(data: xr.Dataset, density: float, kind: str | None = None) -> xr.Dataset:
    """The lowest exact minimum at a density, or the lowest of one kind: loss infinite, weights NaN where no start found one."""
    here = data[["minima_W", "minima_b", "minima_loss", "minima_kind"]].sel(density=density)
    loss = here["minima_loss"] if kind is None else here["minima_loss"].where(here["minima_kind"] == kind, np.inf)
    found = here.assign(minima_loss=loss).isel(start=int(loss.argmin("start")))
    weights = {name: found[name].where(np.isfinite(found["minima_loss"])) for name in ("minima_W", "minima_b")}
    return found.assign(weights)


def share(data: xr.Dataset, density: float, kind: str) -> float:
    """The share of trained models of one kind at a density."""
    return float((data["kind"].sel(density=density) == kind).mean())


def counted(data: xr.Dataset, density: float) -> str:
    """The census of trained models at one density in words, most frequent first."""
    found = Counter(data["kind"].sel(density=density).values.tolist())
    return ", ".join(f"{name}: {count}" for name, count in found.most_common()) + f" of {data.sizes['seed']}"


def scanned(data: xr.Dataset, kind: str) -> str:
    """The share of one kind at every density, in words."""
    return ", ".join(f"{share(data, p, kind):.0%} at {p:g}" for p in data["density"].values)


def evidence(data: xr.Dataset, density: float) -> str:
    """How the shown model was chosen, and how far it is from the certified optimum."""
    model, lowest = best_model(data, density), optimum(data, density)
    trained, certified = float(model["exact_loss"]), float(lowest["minima_loss"])
    linear = float(data["linear_loss"].sel(density=density))
    return (
        f"best of {data.sizes['seed']} by exact loss, {trained:.3g}; lowest of {data.sizes['start']} exact starts "
        f"{certified:.3g}, training {abs(trained - certified) / linear:.1g} of the linear loss "
        f"{'above' if trained >= certified else 'below'} it"
    )


def arrows_of_seeds(data: xr.Dataset, density: float, set_size: int, count: int = 5) -> Figure:
    """The first seeds at one density, turned and renumbered within and among sets to lie as the best one does."""
    best = aligned(best_model(data, density)["W"].values)
    n = best.shape[1]
    groups = [list(range(k, k + set_size)) for k in range(0, n, set_size)]
    models = {}
    for model in (data.sel(density=density).isel(seed=k) for k in range(min(count, data.sizes["seed"]))):
        W, _ = aligned_to(model["W"].transpose("hidden", "feature").values, best, groups, whole=True)
        models[f"seed {int(model['seed'])}<br>{model['kind'].item()}"] = W
    return Figure(
        set_arrows(models, set_size),
        f"The first {len(models)} seeds at density {density:g}, not chosen; turned, mirrored and renumbered within and among "
        "sets for comparison. Members of a set have one colour; the circle has radius 1.",
    )


def census_figure(data: xr.Dataset, names: Sequence[str]) -> Figure:
    """Every trained model's loss by density, coloured by its arrangement; crosses are exact minima of each arrangement."""
    linear = data["linear_loss"]
    built = [[float(optimum(data, p, name)["minima_loss"]) for name in names] for p in data["density"].values]
    drawn = xr.Dataset(
        {
            "relative_loss": data["exact_loss"] / linear,
            "kind": data["kind"],
            "built_loss": (("density", "kind_built"), np.where(np.isinf(built), np.nan, built) / linear.values[:, None]),
        },
        {"kind_built": list(names)},
    )
    return Figure(
        census_dots(drawn, names, UNNAMED_SETS, LINEAR),
        f"Every one of {data.sizes['seed']} trained models at each density: its exact loss relative to the best linear model, "
        "spread sideways by rank, so that the width of a plateau is how often it was found. Crosses are the exact minima "
        "of each arrangement.",
    )
