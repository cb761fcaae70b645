"""Regular polygons of features of which one is active: which are minima, their coefficients, which a posterior prefers.

What Chen, Lau, Mendel, Wei and Murfet (2023, "Dynamical versus Bayesian phase transitions in a toy model of superposition")
measure with noise, exactly: radius, bias, loss and local learning coefficient of the 5-, 6- and 7-gon; which k-gons are minima
among n = 4 to 10 features (paper profile 14), the others tuned to a bias of 1 / (2 n); and posteriors of six features in two
dimensions over the number of samples.  Their loss is the mean over features, ours the sum: n of theirs are n_beta = n / 6.

Posteriors are sampled at all n at once, by tempered chains of which half start from the hexagon and half from the pentagon,
with the prior N(0, 1) on all parameters; draws are counted by the minimum that they descend to.  Beside this stand free
energies by Laplace's formula, with the pentagon's 144 images (6 dropped features, 4! orders around the circle) and the
hexagon's 5! = 120. The formula knows the neighbourhood of minima only, and is meant for many samples.
"""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, above, below, between, equal, near, passes
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.posterior.shared import dead, four_gon, ring, start_of_ring, world
from tegum.figures import arrow_panels
from tegum.figures.marked_curves import MarkedCurve, marked_panels
from tegum.posterior import HMC, exact_coefficient, free_energy, llc, sample

SIZES = [5, 6, 7]
PRINTED = {"radius": [1.17046, 1.32053, 1.44839], "bias": [-0.28230, -0.61814, -0.96691]}
LOSSES = {"6-gon": 0.04819, "5-gon, tuned sixth": 0.06180, "5-gon, dead sixth": 0.06874, "5-gon": 0.01583, "4-gon": 0.0}
MOST: dict[Profile, int] = {"quick": 10, "paper": 14}
LEAST_REPRESENTED, ALIKE = 0.5, 1e-4
SAMPLES: dict[Profile, list[int]] = {
    "quick": [30, 60, 100, 150, 220, 320, 440, 600, 800, 1050, 1350, 1700, 2100, 2600],
    "paper": [int(n) for n in np.geomspace(20, 4000, 32)],
}
CHAINS, DRAWS, COUNTED = 8, {"quick": 1500, "paper": 12_000}, {"quick": 50, "paper": 200}
IMAGES = {"5-gon, tuned sixth": 144, "6-gon": 120}
ENDS = ["at most 3", "4-gon", "5-gon, dead sixth", "5-gon, tuned sixth", "6-gon"]
SAME, LEAST_SHARE = 1e-4, 1e-3
ABOUT = 600


def study(profile: Profile) -> xr.Dataset:
    """Polygons, which of them exist, and posteriors over the number of samples."""
    rows = []
    for k in SIZES:
        point = ring(k)
        found, exact = llc(*point, progress=False), exact_coefficient(*point)
        norm = np.linalg.norm(point.W, axis=0)
        one = {
            "radius": norm.mean(),
            "bias": point.b.mean(),
            "spread": np.ptp(norm) + np.ptp(point.b),
            "coefficient": exact.value,
        }
        rows.append(one | {"estimate": found.value, "estimate_error": found.standard_error})
    data = xr.Dataset({name: ("k", [row[name] for row in rows]) for name in rows[0]}, {"k": SIZES})
    known = {"6-gon": ring(6), "5-gon, tuned sixth": ring(5, 6), "5-gon": ring(5), "4-gon": four_gon()}
    known["5-gon, dead sixth"] = dead(known["5-gon, tuned sixth"])
    data["model_loss"] = "model", [known[name].loss for name in LOSSES]
    data["model_coefficient"] = "model", [exact_coefficient(*known[name]).value for name in LOSSES]
    data = data.assign_coords(model=list(LOSSES))
    parts = [existing(MOST[profile]), posteriors(profile)]
    data["W"] = ("minimum", "hidden", "feature"), np.array([known[name].W for name in ENDS[3:]])
    data["b"] = ("minimum", "feature"), np.array([known[name].b for name in ENDS[3:]])
    return xr.merge([data.assign_coords(minimum=ENDS[3:]), *parts], combine_attrs="drop_conflicts")


def existing(most: int) -> xr.Dataset:
    """Loss, smallest curvature and whether it is a minimum of every regular k-gon among n features, NaN where there is none."""
    sizes = range(4, most + 1)
    loss, curvature, exists = (np.full((len(sizes), len(sizes)), np.nan) for _ in range(3))
    for row, n in enumerate(sizes):
        starts = [start_of_ring(k, n) for k in range(4, n + 1)]
        initial = {name: np.array([one[name] for one in starts]) for name in ("W", "b")}
        found = tg.exact.minimise(*world(n), seeds=len(starts), initial=initial, progress=False)
        norms = np.linalg.norm(found["W"].values, axis=1)
        for column, k in enumerate(range(4, n + 1)):
            regular = np.ptp(norms[column, :k]) < ALIKE and (norms[column, k:] < ALIKE).all()
            minimum = str(found["status"].values[column]) == tg.Status.MINIMUM
            loss[row, column], curvature[row, column] = found["loss"][column], found["curvature"][column]
            exists[row, column] = regular and minimum
    each = ("n", "polygon")
    variables = {"polygon_loss": (each, loss), "polygon_curvature": (each, curvature), "polygon_exists": (each, exists)}
    return xr.Dataset(variables, {"n": list(sizes), "polygon": list(sizes)})


def posteriors(profile: Profile) -> xr.Dataset:
    """Shares of draws that descend to each minimum, by the number of samples; free energies of two of them."""
    net, features = world(6)
    both = [ring(6), ring(5, 6)]
    ladder = [n / 6 for n in SAMPLES[profile]]
    chains = sample(
        net,
        features,
        np.array([both[c % 2].W for c in range(CHAINS)]),
        np.array([both[c % 2].b for c in range(CHAINS)]),
        n_beta=ladder,
        prior_deviation=1.0,
        sampler=HMC(leaps=5, accept=0.8, metric="identity"),
        chains=CHAINS,
        draws=DRAWS[profile],
        warm_up=DRAWS[profile] // 3,
        thinning=2,
        progress=False,
    )
    counted = chains[["W", "b"]].isel(draw=slice(None, None, DRAWS[profile] // COUNTED[profile]))
    counted = counted.stack(one=("chain", "draw", "n_beta")).transpose("one", ...)
    initial = {name: counted[name].transpose("one", ..., "feature").values for name in ("W", "b")}
    how: dict[str, Any] = {"seeds": len(counted["one"]), "terms": 32, "certify": False, "progress": False}
    found = tg.exact.minimise(net, features, initial=initial, **how)
    ends = ends_of(found["W"].values, found["b"].values).reshape(CHAINS, -1, len(ladder))
    shares = np.array([[(ends[:, :, k] == end).mean(axis=1) for k in range(len(ladder))] for end in ENDS])
    variables = {
        "share": (("end", "samples"), shares.mean(axis=2)),
        "share_error": (("end", "samples"), shares.std(axis=2, ddof=1) / np.sqrt(CHAINS)),
        "posterior_loss": (("samples",), chains["loss"].mean(("chain", "draw")).values),
        "r_hat": (("samples",), chains["loss_r_hat"].values),
        "free_energy": (
            ("minimum", "samples"),
            [free_energy(*one, ladder, images=IMAGES[name]).values for name, one in zip(ENDS[3:], both[::-1], strict=True)],
        ),
    }
    coords = {"end": ENDS, "samples": SAMPLES[profile], "minimum": ENDS[3:]}
    return xr.Dataset(variables, coords, {"counted": COUNTED[profile] * CHAINS})


def ends_of(W: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.str_]:
    """What minima of six features (..., 2, 6) are called: by how many are represented, and how the sixth is biased."""
    represented = np.linalg.norm(W, axis=-2) > LEAST_REPRESENTED
    count, dropped = represented.sum(axis=-1), np.where(represented, -np.inf, b).max(axis=-1)
    five = np.where(dropped > SAME, ENDS[3], ENDS[2])
    return np.where(count == 6, ENDS[4], np.where(count == 5, five, np.where(count == 4, ENDS[1], ENDS[0])))


def crossing(samples: NDArray[np.float64], gap: NDArray[np.float64]) -> float:
    """Where a gap stays above 0 from, on a logarithmic axis: at the first where it always is, the last where it never is."""
    below = np.flatnonzero(~(gap > 0))
    if not below.size or below[-1] == len(gap) - 1:
        return float(samples[-1 if below.size else 0])
    k, logs = below[-1], np.log(samples)
    return float(np.exp(logs[k] + (logs[k + 1] - logs[k]) * gap[k] / (gap[k] - gap[k + 1])))


def change(data: xr.Dataset, few: list[str]) -> float:
    """From how many samples on more draws are hexagons than are any of these."""
    others = data["share"].sel(end=few).sum("end").values
    return crossing(data["samples"].values.astype(np.float64), data["share"].sel(end="6-gon").values - others)


def claims(data: xr.Dataset) -> list[Claim]:
    """The values in print, which polygons exist, and where posteriors change."""
    exists = data["polygon_exists"]
    small = exists.sel(polygon=slice(4, 9)).values
    ten = exists.sel(polygon=slice(10, None)).values
    energies = data["free_energy"]
    late = data["samples"].values >= ABOUT
    laplace = (energies.sel(minimum=ENDS[3]) - energies.sel(minimum=ENDS[4])).values
    hexagon, tuned = (np.maximum(data["share"].sel(end=end).values, LEAST_SHARE) for end in (ENDS[4], ENDS[3]))
    odds = np.log(hexagon / tuned)
    sampled = Evidence(
        f"{data.attrs['counted']} draws of tempered chains at each of {data.sizes['samples']} numbers of samples"
    )
    order = [int(np.argmax(data["share"].values[:, k])) for k in range(data.sizes["samples"])]
    return [
        Claim(
            "radius-and-bias",
            "The 5-, 6- and 7-gon have the radii 1.17046, 1.32053, 1.44839 and the biases -0.28230, -0.61814, -0.96691.",
            source=OURS,
            how="norms and biases of the exact minima",
            measure=lambda one: {name: one[name].values for name in PRINTED},
            expect={name: near(values, 6e-6) for name, values in PRINTED.items()},
            of=data[list(PRINTED)],
            against={"in other order": data[list(PRINTED)].isel(k=slice(None, None, -1))},
            evidence=Evidence("three exact minima"),
            note="As Chen et al. (2023) print them.",
        ),
        Claim(
            "losses",
            "The hexagon costs 0.04819, the pentagon 0.06180 with a tuned sixth feature and 0.06874 with a dead one, alone "
            "0.01583.",
            source=OURS,
            how="exact losses",
            measure=lambda losses: losses.values,
            expect=near(list(LOSSES.values()), 6e-6),
            of=data["model_loss"],
            against={"in other order": data["model_loss"][::-1]},
            evidence=Evidence("five exact points"),
            note="As Chen et al. (2023) print them, in our units: the sum over features.",
        ),
        Claim(
            "coefficients",
            "The regular k-gon of k = 5, 6, 7 features has the coefficient (3 k - 1) / 2, by its Hessian and by sampling.",
            source=OURS,
            how="half the rank of the Hessian; the default estimate",
            measure=lambda one: {"exact": one["coefficient"].values, "sampled": one["estimate"].values},
            expect={"exact": equal([7.0, 8.5, 10.0]), "sampled": near([7.0, 8.5, 10.0], 0.2)},
            of=data[["coefficient", "estimate"]],
            against={"in other order": data[["coefficient", "estimate"]].isel(k=slice(None, None, -1))},
            evidence=Evidence("three exact minima"),
        ),
        Claim(
            "four-to-nine",
            "Regular k-gons are minima for k = 4 to 9 among every larger number of features that was tried, too.",
            source=OURS,
            how="share of numbers of features at which the k-gon with n - k tuned features is a minimum",
            measure=lambda found: found[np.isfinite(found)].mean(),
            expect=equal(1.0),
            of=small,
            against={"ten and more": ten},
            evidence=Evidence(f"{int(np.isfinite(small).sum())} polygons among 4 to {int(data['n'].max())} features"),
        ),
        Claim(
            "five-to-seven-is-lowest",
            "With seven features or more the heptagon is the lowest polygon, with five and six the one with all features.",
            source=OURS,
            how="k of the lowest polygon that is a minimum, by the number of features from 5 on",
            measure=lambda found: found,
            expect=equal([5, 6] + [7] * (data.sizes["n"] - 3)),
            of=lowest(data.isel(n=slice(1, None))),
            against={"all features": data["n"].values[1:]},
            evidence=Evidence("exact minima"),
        ),
        Claim(
            "more-corners-with-more-samples",
            "With more samples the posterior's most frequent minimum has more corners, and ends with the hexagon.",
            source=OURS,
            how="most frequent end of descents, by the number of samples",
            measure=lambda places: places,
            expect=passes(
                lambda places: list(places) == sorted(places) and places[-1] == 4 and len(set(places)) >= 3,
                "rising to the 6-gon",
            ),
            of=order,
            against={"with fewer samples": order[::-1]},
            evidence=sampled,
        ),
        Claim(
            "transition-near-600",
            "The posterior changes from the tuned pentagon to the hexagon near 600 samples.",
            source=OURS,
            how="from where on more draws descend to the hexagon than to the tuned pentagon, in samples of the mean loss",
            measure=float,
            expect=between(450, 800),
            of=change(data, [ENDS[3]]),
            against={"all pentagons": change(data, ENDS[2:4])},
            evidence=sampled,
            note="A prediction of Chen et al. (2023). Both have the coefficient 17/2, so that constants decide.",
        ),
        Claim(
            "hexagon-overtakes-pentagons",
            "The hexagon overtakes all pentagons together between 1,200 and 1,800 samples; what it overtakes is the dead one.",
            source=OURS,
            how="from where on there are more hexagons than pentagons; largest share of the tuned pentagon",
            measure=lambda found: {"samples": found[0], "tuned": found[1]},
            expect={"samples": between(1200, 1800), "tuned": below(0.2)},
            of=(change(data, ENDS[2:4]), float(data["share"].sel(end=ENDS[3]).max())),
            against={"dead and tuned exchanged": (change(data, [ENDS[3]]), float(data["share"].sel(end=ENDS[2]).max()))},
            evidence=sampled,
            note="In units of the sum over features these are 200 to 300 samples.",
        ),
        Claim(
            "laplace-is-late",
            "From 600 samples on Laplace's free energies say which minimum is preferred, but overrate the hexagon by 0.4 to 3 "
            "units.",
            source=OURS,
            how="difference of free energies less the logarithm of the ratio of draws, mean over larger numbers of samples",
            measure=lambda pair: {"mean": float(np.mean(pair[0] - pair[1])), "sign": float(np.min(pair[0]))},
            expect={"mean": between(0.4, 3.0), "sign": above(0.0)},
            of=(laplace[late], odds[late]),
            against={"minima exchanged": (-laplace[late], -odds[late])},
            evidence=sampled,
        ),
    ]


def lowest(data: xr.Dataset) -> NDArray[np.int64]:
    """The k of the lowest polygon that is a minimum, by n."""
    loss = data["polygon_loss"].where(data["polygon_exists"] > 0, np.inf)
    return np.asarray(data["polygon"].values[loss.values.argmin(axis=1)])


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Shares of minima over the number of samples, losses of polygons, the two models."""
    n = data["samples"].values.astype(np.float64)
    shares = [MarkedCurve(end, n, data["share"].sel(end=end).values) for end in ENDS]
    losses = [
        MarkedCurve(f"{k}-gon", data["n"].values[kept].astype(np.float64), data["polygon_loss"].sel(polygon=k).values[kept])
        for k in range(4, 10)
        for kept in [(data["polygon_exists"].sel(polygon=k) > 0).values]
    ]
    return {
        "posterior": Figure(
            marked_panels(
                {"": shares}, "samples (of the loss that is a mean over features)", "share of posterior draws", log_x=True
            ),
            "What draws of the posterior of six features in two dimensions descend to, by the number of samples: first four "
            "features and fewer, then a pentagon whose sixth feature is dead, and from about 1,400 samples on the hexagon. The "
            "pentagon with a tuned sixth feature, lower than the dead one, never dominates: its coefficient is as large as the "
            "hexagon's.",
        ),
        "polygons": Figure(
            marked_panels({"": losses}, "features n", "loss"),
            "Regular k-gons that are minima when one of n features is active, the others dropped with a tuned bias: from four "
            "to "
            "nine corners, whatever n is.",
        ),
        "models": Figure(
            arrow_panels(data[["W"]], "minimum"),
            "The pentagon with a dropped sixth feature, and the hexagon: both of coefficient 17/2.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Polygons in posteriors: which exist, their coefficients, and the sample sizes at which they change",
    paper="Singular learning theory",
    seconds={"quick": 40, "paper": 120},
    order=2,
)
