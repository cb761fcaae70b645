"""Polytopes: low-rank matrices drawn as solids, the Thomson problem behind them, and which of them split into factors.

Paper: section 4, polytopes and low-rank matrices (F18), tegum products (F17), the Thomson problem (F09).  Three parts:
polytopes built from the vectors they ignore; the optima of 4 to 12 repelling points on the sphere, each the best of many random
starts; and, because the paper calls the simplex optimal, the exact optima of n equal features in n - 1 dimensions.
Of all starts the lowest minimum of each shape is kept.  Nothing is trained by sampling.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.linalg import block_diag

import tegum as tg
from tegum.claims import IDENTITY, OURS, Claim, Disagreement, Evidence, at_least, below, closed_form, equal, near, paper
from tegum.experiments import Experiment, Figure, Profile
from tegum.geometry import cosines, dimensionality, identify, polygon, relu_energy, simplex

STARTS: dict[Profile, tuple[int, int]] = {"quick": (40, 12), "paper": (200, 64)}
"""Random starts of the Thomson problem, and of each exact optimum."""
POINTS = list(range(4, 13))
IGNORED = {
    "triangle": [[1, 1, 1]],
    "square": [[1, 0, 1, 0], [0, 1, 0, 1]],
    "tetrahedron": [[1, 1, 1, 1]],
    "octahedron": [[1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1]],
    "triangular bipyramid": [[1, 1, 1, 0, 0], [0, 0, 0, 1, 1]],
}
BIPYRAMIDS = {
    "octahedron": [1 / 2] * 6,
    "triangular bipyramid": [2 / 3] * 3 + [1 / 2] * 2,
    "pentagonal bipyramid": [2 / 5] * 5 + [1 / 2] * 2,
}
SIMPLEX, PAIR = "simplex", "digon + dedicated"
NAMES = {
    3: {SIMPLEX: "triangle", PAIR: "digon + dedicated"},
    4: {SIMPLEX: "tetrahedron", PAIR: "digon + 2 dedicated"},
    5: {SIMPLEX: "4-simplex", PAIR: "digon + 3 dedicated"},
}
DENSITIES = np.linspace(0.05, 0.95, 37)


def study(profile: Profile) -> xr.Dataset:
    """The Thomson optima, and the exact optima beside their candidates."""
    thomson_starts, exact_starts = STARTS[profile]
    U = np.zeros((len(POINTS), 3, max(POINTS)))
    for row, count in enumerate(POINTS):
        U[row, :, :count] = tg.geometry.thomson.thomson_points(count, 3, thomson_starts)
    optima = xr.concat([_optima(n, exact_starts) for n in NAMES], xr.Variable("n_features", list(NAMES)))
    starts = {"thomson_starts": thomson_starts, "exact_starts": exact_starts + 2}
    return xr.Dataset({"points": (("n_points", "coordinate", "point"), U)}, {"n_points": POINTS}, starts).merge(optima)


def _optima(n: int, starts: int) -> xr.Dataset:
    """The lowest loss of each shape over density, and the shape of the optimum, from random starts and the two candidates."""
    net, features, sweep = tg.nets.ReluOutput(n, n - 1), tg.features.Independent(n), {"density": DENSITIES}
    pair = np.pad(np.eye(n - 1), ((0, 0), (0, 1)))
    pair[0, -1] = -1
    given = tg.exact.minimise(net, features, seeds=2, sweep=sweep, initial={"W": np.stack([simplex(n), pair])})
    random = tg.exact.minimise(net, features, seeds=starts, sweep=sweep)
    run = xr.concat([each[["W", "loss", "status"]] for each in (given, random)], "seed", combine_attrs="drop")
    loss = run["loss"].where(run["status"] == tg.Status.MINIMUM)
    labels = loss.copy(data=tg.geometry.shape_names(run["W"].values))
    optimum = labels.isel(seed=loss.fillna(np.inf).argmin("seed"))
    return xr.Dataset(
        {
            "optimum_shape": ("density", np.where(loss.notnull().any("seed"), optimum, "none").astype(str)),
            "optimum_loss": ("density", loss.min("seed").values),
            "shape_loss": (("shape", "density"), [loss.where(labels == name).min("seed") for name in NAMES[n].values()]),
        },
        {"density": DENSITIES, "shape": list(NAMES[n])},
    )


def crossing(data: xr.Dataset, n: int) -> float:
    """The density at which simplex and pair cost the same, between two grid points where both are minima; NaN where nowhere."""
    losses = data["shape_loss"].sel(n_features=n)
    p, gap = losses["density"].values, (losses.sel(shape=SIMPLEX) - losses.sel(shape=PAIR)).values
    for k in np.flatnonzero((gap[:-1] > 0) & (gap[1:] <= 0)):
        return float(p[k] + (p[k + 1] - p[k]) * gap[k] / (gap[k] - gap[k + 1]))
    return float("nan")


def thomson(data: xr.Dataset) -> dict[int, NDArray[np.float64]]:
    """The points of each optimum."""
    return {int(n): data["points"].sel(n_points=n).values[:, : int(n)] for n in data["n_points"].values}


def built(rows: list[list[int]]) -> NDArray[np.float64]:
    """What ignores these vectors."""
    return tg.geometry.ignoring(np.array(rows, float))


def named(W: NDArray[np.float64]) -> str:
    """The polytope that the columns form, or the shapes that they fall into."""
    found = identify(W)
    return found.polytope or found.label


def off_the_simplex(models: dict[int, NDArray[np.float64]]) -> dict[str, list[float]]:
    """The largest deviations from the cosines -1/(n - 1) and D_i = (n - 1)/n of regular simplices of n features."""
    return {
        "cosines": [float(abs(cosines(W) - (n * np.eye(n) - 1) / (n - 1)).max()) for n, W in models.items()],
        "D": [float(abs(dimensionality(W) - (n - 1) / n).max()) for n, W in models.items()],
    }


def coincident(U: NDArray[np.float64]) -> int:
    """How many pairs of unit vectors (m, n) are the same, to a cosine of 0.999."""
    return int((np.triu(cosines(U), 1) > 0.999).sum())


def _built_claims() -> list[Claim]:
    """What vectors to be ignored make."""
    simplices = {n: built([[1] * n]) for n in range(2, 9)}
    solids = {name: built(rows) for name, rows in IGNORED.items() if name in BIPYRAMIDS}
    solids["pentagonal bipyramid"] = block_diag(polygon(5), simplex(2))
    stretched = {name: W * np.where(np.arange(W.shape[1]) == 0, 2, 1) for name, W in solids.items()}
    return [
        Claim(
            "simplex",
            "Ignoring (1, ..., 1) gives the regular simplex: all cosines -1/(n - 1), every D_i = (n - 1)/n.",
            source=IDENTITY,
            how="unit columns of the projection, n = 2 to 8: largest deviations from these",
            measure=off_the_simplex,
            expect={"cosines": near(0, 1e-12), "D": near(0, 1e-12)},
            of=simplices,
            against={"ignoring (1, 2, 3, 4)": {4: built([[1, 2, 3, 4]])}},
            evidence=closed_form(matrices=len(simplices)),
        ),
        Claim(
            "polytopes",
            "A strategy is a polytope: ignored vectors determine it, and the square is two digons.",
            source=IDENTITY,
            how="polytopes identified in the projections of the paper's table and three more",
            measure=lambda ignored: [named(built(rows)) for rows in ignored],
            expect=equal(list(IGNORED)),
            of=list(IGNORED.values()),
            against={"ignoring (1, 2, 3, 4) and (4, -1, 2, 1)": [[[1, 2, 3, 4], [4, -1, 2, 1]]]},
            evidence=closed_form(matrices=len(IGNORED)),
        ),
        Claim(
            "products",
            "Non-uniform polyhedra are tegum products: the triangular bipyramid has three D_i = 2/3 and two 1/2.",
            source=IDENTITY,
            how="largest deviation from D_i of 1/2 six times; 2/3 three times, 1/2 twice; and 2/5 five times, 1/2 twice",
            measure=lambda solids: {name: abs(dimensionality(solids[name]) - D).max() for name, D in BIPYRAMIDS.items()},
            expect=dict.fromkeys(BIPYRAMIDS, near(0, 1e-12)),
            of=solids,
            against={"the first vector twice as long": stretched},
            evidence=closed_form(matrices=len(solids)),
            note="The paper prints `6 x 3/5` for what an undivided bipyramid would have; it has five vertices.",
        ),
    ]


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of the section on polytopes."""
    optima, shapes = thomson(data), data["optimum_shape"]
    moved = {n: U + 0.5 * np.sin(np.arange(3.0 * n)).reshape(3, n) for n, U in optima.items()}
    more = {n: U for n, U in optima.items() if n > 8}
    names = {kind: xr.DataArray([each[kind] for each in NAMES.values()], {"n": list(NAMES)}, ["n"]) for kind in (SIMPLEX, PAIR)}
    edge = ", ".join(f"{crossing(data, n):.3f} (n = {n})" for n in NAMES)
    return [
        *_built_claims(),
        Claim(
            "thomson",
            "Seven repelling points form a pentagonal bipyramid, eight a square antiprism; up to six cost nothing.",
            source=OURS,
            how="ReLU energy E and name of the optimum on the sphere; D_i of both",
            measure=lambda optima: {
                "E up to 6": xr.DataArray([relu_energy(optima[k]) for k in (4, 5, 6)], {"points": [4, 5, 6]}, ["points"]),
                "E of 7": relu_energy(optima[7]),
                "7 points": named(optima[7]),
                "D of 7": np.sort(dimensionality(optima[7])),
                "8 points": named(optima[8]),
                "D of 8": dimensionality(optima[8]),
            },
            expect={
                "E up to 6": below(1e-9),
                "E of 7": near(0.95492, 1e-5),
                "7 points": equal("pentagonal bipyramid"),
                "D of 7": near([0.4] * 5 + [0.5] * 2, 1e-3),
                "8 points": equal("square antiprism"),
                "D of 8": near(0.374, 1e-3),
            },
            of=optima,
            against={"the same points moved by up to 0.5": moved},
            evidence=Evidence(f"best of {data.attrs['thomson_starts']} random starts each"),
            note=f"{'; '.join(f'{n}: {named(U)}, E = {relu_energy(U):.5f}' for n, U in more.items())}. Pairs of points in one "
            f"place: {', '.join(f'{coincident(U)} of {n}' for n, U in more.items())}.",
        ),
        Claim(
            "simplex-is-best",
            "For n equal features in n - 1 dimensions the best direction to drop is (1, ..., 1), giving a simplex.",
            source=paper(
                "Aside: Polytopes and Low-Rank Matrices",
                "the best possible direction to not represent is the fully dense vector (1,1,1,...)",
            ),
            how=f"shares of {shapes.sizes['density']} densities from {shapes['density'].min():g} to "
            f"{shapes['density'].max():g} at which the lowest minimum has this shape",
            measure=lambda shapes: {kind: (shapes == each).mean("density") for kind, each in names.items()},
            expect={SIMPLEX: at_least(1)},
            of=shapes.rename(n_features="n"),
            against={"densities up to 0.3": shapes.sel(density=slice(None, 0.3)).rename(n_features="n")},
            evidence=Evidence(f"lowest certified minimum of {data.attrs['exact_starts']} starts at each density"),
            disagreement=Disagreement(
                "the simplex, assuming that features are equally important and sparse",
                f"a simplex above density {edge}",
                "Where features are sparser, a digon beside dedicated features costs less.",
            ),
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The table, the Thomson optima, and where the simplex wins."""
    optima = thomson(data)
    solids = {name: built(rows) for name, rows in IGNORED.items()}
    solids |= {"pentagonal bipyramid": optima[7], "square antiprism": optima[8], "4-simplex": simplex(5)}
    labels = [identify(U).label for U in optima.values()]
    by_shape = data["shape_loss"].sel(shape=SIMPLEX, drop=True) / data["shape_loss"].sel(shape=PAIR, drop=True)
    curves = {f"n = {n}": by_shape.sel(n_features=n).dropna("density") for n in NAMES}
    return {
        "table": Figure(
            tg.figures.polytope_table(solids, IGNORED),
            "What W ignores, and what that makes of it. Left: the features as arrows, to be turned by hand; middle: which "
            "features overlap, blue where they oppose each other; right: WᵀW. Where the graph falls apart, so does the "
            "polytope: the square, the octahedron and the bipyramids are orthogonal sums of smaller shapes.",
        ),
        "thomson": Figure(
            tg.figures.fraction_scatter(
                list(optima), [dimensionality(U) for U in optima.values()], "points on the sphere", labels
            ),
            "Feature dimensionality in the optima of the Thomson problem with the energy of a ReLU. The bipyramid of seven "
            "points appears as two lines, because it is a sum of two shapes. Up to six points many arrangements cost nothing.",
        ),
        "simplex": Figure(
            tg.figures.curve_panel(curves, "feature density 1 − S", "loss of the simplex / loss of the digon"),
            "Equal features, one more than dimensions, W and b optimised exactly, where both shapes are minima. Below 1 "
            "dropping (1, ..., 1) is better than storing two features as opposites; where features are sparse it is not.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Polytopes: what W ignores, points that repel, and shapes that split",
    paper="Section 4, polytopes, tegum products and the Thomson problem (F09, F17, F18)",
    seconds={"quick": 7, "paper": 30},
    order=2,
)
