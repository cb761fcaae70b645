"""What learning ends in: the exact flow stays at the first minimum it meets, and noise moves on to smaller coefficients.

Six features in two dimensions, of which exactly one is active.  The exact flow starts from small Gaussian weights of 8 seeds
(paper profile 64) and is recorded evenly in the logarithm of time; SGD starts from the same weights with batches of 64, at a
constant learning rate.  Checkpoints of SGD are named by the minimum that they descend to without noise, and its exact
coefficient.

Chen et al. (2023) see trainings pass plateaus of 4-, 5- and 6-gon.  With two tuned features, or one, the 4-gon and the
5-gon are minima: what leaves them is noise.  Along one flow the local learning coefficient is estimated where the path is, with
n_beta = 10^6 and gamma = 1,000: at minima it is one, and where the loss still falls the estimate is far below 0.
"""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, at_least, at_most, below, equal, near
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.posterior.shared import BIAS, dead, ring, world
from tegum.features import Features
from tegum.figures.marked_curves import MarkedCurve, marked_panels
from tegum.nets import Net
from tegum.posterior import exact_coefficient, llc

SEEDS: dict[Profile, int] = {"quick": 8, "paper": 64}
TIMES, DURATION, SCALE = 240, 1e5, 0.05
RECIPE = tg.Recipe(
    steps=60_000,
    batch_size=64,
    optimizer="sgd",
    learning_rate=0.05,
    weight_decay=0.0,
    evaluation_samples=64,
    record=("W", "b"),
    record_steps=60,
)
HOW: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-7, "terms": 64}
ALONG: dict[Profile, int] = {"quick": 24, "paper": 60}
LOCAL: dict[str, Any] = {"n_beta": 1e6, "localisation": 1000.0, "chains": 8, "draws": 400}
REPRESENTED, SAME = 0.5, 1e-4
LAST, BETWEEN = 10, 1e-5
"""Checkpoints of SGD at the end that are looked at; how far an estimate's loss may be from the end's to be of a minimum."""


def study(profile: Profile) -> xr.Dataset:
    """Losses, how many features are represented, and coefficients along flows and trainings."""
    net, features = world(6)
    seeds = range(SEEDS[profile])
    flows = [flow(net, features, seed) for seed in seeds]
    recipe = RECIPE.replaced(seeds=SEEDS[profile])
    trained = tg.train(net, features, recipe, initial=starts(seeds), progress=False)
    W, b = (trained[f"{name}_history"].transpose("seed", "step", ...) for name in ("W", "b"))
    checkpoints = {name: one.values[:, -LAST:].reshape(-1, *one.shape[2:]) for name, one in (("W", W), ("b", b))}
    count = len(checkpoints["b"])
    polished = tg.exact.minimise(net, features, initial=checkpoints, seeds=count, progress=False)
    ends = tg.exact.minimise(net, features, initial=last(flows), seeds=len(flows), progress=False)
    path = flows[0].isel(time=np.linspace(1, TIMES - 1, ALONG[profile]).astype(int))
    each = [
        llc(net, features, path["W"].values[k], path["b"].values[k], progress=False, **LOCAL) for k in range(ALONG[profile])
    ]
    sgd_end = polished["loss"].values.reshape(-1, LAST)
    return xr.Dataset(
        {
            "flow_loss": (("seed", "time"), [one["loss"].values for one in flows]),
            "sgd_loss": (("seed", "step"), tg.exact.loss(W.values, b.values, features)),
            "coefficient": (("along",), [one.value for one in each]),
            "coefficient_error": (("along",), [one.standard_error for one in each]),
            "along_time": (("along",), path["time"].values),
            "along_loss": (("along",), path["loss"].values),
            "flow_end": (("seed",), ends["loss"].values),
            "flow_coefficient": (("seed",), coefficients(net, features, ends)),
            "sgd_end": (("seed", "checkpoint"), sgd_end),
            "sgd_coefficient": (("seed", "checkpoint"), coefficients(net, features, polished).reshape(sgd_end.shape)),
        },
        {"seed": list(seeds), "time": flows[0]["time"].values, "step": W["step"].values},
        {
            "interrupted": int(any(one.attrs["interrupted"] for one in flows)),
            "tuned": ring(5, 6).loss,
            "dead": dead(ring(5, 6)).loss,
            "hexagon": ring(6).loss,
        },
    )


def coefficients(net: Net, features: Features, found: xr.Dataset) -> NDArray[np.float64]:
    """The exact coefficient of each minimum; those of one loss are looked at once."""
    losses, known = found["loss"].values, dict[float, float]()
    for k, loss in enumerate(losses.round(6)):
        if loss not in known:
            known[loss] = exact_coefficient(net, features, *settled(found["W"].values[k], found["b"].values[k])).value
    return np.array([known[loss] for loss in losses.round(6)])


def settled(W: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same minimum in the middle of what is flat: a descent stops at its edge, where an output just does not fire."""
    idle = (np.linalg.norm(W, axis=0) < REPRESENTED) & (b < 0)
    return np.where(idle, 0.0, W), np.where(idle, BIAS, b)


def starts(seeds: range) -> dict[str, NDArray[np.float64]]:
    """Small Gaussian weights of each seed."""
    return {"W": np.array([SCALE * np.random.default_rng([6, seed]).normal(size=(2, 6)) for seed in seeds])}


def flow(net: Net, features: Features, seed: int) -> xr.Dataset:
    """The exact gradient flow of one seed."""
    W = starts(range(seed, seed + 1))["W"][0]
    times = np.concatenate([[0.0], np.geomspace(1.0, DURATION, TIMES - 1)])
    return tg.exact.gradient_flow(net, features, W, np.zeros(6), DURATION, times=times, **HOW, progress=False)


def last(flows: list[xr.Dataset]) -> dict[str, NDArray[np.float64]]:
    """Where flows have ended."""
    return {name: np.array([one[name].values[-1] for one in flows]) for name in ("W", "b")}


def claims(data: xr.Dataset) -> list[Claim]:
    """Flows end in tuned minima of one coefficient; noise makes features die, at a higher loss and a smaller coefficient."""
    seeds = Evidence(f"{data.sizes['seed']} seeds", data.sizes["seed"])
    at_minimum = np.abs(data["along_loss"].values / float(data["along_loss"][-1]) - 1) < BETWEEN
    falling = data["along_loss"].values > 2 * float(data["along_loss"][-1])
    estimates = data["coefficient"].values
    return [
        Claim(
            "flows-end-above-the-hexagon",
            "From small weights most flows end in the pentagon with a tuned sixth feature, and stay there.",
            source=OURS,
            how="share of seeds whose flow ends there",
            measure=lambda ends: float(np.mean(np.abs(ends - data.attrs["tuned"]) < SAME)),
            expect=at_least(0.6),
            of=data["flow_end"].values,
            against={"the hexagon": data["flow_end"].values * 0 + data.attrs["hexagon"]},
            evidence=seeds,
        ),
        Claim(
            "one-coefficient",
            "Whatever minimum a flow ends in, its coefficient is 17/2.",
            source=OURS,
            how="exact coefficients of the ends, largest deviation from 17/2",
            measure=lambda values: float(np.abs(values - 8.5).max()),
            expect=at_most(1e-9),
            of=data["flow_coefficient"].values,
            against={"a dead feature": np.array([7.0])},
            evidence=seeds,
        ),
        Claim(
            "noise-kills",
            "Some runs of stochastic gradient descent are at the dead pentagon in the end, whose loss is higher and whose "
            "coefficient is 7; no exact flow is.",
            source=OURS,
            how="share of seeds with a checkpoint among the last ten that descends to the dead pentagon; coefficient there",
            measure=lambda pair: {
                "share": float((np.abs(pair[0] - data.attrs["dead"]) < SAME).any(axis=-1).mean()),
                "coefficient": float(np.nanmin(pair[1])),
            },
            expect={"share": at_least(0.1), "coefficient": equal(7.0)},
            of=(data["sgd_end"].values, data["sgd_coefficient"].values),
            against={"the exact flow": (data["flow_end"].values[:, None], data["flow_coefficient"].values[:, None])},
            evidence=seeds,
        ),
        Claim(
            "estimates-along-a-flow",
            "Along a flow the estimated coefficient is below 0 while the loss falls, and within 5 % of 17/2 at the end.",
            source=OURS,
            how="largest estimate where the loss is more than twice that of the end; mean of those where it is the end's",
            measure=lambda pair: {"falling": float(np.max(pair[0])), "at the end": float(np.mean(pair[1]))},
            expect={"falling": below(0.0), "at the end": near(8.5, 0.05, relative=True)},
            of=(estimates[falling], estimates[at_minimum]),
            against={"exchanged": (estimates[at_minimum], estimates[falling])},
            evidence=Evidence(f"{data.sizes['along']} points of one flow"),
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Losses along flows and trainings; the coefficient along one flow."""
    shown = data.isel(seed=slice(8))
    flows = [
        MarkedCurve(f"seed {k}", data["time"].values[1:], shown["flow_loss"].values[k, 1:]) for k in range(shown.sizes["seed"])
    ]
    steps = data["step"].values
    sgd = [
        MarkedCurve(f"seed {k}", steps[steps > 0], shown["sgd_loss"].values[k, steps > 0]) for k in range(shown.sizes["seed"])
    ]
    along = data["along_time"].values
    return {
        "losses": Figure(
            marked_panels({"exact gradient flow": flows}, "time", "loss", log_x=True, log_y=True),
            "Losses along the exact gradient flow of six features from small weights: most end in the pentagon with a tuned "
            "sixth feature.",
        ),
        "sgd": Figure(
            marked_panels({"stochastic gradient descent": sgd}, "step", "loss", log_x=True, log_y=True),
            "Exact losses along stochastic gradient descent with batches of 64, from the same weights: some seeds end higher "
            "than they "
            "were, because noise makes the sixth feature's output die.",
        ),
        "coefficient": Figure(
            marked_panels(
                {
                    "loss × 100": [MarkedCurve("loss × 100", along, 100 * data["along_loss"].values)],
                    "estimated coefficient, from −10": [
                        MarkedCurve("coefficient", along, np.maximum(data["coefficient"].values, -10))
                    ],
                },
                "time",
                "value",
                log_x=True,
            ),
            "Loss and estimated local learning coefficient along the flow of one seed. At a minimum it is a coefficient; "
            "where the loss "
            "falls, and is lower nearby, it is far below 0.",
        ),
    }


experiment = Experiment(
    __name__,
    title="What learning ends in: the exact flow, stochastic gradient descent, and their coefficients",
    paper="Singular learning theory",
    seconds={"quick": 30, "paper": 60},
    order=3,
)
