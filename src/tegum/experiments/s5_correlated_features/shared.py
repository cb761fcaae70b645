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
from tegum.claims import Evidence, best_of
from tegum.experiments import Figure

BASE = tg.Recipe(steps=5000, learning_rate=3e-3, schedule="cosine", weight_decay=0)


def census(
    net: tg.nets.Net, features: tg.features.Features, densities: Sequence[float], recipe: tg.Recipe, starts: int, set_size: int
) -> xr.Dataset:
    """Trained models and exact minima at each density.

    Returns:
        ``W``, ``b``, ``exact_loss``, ``kind`` (density, seed) of the trained models; ``minima_W``, ``minima_loss``,
        ``minima_kind`` (density, start) of the exact ones (loss infinite where a start reached no minimum); ``linear_loss``.
    """
    sweep = {"density": list(densities)}
    trained = tg.train(net, features, recipe, sweep=sweep)
    exact = tg.exact.minimise(net, features, seeds=starts, sweep=sweep)
    W, b = (trained[name].values.astype(np.float64) for name in ("W", "b"))
    each = [features.replaced(density=p) for p in densities]
    models, minima = ("density", "seed"), ("density", "start")
    return trained[["W", "b"]].assign(
        exact_loss=(models, tg.exact.loss(W, b, features.replaced(density=np.array(densities)[:, None, None]))),
        kind=(models, kinds(W, set_size)),
        minima_W=((*minima, "hidden", "feature"), exact["W"].values),
        minima_b=((*minima, "feature"), exact["b"].values),
        minima_loss=(minima, exact["loss"].where(exact["status"] == tg.Status.MINIMUM, np.inf).values),
        minima_kind=(minima, kinds(exact["W"].values, set_size)),
        linear_loss=("density", [tg.theory.linear_loss(*tg.theory.best_linear(one, net.n_hidden), one) for one in each]),
    )


def kinds(W: NDArray[np.floating], set_size: int) -> NDArray[np.str_]:
    """The name of every model's arrangement, shape (...) of W (..., m, n)."""
    names = [tg.geometry.arrangement_of(model, set_size).name for model in W.reshape(-1, *W.shape[-2:])]
    return np.array(names, dtype=np.str_).reshape(W.shape[:-2])


def partner_cosines(W: NDArray[np.floating]) -> NDArray[np.float64]:
    """The cosine between the members of each of two pairs, shape (..., 2)."""
    return tg.geometry.cosines(W)[..., [0, 2], [1, 3]]


def best_model(data: xr.Dataset, density: float) -> xr.Dataset:
    """The trained model with the lowest exact loss at a density."""
    here = data[["W", "b", "exact_loss", "kind"]].sel(density=density)
    return here.isel(seed=int(here["exact_loss"].fillna(np.inf).argmin("seed")))


def optimum(data: xr.Dataset, density: float, kind: str | None = None) -> xr.Dataset:
    """The lowest exact minimum at a density, or the lowest of one kind; NaN where no start found one."""
    here = data[["minima_W", "minima_b", "minima_loss", "minima_kind"]].sel(density=density)
    loss = here["minima_loss"] if kind is None else here["minima_loss"].where(here["minima_kind"] == kind, np.inf)
    return here.drop_vars("minima_kind").isel(start=int(loss.argmin("start"))).where(np.isfinite(loss.min()))


def share(data: xr.Dataset, density: float, kind: str) -> float:
    """The share of trained models of one kind at a density."""
    return float((data["kind"].sel(density=density) == kind).mean())


def counted(data: xr.Dataset, density: float) -> str:
    """The census of trained models at one density in words, most frequent first."""
    found = Counter(data["kind"].sel(density=density).values.tolist())
    return ", ".join(f"{name} ({count})" for name, count in found.most_common()) + f" of {data.sizes['seed']}"


def scanned(data: xr.Dataset, kind: str) -> str:
    """The share of one kind at every density, in words."""
    return ", ".join(f"{share(data, p, kind):.0%} at {p:g}" for p in data["density"].values)


def best_trained(data: xr.Dataset, density: float) -> Evidence:
    """How the model judged was chosen, how far it is from the lowest certified minimum, and what the others are."""
    here = data.sel(density=density)
    trained, certified, linear = (float(here[name].min()) for name in ("exact_loss", "minima_loss", "linear_loss"))
    apart = f"{abs(trained - certified) / linear:.1g} of the linear loss {'above' if trained >= certified else 'below'} it"
    return best_of(here["exact_loss"], f"exact loss, {trained:.3g}").adding(
        f"lowest certified minimum of {here.sizes['start']} starts {certified:.3g}, training {apart}", counted(data, density)
    )


def arrows_of_seeds(data: xr.Dataset, density: float, set_size: int) -> Figure:
    """The first five seeds at one density, turned and renumbered within and among sets to lie as the best one does."""
    best = tg.geometry.aligned(best_model(data, density)["W"].values)
    groups = np.arange(best.shape[1]).reshape(-1, set_size).tolist()
    first = data[["W", "b", "kind"]].sel(density=density).isel(seed=slice(5))
    turned, places = tg.geometry.aligned_to(first["W"].values, best, groups, whole=True)
    b = np.take_along_axis(first["b"].values, places, axis=-1)
    first = first.assign(W=(("seed", "hidden", "feature"), turned), b=(("seed", "feature"), b))
    each = [first.isel(seed=k) for k in range(first.sizes["seed"])]
    models = {f"seed {one['seed'].item()}<br>{one['kind'].item()}": one for one in each}
    return Figure(
        tg.figures.set_arrows(models, set_size),
        f"The first {len(models)} seeds at density {density:g}, not chosen; turned, mirrored and renumbered within and among "
        "sets for comparison. Members of a set have one colour; the circle has radius 1.",
    )


def census_figure(data: xr.Dataset, names: Sequence[str]) -> Figure:
    """Every trained model's loss by density, coloured by its arrangement; crosses are exact minima of each arrangement."""
    linear = data["linear_loss"]
    arrangement = xr.DataArray(list(names), {"kind_built": list(names)})
    exact = data["minima_loss"].where(np.isfinite(data["minima_loss"]) & (data["minima_kind"] == arrangement)).min("start")
    drawn = xr.Dataset({"relative_loss": data["exact_loss"] / linear, "kind": data["kind"], "built_loss": exact / linear})
    return Figure(
        tg.figures.census_dots(drawn, names, tg.geometry.sets.UNNAMED_SETS, "exact minimum", "loss of the best linear model"),
        f"Every one of {data.sizes['seed']} trained models at each density: its exact loss relative to the best linear model, "
        "spread sideways by rank, so that the width of a plateau is how often it was found. Crosses are the exact minima "
        "of each arrangement.",
    )
