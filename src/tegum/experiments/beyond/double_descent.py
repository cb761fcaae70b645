"""Double descent: of few samples a model stores the samples, of many the features, and between it is worst.

Henighan et al. (2023, "Superposition, Memorization, and Double Descent"): n = 10,000 features of density 0.001 in m = 2
dimensions, T samples of unit length, all of them at every step; AdamW with decay 0.01, 50,000 steps, a warm-up of 2,500 to
0.001, then a cosine. A course has n = 1,000 of density 0.01 and T up to 3,000. The paper profile has the first's size, the
quick one the second's.

Chosen where they leave it open: decay is on W and b; every seed counts, where they sometimes keep the one of lowest training
loss; the test loss is that of fresh samples, scaled too. Curves have 5,000 steps of ten times the rate in place of 50,000: as
long a way, a tenth of the cost. `descent-minima` has the 50,000 at some T, which measures how much that matters, and asks
whether the peak is a property of minima or of the optimiser.

Recorded are losses over T, over m and over training time, how many dimensions samples and features have, and where both lie
in the plane. Printed bands of T were read off a replication whose n is not said.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, above, at_least, at_most, below, between, later, near
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.beyond.shared import (
    HENIGHAN,
    MEMORISED,
    NOTE,
    PEAK,
    SHORT,
    losses,
    rise_and_fall,
    sets_of,
    trained,
    world_of,
)
from tegum.features import UnitLength, data_set
from tegum.figures.marked_curves import MarkedCurve, marked_panels
from tegum.figures.planes import plane_panels

SIZES: dict[Profile, list[int]] = {
    "quick": [3, 5, 10, 20, 30, 50, 100, 150, 200, 300, 500, 700, 1000, 3000],
    "paper": [3, 5, 8, 15, 30, 60, 100, 200, 300, 500, 700, 1000, 2000, 3000, 5000, 10_000, 30_000],
}
SEEDS = 3
WIDTHS, WIDTH_SIZE = [1, 2, 3, 5, 8], {"quick": 1000, "paper": 3000}
RECORDED: dict[Profile, list[int]] = {"quick": [30, 100, 300, 500, 700, 1000], "paper": [30, 100, 1000, 2000, 3000, 5000]}
"""Sizes whose losses are recorded over training time, at so many steps:"""
RECORDS = 24
SHOWN: dict[Profile, list[int]] = {"quick": [5, 50, 300, 3000], "paper": [5, 100, 1000, 30_000]}
FEATURES_SHOWN, LEADING, DEAD, INSIDE, CIRCLE = 1000, 5, 0.1, 0.8, 3


def study(profile: Profile) -> xr.Dataset:
    """Losses and geometry over T; losses over m and over training time."""
    world, _ = world_of(profile)
    n, recorded = world.n_features, SHORT.replaced(record_steps=RECORDS)
    net = tg.nets.ReluOutput(n, 2)
    curve = {
        size: trained(net, world, size, recorded if size in RECORDED[profile] else SHORT, SEEDS) for size in SIZES[profile]
    }
    size = WIDTH_SIZE[profile]
    wide = {m: trained(tg.nets.ReluOutput(n, m), world, size, SHORT, 2) for m in WIDTHS}
    parts = [
        losses(curve, "T"),
        losses(wide, "m", "wide_"),
        geometry(curve, world),
        pictures({size: curve[size] for size in SHOWN[profile]}, world),
        along({size: curve[size] for size in RECORDED[profile]}),
    ]
    interrupted = any(one.attrs["interrupted"] for one in (*curve.values(), *wide.values()))
    return xr.merge(parts, join="outer").assign_attrs(interrupted=int(interrupted), n=n, width_size=size)


def geometry(runs: dict[int, xr.Dataset], world: UnitLength) -> xr.Dataset:
    """How near samples, and the features of the largest norm, are to a regular polygon: 1 there.

    Of T vectors in the plane each has 2 / T dimensions on a regular polygon: the median of the samples' dimensionality is
    compared with that, and the mean of the five leading features' with 2 / 5.
    """
    samples, features, bias, inner = [], [], [], []
    for size, models in runs.items():
        W = models["W"].values.astype(np.float64)
        rows = [law.rows for law in sets_of(world, size, len(W))]
        D = [np.median(tg.geometry.sample_dimensionality(one, x)) for one, x in zip(W, rows, strict=True)]
        samples.append(np.array(D) * size / 2)
        lengths = [tg.geometry.feature_norms(tg.geometry.sample_vectors(one, x)) for one, x in zip(W, rows, strict=True)]
        inner.append([on_inner_circle(one) for one in lengths])
        norms = tg.geometry.feature_norms(W)
        leading = np.argsort(norms, axis=-1)[:, -LEADING:]
        features.append(np.take_along_axis(tg.geometry.dimensionality(W), leading, axis=-1).mean(axis=-1) * LEADING / 2)
        dead = norms < DEAD * norms.max(axis=-1, keepdims=True)
        bias.append([np.median(b[no]) for b, no in zip(models["b"].values, dead, strict=True)])
    found = {"sample_order": samples, "feature_order": features, "dead_bias": bias, "inner": inner}
    return xr.Dataset({name: (("T", "seed"), values) for name, values in found.items()})


def on_inner_circle(lengths: NDArray[np.float64]) -> int:
    """How many samples share a second circle inside the first: the most whose lengths are within a tenth of each other.

    Inside are lengths from a tenth to four fifths of the median; what is shorter lies at the origin.
    """
    shares = np.sort(lengths / np.median(lengths))
    inside = shares[(shares > DEAD) & (shares < INSIDE)]
    return int((np.searchsorted(inside, 1.1 * inside, "right") - np.arange(inside.size)).max(initial=0))


def pictures(runs: dict[int, xr.Dataset], world: UnitLength) -> xr.Dataset:
    """The features, and the samples, of the first seed at some T in the plane; of many the first thousand."""
    count = len(runs), 2
    features = np.full((*count, min(FEATURES_SHOWN, world.n_features)), np.nan)
    samples = np.full((*count, most := min(FEATURES_SHOWN, max(runs))), np.nan)
    for k, (size, models) in enumerate(runs.items()):
        W = models["W"].values[0]
        features[k] = W[:, :FEATURES_SHOWN]
        found = tg.geometry.sample_vectors(W, data_set(world, size, 0).rows)[:, :most]
        samples[k, :, : found.shape[1]] = found
    dims = "T_shown", "hidden"
    return xr.Dataset(
        {"feature_vectors": ((*dims, "feature"), features), "sample_vectors": ((*dims, "sample"), samples)},
        {"T_shown": list(runs)},
    )


def along(runs: dict[int, xr.Dataset]) -> xr.Dataset:
    """Test and training losses over training time, at the sizes that are recorded."""
    names = ("loss_history", "training_loss_history")
    return xr.Dataset(
        {name: (("T_recorded", "seed", "step"), [one[name].values for one in runs.values()]) for name in names},
        {"T_recorded": list(runs), "step": next(iter(runs.values()))["step"].values},
    )


def peak_place(data: xr.Dataset) -> int:
    """The place of the T at which the median test loss is highest."""
    return int(data["loss"].median("seed").argmax("T"))


def claims(data: xr.Dataset) -> list[Claim]:
    """What is printed of the curve over T, of geometry, of m and of training time."""
    count = data.sizes["seed"]
    seeds, note = Evidence(f"{count} seeds at each of {data.sizes['T']} sizes", count), NOTE
    few, many = data["T"] <= MEMORISED, data["T"] > PEAK
    few &= data["T"] >= 5
    test, training = data["loss"].median("seed"), data["training_loss"].median("seed")
    order = data[["sample_order", "feature_order"]]
    above_one = test["T"].where(test > 1.2, drop=True)
    history = data["loss_history"]
    return [
        Claim(
            "samples-on-a-polygon",
            "Of few samples (T of 5 to 141, as printed) hidden vectors form a regular polygon: each has 2 / T dimensions.",
            source=later(HENIGHAN, "the training-example dimensionalities follow m/T as expected"),
            how="median sample dimensionality times T / 2, lowest of the seeds at these T, and the farthest from 1",
            measure=lambda one: {"lowest": float(one.min()), "farthest": float(np.abs(one - 1).max())},
            expect={"lowest": at_least(0.85), "farthest": at_most(0.3)},
            of=data["sample_order"].sel(T=few),
            against={
                "more samples than 707": data["sample_order"].sel(T=many),
                "features at the same T": data["feature_order"].sel(T=few),
            },
            evidence=seeds,
            note=note,
        ),
        Claim(
            "features-a-mess",
            "Where samples form a polygon the features do not: the five leading ones have less than half a pentagon's.",
            source=later(HENIGHAN, "forming complicated scatters of features rather than clean polygons"),
            how="mean dimensionality of the five features of largest norm, times 5 / 2, highest of seeds and T from 5 to 141",
            measure=lambda one: float(one.max()),
            expect=below(0.5),
            of=data["feature_order"].sel(T=few),
            against={"the largest set": data["feature_order"].isel(T=[-1])},
            evidence=seeds,
            note=note,
        ),
        Claim(
            "many-samples-the-reverse",
            "Of many samples the reverse: five features form nearly a pentagon, and samples share what is left.",
            source=later(HENIGHAN, "5 features whose dimensionalities are large"),
            how="at the largest T: the five leading features' dimensionality times 5 / 2, the median sample's times T / 2",
            measure=lambda one: {name: float(one[name].median()) for name in ("feature_order", "sample_order")},
            expect={"feature_order": above(0.5), "sample_order": below(0.25)},
            of=order.isel(T=-1),
            against={"T = 100": order.sel(T=100)},
            evidence=seeds,
            note=note,
        ),
        Claim(
            "test-loss-peaks",
            "The test loss has its peak between, at a T above 141 and below 707.",
            source=later(HENIGHAN, "We observe double descent as the model transitions between these regimes"),
            how="the T of the highest median test loss; and by how much it rises and falls",
            measure=lambda one: {"T": int(one.idxmax("T")), **rise_and_fall(one)},
            expect={"T": between(MEMORISED, PEAK), "rise": above(3), "fall": above(3)},
            of=test,
            against={"training losses": training, "the largest set": test[-1:]},
            evidence=seeds,
            note=note,
        ),
        Claim(
            "peak-ends-at-707",
            "The peak lasts up to a T of about 707, as a replication has it.",
            source=OURS,
            how="the largest T whose median test loss is above 1.2; a model that always says 0 has 1",
            measure=lambda sizes: int(np.max(sizes, initial=0)),
            expect=between(500, 1000),
            of=above_one.values,
            against={"before the peak": above_one.values[above_one.values < MEMORISED]},
            evidence=seeds,
            note=note,
        ),
        Claim(
            "trading-places",
            "Sample and feature dimensionality trade places across the peak.",
            source=later(HENIGHAN, "Depending on dataset size, our models fall into two different regimes"),
            how="median sample order less median feature order, at the T before the peak's and at the largest",
            measure=lambda one: {"before": float(one[0]), "after": float(one[1])},
            expect={"before": above(0.5), "after": below(-0.3)},
            of=trade(data),
            against={
                "two sizes below the peak": trade(data, (0, max(peak_place(data) - 1, 0))),
                "two sizes above 707": trade(data, (-2, -1)),
            },
            evidence=seeds,
            note=note,
        ),
        Claim(
            "peak-over-m",
            f"The peak also appears over m, at T = {data.attrs['width_size']:,}.",
            source=later(HENIGHAN, "regions where bigger models or more data hurt performance"),
            how="mean test loss of two seeds over m: how many times the highest is the first, and the last",
            measure=rise_and_fall,
            expect={"rise": above(3), "fall": above(3)},
            of=data["wide_loss"].mean("wide_seed"),
            against={"training losses": data["wide_training_loss"].mean("wide_seed")},
            evidence=Evidence(f"2 seeds at each of {data.sizes['m']} widths", 2),
            note=note,
        ),
        Claim(
            "peak-over-time",
            "The peak also appears over training time: at some T the test loss rises and falls again.",
            source=OURS,
            how="over the sizes that are recorded, the most that a median test loss stands above its first and its last value, "
            "as a share of the higher of these",
            measure=lambda one: float(hump(one).max()),
            expect=above(0.1, "%"),
            of=history.median("seed"),
            against={"training losses": data["training_loss_history"].median("seed")},
            evidence=Evidence(f"{count} seeds at each of {history.sizes['T_recorded']} sizes", count),
            note="In print the bump increases with training, which `descent-minima` finds, too.",
        ),
        Claim(
            "two-circles",
            "Training on few samples ends now and then with samples on two concentric circles.",
            source=later(HENIGHAN, "these models are organizing points on two circles of different radii"),
            how="share of models, T of 10 to 50, in which three samples share a circle inside the first: from 0.1 to 0.8 of "
            "the median length, and within a tenth of each other",
            measure=lambda inner: float((inner >= CIRCLE).mean()),
            expect=between(0.01, 0.5),
            of=data["inner"].sel(T=slice(10, 50)).values,
            against={"more samples than 707": data["inner"].sel(T=many).values},
            evidence=seeds,
            note="In two of three models one to three samples lie inside the circle, each at another radius.",
        ),
        Claim(
            "dead-features-at-1-over-n",
            "Features that are not stored have the bias 1 / n, as a blog prints.",
            source=OURS,
            how="median bias of features whose norm is below a tenth of the largest, times n, at the largest T",
            measure=lambda one: float(one.median() * data.attrs["n"]),
            expect=near(1.0, 0.3),
            of=data["dead_bias"].isel(T=-1),
            against={"T = 100": data["dead_bias"].sel(T=100)},
            evidence=seeds,
            note="A feature without weights costs least where its bias is its mean: 2.7 / n of samples of unit length.",
        ),
    ]


def hump(history: xr.DataArray) -> xr.DataArray:
    """By which share the highest value over time stands above the first and the last one, whichever is higher."""
    ends = xr.concat([history.isel(step=0), history.isel(step=-1)], "end").max("end")
    return history.max("step") / ends - 1


def trade(data: xr.Dataset, places: tuple[int, int] | None = None) -> NDArray[np.float64]:
    """Sample order less feature order, medians, at two T: by default that before the peak's, and the largest."""
    difference = (data["sample_order"] - data["feature_order"]).median("seed")
    return difference.isel(T=list(places or (max(peak_place(data) - 1, 0), -1))).values.astype(np.float64)


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Curves over T, m and time, and the plane."""
    sizes = data["T"].values.astype(float)
    over_T = [
        MarkedCurve("test loss, median of seeds", sizes, data["loss"].median("seed").values),
        MarkedCurve("lowest seed", sizes, data["loss"].min("seed").values),
        MarkedCurve("highest seed", sizes, data["loss"].max("seed").values),
        MarkedCurve("training loss", sizes, floored(data["training_loss"].median("seed").values)),
    ]
    order = [
        MarkedCurve(name, sizes, data[variable].median("seed").values)
        for name, variable in (("samples", "sample_order"), ("five leading features", "feature_order"))
    ]
    steps = data["step"].values.astype(float)
    time = {
        "": [
            MarkedCurve(f"T = {int(size):,}", steps[1:], data["loss_history"].sel(T_recorded=size).median("seed").values[1:])
            for size in data["T_recorded"].values
        ]
    }
    over_m = [
        MarkedCurve("test loss", data["m"].values.astype(float), data["wide_loss"].mean("wide_seed").values),
        MarkedCurve("training loss", data["m"].values.astype(float), data["wide_training_loss"].mean("wide_seed").values),
    ]
    shown = {
        f"T = {int(size):,}": {
            "features": data["feature_vectors"].sel(T_shown=size).values,
            "samples": data["sample_vectors"].sel(T_shown=size).values,
        }
        for size in data["T_shown"].values
    }
    return {
        "over-samples": Figure(
            marked_panels({"": over_T}, "samples T", "loss", log_x=True, log_y=True),
            "Losses of models trained on T samples of unit length, all of them at every step: they memorise, fail, generalise.",
        ),
        "plane": Figure(
            plane_panels(shown),
            "Features (columns of W) and hidden vectors of samples, first seed: samples on a circle, then features as spokes. "
            "Of many samples and features a thousand each.",
        ),
        "order": Figure(
            marked_panels({"": order}, "samples T", "relative dimensionality", log_x=True),
            "How many dimensions the median sample has, times T / 2, and the five leading features, times 5 / 2: 1 on a "
            "regular polygon.",
        ),
        "over-time": Figure(
            marked_panels(time, "step", "test loss", log_x=True, log_y=True),
            "Test loss over training time, median of seeds.",
        ),
        "over-dimensions": Figure(
            marked_panels({"": over_m}, "hidden dimensions m", "loss", log_y=True),
            f"Losses over the number of hidden dimensions, at T = {data.attrs['width_size']:,}, mean of two seeds.",
        ),
    }


def floored(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Losses that may be 0, on a logarithmic axis: at least a thousandth."""
    return np.maximum(losses, 1e-3)


experiment = Experiment(
    __name__,
    title="Double descent: of few samples models store the samples, of many the features",
    paper="Beyond the paper: Henighan et al. 2023",
    seconds={"quick": 40, "paper": 1800},
    order=1,
)
