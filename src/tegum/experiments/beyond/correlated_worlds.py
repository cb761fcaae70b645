"""Correlations shape geometry: twelve binary features on a ring, a figure eight, a sphere, or independent, all states counted.

Prieto et al. (ICLR 2026) say that features arrange by how they are correlated, so that their interference helps instead of
hurting, and the more so the stronger the weight decay.  Their laws, from their code: a hidden point z is drawn from 12 points
of the circle (cos t, sin t), from 12 of the curve (sin t, sin 2t), or uniformly from the sphere; feature i has a point f_i of
the same kind (on the sphere a Fibonacci lattice) and is active with probability 1 / (1 + exp(-10 f_i . z)), about half of the
time, so that all 2^12 states have probabilities in closed form.  Independent features are active half of the time.

Trained as published: tied weights, bias, AdamW at 0.01 with decay 1 and 6 (and 0 and 3) of weights and biases, 6,400 batches of
256 from 8,000 fixed samples, cosine schedule, weights uniform on +-1/sqrt(12), without and with ReLU, latent 2 to 12 (quick: 2,
3, 8).  The published gradient is clipped at norm 1 and samples come in epochs; ours are drawn, and nothing is clipped.  The
second protocol has fresh samples.  *Exact*: L + lambda |W|^2 minimised from 6 random starts (paper profile 8) over the law
itself, the lowest end certified.

How like the arrangement of the law W lies is `tegum.geometry.likeness`, with a permutation test: by a picture any twelve points
are a ring.  Interference is *constructive* as far as off-diagonal entries of W^T W and covariances go together, their
correlation.
"""

from functools import cache
from typing import Any

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, above, at_most, below, later, rising
from tegum.datasets import Status
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures.marked_curves import MarkedCurve, marked_panels
from tegum.geometry import likeness, likeness_by_chance, polygon

PRIETO = "Prieto et al., 2026"
N, SHARPNESS = 12, 10.0
RING, EIGHT, SPHERE, INDEPENDENT = "ring", "figure eight", "sphere", "independent"
LATENT: dict[Profile, list[int]] = {"quick": [2, 3, 8], "paper": list(range(2, 13))}
DECAYS: dict[Profile, list[float]] = {"quick": [0.0, 1.0, 3.0, 6.0], "paper": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
SEEDS: dict[Profile, int] = {"quick": 2, "paper": 8}
STARTS: dict[Profile, int] = {"quick": 6, "paper": 8}
FRESH = 2
"""Seeds of the second protocol."""
PENALTIES = [0.0, 0.1, 0.3]
"""Weights lambda of |W|^2 beside the exact loss."""
RECIPE = tg.Recipe(
    steps=6400,
    batch_size=256,
    learning_rate=0.01,
    schedule="cosine",
    initialisation="uniform",
    initialisation_scale=N**-0.5,
    data_set_size=8000,
    evaluation_samples=8192,
)
NODES = 40
"""Latitudes of the quadrature on the sphere, with twice as many longitudes: probabilities to 1e-12."""


def arrangement(law: str) -> NDArray[np.float64]:
    """Where the features of a law are, a column for each; independent ones are compared with a ring."""
    t = 2 * np.pi * np.arange(N) / N
    if law == EIGHT:
        return np.array([np.sin(t), np.sin(2 * t)])
    if law == SPHERE:
        k = np.arange(N) + 0.5
        height, turn = 1 - 2 * k / N, np.pi * (1 + np.sqrt(5)) * k
        return np.array([np.sqrt(1 - height**2) * np.cos(turn), np.sqrt(1 - height**2) * np.sin(turn), height])
    return polygon(N)


def points(law: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the hidden point may be, a column for each place, and how probable each is."""
    if law != SPHERE:
        return arrangement(law), np.full(N, 1 / N)
    height, weight = np.polynomial.legendre.leggauss(NODES)
    turn = np.pi * np.arange(2 * NODES) / NODES
    z, t = (one.ravel() for one in np.meshgrid(height, turn, indexing="ij"))
    places = np.array([np.sqrt(1 - z**2) * np.cos(t), np.sqrt(1 - z**2) * np.sin(t), z])
    return places, np.repeat(weight / 2, 2 * NODES) / (2 * NODES)


@cache
def states() -> NDArray[np.float64]:
    """All 2^12 states, a row for each."""
    return ((np.arange(2**N)[:, None] >> np.arange(N)) & 1).astype(np.float64)


@cache
def probabilities(law: str) -> NDArray[np.float64]:
    """How probable each state is: features are independent given the hidden point."""
    if law == INDEPENDENT:
        return np.full(2**N, 0.5**N)
    places, weight = points(law)
    odds = SHARPNESS * arrangement(law).T @ places
    on, off = (scipy.special.log_expit(sign * odds) for sign in (1, -1))
    x = states()
    found = np.exp(x @ on + (1 - x) @ off) @ weight
    return np.asarray(found / found.sum())


@cache
def covariance(law: str) -> NDArray[np.float64]:
    """The covariance of the features of a law."""
    p, x = probabilities(law), states()
    mean = p @ x
    return np.asarray(x.T @ (p[:, None] * x) - np.outer(mean, mean))


def constructive(W: NDArray[np.float64], law: str) -> NDArray[np.float64]:
    """The correlation of off-diagonal entries of W^T W with covariances, shape (...); NaN where features are independent."""
    apart = ~np.eye(N, dtype=bool)
    G, C = (np.swapaxes(W, -1, -2) @ W)[..., apart], covariance(law)[apart]
    C = np.where(np.abs(C) > 1e-9, C, 0.0)
    G, C = G - G.mean(axis=-1, keepdims=True), C - C.mean()
    with np.errstate(invalid="ignore"):
        return np.asarray((G * C).sum(axis=-1) / np.sqrt((G**2).sum(axis=-1) * (C**2).sum()))


def study(profile: Profile) -> xr.Dataset:
    """How like their law's arrangement features lie, how constructive their interference is: trained, and at exact minima."""
    laws = {law: tg.features.FiniteLaw(states(), probabilities(law)) for law in (RING, EIGHT, SPHERE, INDEPENDENT)}
    parts, sure = dict[str, Any](), list[Any]()
    for name, net in (("relu", tg.nets.ReluOutput), ("linear", tg.nets.Linear)):
        each = [[trained(profile, net(N, m), laws[law], law) for m in LATENT[profile]] for law in laws]
        parts |= named(name, each, ("law", "latent", "decay", "seed"))
        minima = [[exact(profile, net(N, m), laws[law], law) for m in LATENT[profile]] for law in laws]
        parts |= named(f"exact_{name}", minima, ("law", "latent", "penalty"))
        sure += [one["certified"] for row in minima for one in row]
    other = {"data_set_size": None, "seeds": FRESH}
    fresh = [trained(profile, tg.nets.ReluOutput(N, m), laws[RING], RING, **other) for m in LATENT[profile]]
    parts |= named("fresh", fresh, ("latent", "decay", "fresh_seed"))
    coordinates = {"law": list(laws), "latent": LATENT[profile], "decay": DECAYS[profile], "penalty": PENALTIES}
    return xr.Dataset(parts, coordinates, {"starts": STARTS[profile], "certified": float(np.mean(sure))})


KEYS = ("likeness", "chance", "constructive", "loss", "norm", "W")
"""What is measured of every model."""


def named(name: str, each: Any, dims: tuple[str, ...]) -> dict[str, Any]:
    """Measures of models in nested lists, as variables."""
    arrays = {key: np.array([[one[key] for one in row] if isinstance(row, list) else row[key] for row in each]) for key in KEYS}
    own = {"W": ("plane", "feature")}
    return {f"{name}_{key}": ((*dims, *own.get(key, ())), array) for key, array in arrays.items()}


def trained(profile: Profile, net: tg.nets.Net, features: tg.features.Features, law: str, **changes: Any) -> dict[str, Any]:
    """Measures of trained models over (decay, seed)."""
    recipe = RECIPE.replaced(**{"seeds": SEEDS[profile]} | changes)
    found = tg.train(net, features, recipe, sweep={"weight_decay": DECAYS[profile]}, progress=False)
    W = found["W"].transpose("weight_decay", "seed", "hidden", "feature").values.astype(np.float64)
    b = found["b"].transpose("weight_decay", "seed", "feature").values.astype(np.float64)
    return measured(W, law) | {"loss": tg.exact.loss(W, b, features, net=net)}


def exact(profile: Profile, net: tg.nets.Net, features: tg.features.Features, law: str) -> dict[str, Any]:
    """Measures of the lowest certified minima over the weight of the penalty."""
    rows = []
    for weight in PENALTIES:
        how: dict[str, Any] = {"penalties": [tg.exact.L2(weight)] if weight else [], "progress": False}
        best = tg.best(tg.exact.minimise(net, features, seeds=STARTS[profile], certify=False, **how))
        start = {"W": best["W"].transpose("hidden", "feature").values, "b": best["b"].values}
        rows.append(tg.exact.minimise(net, features, seeds=1, initial=start, **how).isel(seed=0))
    W = np.array([one["W"].transpose("hidden", "feature").values for one in rows])
    losses, status = (np.array([one[name].item() for one in rows]) for name in ("loss", "status"))
    return measured(W, law) | {"loss": losses, "certified": status == Status.MINIMUM}


def measured(W: NDArray[np.float64], law: str) -> dict[str, Any]:
    """What is measured of models of one law, and W in the plane that is most like the law's first two axes."""
    target = arrangement(law)
    left, _, right = np.linalg.svd(W @ target[:2].T, full_matrices=False)
    return {
        "likeness": likeness(W, target),
        "chance": likeness_by_chance(W, target),
        "constructive": constructive(W, law),
        "norm": (W**2).sum(axis=(-2, -1)),
        "W": np.swapaxes(left @ right, -1, -2) @ W,
    }


def claims(data: xr.Dataset) -> list[Claim]:
    """The order is the objective's; decay makes room for it, in training and as a penalty; a ReLU hardly matters."""
    seeds = Evidence(f"{data.sizes['seed']} seeds", data.sizes["seed"])
    minima = Evidence(f"lowest minimum of {data.attrs['starts']} starts, certified: {data.attrs['certified']:.0%}")
    wide, narrow = data["latent"].values[-1], data["latent"].values[0]
    strongest = data["decay"].values[-1]
    planned = [(RING, 2), (EIGHT, 2), (SPHERE, 3)]

    def along(name: str, m: int) -> dict[str, Any]:
        return {law: data[name].sel(law=law, latent=m).mean("seed") for law in (RING, EIGHT, SPHERE)}

    def in_order(kind: str, worlds: list[tuple[str, int]], **place: float) -> dict[str, float]:
        each = [data[[f"{kind}_likeness", f"{kind}_chance"]].sel({"law": law, "latent": m, **place}) for law, m in worlds]
        lowest = min(float(one[f"{kind}_likeness"].min()) for one in each)
        return {"likeness": lowest, "chance": max(float(one[f"{kind}_chance"].max()) for one in each)}

    pca, fixed = np.sqrt(2 / data["latent"]), data["relu_likeness"].isel(seed=slice(FRESH)).mean("seed")
    return [
        Claim(
            "in-order",
            "Features arrange in the order of their correlation: a ring and a figure eight in the plane, a sphere in space.",
            source=later(PRIETO, "arranging features according to their co-activation patterns"),
            how="least likeness to the law's arrangement over seeds, ReLU, decay 1, and the largest p of the permutation test",
            expect={"likeness": above(0.95), "chance": below(0.005)},
            of=in_order("relu", planned, decay=1.0),
            against={"independent features": in_order("relu", [(INDEPENDENT, 2), (INDEPENDENT, 3)], decay=1.0)},
            evidence=seeds,
        ),
        Claim(
            "order-without-decay",
            "It takes no decay: the order is that of the loss's own lowest minima.",
            source=OURS,
            how="the same at minima of the exact loss",
            expect={"likeness": above(0.95), "chance": below(0.005)},
            of=in_order("exact_relu", planned, penalty=0.0),
            against={"independent features": in_order("exact_relu", [(INDEPENDENT, 2), (INDEPENDENT, 3)], penalty=0.0)},
            evidence=minima,
        ),
        Claim(
            "decay-makes-it-constructive",
            "The stronger the decay, the more constructive is interference, where dimensions are more than the law needs.",
            source=later(PRIETO, "this kind of arrangement is more prevalent in models trained with weight decay"),
            how=f"correlation of interference with covariance over decay 0 to {strongest:g}, {wide} dimensions, mean of seeds",
            expect={law: rising() for law in (RING, EIGHT, SPHERE)},
            of=along("relu_constructive", wide),
            against={f"{narrow} dimensions": along("relu_constructive", narrow)},
            evidence=seeds,
        ),
        Claim(
            "a-penalty-does-too",
            "It is no matter of the optimiser: with λ|W|² minima of the exact loss use only the law's own dimensions.",
            source=OURS,
            how="least likeness over all latent dimensions, λ = 0.3, ring and (from three dimensions on) sphere",
            measure=float,
            expect=above(0.999),
            of=least(data, PENALTIES[-1]),
            against={"without a penalty": least(data, 0.0)},
            evidence=minima,
        ),
        Claim(
            "linear-is-pca",
            "The linear arm is principal component analysis: its likeness to the ring is √(2 / m).",
            source=OURS,
            how="largest deviation from it, no decay, mean of seeds",
            measure=lambda one: float(np.abs(one - pca).max()),
            expect=at_most(0.005),
            of=data["linear_likeness"].sel(law=RING, decay=0.0).mean("seed"),
            against={
                "ReLU": data["relu_likeness"].sel(law=RING, decay=0.0).mean("seed"),
                "decay 3": data["linear_likeness"].sel(law=RING, decay=3.0).mean("seed"),
            },
            evidence=seeds,
        ),
        Claim(
            "relu-hardly-matters",
            "Features that are active half of the time leave a ReLU little to filter: it saves less than a tenth of the loss "
            "in the plane, at the same arrangement.",
            source=OURS,
            how="exact minima without and with ReLU on the ring law, two dimensions: how much less is lost, and the likeness",
            measure=lambda one: {
                "saved": float(1 - one["exact_relu_loss"] / one["exact_linear_loss"]),
                "likeness": float(one["exact_relu_likeness"]),
            },
            expect={"saved": below(0.1), "likeness": above(0.99)},
            of=data.sel(law=RING, latent=narrow, penalty=0.0),
            against={f"{wide} dimensions": data.sel(law=RING, latent=wide, penalty=0.0)},
            evidence=minima,
        ),
        Claim(
            "decay-six-empties-the-plane",
            "In two dimensions decay 6 leaves hardly a ring: under AdamW it is stronger than the gradient.",
            source=OURS,
            how="likeness and squared norm of W on the ring law, mean of seeds",
            measure=lambda one: {"likeness": float(one["relu_likeness"].mean()), "norm": float(one["relu_norm"].mean())},
            expect={"likeness": below(0.9), "norm": below(1.0)},
            of=data.sel(law=RING, latent=narrow, decay=strongest),
            against={"decay 1": data.sel(law=RING, latent=narrow, decay=1.0)},
            evidence=seeds,
        ),
        Claim(
            "protocols-agree",
            "Fresh samples in place of 8,000 fixed ones change nothing.",
            source=OURS,
            how=f"largest difference of mean likeness of {FRESH} seeds on the ring law, decay 0 and 1",
            measure=lambda one: float(np.abs(one - fixed.sel(law=RING)).sel(decay=[0, 1]).max()),
            expect=at_most(0.005),
            of=data["fresh_likeness"].mean("fresh_seed"),
            against={"figure eight": fixed.sel(law=EIGHT)},
            evidence=Evidence(f"{FRESH} seeds", FRESH),
        ),
    ]


def least(data: xr.Dataset, penalty: float) -> float:
    """The least likeness of exact minima to the ring, and to the sphere where it has room."""
    each = data["exact_relu_likeness"].sel(penalty=penalty)
    return float(min(each.sel(law=RING).min(), each.sel(law=SPHERE).where(each["latent"] >= 3).min()))


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The path through all features in order; likeness over the latent dimension; constructive interference over decay."""
    strongest, wide = data["decay"].values[-1], data["latent"].values[-1]
    drawn = {
        "ring, ReLU, decay 1": data["relu_W"].sel(law=RING, latent=2, decay=1.0).isel(seed=0),
        "ring, exact": data["exact_relu_W"].sel(law=RING, latent=2, penalty=0.0),
        f"ring, {wide} dimensions, λ = 0.3": data["exact_relu_W"].sel(law=RING, latent=wide, penalty=PENALTIES[-1]),
        "figure eight, ReLU, decay 1": data["relu_W"].sel(law=EIGHT, latent=2, decay=1.0).isel(seed=0),
        "figure eight, exact": data["exact_relu_W"].sel(law=EIGHT, latent=2, penalty=0.0),
        "independent, exact": data["exact_relu_W"].sel(law=INDEPENDENT, latent=2, penalty=0.0),
    }
    paths = {title: [path(one.transpose("plane", "feature").values)] for title, one in drawn.items()}
    m = data["latent"].values.astype(float)
    panels = {
        law: [
            MarkedCurve("linear, no decay", m, data["linear_likeness"].mean("seed").sel(law=law, decay=0.0).values),
            MarkedCurve("ReLU, decay 1", m, data["relu_likeness"].mean("seed").sel(law=law, decay=1.0).values),
            MarkedCurve(
                f"ReLU, decay {strongest:g}", m, data["relu_likeness"].mean("seed").sel(law=law, decay=strongest).values
            ),
            MarkedCurve("ReLU, exact", m, data["exact_relu_likeness"].sel(law=law, penalty=0.0).values),
            MarkedCurve("ReLU, exact, λ = 0.3", m, data["exact_relu_likeness"].sel(law=law, penalty=PENALTIES[-1]).values),
        ]
        for law in data["law"].values
    }
    decays = {
        law: [
            MarkedCurve(
                f"{k} dimensions", data["decay"].values, data["relu_constructive"].mean("seed").sel(law=law, latent=k).values
            )
            for k in data["latent"].values
        ]
        for law in (RING, EIGHT, SPHERE)
    }
    return {
        "paths": Figure(
            marked_panels(paths, "first axis", "second axis", height=640, same_units=True),
            "The line through all twelve features in the order of the law, in the plane most like it: a closed curve where "
            "neighbours lie side by side, a tangle where the order is another one.",
        ),
        "likeness": Figure(
            marked_panels(panels, "latent dimensions m", "likeness", columns=2, height=640),
            "How like the law's own arrangement the features lie: 1 where W is that arrangement, turned and scaled. Principal "
            "components fill m dimensions evenly, so that their likeness to the ring falls like √(2 / m).",
        ),
        "decay": Figure(
            marked_panels(decays, "weight decay", "interference against covariance"),
            "How far interference is constructive, over decay: the correlation of off-diagonal entries of WᵀW and covariance.",
        ),
    }


def path(W: NDArray[np.float64]) -> MarkedCurve:
    """The closed line through features in their order."""
    x, y = np.append(W, W[:, :1], axis=1)
    return MarkedCurve("features in order", x, y)


experiment = Experiment(
    __name__,
    title="Correlations shape geometry: a ring, a figure eight and a sphere of binary features",
    paper="Correlated features (Prieto et al., 2026)",
    seconds={"quick": 20, "paper": 900},
    order=2,
)
