"""Estimates of local learning coefficients beside the truth: samplers, settings and points, and what is wrong by how much.

The points: regular polygons of 5 to 8 features of which one is active at a time, the four-gon (at a kink), a pentagon with a
sixth feature that is tuned or dead, the digon, a pair and a dropped feature of two independent features in one dimension, and
the lowest of 8 minima of 20 features in 5 dimensions.  The truth is half the rank of the exact Hessian, at the kink half the
number of directions in which it is bent.  At some points the volume of the level sets is measured, too, which knows nothing of
Hessians, with its multiplicity: also where two features in one dimension cross from a dropped to a stored second one, a cubic
minimum on one side (11/6, see `tegum.experiments.posterior.shared`), and at w_1^2 w_2^2 of a linear net (1/2, multiplicity 2).

The settings: the defaults of `tegum.posterior.llc` (HMC and MALA, n_beta from 10^7, gamma = 100); the same HMC with n_beta =
n / log n of n = 1,000 and n = 10^6 samples, which others take; SGLD with the exact gradient and with batches of 64, and
RMSProp's variant, at step sizes as in tutorials, gamma = 100 and n = 10^5.  Samplers without rejection are also compared with
what linear theory predicts of them (`tegum.posterior.biases`): how much is localisation, step size, noise of batches.
"""

from typing import Any

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, above, at_most, below, equal, near
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.posterior.shared import Point, crossing, dead, four_gon, ring
from tegum.features import AnticorrelatedSets, FiniteLaw, Independent
from tegum.figures.clouds import Cloud, clouds
from tegum.posterior import HMC, MALA, Langevin, RMSProp, exact_coefficient, llc, volume_scaling

THOUSAND, HUNDRED_THOUSAND, MILLION = (n / np.log(n) for n in (1e3, 1e5, 1e6))
SETTINGS: dict[str, dict[str, Any]] = {
    "HMC, defaults": {},
    "MALA, n_beta of the defaults": {"sampler": MALA(), "draws": 3000},
    "HMC, n = 1,000, gamma = 100": {"n_beta": THOUSAND},
    "HMC, n = 10^6, gamma = 100": {"n_beta": MILLION},
    "HMC, n = 1,000, gamma = 1": {"n_beta": THOUSAND, "localisation": 1.0},
    "SGLD 1e-5, n = 10^5": {"n_beta": HUNDRED_THOUSAND, "sampler": Langevin(1e-5)},
    "SGLD 1e-4, n = 10^5": {"n_beta": HUNDRED_THOUSAND, "sampler": Langevin(1e-4)},
    "SGLD 1e-4, n = 10^5, batches of 64": {"n_beta": HUNDRED_THOUSAND, "sampler": Langevin(1e-4, batch_size=64)},
    "SGLD 1e-3, n = 10^5": {"n_beta": HUNDRED_THOUSAND, "sampler": Langevin(1e-3)},
    "RMSProp 1e-5, n = 10^5, batches of 64": {"n_beta": HUNDRED_THOUSAND, "sampler": RMSProp(1e-5, batch_size=64)},
}
EXACT = ["HMC, defaults", "MALA, n_beta of the defaults"]
AS_USED = [name for name in SETTINGS if name not in EXACT]
STEPS: dict[Profile, int] = {"quick": 3000, "paper": 20_000}
"""Of chains without rejection, half of them before the draws that count."""
CHAINS: dict[Profile, int] = {"quick": 8, "paper": 32}
"""Of samplers that do not reject; the others have 16."""
GROUPS: dict[Profile, int] = {"quick": 8, "paper": 32}
REGULAR = ["5-gon", "6-gon", "7-gon"]
QUADRATIC = [name for name in AS_USED if "n = 1,000" not in name]
"""Settings of so many samples that a posterior is next to its minimum."""
MEASURED = {"5-gon": 1, "digon": 1, "4-gon": 1, "5-gon, dead sixth": 1, "crossing of (2, 1)": 1, "product of weights": 2}
"""Points whose volumes are measured, and their multiplicities."""
SINGULAR = {"crossing of (2, 1)": 11 / 6, "product of weights": 1 / 2}
CROSSED = 0.6
"""The density at which two features cross."""
TOLERANCE, ERRORS, LINEAR = 0.03, 4.0, 0.1


def points() -> dict[str, Point]:
    """The models that are estimated."""
    pair, five = tg.nets.ReluOutput(2, 1), ring(5, 6)
    found = {f"{k}-gon": ring(k) for k in (5, 6, 7, 8)}
    found |= {"4-gon": four_gon(), "5-gon, tuned sixth": five, "5-gon, dead sixth": dead(five)}
    found["digon"] = Point(pair, AnticorrelatedSets(1, 2, density=1 / 2), np.array([[1.0, -1.0]]), np.zeros(2))
    for name, features in (
        ("pair of (2, 1)", Independent(2, density=0.1)),
        ("dropped of (2, 1)", Independent(2, density=0.9, importance=[1, 0.1])),
    ):
        found[name] = lowest(Point(pair, features, np.zeros((1, 2)), np.zeros(2)), 8)
    twenty = tg.nets.ReluOutput(20, 5), Independent(20, density=0.1, importance=tg.features.geometric(0.9, 20))
    found["n = 20, m = 5"] = lowest(Point(*twenty, np.zeros((5, 20)), np.zeros(20)), 8)
    return found


def lowest(point: Point, seeds: int) -> Point:
    """The lowest minimum of some starts."""
    best = tg.best(tg.exact.minimise(point.net, point.features, seeds=seeds, progress=False))
    return point._replace(W=best["W"].values, b=best["b"].values)


def study(profile: Profile) -> xr.Dataset:
    """Every estimate with its error, its known biases, and what it cost; the truth, and volumes at some points."""
    each = points()
    rows = [of_point(point, profile) for point in each.values()]
    data = xr.concat(rows, xr.DataArray(list(each), dims="point", name="point"))
    each |= {"crossing of (2, 1)": crossing(CROSSED), "product of weights": product()}
    volumes = []
    for name in MEASURED:
        radius = 1.0 if name == "product of weights" else 0.1
        found = volume_scaling(*each[name], radius=radius, groups=GROUPS[profile], progress=False)
        truth = SINGULAR[name] if name in SINGULAR else float(data["truth"].sel(point=name))
        volumes.append(
            {
                "volume": float(found["coefficient"]),
                "volume_error": float(found["coefficient_error"]),
                "multiplicity": int(found["multiplicity"]),
                "probability": float(found["probability"].sel(multiplicity_tried=MEASURED[name])),
                "volume_truth": truth,
                "volume_parameters": each[name].W.size + each[name].net.bias * each[name].b.size,
            }
        )
    measured = {name: ("measured", [one[name] for one in volumes]) for name in volumes[0]}
    return data.assign(measured).assign_coords(measured=list(MEASURED))


def product() -> Point:
    """A linear net whose loss is w_1^2 w_2^2, at 0: two outputs share a weight, and only the wrong one counts."""
    return Point(tg.nets.Linear(2, 1, bias=False), FiniteLaw([[1.0, 0.0]], importance=[0, 1]), np.zeros((1, 2)), np.zeros(2))


def of_point(point: Point, profile: Profile) -> xr.Dataset:
    """All settings at one point."""
    exact = exact_coefficient(*point)
    rows = []
    for own in SETTINGS.values():
        how = {"chains": 16, "progress": False} | own
        sampler = own.get("sampler", HMC())
        if not isinstance(sampler, HMC | MALA):
            how |= {"chains": CHAINS[profile], "draws": STEPS[profile] // 20, "thinning": 10, "warm_up": STEPS[profile] // 2}
        found = llc(*point, **how)
        steps = how.get("warm_up", 300) + how.get("draws", 1000) * how.get("thinning", 1)
        rows.append(
            {
                "estimate": found.value,
                "error": found.standard_error,
                "diverged": found.diverged / how["chains"],
                "effective_size": found.effective_size,
                "evaluations": how["chains"] * steps * getattr(sampler, "leaps", 1),
                "predicted": exact.value + sum(found.biases.values()) if found.biases else np.nan,
                **{f"bias_{cause.replace(' ', '_')}": value for cause, value in found.biases.items()},
            }
        )
    names = list(dict.fromkeys(key for row in rows for key in row))
    data = xr.Dataset({key: ("setting", [row.get(key, np.nan) for row in rows]) for key in names}, {"setting": list(SETTINGS)})
    return data.assign(truth=exact.value, kind=exact.kind, loss=point.loss, parameters=point.W.size + point.b.size)


def claims(data: xr.Dataset) -> list[Claim]:
    """Exact samplers agree with derivatives and volumes; others are as wrong as linear theory says, and that is much."""
    count = int(data.sizes["point"])
    relative = data["estimate"] / data["truth"] - 1
    deviations = apart(data, "estimate", "error")
    known = data.sel(setting=QUADRATIC).where(np.isfinite(data["predicted"].isel(setting=0, drop=True)), drop=True)
    finite, calm = np.isfinite(known["predicted"]), known["diverged"] == 0
    left_out = f"left out: {int((~finite).sum())} of which none is predicted, {int((finite & ~calm).sum())} that diverged"
    known = known.where(finite & calm)
    evidence = Evidence(f"{count} points, each with its exact coefficient")
    volumes = data[["volume", "volume_error"]].assign(truth=data["volume_truth"])
    return [
        Claim(
            "defaults",
            "With the default settings estimates are within 3 % of the truth on the regular pentagon, hexagon and heptagon.",
            source=OURS,
            how="largest relative deviation of the three",
            measure=lambda values: largest(np.abs(values)),
            expect=at_most(TOLERANCE),
            of=relative.sel(setting=EXACT[0], point=REGULAR),
            against={"n_beta of 1,000 samples": relative.sel(setting="HMC, n = 1,000, gamma = 100", point=REGULAR)},
            evidence=Evidence("three exact minima"),
        ),
        Claim(
            "exact-samplers-everywhere",
            "HMC with the defaults, and MALA with their n_beta, agree with the truth at all points, regular, flat and kinked.",
            source=OURS,
            how="largest deviation in units of its error and a quarter of 3 %, over points",
            measure=largest,
            expect=at_most(ERRORS),
            of=deviations.sel(setting=EXACT),
            against={"SGLD with batches": deviations.sel(setting="SGLD 1e-4, n = 10^5, batches of 64").fillna(np.inf)},
            evidence=evidence,
        ),
        Claim(
            "volumes-agree",
            "The volume of nearly as good parameters shrinks as fast as derivatives say: at regular, flat, kinked and singular "
            "points.",
            source=OURS,
            how="largest deviation of the exponent in units of its error and a quarter of 3 %, over points",
            measure=largest,
            expect=at_most(ERRORS),
            of=apart(volumes, "volume", "volume_error"),
            against={
                "all parameters count": apart(volumes.assign(truth=data["volume_parameters"] / 2), "volume", "volume_error")
            },
            evidence=Evidence(f"{len(MEASURED)} points"),
        ),
        Claim(
            "multiplicities",
            "The logarithm shows where two weights multiply, and nowhere else: at the four-gon, beside a dead feature, at a "
            "crossing of phases and at regular minima the multiplicity is 1.",
            source=OURS,
            how="the lowest multiplicity that is not twenty times less probable than another",
            measure=lambda found: found,
            expect=equal(list(MEASURED.values())),
            of=data["multiplicity"].values,
            against={"in other order": data["multiplicity"].values[::-1]},
            evidence=Evidence(f"{len(MEASURED)} points, 22 to 105 e-folds of the level each"),
            note="With ten decades and a lambda of some units this rests on that a logarithm begins about where the ball does.",
        ),
        Claim(
            "biases-are-predicted",
            "With 100,000 samples and more, what is wrong with estimates at regular and flat minima is what linear theory "
            "predicts, where it predicts a finite value: localisation, step size and noise of batches.",
            source=OURS,
            how="share of settings and points at which measured and predicted agree to 4 errors and 10 %, of those of which a "
            "finite value is predicted and no chain diverged",
            measure=lambda one: agreeing(one["estimate"], one["predicted"], one["error"]),
            expect=above(0.9),
            of=known,
            against={"without the prediction": known.assign(predicted=known["truth"])},
            evidence=Evidence(f"{int((finite & calm).sum())} estimates at {known.sizes['point']} points").adding(left_out),
            note="What is left is that a loss is no parabola: with 1,000 samples that is more than all the rest. Where no "
            "finite value is predicted, of SGLD with steps of 1e-3, chains diverge or are wrong by a factor of 2 to hundreds.",
        ),
        Claim(
            "a-thousand-samples",
            "With n = 1,000 gamma decides what an exact sampler says of the hexagon: with 100 less than 40 % of its "
            "coefficient, with 1 more than 120 %.",
            source=OURS,
            how="estimates by an exact sampler relative to the truth",
            measure=lambda pair: {"gamma = 100": float(pair[0]) + 1, "gamma = 1": float(pair[1]) + 1},
            expect={"gamma = 100": below(0.4), "gamma = 1": above(1.2)},
            of=relative.sel(point="6-gon", setting=["HMC, n = 1,000, gamma = 100", "HMC, n = 1,000, gamma = 1"]).values,
            against={"the defaults": relative.sel(point="6-gon", setting=EXACT).values},
            evidence=Evidence("one exact minimum"),
            note="So there is a gamma between at which it is right, and nothing but the truth says which.",
        ),
        Claim(
            "four-gon",
            "The four-gon's coefficient is 11/2, whatever direction one looks in.",
            source=OURS,
            how="by directions that are bent, by volumes, by the default estimate",
            measure=lambda one: np.array([float(one["truth"]), float(one["volume"]), float(one["estimate"])]),
            expect=near(5.5, 0.4),
            of=data.sel(point="4-gon", setting=EXACT[0], measured="4-gon"),
            against={"the regular pentagon": data.sel(point="5-gon", setting=EXACT[0], measured="5-gon")},
            evidence=Evidence("one exact minimum"),
            note="Half the rank of the Hessian is 4, 4.5, 5 or 5.5 there, depending on the side from which it is taken.",
        ),
    ]


def apart(data: xr.Dataset, what: str, error: str) -> xr.DataArray:
    """How far from the truth something is, in units of its error and a quarter of 3 % of the truth."""
    return abs(data[what] - data["truth"]) / ((data[error] ** 2 + (TOLERANCE / ERRORS * data["truth"]) ** 2) ** 0.5)


def largest(values: xr.DataArray) -> float:
    """The largest of some values; NaN where one of them is, as what was not measured agrees with nothing."""
    return float(np.max(np.asarray(values)))


def agreeing(estimate: xr.DataArray, predicted: xr.DataArray, error: xr.DataArray) -> float:
    """The share of estimates that are as predicted, to 4 errors and 10 %."""
    off = np.abs(estimate - predicted) - ERRORS * error - LINEAR * np.abs(predicted)
    return float((off <= 0).sum() / np.isfinite(off).sum())


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Estimates by point and setting, relative to the truth; what was predicted of them."""
    names = data["point"].values.tolist()
    tame = [name for name in AS_USED[3:] if not np.isinf(data["predicted"].sel(setting=name)).any()]
    shown = [[*EXACT, "HMC, n = 10^6, gamma = 100", "HMC, n = 1,000, gamma = 1", "HMC, n = 1,000, gamma = 100"], tame]
    panels = {
        title: [cloud(data.sel(setting=name), name, "estimate") for name in each]
        for title, each in zip(("samplers that reject", "samplers that do not"), shown, strict=True)
    }
    truth = Cloud("truth", names, np.ones(len(names)))
    measured = [
        Cloud(name, known["predicted"].values / known["truth"].values, known["estimate"].values / known["truth"].values)
        for name in AS_USED
        for known in [data.sel(setting=name).where(np.isfinite(data["predicted"].sel(setting=name)), drop=True)]
        if known.sizes["point"]
    ]
    ratio = data["volume"].values / data["volume_truth"].values
    reach = ERRORS / 2 * data["volume_error"].values / data["volume_truth"].values
    return {
        "estimates": Figure(
            clouds(panels, "point", "estimate / truth", truth, height=760),
            "Estimated local learning coefficients relative to the exact ones. Exact samplers with the defaults lie on the "
            "truth, at kinks and flat minima, too. With few samples localisation holds weak directions as strongly as the loss "
            "does, and they are not counted; large steps and small batches count too much. SGLD with steps of 1e-3, which "
            "diverges or is wrong by a factor of hundreds, is left out.",
        ),
        "volumes": Figure(
            clouds(
                {"": [Cloud("volumes", list(MEASURED), ratio, reach)]},
                "point",
                "exponent of the volume / truth",
                Cloud("truth", list(MEASURED), np.ones(len(MEASURED))),
                height=460,
            ),
            "How fast the volume of nearly as good parameters shrinks beside the exact coefficient: at two regular minima, the "
            "four-gon's kinks, a flat minimum, a cubic one and a product of weights. Errors (two of them) hold what the "
            "multiplicity leaves open.",
        ),
        "predictions": Figure(
            clouds({"": measured}, "predicted estimate / truth", "measured estimate / truth", height=480),
            "At regular and flat minima linear theory predicts what each sampler will say: its bias by localisation, step "
            "size and noise.",
        ),
    }


def cloud(one: xr.Dataset, name: str, what: str) -> Cloud:
    """A setting's estimates relative to the truth, where no chain diverged."""
    kept = one.where(np.isfinite(one[what]) & (one["diverged"] == 0), drop=True)
    truth = kept["truth"].values
    return Cloud(name, kept["point"].values.tolist(), kept[what].values / truth, ERRORS / 2 * kept["error"].values / truth)


experiment = Experiment(
    __name__,
    title="Local learning coefficients: what samplers say beside the truth",
    paper="Singular learning theory",
    seconds={"quick": 60, "paper": 900},
    order=1,
)
