"""Double descent in exact minima: is the peak a property of the objective or of the optimiser?  And does the protocol matter?

The training loss alone, a finite sum, is brought down by L-BFGS without decay, from two small starts and a large one for each
set; where that ends the test loss is measured on 8,192 fresh samples (paper profile 65,536). On memorised sets descents are
slow, and some are stopped before the gradient vanishes: it is recorded. Beside them stand models trained on the same samples
(see `double-descent`).

Without decay there need not be a minimum: weights may grow for ever.  So in a world of 30 features of density 0.1 decay is
added as a penalty, strong or weak times ||W||^2, and every end is a certified minimum; its test loss is exact.

What else is measured: 50,000 steps as printed in place of 5,000 of ten times the rate, at three T; and samples that are left
as they are, whose test loss is the exact one of the population.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, above, below, between, later
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.beyond.shared import HENIGHAN, PRINTED, SHORT, losses, rise_and_fall, trained, world_of
from tegum.features import Independent, UnitLength, data_set
from tegum.figures.marked_curves import MarkedCurve, marked_panels

AS_PRINTED: dict[Profile, list[int]] = {"quick": [30, 100, 300], "paper": [100, 1000, 3000]}
"""Sizes at which the published recipe is measured as well."""
UNSCALED: dict[Profile, list[int]] = {"quick": [10, 100, 300, 1000], "paper": [100, 1000, 10_000]}
MINIMISED: dict[Profile, list[int]] = {"quick": [10, 30, 100, 300, 1000, 3000], "paper": [10, 100, 300, 1000, 3000, 10_000]}
STARTS, DESCENT = {"small": 1.0, "small again": 1.0, "large": 10.0}, {"quick": 1000, "paper": 2000}
"""Initial weights, times those of training, which are of size sqrt(2 / n); the most steps of a descent."""
TESTS, PARTS, TEST_SEED = {"quick": 8192, "paper": 65_536}, 16, 10**6
SMALL_WORLD, SMALL_SIZES = Independent(30, density=0.1), [5, 15, 120]
DECAYS = {"strong": 1e-2, "weak": 1e-3}
SEEDS, ROUGH = 2, 1e-3
"""Trainings at each size; the relative error of exact test losses, which are compared by factors."""


def study(profile: Profile) -> xr.Dataset:
    """Losses of trained models under three protocols, and of where exact descents end."""
    world, plain = world_of(profile)
    n, sizes = world.n_features, MINIMISED[profile]
    net = tg.nets.ReluOutput(n, 2)
    curve = {size: trained(net, world, size, SHORT, SEEDS) for size in sizes}
    checked = {size: trained(net, world, size, PRINTED, SEEDS) for size in AS_PRINTED[profile]}
    raw = {size: trained(net, plain, size, SHORT, SEEDS) for size in UNSCALED[profile]}
    for models in raw.values():
        models["exact"] = tg.exact.loss(models["W"], models["b"], plain, tol=ROUGH)
    parts = [
        losses(curve, "T"),
        losses(checked, "T_checked", "checked_"),
        losses(raw, "T_unscaled", "unscaled_"),
        minimised(world, sizes, DESCENT[profile], TESTS[profile]),
        certified(),
    ]
    interrupted = any(one.attrs["interrupted"] for one in (*curve.values(), *checked.values(), *raw.values()))
    square = float(plain.density.sum() * plain.magnitude.moment(2))
    return xr.merge(parts, join="outer").assign_attrs(interrupted=int(interrupted), n=n, square=square)


def minimised(world: UnitLength, sizes: list[int], most: int, tests: int) -> xr.Dataset:
    """Where exact descents of the training loss end, with the loss there of samples that no model has seen."""
    n, rows = world.n_features, []
    net, generator = tg.nets.ReluOutput(n, 2), np.random.default_rng(0)
    unseen = [data_set(world, tests // PARTS, TEST_SEED + part) for part in range(PARTS)]
    W = np.array([scale * np.sqrt(2 / n) * generator.normal(size=(2, n)) for scale in STARTS.values()])
    for size in sizes:
        found = tg.exact.minimise(
            net,
            data_set(world, size, 0),
            initial={"W": W},
            seeds=len(STARTS),
            certify=False,
            most_steps=most,
            gradient_tolerance=1e-7,
            progress=False,
        )
        each = np.array([tg.exact.loss(found["W"].values, found["b"].values, one) for one in unseen])
        rows.append(
            (found["loss"].values, each.mean(axis=0), each.std(axis=0, ddof=1) / np.sqrt(PARTS), found["gradient_norm"].values)
        )
    names = "loss", "test", "test_error", "gradient"
    return xr.Dataset(
        {f"minimum_{name}": (("T_minimised", "start"), [row[k] for row in rows]) for k, name in enumerate(names)},
        {"T_minimised": sizes, "start": list(STARTS)},
    )


def certified() -> xr.Dataset:
    """Minima of the training loss with decay in a small world: how many are certified, and their exact test loss.

    In units of E |x|^2, the loss of a model that always says 0.
    """
    net, square = tg.nets.ReluOutput(SMALL_WORLD.n_features, 2), np.trace(SMALL_WORLD.second_moment())
    tests, minima = [], []
    for decay in DECAYS.values():
        for size in SMALL_SIZES:
            law = data_set(SMALL_WORLD, size, 0)
            found = tg.exact.minimise(net, law, seeds=SEEDS, penalties=[tg.exact.L2(decay)], progress=False)
            tests.append(tg.exact.loss(found["W"].values, found["b"].values, SMALL_WORLD, tol=ROUGH) / square)
            minima.append(float((found["status"] == "minimum").mean()))
    shape, dims = (len(DECAYS), len(SMALL_SIZES)), ("decay", "T_certified")
    return xr.Dataset(
        {
            "certified_test": ((*dims, "certified_seed"), np.reshape(tests, (*shape, SEEDS))),
            "certified": (dims, np.reshape(minima, shape)),
        },
        {"decay": list(DECAYS), "T_certified": SMALL_SIZES},
    )


def peak_size(data: xr.Dataset) -> int:
    """The T at which the median test loss of trained models is highest."""
    return int(data["loss"].median("seed").idxmax("T"))


def after_size(data: xr.Dataset) -> int | None:
    """The smallest T above the peak at which trained models are better than one that says 0; None where there is none."""
    fine = data["T_minimised"].values[data["T_minimised"].values > peak_size(data)]
    usual = data["loss"].median("seed")
    return next((int(size) for size in fine if size in usual["T"] and float(usual.sel(T=size)) < 1), None)


def claims(data: xr.Dataset) -> list[Claim]:
    """How much the protocol matters, and what exact minima say of the peak."""
    return [*protocols(data), *of_minima(data)]


def protocols(data: xr.Dataset) -> list[Claim]:
    """How much it matters what is not printed, or not done here."""
    common = [int(size) for size in data["T_checked"].values if size in data["T"].values]
    usual = data["loss"].sel(T=common).median("seed").values
    longer = data["checked_loss"].sel(T_checked=common).median("checked_seed").values / usual
    large = data["minimum_test"].sel(T_minimised=common, start="large").values
    unscaled = data["unscaled_exact"].mean("unscaled_seed")
    return [
        Claim(
            "longer-is-worse",
            "50,000 steps as printed, in place of 5,000 of ten times the rate, change little where few samples are memorised "
            "and make the test loss several times as high at the largest set compared.",
            source=later(HENIGHAN, "The test-loss bump increases when training for more epochs"),
            how="test loss as printed over that of the short recipe, at the smallest and the largest T compared",
            measure=lambda one: {"smallest": float(one[0]), "largest": float(one[-1])},
            expect={"smallest": between(0.5, 2), "largest": above(2)},
            of=longer,
            against={
                "two seeds of one recipe": np.divide(*data["loss"].sel(T=common).transpose("seed", "T").values[:2]),
                "descents from large weights beside training": large / usual,
            },
            evidence=Evidence(f"{SEEDS} seeds at each of {len(common)} sizes", SEEDS),
        ),
        Claim(
            "without-scaling",
            "Samples that are not scaled to unit length have the same peak, in the exact loss of the population.",
            source=OURS,
            how="exact test loss over T, mean of two seeds: how many times the highest is the first, and the last",
            measure=rise_and_fall,
            expect={"rise": above(3), "fall": above(3)},
            of=unscaled,
            against={
                "training losses": data["unscaled_training_loss"].mean("unscaled_seed"),
                "the largest set": unscaled[-1:],
            },
            evidence=Evidence(f"{SEEDS} seeds at each of {unscaled.size} sizes", SEEDS),
        ),
    ]


def of_minima(data: xr.Dataset) -> list[Claim]:
    """Is the peak a property of minima or of the optimiser?  The rise is the objective's, the fall the optimiser's."""
    peak, after = peak_size(data), after_size(data)
    not_run = "" if after else "sizes above that of the peak, at which trained models generalise"
    other = after or int(data["T_minimised"][0])
    beside = f"T = {other:,}, {'after' if after else 'before'} the peak"
    small = data[["minimum_loss", "minimum_test"]].isel(start=slice(2)).median("start")
    evidence = Evidence(
        f"{data.sizes['start']} starts on one set at each of {data.sizes['T_minimised']} sizes", data.sizes["start"]
    )
    gain = (small["minimum_loss"] - data["minimum_loss"].isel(start=-1)).rename("gain")
    tests, sure = [data["certified_test"].sel(decay=name) for name in DECAYS], float(data["certified"].mean())
    return [
        Claim(
            "the-peak-is-in-the-minima",
            "Exact descents of the training loss have the peak, and higher: it is a property of the objective, which decay and "
            "early stopping tame.",
            source=OURS,
            how="at the T of the peak, descents from small starts beside trained models: difference of training losses, "
            "ratio of test losses",
            measure=lambda one: {"training": float(one[0]), "test": float(one[1])},
            expect={"training": below(0), "test": above(3)},
            of=beside_trained(data, small, peak),
            against={beside: beside_trained(data, small, other)},
            evidence=evidence,
        ),
        Claim(
            "decay-decides",
            "Certified minima of the training loss have a peak where decay is weak, and none where it is strong.",
            source=OURS,
            how="highest exact test loss over T, mean of the minima, over that of a model that says 0",
            measure=lambda pair: {name: float(one.mean("certified_seed").max()) for name, one in pair.items()},
            expect={"strong": below(1), "weak": above(1.2)},
            of=dict(zip(DECAYS, tests, strict=True)),
            against={f"{name} decay for both": dict.fromkeys(DECAYS, one) for name, one in zip(DECAYS, tests, strict=True)},
            evidence=Evidence(f"{SEEDS} starts on one set at each of {len(SMALL_SIZES)} sizes, {sure:.0%} certified", SEEDS),
            lacking="" if sure == 1 else "certificates of all ends",
            note="In print decay 1 removes the bump from training, at m = 4.",
        ),
        Claim(
            "the-fall-is-the-optimisers",
            "Where trained models generalise after the peak, a solution that memorises can have the lower training loss: small "
            "starts do not find it.",
            source=OURS,
            how=f"at T = {other:,}: training loss of small starts less that of a large one; test losses of both",
            measure=lambda one: {"gain": float(one[0]), "small": float(one[1]), "large": float(one[2])},
            expect={"gain": above(0.005), "small": below(1.05), "large": above(3)},
            of=beside_large(data, other),
            against={f"T = {size:,}": beside_large(data, size) for size in (int(data["T_minimised"][0]), peak)},
            evidence=evidence,
            not_run=not_run,
        ),
        Claim(
            "in-the-end-it-pays-to-generalise",
            "On the largest set the solution that generalises is the lowest found, from all starts.",
            source=OURS,
            how="at the largest T: training loss of small starts less that of a large one",
            measure=float,
            expect=below(0),
            of=gain[-1],
            against={beside: gain.sel(T_minimised=other)},
            evidence=evidence,
            not_run=not_run,
        ),
    ]


def beside_large(data: xr.Dataset, size: int) -> NDArray[np.float64]:
    """Training loss of small starts less that of the large one; test losses of both."""
    ends = data.sel(T_minimised=size)
    small, large = ends.isel(start=slice(2)).median("start"), ends.isel(start=-1)
    gain = small["minimum_loss"] - large["minimum_loss"]
    return np.array([gain, small["minimum_test"], large["minimum_test"]], dtype=np.float64)


def beside_trained(data: xr.Dataset, minima: xr.Dataset, size: int) -> NDArray[np.float64]:
    """Training loss of minima less that of trained models, and how many times their test loss it is."""
    trained = data[["loss", "training_loss"]].sel(T=size).median("seed")
    ends = minima.sel(T_minimised=size)
    return np.array([ends["minimum_loss"] - trained["training_loss"], ends["minimum_test"] / trained["loss"]], dtype=np.float64)


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Minima beside trained models, and protocols beside each other."""
    sizes = data["T"].values.astype(float)
    minima, at = data["minimum_test"], data["T_minimised"].values.astype(float)
    exact = [
        MarkedCurve("test loss, median of seeds", sizes, data["loss"].median("seed").values),
        MarkedCurve("exact descent, small starts", at, minima.isel(start=slice(2)).median("start").values),
        MarkedCurve("exact descent, large start", at, minima.isel(start=-1).values),
    ]
    protocols = [
        MarkedCurve(f"{SHORT.steps:,} steps", sizes, data["loss"].median("seed").values),
        MarkedCurve(
            f"{PRINTED.steps:,} steps",
            data["T_checked"].values.astype(float),
            data["checked_loss"].mean("checked_seed").values,
        ),
        MarkedCurve(
            "samples not scaled (exact, over E|x|²)",
            data["T_unscaled"].values.astype(float),
            data["unscaled_exact"].mean("unscaled_seed").values / data.attrs["square"],
        ),
    ]
    small = data["T_certified"].values.astype(float)
    decays = [
        MarkedCurve(f"decay {value:g}", small, data["certified_test"].sel(decay=name).mean("certified_seed").values)
        for name, value in DECAYS.items()
    ]
    return {
        "minima": Figure(
            marked_panels({"": exact}, "samples T", "test loss", log_x=True, log_y=True),
            "Test loss of trained models, and of where exact descents of the training loss end: from small weights and from "
            "large ones. The peak is in the minima; that it ends where it does is due to small weights.",
        ),
        "decay": Figure(
            marked_panels({"": decays}, "samples T", "test loss / E|x|²", log_x=True),
            "Exact test loss of certified minima of the training loss with decay as a penalty, 30 features, mean "
            "of the starts: weak decay lets them memorise.",
        ),
        "protocols": Figure(
            marked_panels({"": protocols}, "samples T", "test loss", log_x=True, log_y=True),
            "The peak under three protocols: few steps of a high rate, many of a low one, and samples that are not scaled.",
        ),
    }


experiment = Experiment(
    __name__,
    title="Double descent in exact minima: the rise is the objective's, the fall the optimiser's",
    paper="Beyond the paper: Henighan et al. 2023",
    seconds={"quick": 45, "paper": 6000},
    order=1.5,
)
