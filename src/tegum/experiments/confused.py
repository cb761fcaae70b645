"""Two features in one dimension without bias: the exact loss surface, and a phase in which both features are mixed up.

Paper: Tom McGrath's comment (F12).  y = ReLU(W^T W x), n = 2, m = 1, importances (1, r): the loss of the two weights is
known in closed form, so nothing is trained.  The
comment's parameters are not given; shown are r = 1 at three densities.  Every minimum
is followed over 200 densities; a transition is called continuous where the optimum's weights move less than 0.1 from one to
the next.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tegum.claims import Claim, Control, Disagreement
from tegum.exact import transitions
from tegum.experiments.experiment import Experiment, Figure, Profile
from tegum.features import Independent
from tegum.figures import surface_panels
from tegum.nets import ReluOutput
from tegum.theory import dropped_loss, paired_loss, two_in_one_loss, two_in_one_minima

RATIOS = [0.1, 0.3, 1.0]
ROWS = xr.DataArray(range(len(RATIOS)), dims="importance_ratio")
SHOWN = [0.9, 0.58, 0.3]
COUNT: dict[Profile, int] = {"quick": 200, "paper": 800}
JUMP = 0.1
MOST = 6


def study(profile: Profile) -> xr.Dataset:
    """Every minimum at every density, for three importances."""
    densities = np.linspace(0.02, 1, COUNT[profile])
    found = np.full((len(RATIOS), len(densities), MOST, 3), np.nan)
    for i, ratio in enumerate(RATIOS):
        for k, density in enumerate(densities):
            minima = two_in_one_minima(density, ratio)[:MOST]
            found[i, k, : len(minima)] = minima
    parts = {name: (("importance_ratio", "density", "minimum"), found[..., k]) for k, name in enumerate(("w1", "w2", "loss"))}
    data = xr.Dataset(parts, {"importance_ratio": RATIOS, "density": densities}, {"interrupted": 0})
    return data.merge(orders(data))


def orders(data: xr.Dataset) -> xr.Dataset:
    """Where the optimum's weights move most, located exactly, and by how much the slope of the loss jumps there."""
    k = np.array([int(jumps(data.sel(importance_ratio=r)).values.argmax()) for r in RATIOS])
    ends = data.isel(minimum=0)
    sides = [ends.isel(density=xr.DataArray(k + step, dims="importance_ratio"), importance_ratio=ROWS) for step in (0, 1)]
    W = np.stack([np.stack([side["w1"].values, side["w2"].values], axis=-1) for side in sides], axis=1)[:, :, None]

    def worlds(values: NDArray[np.float64]) -> Independent:
        return Independent(2, density=values[:, None], importance=np.array([(1.0, r) for r in RATIOS]))

    found = transitions(
        ReluOutput(2, 1, bias=False),
        worlds,
        np.stack([side["density"].values for side in sides], axis=1),
        W,
        np.zeros((len(RATIOS), 2, 2)),
    )
    return found.rename(transition="importance_ratio").assign_coords(importance_ratio=RATIOS)


def confused(data: xr.Dataset) -> xr.DataArray:
    """Where the lowest minimum has both weights equal and positive."""
    best = data.isel(minimum=0)
    return (abs(best["w1"] - best["w2"]) < 0.02) & (best["w2"] > 0.5)


def jumps(data: xr.Dataset) -> xr.DataArray:
    """How far the optimum's weights move from one density to the next."""
    best = data.isel(minimum=0)
    return (best["w1"].diff("density") ** 2 + best["w2"].diff("density") ** 2) ** 0.5


def claims(data: xr.Dataset) -> list[Claim]:
    """The comment's statements."""
    equal = data.sel(importance_ratio=1.0)
    phase = confused(equal)
    dense = phase["density"].values[phase.values]
    leap = jumps(equal)
    where = float(leap["density"].values[leap.values.argmax()])
    sparse = jumps(data.sel(importance_ratio=0.1))
    two = equal["loss"].isel(minimum=1).notnull()
    few = data["loss"].sel(importance_ratio=0.1, density=slice(None, 0.1)).isel(minimum=1).notnull()
    antipodal = equal.isel(minimum=0).where(equal["density"] < 0.5, drop=True)
    off, dense_off = abs(antipodal["w1"] - 1), abs(equal["w1"].isel(minimum=0).where(phase, drop=True) - 1)
    inside = leap.where(leap["density"] < 0.5, drop=True)
    order = {float(r): data.sel(importance_ratio=r) for r in RATIOS}
    tie = float(abs(equal["loss"].isel(minimum=0).where(phase) - dropped_loss(equal["density"])).max())
    weight = float(equal["w1"].isel(minimum=0, density=-1))
    unequal = confused(data.sel(importance_ratio=0.1))
    both = equal.sel(density=where, method="nearest")
    return [
        Claim(
            name="near-candidates",
            statement="Minima lie near the candidate solutions but are not equal to them.",
            how="r = 1, density below 0.5: how far the antipodal optimum's weights are from 1, and its loss",
            expected="between 0 and 0.1, and a loss below the candidate's",
            tolerance="as stated",
            measured=f"{float(off.min()):.4f} to {float(off.max()):.4f}",
            holds=bool((off < 0.1).all() and (off > 0).all() and (antipodal["loss"] < paired_loss(antipodal["density"])).all()),
            evidence=f"{antipodal.sizes['density']} densities, closed form",
            control=Control("confused optima", f"{float(dense_off.min()):.3f} at least", bool((dense_off < 0.1).all())),
        ),
        Claim(
            name="confused",
            statement="At low sparsity two equally important features share one direction: both weights near 0.707.",
            how="r = 1: densities at which the lowest minimum has equal positive weights",
            expected="an interval that ends at density 1, weights 0.707",
            tolerance="0.01",
            measured=f"density {dense.min():.3f} to {dense.max():.3f}, weights {weight:.4f}",
            holds=bool(dense.max() == 1 and abs(weight - np.sqrt(0.5)) < 0.01),
            evidence=f"{equal.sizes['density']} densities, closed form",
            control=Control("r = 0.1", f"{int(unequal.sum())} densities", bool(unequal.any())),
            note=f"Its loss is p/3 - p^2/4 to {tie:.0e}, exactly that of dropping a feature and giving its output a bias. With "
            "biases the phase is therefore no better than dropping one of the two.",
        ),
        Claim(
            name="first-order",
            statement="Antipodal and confused solutions are separated by a discontinuous transition.",
            how="r = 1: largest step of the optimum's weights between neighbouring densities",
            expected=f"above {JUMP}",
            tolerance="as stated",
            measured=f"{float(leap.max()):.2f} at density {where:.3f}",
            holds=float(leap.max()) > JUMP,
            evidence=f"{equal.sizes['density']} densities, closed form; there the slope of the lowest loss by log density "
            f"jumps by {float(order[1.0]['jump']):.0%} ({order[1.0]['order'].item()})",
            control=Control("densities below 0.5", f"{float(inside.max()):.3f}", float(inside.max()) > JUMP),
        ),
        Claim(
            name="continuous",
            statement="Between dropping the second feature and storing it as an opposite the weights change continuously.",
            how="r = 0.1: largest step of the optimum's weights between neighbouring densities",
            expected=f"below {JUMP}",
            tolerance="as stated",
            measured=f"{float(sparse.max()):.2f} at density {float(sparse['density'].values[sparse.values.argmax()]):.3f}",
            holds=float(sparse.max()) < JUMP,
            evidence=f"{sparse.sizes['density']} densities, closed form",
            control=Control("r = 1", f"{float(leap.max()):.2f}", float(leap.max()) < JUMP),
            note="The comment does not give the importances of its panels.",
            disagreement=Disagreement(
                "a continuous transition",
                "the slope of the lowest loss by log density jumps by "
                + ", ".join(f"{float(d['jump']):.0%} at density {float(d['value']):.4f} (r = {r:g})" for r, d in order.items()),
                "Located where the losses of both minima are equal.",
            ),
        ),
        Claim(
            name="two-minima",
            statement="Some worlds have two different local minima, whose order changes.",
            how="r = 1: densities with at least two minima up to sign, on both sides of the transition",
            expected="some on each side",
            tolerance="as stated",
            measured=f"{int(two.sum())} of {two.size}; at density {float(both['density']):.3f} losses "
            + ", ".join(f"{value:.5f}" for value in both["loss"].dropna("minimum").values),
            holds=bool(two.where(two["density"] < where).any() and two.where(two["density"] > where).any()),
            evidence=f"{equal.sizes['density']} densities, closed form",
            control=Control("r = 0.1, below density 0.1", f"{int(few.sum())} of {few.size}", bool(few.any())),
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Three surfaces at equal importance."""
    w = np.linspace(-1.4, 1.4, 141)
    panels, minima = {}, {}
    for density in SHOWN:
        title = f"density {density:g}"
        panels[title] = xr.DataArray(two_in_one_loss(w[:, None], w[None, :], density), {"w1": w, "w2": w}, ("w1", "w2"))
        minima[title] = two_in_one_minima(density)
    caption = (
        "The exact loss of two equally important features in one dimension, without bias, over both weights. The star is the "
        "optimum, circles are other minima. In dense worlds both features share one direction (upper right and lower left), "
        "in sparse ones they are opposite; between, both minima exist and one overtakes the other."
    )
    return {"surfaces": Figure(surface_panels(panels, minima), caption)}


experiment = Experiment(
    id="confused",
    title="Two features, one dimension, no bias: the exact surface and its confused phase",
    paper="Comment by Tom McGrath (F12)",
    describe=__doc__,
    seconds={"quick": 15, "paper": 60},
    study=study,
    figures=figures,
    claims=claims,
)
