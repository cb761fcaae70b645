"""When is every lowest minimum of five features in two dimensions a regular pentagon?  Up to a density of 0.2248754.

Open problem O40, and the first part of O47.  n = 5, m = 2, equal importance, independent features of density p = 1 - S.  At
every density of a grid all minima from 32 starts (paper profile 256) are named and certified locally; pentagon and two pairs
of opposites with a dropped feature are followed by continuation, to where they cost the same and to where the pentagon is no
minimum any more. This is evidence, not a proof: 14 free directions are too many for a covering as in
`tegum.exact.certified_globally`.

O47 (1) asks from which S on the minimiser is unique up to symmetry.  It is not where two branches that are the lowest cross:
the ties are the transitions of the lowest minimum, located between the densities of the grid.
"""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import Claim, Evidence, above, answer, at_most, near, share_at_least
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.open_problems.shared import switches
from tegum.figures.marked_curves import MarkedCurve, marked_panels
from tegum.geometry import polygon
from tegum.theory import dropped_loss

ANSWER, TIES = answer("O40"), answer("O47")
NET, FEATURES = tg.nets.ReluOutput(5, 2), tg.features.Independent(5)
STARTS: dict[Profile, int] = {"quick": 32, "paper": 256}
SPARSE = [0.001, 0.003, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.22]
DENSITIES: dict[Profile, list[float]] = {
    "quick": [*SPARSE, 0.23, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9],
    "paper": [*SPARSE, *np.round(np.arange(0.225, 0.96, 0.015), 4).tolist()],
}
ALONG = np.array([0.001, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.25, 0.3, 0.32])
CROSSING, LOST = 0.2248754, 0.3028835
TOL, SAME = 1e-8, 1e-6
OWN = ["feature_density", "feature_importance"]


def study(profile: Profile) -> xr.Dataset:
    """Every minimum found at each density, the two branches, where they cross, and the transitions of the lowest."""
    census = tg.exact.minimise(NET, FEATURES, seeds=STARTS[profile], sweep={"density": DENSITIES[profile]}, progress=False)
    lowest = tg.best(census)
    ends: dict[str, tuple[Any, NDArray[np.float64]]] = {
        "pentagon": (1.17 * polygon(5), ALONG),
        "pairs": ([[1, -1, 0, 0, 0], [0, 0, 1, -1, 0]], np.append(ALONG, [0.4, 0.5, 0.55, 0.6, 0.64])[::-1]),
    }
    ways = []
    for W, densities in ends.values():
        features = tg.features.Independent(5, density=densities[0])
        b = np.where(np.linalg.norm(W, axis=0) > 0, 0.0, densities[0] / 2)
        first = tg.exact.minimise(NET, features, seeds=1, initial={"W": W, "b": b}, progress=False).isel(seed=0)
        ways.append(
            tg.exact.follow(NET, features, first["W"].values, first["b"].values, densities, progress=False, tolerance=TOL)
        )
    pentagon, pairs = ways
    names = [f"{tg.geometry.identify(W).label}" for W in lowest["W"].values]
    changes = switches(NET, FEATURES, lowest, names)
    branches = {
        f"{name}_{one}": way.data[one].sortby("density").rename(density=f"{name}_density").drop_vars(OWN, errors="ignore")
        for name, way in zip(ends, ways, strict=True)
        for one in ("W", "b", "loss", "curvature")
    }
    data = xr.Dataset(
        {
            "census_loss": census["loss"].transpose("density", "seed"),
            "census_status": census["status"].transpose("density", "seed"),
            "curvature": lowest["curvature"],
            "hits": census["hits"],
            "W": lowest["W"],
            "b": lowest["b"],
            "loss": lowest["loss"],
            "name": ("density", names),
        }
        | {f"tie_{one}": ("tie", [each[one] for each in changes]) for one in ("value", "before", "after", "order", "within")}
        | branches
    )
    plain = data.drop_vars(["start", "seed", "feature_density", "feature_importance"], errors="ignore")
    return plain.assign_attrs(
        crossing=tg.exact.crossing(pentagon, pairs, tol=TOL, progress=False),
        lost_error=pentagon.data.attrs["lost_error"],
        lost=np.nan if pentagon.lost_at is None else pentagon.lost_at,
        starts=STARTS[profile],
    )


def irregularity(W: xr.DataArray) -> xr.DataArray:
    """How far the Gram matrix is from that of a regular pentagon of the same size, in any order of its features; by model."""
    models = W.transpose(..., "hidden", "feature").values
    found = []
    for one in models.reshape(-1, 2, 5):
        angle = np.arctan2(one[1], one[0])
        turned = one[:, np.argsort(angle)]
        size = np.linalg.norm(turned, axis=0)
        regular = size.mean() ** 2 * np.cos(2 * np.pi * np.subtract.outer(np.arange(5), np.arange(5)) / 5)
        found.append(np.abs(turned.T @ turned - regular).max())
    return xr.DataArray(np.array(found).reshape(models.shape[:-2]), dims=W.dims[:-2])


def claims(data: xr.Dataset) -> list[Claim]:
    """Regular pentagons below the crossing, none above; where it is; where the pentagon ends; and the ties."""
    p, where = data["density"], float(data.attrs["crossing"])
    starts, lower = int(data.attrs["starts"]), data["loss"]
    below_, above_ = data.isel(density=(p < CROSSING).values), data.isel(density=(p > CROSSING).values)
    searched = Evidence(f"lowest of {starts} starts at each density, certified locally")
    pentagon = data["pentagon_loss"]
    dropped = 3 * dropped_loss(pentagon["pentagon_density"].values)
    reached = (data["census_loss"] <= lower * (1 + SAME)).mean("seed")
    known = [float(data.attrs["lost"]), where]
    return [
        Claim(
            "regular-below",
            "Up to a density of 0.22 the lowest minimum is a regular pentagon.",
            source=ANSWER,
            how="largest deviation of WᵀW from that of a regular pentagon of the same size, over densities",
            measure=lambda W: float(irregularity(W).max()),
            expect=at_most(1e-4),
            of=below_["W"],
            against={"the lowest minima above 0.2248754": above_["W"]},
            evidence=searched,
            note=f"Of all starts {float(reached[(p < CROSSING).values].min()):.0%} or more reached it at each density.",
        ),
        Claim(
            "crossing",
            "Pentagon and two pairs of opposites cost the same at p = 0.2248754.",
            source=ANSWER,
            how=f"where the exact losses of both branches are equal, to {TOL:g}",
            expect=near(CROSSING, 1e-7),
            of=where,
            against={"where the pentagon is lost": known[0]},
            evidence=Evidence("two exact branches"),
        ),
        Claim(
            "pentagon-lost",
            "The pentagon is no minimum any more above p = 0.3028835.",
            source=ANSWER,
            how="where its smallest curvature passes 0",
            expect=near(LOST, 2e-8),
            of=known[0],
            against={"where it costs the same as the pairs": where},
            evidence=Evidence("one exact branch"),
        ),
        Claim(
            "always-better-than-dropping",
            "Wherever the regular pentagon is a minimum it costs less than storing two features, (n − m) v.",
            source=ANSWER,
            how="least share of 3 v by which the branch is lower",
            measure=lambda losses: float((1 - losses / dropped).min()),
            expect=above(0),
            of=pentagon.values,
            against={"two stored features": dropped},
            evidence=Evidence("one exact branch"),
        ),
        Claim(
            "ties",
            "The first tie, coming from sparse features, is the one at p = 0.2248754: for S above 0.7751246 no other "
            "minimum is as "
            "low, as far as was searched.",
            source=TIES,
            how="lowest density at which the lowest minimum that the searches find changes its name",
            measure=lambda ties: {"first": float(ties.min())},
            expect={"first": near(CROSSING, 1e-5)},
            of=data["tie_value"].values,
            against={"without the first": data["tie_value"].values[1:]},
            evidence=searched,
            note="; ".join(
                f"{float(one['tie_value']):.6f}: {one['tie_before'].item()} to {one['tie_after'].item()}, "
                f"{one['tie_order'].item()}"
                for one in (data.isel(tie=k) for k in range(data.sizes["tie"]))
            ),
        ),
        Claim(
            "all-are-minima",
            "The lowest is a minimum at every density.",
            source=ANSWER,
            how="densities at which its smallest curvature is above 0",
            measure=lambda curvature: curvature > 0,
            expect=share_at_least(1),
            of=data["curvature"].values,
            against={"the other way up": -data["curvature"].values},
            evidence=searched,
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Costs in units of dropping three features, and the geometries."""
    p, unit = data["density"].values, 3 * dropped_loss(data["density"].values)
    kinks = np.array([[where, np.interp(where, p, data["loss"].values / unit)] for where in data["tie_value"].values]).reshape(
        -1, 2
    )
    texts = [f"{a} to {b}" for a, b in zip(data["tie_before"].values, data["tie_after"].values, strict=True)]
    curves = [MarkedCurve("lowest found", p, data["loss"].values / unit, kinks, texts)]
    for name, said in (("pentagon", "regular pentagon"), ("pairs", "two pairs")):
        along = data[f"{name}_density"].values
        curves.append(MarkedCurve(said, along, data[f"{name}_loss"].values / (3 * dropped_loss(along))))
    picked = data.isel(density=np.unique(np.linspace(0, p.size - 1, 6).astype(int)))
    return {
        "losses": Figure(
            marked_panels({"": curves}, "density p = 1 − S", "loss / 3 v"),
            "The lowest minimum found, in units of storing two features and dropping three, with the two branches that "
            "cross at "
            f"p = {data.attrs['crossing']:.7f}. Circles are ties, where another geometry takes over.",
        ),
        "geometries": Figure(
            tg.figures.arrow_panels(picked[["W"]], "density"),
            "The lowest minimum found, from sparse to dense features: pentagon, two pairs, triangle.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Up to which density every lowest minimum of (5, 2) is a regular pentagon",
    paper="Open problems O40 and O47",
    seconds={"quick": 6, "paper": 60},
    order=40,
)
