"""The study of equal features and what is measured of it; the experiment itself holds sizes, claims and figures.

Models at many densities are found in three ways, and the sizes of other models beside them:

    TRAINING     stochastic training, as in the paper
    EXACT        the expected loss minimised from the same initial weights; claims are about the lowest minimum of these and
                 the next, at each density
    POLISHED     the expected loss minimised from the trained weights: how far training was from an end

Each density is minimised in a call of its own, so that a study that is killed keeps the densities it has finished.

Everything is measured over 1 / (1 - S), the *inverse density*, as in the paper's figure, of several seeds: `Models` are lists,
one array for each seed with one model at each density, and claims about training judge each seed by itself
(`tegum.claims.in_each_seed`).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, Expect, in_each_seed
from tegum.datasets import dataset
from tegum.geometry import dimensionality, dimensions_per_feature, feature_graph, feature_norms, identify

TRAINING, EXACT, POLISHED = "training", "exact", "exact from trained"
WAYS = (TRAINING, EXACT, POLISHED)
GRADIENT, STEPS, TERMS = 1e-5, 1500, 64
"""A minimisation ends where the root mean square of the gradient is below the first, or after so many steps."""
INVERSE = "inverse density"
SLOW = (1.2, 2.0)
"""Where the loss is flat, as 1 / (1 - S): shapes there differ by 0.1 % of it."""
SEEDS = 5
"""So many models at each density, at least, decide."""
Models = list[xr.DataArray]
"""Something over the inverse density, for each seed."""
LEARNED = 0.2
"""The paper's dots above this D_i are features that are learned."""
PAPER_X = [1.2, 1.25, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0, 2.2, 2.4, 3.0, 3.4, 3.6, 3.8, 4.0, 4.2, 4.6, 5.5, 7.0, 9.8]
PAPER = [
    *(0.985, 0.967, 0.948, 0.913, 0.877, 0.823, 0.72, 0.62, 0.577, 0.546, 0.521),
    *(0.51, 0.491, 0.490, 0.486, 0.475, 0.439, 0.424, 0.387, 0.335, 0.282, 0.222),
]
"""D* at these 1 / (1 - S), read off the paper's figure, good to 0.01."""
SPARSE_DOTS = {(5.4, 6.0): (0.31, 0.35), (6.9, 8.0): (0.27, 0.31), (9.0, 10.0): (0.23, 0.25)}
"""Limits of the dots at 1 / (1 - S) from one number to another, read off the paper's figure."""
CLUSTERS = {
    3.9: (0.499, 0.462, 0.4),
    4.1: (0.454, 0.5, 0.4),
    4.3: (0.5, 0.459, 0.4, 0.374),
    4.5: (0.424, 0.389),
    4.7: (0.413, 0.385),
    4.9: (0.406, 0.381),
    5.2: (0.372, 0.357),
}
"""Where dots cluster at 1 / (1 - S), read off the paper's figure."""
ANTIPRISM = 0.012
"""How far from 3/8 the D_i of a square antiprism may be."""
LOOKS = ("a tetrahedron", "triangles and digons", "digons only", "pentagons or antiprisms, and an irregular rest")
"""What the first four of the paper's six feature graphs show."""


def trained(n: int, m: int, densities: Sequence[float], recipe: tg.Recipe, times: int) -> xr.Dataset:
    """Trained models and their initial weights; ``times`` as many steps where the loss is so flat that training is slow."""
    slow = [p for p in densities if times > 1 and SLOW[0] <= 1 / p <= SLOW[1]]
    parts = ((1, [p for p in densities if p not in slow]), (times, slow))
    runs = [
        tg.train(
            tg.nets.ReluOutput(n, m),
            tg.features.Independent(n),
            recipe.replaced(steps=factor * recipe.steps, record=("W",), record_steps=(0,)),
            sweep={"density": some},
        )
        for factor, some in parts
        if some
    ]
    named = [run[["W", "b", "W_history"]] for run in runs]
    return xr.concat(named, "density", combine_attrs="drop_conflicts", join="exact").sel(density=list(densities))


def three_ways(n: int, m: int, densities: Sequence[float], recipe: tg.Recipe, times: int = 1) -> xr.Dataset:
    """Models of n equal features in m dimensions at each density, in three ways; ``times`` is that of `trained`.

    Returns:
        ``W`` (way, seed, density, hidden, feature), ``b``, exact ``loss`` (way, seed, density), ``gradient`` (its root mean
        square; NaN for training), and ``start_W`` (seed, hidden, feature), the initial weights at the first density.
    """
    net, features = tg.nets.ReluOutput(n, m), tg.features.Independent(n)
    run = trained(n, m, densities, recipe, times).transpose("density", "seed", ...)
    initial_W = run["W_history"].isel(step=0).transpose("density", "seed", "hidden", "feature").values.astype(np.float64)
    W, b = (run[name].values.astype(np.float64) for name in ("W", "b"))
    seeds = run.sizes["seed"]
    loss = tg.exact.loss(W, b, features.replaced(density=np.array(densities)[:, None, None]), tol=1e-6)
    norm_of_rms = sqrt(n * m + n)
    ends = [
        tg.exact.minimise(
            net,
            features.replaced(density=density),
            seeds=2 * seeds,
            initial={"W": np.concatenate([initial_W[k], W[k]]), "b": np.concatenate([np.zeros((seeds, n)), b[k]])},
            gradient_tolerance=GRADIENT * norm_of_rms,
            most_steps=STEPS,
            terms=TERMS,
            tol=1e-6,
            certify=False,
        )
        for k, density in enumerate(densities)
    ]

    def ways(name: str, trained: NDArray[np.float64]) -> NDArray[np.float64]:
        """(way, seed, density, ...) of what training found, (density, seed, ...), and what the descents did."""
        ended = np.stack([end[name].values for end in ends])
        found = np.stack([trained, *np.split(ended, 2, axis=1)])
        return np.swapaxes(found, 1, 2)

    models = ("way", "seed", "density")
    return dataset(
        {
            "W": ((*models, "hidden", "feature"), ways("W", W).astype(np.float32)),
            "b": ((*models, "feature"), ways("b", b).astype(np.float32)),
            "loss": (models, ways("loss", loss)),
            "gradient": (models, ways("gradient_norm", np.full(loss.shape, np.nan)) / norm_of_rms),
            "start_W": (("seed", "hidden", "feature"), initial_W[0].astype(np.float32)),
        },
        {"way": list(WAYS), "seed": run["seed"].values, "density": list(densities)},
        run.attrs | {"minimise": f"root mean square of the gradient {GRADIENT:g}, or {STEPS} steps; {TERMS} terms"},
        {"gradient": "root mean square of the gradient", "start_W": "initial weights at the first density"},
    )


def with_sizes(data: xr.Dataset, runs: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """The data with sizes of the models of other runs, each after the run's name.

    These are ``D_star`` and ``represented``, over ``NAME_seed`` and over ``shown_density`` where a run has fewer densities,
    and ``n`` and ``m``.
    """
    for name, run in runs.items():
        W = run["W"].transpose("seed", "density", "hidden", "feature").values.astype(np.float64)
        place = "density" if W.shape[1] == data.sizes["density"] else "shown_density"
        over = (f"{name}_seed", place)
        values = {"D_star": (over, dimensions_per_feature(W)), "represented": (over, represented(W))}
        values |= {"n": W.shape[-1], "m": W.shape[-2]}
        data = data.assign({f"{name}_{key}": value for key, value in values.items()})
        data = data.assign_coords({place: run["density"].values})
    return data


def sizes_of(data: xr.Dataset, name: str) -> Models:
    """What `with_sizes` has under a name, of every seed."""
    return [over_inverse(one) for one in data[name]]


def represented(W: NDArray[np.float64]) -> NDArray[np.integer]:
    """How many features have a norm of at least 1/2, (...) of W (..., m, n)."""
    return np.asarray((feature_norms(W) >= 1 / 2).sum(axis=-1))


def over_inverse(array: xr.DataArray) -> xr.DataArray:
    """An array whose first axis is a density, in float64, over 1 / (1 - S)."""
    first, *others = array.dims
    return xr.DataArray(array.values.astype(np.float64), {INVERSE: 1 / array[first].values}, [INVERSE, *others])


def models_of(data: xr.Dataset, way: str) -> Models:
    """W (inverse density, hidden, feature) of every seed of one way; of exact minimisation the lowest minimum at each density.

    Its coordinates are ``initial`` (hidden, feature), the initial weights, and ``lowest_of``, from how many it was chosen.
    """
    initial = data["start_W"].astype(np.float64).drop_vars("seed")
    if way != EXACT:
        seeds = data["W"].sel(way=way).transpose("seed", "density", "hidden", "feature")
        each = zip(seeds, initial, strict=True)
        return [over_inverse(W).assign_coords(initial=start, lowest_of=1) for W, start in each]
    ends = data[["W", "loss"]].sel(way=list(WAYS[1:])).stack(start=("way", "seed"))
    lowest = ends["W"].isel(start=ends["loss"].argmin("start")).drop_vars(["start", "way", "seed"])
    W = over_inverse(lowest.transpose("density", "hidden", "feature"))
    return [W.assign_coords(initial=initial[0], lowest_of=ends.sizes["start"])]


def along(models: xr.DataArray, values: ArrayLike) -> xr.DataArray:
    """One value for each model, at its 1 / (1 - S)."""
    chosen = {name: models[name].values for name in ("lowest_of",) if name in models.coords}
    return xr.DataArray(values, {INVERSE: models[INVERSE].values} | chosen, [INVERSE])


def within(models: xr.DataArray, low: float, high: float = np.inf) -> xr.DataArray:
    """Those with 1 / (1 - S) from low to high."""
    return models.sel({INVERSE: slice(low - 1e-9, high + 1e-9)})


def at_shown(models: xr.DataArray, data: xr.Dataset) -> xr.DataArray:
    """Those nearest to the densities of the feature graphs."""
    return models.sel({INVERSE: 1 / data["shown_density"].values}, method="nearest")


def line_of(W: xr.DataArray) -> xr.DataArray:
    """D* of every model."""
    return along(W, dimensions_per_feature(W.values))


def largest_gap(line: xr.DataArray, other: xr.DataArray) -> float:
    """The largest difference where the other line has points."""
    return float(abs(line.sel({INVERSE: other[INVERSE].values}, method="nearest").values - other.values).max())


def random_like(W: xr.DataArray) -> xr.DataArray:
    """Unit vectors in random directions, for each model as many as it has learned features; the other features are 0."""
    count = np.maximum((dimensionality(W.values) > LEARNED).sum(axis=1), 1)
    directions = W["initial"].values / np.linalg.norm(W["initial"].values, axis=0)
    return W.copy(data=np.where(np.arange(W.sizes["feature"]) < count[:, None, None], directions, 0))


def blob(W: xr.DataArray) -> dict[str, Any]:
    """Mean D_i of all models, the share of features with a direction of their own, mean D*."""
    D = dimensionality(W.values)
    return {"mean D": D.mean(), "learned": (D > LEARNED).mean(), "D*": line_of(W).mean()}


def features_per_dimension(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The n / m of the compressed-sensing bound m = -n (1 - S) ln(1 - S): x / ln x with x = 1 / (1 - S)."""
    return np.asarray(x / tg.theory.bound_units(x, np.ones_like(x)))


def off_the_paper(line: xr.DataArray) -> xr.DataArray:
    """The distance of D* from the paper's line, where that is printed."""
    printed = within(line, PAPER_X[0], PAPER_X[-1] + 0.3)
    paper = np.interp(np.log(printed[INVERSE].values), np.log(PAPER_X), PAPER)
    return along(printed, abs(printed.values - paper))


def sticking(line: xr.DataArray) -> dict[str, Any]:
    """The widest run of models with |D* - 1/2| < 0.025, how many of the paper's fifty grid points it spans; dense D*."""
    close = np.flatnonzero(np.abs(line.values - 0.5) < 0.025)
    runs = np.split(line[INVERSE].values[close], np.flatnonzero(np.diff(close) > 1) + 1)
    spans = [1 + round(49 * np.log10(run[-1] / run[0])) if run.size else 0 for run in runs]
    widest = runs[int(np.argmax(spans))]
    return {
        "grid points at 1/2": max(spans),
        "models": widest.size,
        "from": widest[:1],
        "to": widest[-1:],
        "dense D*": within(line, 1, 1.1),
    }


def sparse_dots(W: xr.DataArray) -> dict[str, NDArray[np.bool_]]:
    """Which learned features of the sparsest models have their D within the printed limits, or 0.01 of them."""
    return {
        f"D from {least:g} to {most:g}": learned_near(within(W, *window), [(least + most) / 2], (most - least) / 2 + 0.01)
        for window, (least, most) in SPARSE_DOTS.items()
    }


def filled(W: xr.DataArray, shape: str) -> xr.DataArray:
    """The share of dimensions that a shape fills."""
    found = [identify(each).components for each in W.values]
    return along(W, [sum(one.dimensions for one in each if one.name == shape) / W.sizes["hidden"] for each in found])


def first_place(share: xr.DataArray) -> float:
    """The smallest 1 / (1 - S) at which it is a tenth; NaN where nowhere."""
    return float(share[INVERSE].where(share >= 0.1).min())


def learned_near(W: xr.DataArray, fractions: Sequence[float], tolerance: float = 0.01) -> NDArray[np.bool_]:
    """Which learned features of all models have their D_i that near to one of the fractions."""
    D = dimensionality(W.values)
    return np.asarray((abs(D[D > LEARNED][:, None] - np.array(fractions)) <= tolerance).any(axis=1))


def triangular(W: xr.DataArray) -> dict[str, float]:
    """The share of learned features that are near 2/3 or 1/2, and near 2/3 alone."""
    near = {"2/3 or 1/2": learned_near(W, [2 / 3, 1 / 2]), "2/3": learned_near(W, [2 / 3])}
    return {name: float(found.sum() / max(found.size, 1)) for name, found in near.items()}


def component_sizes(W: xr.DataArray) -> dict[str, Any]:
    """How many features the components of the graphs have."""
    sizes = [len(members) for each in W.values for members in feature_graph(each).components]
    return {"features in each": set(sizes), "components": len(sizes)}


def sum_gaps(W: xr.DataArray) -> dict[str, Any]:
    """For which components the sum of the D_i is within 0.05 of the dimensions that they span, and the largest difference."""
    gaps = [
        abs(float(dimensionality(each)[members].sum()) - tg.geometry.graph.factor_dimensions(each[:, members]))
        for each in W.values
        for members in feature_graph(each).components
    ]
    return {"within 0.05": np.array(gaps) <= 0.05, "largest difference": max(gaps, default=np.nan)}


def with_components(W: xr.DataArray) -> xr.DataArray:
    """W, and as its coordinate ``component`` the number of the graph's component that each feature is in, -1 where in none."""
    return W.assign_coords(component=((INVERSE, "feature"), [feature_graph(each).component for each in W.values]))


def across(W: xr.DataArray) -> xr.DataArray:
    """The largest |W_i . W_j| between different components, of every model that falls into several."""
    several = W[(W["component"].max("feature") > 0).values]
    return along(
        several,
        [tg.geometry.graph.largest_across(*each) for each in zip(several.values, several["component"].values, strict=True)],
    )


def solids(W: xr.DataArray) -> dict[str, Any]:
    """Pentagons and square antiprisms, and which D_i of these are as near as `ANTIPRISM` to 3/8."""
    found = [(dimensionality(each), one) for each in W.values for one in identify(each).components]
    antiprisms = [D[one.features] for D, one in found if one.name == "square antiprism"]
    return {
        "pentagons": sum(one.name == "pentagon" for _, one in found),
        "square antiprisms": len(antiprisms),
        "their D near 3/8": abs(np.concatenate([[], *antiprisms]) - 3 / 8) <= ANTIPRISM,
    }


def phases(W: xr.DataArray) -> dict[str, Any]:
    """What is expected of the models of the paper's six feature graphs, and the shapes in them."""
    found = [identify(each) for each in W.values]
    kinds = [Counter(one.name.partition(" (")[0] for one in each.components for _ in one.features) for each in found]
    largest = max(map(len, feature_graph(W.values[5]).components), default=0)
    looks = (
        "tetrahedron" in kinds[0],
        kinds[1].keys() >= {"triangle", "digon"},
        kinds[2].keys() == {"digon"},
        "irregular" in kinds[3] and ("pentagon" in kinds[3] or "square antiprism" in kinds[3]),
    )
    return dict(zip(LOOKS, looks, strict=True)) | {
        "irregular core": kinds[4]["irregular"] / max(kinds[4].total(), 1),
        "one component": largest / max(kinds[5].total(), 1),
        "shapes": [each.label for each in found],
    }


def clearest_factors(W: xr.DataArray) -> dict[str, NDArray[np.float64]]:
    """Of each shape the component with the least fit error, in its own dimensions, by a title that says where it is from."""
    best: dict[str, tuple[float, str, NDArray[np.float64]]] = {}
    for x, each in zip(W[INVERSE].values, W.values, strict=True):
        for one in identify(each).components:
            if one.regular and len(one.features) > 1 and one.fit_error < best.get(one.name, (np.inf,))[0]:
                title = f"{one.name}, at 1/(1 − S) = {x:.2f}, fit error {one.fit_error:.3f}"
                best[one.name] = (one.fit_error, title, tg.geometry.aligned(each[:, one.features])[: one.dimensions])
    return {title: factor for _, title, factor in sorted(best.values(), key=lambda each: each[2].shape)}


def in_clusters(W: xr.DataArray) -> NDArray[np.bool_]:
    """Which learned features have their D within 0.015 of a cluster that the paper shows at that density."""
    x = W[INVERSE].values
    printed = [next((D for place, D in CLUSTERS.items() if abs(place - one) < 0.06), ()) for one in x]
    return np.concatenate([[], *(learned_near(W[[k]], D, 0.015) for k, D in enumerate(printed) if D)]).astype(bool)


def in_both_ways(data: xr.Dataset, *parts: Callable[[xr.Dataset, Models], list[Claim]]) -> list[Claim]:
    """The same claims of trained models, of which the paper speaks, and of those at exact minima."""
    return [
        replace(
            one,
            name=f"{one.name}-{way}",
            statement=f"{one.statement.removesuffix('.')} ({way}).",
            source=one.source if way == TRAINING else OURS,
        )
        for way in (TRAINING, EXACT)
        for claims_of in parts
        for one in claims_of(data, models_of(data, way))
    ]


def claim(
    name: str,
    statement: str,
    how: str,
    of: Models,
    expect: Expect | dict[str, Expect],
    measure: Callable[[xr.DataArray], Any] = lambda line: line,
    against: dict[str, Models] | None = None,
    **rest: Any,
) -> Claim:
    """A claim about the models of each seed; its controls are random directions where no others are given."""
    count, starts = of[0].sizes[INVERSE], int(of[0].coords["lowest_of"])
    found = f"{len(of)} models" if starts == 1 else f"the lowest of {starts} minima"
    words = found if count == 1 else f"{count} densities, {found} {'each' if starts == 1 else 'at each'}"
    evidence = Evidence(words, max(len(of), starts))
    if against is None:
        against = {"as many random directions": list(map(random_like, of))}
    judged = in_each_seed(measure, expect)
    return Claim(name, statement, how=how, of=of, against=against, evidence=evidence, needs=SEEDS, **judged, **rest)


def in_window(models: Models, name: str, window: tuple[float, float], statement: str, how: str, **rest: Any) -> Claim:
    """A claim about all models in a window of 1 / (1 - S)."""
    inside = rest.pop("of", [within(W, *window) for W in models])
    return claim(name, statement, f"{how}, for 1/(1 − S) from {window[0]:g} to {window[1]:g}", inside, **rest)
