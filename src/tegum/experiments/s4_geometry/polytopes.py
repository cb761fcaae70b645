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
from tegum.claims.old import Claim, Control, Disagreement
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures import curve_panel, fraction_scatter, polytope_table
from tegum.geometry import dimensionality, identify, ignoring, polygon, relu_energy, shape_names, simplex, thomson_points

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
    3: {"triangle": SIMPLEX, "digon + dedicated": PAIR},
    4: {"tetrahedron": SIMPLEX, "digon + 2 dedicated": PAIR},
    5: {"4-simplex": SIMPLEX, "digon + 3 dedicated": PAIR},
}
DENSITIES = np.linspace(0.05, 0.95, 37)


def study(profile: Profile) -> xr.Dataset:
    """The Thomson optima, and the exact optima beside their candidates."""
    thomson_starts, exact_starts = STARTS[profile]
    U = np.zeros((len(POINTS), 3, max(POINTS)))
    for row, count in enumerate(POINTS):
        U[row, :, :count] = thomson_points(count, 3, thomson_starts)
    optima = xr.concat([_optima(n, exact_starts) for n in NAMES], "n_features", combine_attrs="drop_conflicts")
    points = xr.Dataset({"points": (("n_points", "coordinate", "point"), U)}, {"n_points": POINTS})
    starts = {"thomson_starts": thomson_starts, "exact_starts": exact_starts + 2}
    return points.merge(optima.assign_coords(n_features=list(NAMES))).assign_attrs(optima.attrs | starts)


def _optima(n: int, starts: int) -> xr.Dataset:
    """The lowest loss of each shape over density, and the shape of the optimum, from random starts and the two candidates."""
    net, features, sweep = tg.nets.ReluOutput(n, n - 1), tg.features.Independent(n), {"density": DENSITIES}
    pair = np.pad(np.eye(n - 1), ((0, 0), (0, 1)))
    pair[0, -1] = -1
    given = tg.exact.minimise(net, features, seeds=2, sweep=sweep, initial={"W": np.stack([simplex(n), pair])})
    random = tg.exact.minimise(net, features, seeds=starts, sweep=sweep)
    loss, W = (np.concatenate([part[name].values for part in (given, random)], axis=1) for name in ("loss", "W"))
    minimum = np.concatenate([part["status"].values == "minimum" for part in (given, random)], axis=1)
    labels = shape_names(W)
    kinds = np.vectorize(lambda label: NAMES[n].get(label, "another"))(labels)
    best = {kind: np.where((kinds == kind) & minimum, loss, np.inf).min(axis=1) for kind in (SIMPLEX, PAIR)}
    lowest, found = np.where(minimum, loss, np.inf).argmin(axis=1), minimum.any(axis=1)
    place = np.arange(len(labels)), lowest
    return xr.Dataset(
        {
            "optimum_shape": ("density", np.where(found, labels[place], "none").astype(str)),
            "optimum_loss": ("density", np.where(found, loss[place], np.nan)),
            "shape_loss": (("shape", "density"), np.where(np.isinf(list(best.values())), np.nan, list(best.values()))),
        },
        {"density": DENSITIES, "shape": [SIMPLEX, PAIR]},
        {"interrupted": max(given.attrs["interrupted"], random.attrs["interrupted"])},
    )


def crossing(data: xr.Dataset, n: int) -> float:
    """The density at which simplex and pair cost the same, between two grid points where both are minima."""
    losses = data["shape_loss"].sel(n_features=n)
    p, gap = losses["density"].values, (losses.sel(shape=SIMPLEX) - losses.sel(shape=PAIR)).values
    turns = np.flatnonzero((gap[:-1] > 0) & (gap[1:] <= 0))
    k = int(turns[0]) if len(turns) else 0
    return float(p[k] + (p[k + 1] - p[k]) * gap[k] / (gap[k] - gap[k + 1])) if len(turns) else float("nan")


def thomson(data: xr.Dataset) -> dict[int, NDArray[np.float64]]:
    """The points of each optimum."""
    return {int(n): data["points"].sel(n_points=n).values[:, : int(n)] for n in data["n_points"].values}


def claims(data: xr.Dataset) -> list[Claim]:
    """The statements of the section on polytopes."""
    return [*_built(), _repelling(data), _simplex_is_best(data)]


def _built() -> list[Claim]:
    """What vectors to be ignored make."""
    off = max(float(abs(ignoring(np.ones((1, n))).T @ ignoring(np.ones((1, n))) - _simplex_gram(n)).max()) for n in range(2, 9))
    D_off = max(float(abs(dimensionality(ignoring(np.ones((1, n)))) - (n - 1) / n).max()) for n in range(2, 9))
    other = ignoring(np.arange(1.0, 5.0)[None])
    other_off, other_D = abs(other.T @ other - _simplex_gram(4)).max(), abs(dimensionality(other) - 3 / 4).max()
    named = {name: identify(ignoring(np.array(rows, float))).polytope for name, rows in IGNORED.items()}
    skew = identify(ignoring(np.array([[1.0, 2, 3, 4], [4, -1, 2, 1]]))).polytope
    built = {name: ignoring(np.array(IGNORED[name], float)) for name in BIPYRAMIDS if name in IGNORED}
    built["pentagonal bipyramid"] = block_diag(polygon(5), simplex(2))
    apart = {name: dimensionality(W) for name, W in built.items()}
    wrong = max(float(abs(D - BIPYRAMIDS[name]).max()) for name, D in apart.items())
    uneven = dimensionality(ignoring(np.array([[1.0, 2, 3, 4, 5], [5, 4, 3, 2, 2]])))
    skewed = float(abs(uneven - BIPYRAMIDS["triangular bipyramid"]).max())
    return [
        Claim(
            name="simplex",
            statement="Ignoring (1, ..., 1) gives the regular simplex: all cosines -1/(n - 1), every D_i = (n - 1)/n.",
            how="unit columns of the projection, n = 2 to 8: largest deviation of WᵀW, and of D",
            expected="0; 0",
            tolerance="1e-12",
            measured=f"{off:.0e}; {D_off:.0e}",
            holds=off < 1e-12 and D_off < 1e-12,
            evidence="7 matrices, closed form",
            control=Control(
                "ignoring (1, 2, 3, 4)",
                f"{other_off:.2f}; {other_D:.2f}",
                bool(other_off < 1e-12 and other_D < 1e-12),
            ),
        ),
        Claim(
            name="polytopes",
            statement="A strategy is a polytope: ignored vectors determine it, and the square is two digons.",
            how="polytopes identified in the projections of the paper's table and three more",
            expected=", ".join(IGNORED),
            tolerance="none",
            measured=", ".join(str(name) for name in named.values()),
            holds=all(name == found for name, found in named.items()),
            evidence=f"{len(IGNORED)} matrices",
            control=Control("ignoring (1, 2, 3, 4) and (4, -1, 2, 1)", str(skew), skew in IGNORED),
        ),
        Claim(
            name="products",
            statement="Non-uniform polyhedra are tegum products: the triangular bipyramid has three D_i = 2/3 and two 1/2.",
            how="D_i of the triangular and the pentagonal bipyramid and the octahedron, largest deviation",
            expected="2/3 three times, 1/2 twice; 2/5 five times, 1/2 twice; 1/2 six times",
            tolerance="1e-12",
            measured=f"{wrong:.0e}",
            holds=wrong < 1e-12,
            evidence=f"{len(built)} matrices, closed form",
            control=Control("five vectors that ignore (1, 2, 3, 4, 5) and (5, 4, 3, 2, 2)", f"{skewed:.2f}", skewed < 1e-12),
            note="The paper prints `6 x 3/5` for what an undivided bipyramid would have; it has five vertices.",
        ),
    ]


def _simplex_gram(n: int) -> NDArray[np.float64]:
    return np.asarray((n * np.eye(n) - 1) / (n - 1))


def _repelling(data: xr.Dataset) -> Claim:
    """The Thomson problem."""
    optima = thomson(data)
    energy = {n: float(relu_energy(U)) for n, U in optima.items()}
    names = {n: identify(U).polytope or identify(U).label for n, U in optima.items()}
    free = max(energy[n] for n in (4, 5, 6))
    antiprism, seven = dimensionality(optima[8]), np.sort(dimensionality(optima[7]))
    moved = identify(optima[7] + 0.5 * np.sin(np.arange(21.0)).reshape(3, 7)).polytope
    return Claim(
        name="thomson",
        statement="Seven repelling points form a pentagonal bipyramid, eight a square antiprism; up to six cost nothing.",
        how="ReLU energy and name of the optimum on the sphere; D_i of both",
        expected="0 up to 6; 0.95492, pentagonal bipyramid, D = 5 x 0.400 and 2 x 0.500; square antiprism, D = 0.374",
        tolerance="1e-5; D 0.001",
        measured=f"at most {free:.0e}; {energy[7]:.5f}, {names[7]}, D = 5 x {seven[:5].mean():.4f} and 2 x "
        f"{seven[5:].mean():.4f}; {names[8]}, D = {antiprism.mean():.4f}",
        holds=free < 1e-9
        and abs(energy[7] - 0.95492) < 1e-5
        and (names[7], names[8]) == ("pentagonal bipyramid", "square antiprism")
        and bool((abs(seven - np.array([0.4] * 5 + [0.5] * 2)) < 1e-3).all() and (abs(antiprism - 0.374) < 1e-3).all()),
        evidence=f"best of {data.attrs['thomson_starts']} random starts each",
        control=Control("the seven points moved by up to 0.5", str(moved), moved == "pentagonal bipyramid"),
        note="; ".join(f"{n}: {names[n]}, E = {energy[n]:.5f}" for n in range(9, 13))
        + ". Pairs of points in one place: "
        + ", ".join(f"{coincident(optima[n])} of {n}" for n in range(9, 13))
        + ".",
    )


def coincident(U: NDArray[np.float64]) -> int:
    """How many pairs of unit vectors (m, n) are the same, to a cosine of 0.999."""
    return int((np.triu(U.T @ U, 1) > 0.999).sum())


def _simplex_is_best(data: xr.Dataset) -> Claim:
    """Whether (1, ..., 1) is the best direction to drop."""
    regular = {n: next(label for label, kind in names.items() if kind == SIMPLEX) for n, names in NAMES.items()}
    share = {n: float((data["optimum_shape"].sel(n_features=n) == name).mean()) for n, name in regular.items()}
    pairs = {n: next(label for label, kind in names.items() if kind == PAIR) for n, names in NAMES.items()}
    other = {n: float((data["optimum_shape"].sel(n_features=n) == name).mean()) for n, name in pairs.items()}
    edge = ", ".join(f"{crossing(data, n):.3f} (n = {n})" for n in NAMES)
    return Claim(
        name="simplex-is-best",
        statement="For n equal features in n - 1 dimensions the best direction to drop is (1, ..., 1), giving a simplex.",
        how=f"shape of the exact optimum at {len(DENSITIES)} densities from 0.05 to 0.95, n = 3, 4, 5",
        expected="a simplex at all densities",
        tolerance="none",
        measured="a simplex at " + ", ".join(f"{value:.0%} of them (n = {n})" for n, value in share.items()),
        note="A digon beside dedicated features is best at "
        + ", ".join(f"{value:.0%} of them (n = {n})" for n, value in other.items())
        + ".",
        holds=min(share.values()) == 1,
        evidence=f"{data.attrs['exact_starts']} starts at each density",
        disagreement=Disagreement(
            "a simplex, whatever the density",
            f"a simplex above density {edge}",
            "In sparser worlds a digon beside dedicated features costs less.",
        ),
    )


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The table, the Thomson optima, and where the simplex wins."""
    optima = thomson(data)
    solids = {name: ignoring(np.array(rows, float)) for name, rows in IGNORED.items()}
    solids |= {"pentagonal bipyramid": optima[7], "square antiprism": optima[8], "4-simplex": simplex(5)}
    labels = [identify(U).label for U in optima.values()]
    by_shape = data["shape_loss"].sel(shape=SIMPLEX, drop=True) / data["shape_loss"].sel(shape=PAIR, drop=True)
    curves = {f"n = {n}": by_shape.sel(n_features=n).dropna("density") for n in NAMES}
    return {
        "table": Figure(
            polytope_table(solids, IGNORED),
            "What W ignores, and what that makes of it. Left: the features as arrows, to be turned by hand; middle: which "
            "features overlap, blue where they oppose each other; right: WᵀW. Where the graph falls apart, so does the "
            "polytope: the square, the octahedron and the bipyramids are orthogonal sums of smaller shapes.",
        ),
        "thomson": Figure(
            fraction_scatter(list(optima), [dimensionality(U) for U in optima.values()], "points on the sphere", labels),
            "Feature dimensionality in the optima of the Thomson problem with the energy of a ReLU. The bipyramid of seven "
            "points appears as two lines, because it is a sum of two shapes. Up to six points many arrangements cost nothing.",
        ),
        "simplex": Figure(
            curve_panel(curves, "feature density 1 − S", "loss of the simplex / loss of the digon"),
            "Equal features, one more than dimensions, W and b optimised exactly, where both shapes are minima. Below 1 "
            "dropping (1, ..., 1) is better than storing two features as opposites; in sparse worlds it is not.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Polytopes: what W ignores, points that repel, and shapes that split",
    paper="Section 4, polytopes, tegum products and the Thomson problem (F09, F17, F18)",
    seconds={"quick": 7, "paper": 30},
    study=study,
    figures=figures,
    claims=claims,
    order=2,
)
