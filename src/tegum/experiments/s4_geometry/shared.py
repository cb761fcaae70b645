"""What is measured of models of equal features, and drawn; the experiment itself holds sizes, the study and claims.

Models at many densities are found in three ways (`tegum.maps.three_ways`), and the sizes of other models beside them; claims
about exact minima are about the lowest, at each density, of the descents from initial and from trained weights.

Everything is measured over 1 / (1 - S), the *inverse density*, as in the paper's figure, of several seeds: `Models` are lists,
one array for each seed with one model at each density; claims about training judge each by itself (`in_each_seed`).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, Expect, in_each_seed
from tegum.experiments import Figure
from tegum.geometry import dimensionality, dimensions_per_feature, feature_graph, feature_norms, identify
from tegum.maps.three_ways import EXACT, GRADIENT, POLISHED, STEPS, TRAINING, WAYS

INVERSE = "inverse density"
PAPER_M = 30
"""The hidden dimensions of the paper's figures."""
SEEDS = 5
"""So many models at each density, at least, decide."""
X_TITLE = "1 / (1 − S), inverse density"
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


def too_small(data: xr.Dataset) -> str:
    """What models of fewer dimensions than the paper's lack to be laid beside its figures; nothing where they do not."""
    few = f"in {(m := data.sizes['hidden'])} there are so few shapes that one more or less decides"
    return "" if m >= PAPER_M else f"needs {PAPER_M} dimensions, as in the paper: {few}"


def too_flat(models: Models) -> str:
    """Why the lowest minimum says nothing where the loss is flat, in few dimensions; nothing in others, nor of training."""
    if models[0].sizes["hidden"] >= PAPER_M or int(models[0].coords["lowest_of"]) == 1:
        return ""
    return f"needs {PAPER_M} dimensions: descents of {STEPS} steps end on a plateau, where rounding decides which is the lowest"


def blob(W: xr.DataArray) -> dict[str, Any]:
    """Mean D_i of all models, the share of features with a direction of their own, mean D*."""
    return {"mean D": (D := dimensionality(W.values)).mean(), "learned": (D > LEARNED).mean(), "D*": line_of(W).mean()}


def off_the_paper(line: xr.DataArray) -> xr.DataArray:
    """The distance of D* from the paper's line, where that is printed."""
    printed = within(line, PAPER_X[0], PAPER_X[-1] + 0.3)
    return along(printed, abs(printed.values - np.interp(np.log(printed[INVERSE].values), np.log(PAPER_X), PAPER)))


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
        abs(float(share[members].sum()) - tg.geometry.graph.factor_dimensions(each[:, members]))
        for each, share in zip(W.values, dimensionality(W.values), strict=True)
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


def told_of_ends(data: xr.Dataset) -> str:
    """How far training was from an end, how descents ended, and what dense models cost."""
    (n, m), loss = (data.sizes["feature"], data.sizes["hidden"]), data["loss"]
    excess = loss.sel(way=TRAINING) / loss.sel(way=POLISHED) - 1
    at_rest = (data["gradient"].sel(way=list(WAYS[1:])) <= GRADIENT).mean()
    return (
        f"The median is {excess.median():.2%}; {at_rest:.0%} of the minimisations ended by gradient, the others after {STEPS} "
        f"steps. At density 1 the loss is {loss.sel(way=TRAINING)[0, 0]:.3f}, of principal components {(n - m) / 12:.3f}."
    )


def told_of_starts(data: xr.Dataset) -> str:
    """How descents from initial and from trained weights differ."""
    higher = data["loss"].sel(way=EXACT) / data["loss"].sel(way=POLISHED) - 1
    return (
        "Minimised from the initial instead of from the trained weights, "
        f"{(higher < 0).sum():d} of {higher.size} models end lower, by {max(-float(higher.min()), 0):.2%} at most; the "
        f"others higher, by {max(float(higher.max()), 0):.2%} at most."
    )


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


def pictures(data: xr.Dataset) -> dict[str, Figure]:
    """The line, the dots, the graphs, the shares."""
    models = {way: models_of(data, way)[0] for way in (TRAINING, EXACT)}
    lines = {way: line_of(models_of(data, way)[0]) for way in WAYS}
    x = lines[EXACT][INVERSE].values
    names = {way: np.array([identify(each).names for each in W.values]) for way, W in models.items()}
    features = {f"features per dimension, {way}": 1 / lines[way] for way in models}
    bound = lines[EXACT][x > 1.3].copy(data=tg.theory.features_per_dimension(x[x > 1.3]))
    size = f"{data.sizes['feature']} features in {data.sizes['hidden']} dimensions, the first of {data.sizes['seed']} seeds"
    paper = {"paper": xr.DataArray(PAPER, {INVERSE: PAPER_X}, [INVERSE])}
    pictures = {
        "line": Figure(
            tg.figures.curve_panel(lines, X_TITLE, "D* = m / ‖W‖², dimensions per feature", log_x=True, points=paper),
            f"Dimensions per feature, {size}. Where features are dense, on the left, W has the squared norm of one feature for "
            "each dimension, though no feature has a direction of its own; then D* falls to 1/2 and stays there while features "
            "sit in pairs. Circles are read off the paper's figure.",
        ),
        "sensing": Figure(
            tg.figures.curve_panel(features | {"x / ln x": bound}, X_TITLE, "features per dimension", log_x=True),
            "How many features each dimension holds, beside the form of the compressed-sensing bound with constant 1. The "
            "bound is on exact recovery; these models only pay for what they get wrong.",
        ),
        "factors": Figure(
            tg.figures.polytope_table(clearest_factors(models[EXACT]), {}),
            "Tegum factors cut out of the models: for each shape the component that fits best at any density, turned into the "
            "dimensions that it spans, its features numbered anew. Where the graph of a model falls apart, the model is nearly "
            "an orthogonal sum of such parts.",
        ),
        "shares": Figure(
            tg.figures.shape_shares(list(x), names, X_TITLE),
            "Which share of the features forms which shape. The paper sees, from left to right: nothing with a direction of "
            "its own, tetrahedra, triangles, digons, pentagons and antiprisms, and one tangle.",
        ),
    }
    for way, W in models.items():
        six = at_shown(W, data)
        marks = {f"{place:.2f}": float(place) for place in six[INVERSE].values}
        D, line = list(dimensionality(W.values)), list(lines[way].values)
        pictures[f"dots-{way}"] = Figure(
            tg.figures.fraction_scatter(list(x), D, X_TITLE, line=line, line_name="D*", log=True, marks=marks, height=520),
            f"The dimensionality of every feature ({way}); {size}. Dots gather on the fractions of regular shapes. "
            "Dotted lines: the densities of the six feature graphs.",
        )
        pictures[f"graphs-{way}"] = Figure(
            tg.figures.network_panels({f"1/(1−S) = {place}": each for place, each in zip(marks, six.values, strict=True)}),
            f"Feature graphs at six densities ({way}): learned features are joined where |W_i · W_j| > 0.1, by thicker lines "
            "where they overlap more, and coloured by the shape that their directions were identified as.",
        )
    return pictures
