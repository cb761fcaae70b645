"""Every feature on one axis: the cheapest W with at most one entry in each column, and how many features an axis should carry.

Open problem O49.  If no column of W has two entries, the loss is a sum over axes, Q(n, m) = min C(k_1) + ... + C(k_m) over
k_1 + ... + k_m = n, where C(k) is the lowest loss of k equal features in one dimension, those that are dropped included:

    C(0) = C(1) = 0,   C(k + 1) <= C(k) + v,   v = p/3 - p^2/4

The list conjectures min{(n - m) v, m p^2/3 + (n - 2m) v}: dedicated features or unit pairs, the rest dropped, with a switch at
S = 3/7.  Neither is ever the lowest: a unit pair wants a bias, and a dedicated feature always has room for a trace of another
(see `tegum.theory.stored_pair` for both short proofs).

C(2) to C(5) are minimised with tegum.exact at 52 densities (paper profile 154) from 16 starts each (paper profile 48), and from
the neighbours' minima: the lowest are certified locally; what they cost is an upper bound of Q in any case.  Where the pattern
of neighbours differs, both minima are brought together by halving and the secant of their exact losses.  A pattern counts the
features on either side of 0, "1+2", without those whose weight is below 0.02; "1+1 unequal" is a pair whose weights differ by
more than 5 %.  Q is the best of all ways to spread n features over m axes, five on each at most.
"""

from itertools import combinations_with_replacement

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import Claim, Evidence, above, answer, at_least, equal, near, share_at_least
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.open_problems.shared import certified, switches
from tegum.figures.marked_curves import MarkedCurve, marked_panels
from tegum.theory import dropped_loss
from tegum.theory.stored_pair import cost_of_a_trace, stored_pair

MOST = 5
"""Features on one axis."""
SIZES = [(2, 1), (3, 1), (4, 2), (6, 3), (5, 2), (6, 2)]
"""Features and dimensions of the frontiers; those of the last two may be spread unevenly."""
STARTS: dict[Profile, int] = {"quick": 16, "paper": 48}
FINER: dict[Profile, int] = {"quick": 1, "paper": 3}
ANSWER = answer("O49")
SAID = ("count", "value", "within", "before", "after", "order", "jump")
STORED, UNEQUAL = 0.02, 0.05


def densities(profile: Profile) -> NDArray[np.float64]:
    """Where the minima are sought: evenly, on a logarithmic axis below 0.112, and finer where three geometries meet."""
    finer = FINER[profile]
    spans = ((0.112, 0.136, 6), (0.136, 0.7, 10), (0.7, 0.72, 8), (0.72, 0.77, 8), (0.77, 0.99, 7))
    evenly = [np.linspace(low, high, count * finer + 1) for low, high, count in spans]
    return np.unique(np.concatenate([np.geomspace(0.003, 0.112, 12 * finer + 1), *evenly]))


def pattern(w: NDArray[np.float64]) -> str:
    """How many features are stored on either side of 0: ``1+2``, the side with fewer first."""
    stored = w[np.abs(w) > STORED]
    few, many = sorted([int((stored > 0).sum()), int((stored < 0).sum())])
    size = np.abs(stored)
    return f"{few}+{many}" + (" unequal" if few == many == 1 and size.min() < (1 - UNEQUAL) * size.max() else "")


def study(profile: Profile) -> xr.Dataset:
    """The lowest loss of up to five features on an axis, where its geometry changes, and the frontiers made of it."""
    p = densities(profile)
    lowest, names = np.zeros((MOST + 1, p.size)), np.full((MOST + 1, p.size), "", dtype=object)
    names[1] = "1+0"
    W, b = (np.full((MOST + 1, p.size, MOST), np.nan) for _ in range(2))
    changes, status = [], []
    for k in range(2, MOST + 1):
        net, features = tg.nets.ReluOutput(k, 1), tg.features.Independent(k)
        found = tg.maps.lowest_minima(net, features, {"density": list(p)}, seeds=STARTS[profile], rounds=3, progress=False)
        lowest[k] = found["loss"].values
        status.append(found["status"].values)
        W[k, :, :k], b[k, :, :k] = ordered(found["W"].values[:, 0], found["b"].values)
        names[k] = [pattern(w) for w in W[k, :, :k]]
        changes += [{"count": k} | each for each in switches(net, features, found, names[k])]
    sides = np.full((len(changes), 2, MOST), np.nan)
    for side, change in zip(sides, changes, strict=True):
        side[:, : change["count"]] = ordered(change["W"][:, 0], change["b"])[0]
    frontier, spread = frontiers(lowest)
    data = xr.Dataset(
        {
            "lowest": (("count", "density"), lowest, {"description": "lowest loss of so many features in one dimension"}),
            "pattern": (("count", "density"), names),
            "status": (("searched", "density"), status, {"description": "of the lowest of two and more features on an axis"}),
            "W": (("count", "density", "feature"), W, {"description": "largest first, signs such that it is positive"}),
            "b": (("count", "density", "feature"), b),
            "frontier": (("size", "density"), frontier, {"description": "Q, the cheapest W with one entry in each column"}),
            "spread": (("size", "density"), spread, {"description": "features on each axis"}),
            "conjecture": (("size", "density"), [conjectured(n, m, p) for n, m in SIZES]),
        }
        | {f"switch_{name}": ("switch", [each[name] for each in changes]) for name in SAID}
        | {
            "switch_W": (("switch", "side", "feature"), sides),
            "switch_loss": (("switch", "side"), [each["loss"] for each in changes]),
        },
        {"count": range(MOST + 1), "density": p, "size": [f"{n} in {m}" for n, m in SIZES]},
    )
    return data.assign_attrs(starts=STARTS[profile])


def ordered(w: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (density, feature), largest first, and the biases likewise; positive is the side with fewer, or the strongest."""
    balance = np.sign(np.where(np.abs(w) > STORED, w, 0)).sum(axis=1)
    strongest = np.take_along_axis(w, np.abs(w).argmax(axis=1)[:, None], axis=1)[:, 0]
    w = w * np.sign(np.where(balance == 0, strongest, -balance))[:, None]
    order = np.argsort(-w, axis=1)
    return np.take_along_axis(w, order, axis=1), np.take_along_axis(b, order, axis=1)


def conjectured(n: int, m: int, p: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the list conjectures of n >= 2m features."""
    alone, paired = (n - m) * dropped_loss(p), m * p * p / 3 + (n - 2 * m) * dropped_loss(p)
    return np.asarray(np.minimum(alone, paired))


def frontiers(lowest: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """Of each size the lowest sum over axes, (size, density), and how the features are spread then, most first."""
    values, spreads = [], []
    for n, m in SIZES:
        ways = [way for way in combinations_with_replacement(range(MOST, 0, -1), m) if sum(way) == n]
        sums = np.array([lowest[list(way)].sum(axis=0) for way in ways])
        values.append(sums.min(axis=0))
        spreads.append(np.array([", ".join(map(str, way)) for way in ways], dtype=object)[sums.argmin(axis=0)])
    return np.array(values), np.array(spreads)


def gain(data: xr.Dataset) -> xr.DataArray:
    """What storing one more feature on an axis saves, in units of dropping it, by how many there are then."""
    return 1 - data["lowest"].diff("count", label="upper") / dropped_loss(data["density"])


def margin(data: xr.Dataset, losses: xr.DataArray) -> xr.DataArray:
    """How far losses are below what is conjectured, as a share of it, at the density where it is least."""
    return (1 - losses / data["conjecture"]).min("density")


def conjectured_models(data: xr.Dataset) -> xr.DataArray:
    """What the conjecture's own models cost: unit pairs without biases, or a dedicated feature and a dropped one."""
    p = data["density"].values
    pair = stored_pair([1, -1, 0, 0], p)[0]
    alone = stored_pair(np.stack([np.ones_like(p), 0 * p, 0 * p, p / 2], axis=-1), p)[0]
    return data["conjecture"].sel(size=["2 in 1"]).copy(data=[np.minimum(pair, alone)])


def most_stored(data: xr.Dataset) -> int:
    """The largest number of features that an axis stores at any of the densities."""
    return max(map(counted, data["pattern"].values[2:].ravel()))


def even(data: xr.Dataset) -> xr.DataArray:
    """Where all axes carry as many features."""
    return data["spread"].copy(data=np.vectorize(lambda way: len(set(way.split(", "))) == 1, otypes=[bool])(data["spread"]))


def counted(name: str) -> int:
    """How many features a pattern stores."""
    return sum(map(int, name.split()[0].split("+")))


def changes_of_two(data: xr.Dataset, further: bool) -> NDArray[np.float64]:
    """By the number of features, from three on, the density where storing just two ends (or begins, where not ``further``)."""
    before, after = ([counted(name) for name in data[f"switch_{side}"].values] for side in ("before", "after"))
    fits = (np.array(before) == 2) & (np.array(after) > 2)
    fits = fits if further else (np.array(before) > 2) & (np.array(after) == 2)
    chosen = [data["switch_value"].values[fits & (data["switch_count"].values == k)] for k in range(3, MOST + 1)]
    return np.array([values[0] if values.size else np.nan for values in chosen])


def claims(data: xr.Dataset) -> list[Claim]:
    """The conjecture is false at every density; more than two on one axis pay where features are sparse, and where dense."""
    p = data["density"]
    starts = int(data.attrs["starts"])
    searched = Evidence(f"lowest of {starts} starts and the neighbours' minima at each density, {certified(data['status'])}")
    sparse, dense = changes_of_two(data, further=False), changes_of_two(data, further=True)
    middle = data.sel(density=(p > sparse.max()) & (p < dense.min()))
    bound = p * (1 - p) * (2 - p) ** 3 / 24
    v, q = dropped_loss(p), cost_of_a_trace(p)
    pairs = data.sel(size=["2 in 1", "4 in 2", "6 in 3"])
    return [
        Claim(
            "false-everywhere",
            "The conjectured cost is not the lowest at any density: there are weights and biases that cost less.",
            source=ANSWER,
            how="share by which the frontier is below the conjecture, at the density where that is least, by n in m",
            measure=lambda losses: margin(data, losses),
            expect=above(1e-7),
            of=data["frontier"].sel(size=["2 in 1", "3 in 1", "4 in 2", "6 in 3"]),
            against={"the conjecture's own models": conjectured_models(data)},
            evidence=Evidence(
                f"exact losses of the models found, at {p.size} densities from {float(p[0]):g} to {float(p[-1]):g}"
            ),
        ),
        Claim(
            "room-for-a-trace",
            "A dedicated feature always has room for a trace of another: dropping one of two equal features is a saddle.",
            source=ANSWER,
            how="fall of the loss per squared weight of the trace, v - q, relative to its bound p (1 - p) (2 - p)^3 / 24",
            measure=lambda fall: float((fall / bound).min()),
            expect=at_least(1),
            of=v - q,
            against={"another of importance 0.8": 0.8 * v - q},
            evidence=Evidence(f"proved for 0 < p < 1; closed form at {p.size} densities"),
            note="So the orthogonal value (n - m) v is never reached, and there is no switch at S = 3/7.",
        ),
        Claim(
            "more-than-two-sparse",
            "Where features are sparse, three, four and five features on one axis cost less than a pair and dropped ones.",
            source=ANSWER,
            how="the density below which they do, for three, four and five features",
            measure=lambda values: values,
            expect=near([0.12085626, 0.12979527, 0.12979527], 1e-6),
            of=sparse,
            against={"the dense side": dense},
            evidence=searched,
        ),
        Claim(
            "more-than-two-dense",
            "Where features are dense they do, too.",
            source=ANSWER,
            how="the density above which a third feature is stored, among three, four and five features",
            measure=lambda values: values,
            expect=near([0.71244628, 0.71244628, 0.71244628], 1e-6),
            of=dense,
            against={"the sparse side": sparse},
            evidence=searched,
        ),
        Claim(
            "two-between",
            "Between these densities an axis carries two features at most.",
            source=ANSWER,
            how=f"features stored on an axis, the most at {middle.sizes['density']} densities, of up to {MOST}",
            measure=most_stored,
            expect=equal(2),
            of=middle,
            against={"sparser": data.sel(density=p < sparse.min()), "denser": data.sel(density=p > 0.8)},
            evidence=searched,
        ),
        Claim(
            "pairs-for-two-each",
            "With twice as many features as dimensions every axis carries two, at every density.",
            source=ANSWER,
            how="densities at which the cheapest way to spread the features is even: 2 in 1, 4 in 2, 6 in 3",
            measure=lambda chosen: even(chosen).values,
            expect=share_at_least(1),
            of=pairs,
            against={"6 in 2": data.sel(size=["6 in 2"])},
            evidence=searched,
            note="Six features in two dimensions are spread 4, 2 and not 3, 3 around density 0.1: the third feature of an axis "
            "saves less than the fourth.",
        ),
        Claim(
            "pair-turns-unequal",
            "The best pair of equal features has equal weights up to density 0.7064, where it jumps to unequal ones.",
            source=ANSWER,
            how="density at which both cost the same",
            measure=lambda values: float(values[0]),
            expect=near(0.70640369, 1e-6),
            of=data["switch_value"].values[data["switch_count"].values == 2],
            against={"three features": dense},
            evidence=searched,
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The frontiers beside the conjecture, what further features on an axis save, and their weights."""
    p, fine = data["density"].values, np.linspace(0.003, 0.99, 600)
    panels = {}
    for title, (n, m) in {"2 in 1; 4 in 2 and 6 in 3 are the same": (2, 1), "3 in 1": (3, 1)}.items():
        lowest = data["frontier"].sel(size=f"{n} in {m}").values / ((n - m) * dropped_loss(p))
        said = conjectured(n, m, fine) / ((n - m) * dropped_loss(fine))
        panels[title] = [marked(data, n, "lowest found", lowest), MarkedCurve("conjectured", fine, said)]
    shares = gain(data)
    saved = [
        MarkedCurve(f"feature {k}", p, shares.sel(count=k).where(shares.sel(count=k) > 1e-6).values) for k in range(2, MOST + 1)
    ]
    weights = {
        f"{k} features": [
            marked(data, k, f"weight {i + 1}", data["W"].values[k, :, i], weights_at_switches(data, k)[..., i])
            for i in range(k)
        ]
        for k in range(2, MOST + 1)
    }
    return {
        "frontier": Figure(
            marked_panels(panels, "density p = 1 − S", "Q / (n − m) v"),
            "The cheapest W with one entry in each column, relative to dedicated features and the rest dropped, beside the "
            "conjecture. It lies below at every density; circles are kinks, where the geometry changes.",
        ),
        "saved": Figure(
            marked_panels({"": saved}, "density p = 1 − S", "saved / v", log_x=True, log_y=True),
            "What storing a second, third, fourth and fifth feature on an axis saves, in units of dropping it. A second always "
            "pays; the others do where features are sparse, and, by little, where they are dense.",
        ),
        "weights": Figure(
            marked_panels(weights, "density p = 1 − S", "weight", log_x=True, columns=2, height=760),
            "The weights of the lowest minimum of two to five features in one dimension; those at 0 are dropped. Sparse: a "
            "strong feature on either side, and weak ones beside it. Dense: one strong feature against weak ones.",
        ),
    }


def weights_at_switches(data: xr.Dataset, k: int) -> NDArray[np.float64]:
    """The weights of both minima where the lowest of k features changes, (switch, 2, feature)."""
    return np.asarray(data["switch_W"].values[data["switch_count"].values == k])


def marked(
    data: xr.Dataset, k: int, name: str, values: NDArray[np.float64], sides: NDArray[np.float64] | None = None
) -> MarkedCurve:
    """Values at all densities as a curve, with circles where the lowest minimum of k features changes.

    There the curve is broken, where ``sides`` (switch, 2) says what it comes to and goes on from.
    """
    p, here = data["density"].values, data.isel(switch=(data["switch_count"] == k).values)
    where = here["switch_value"].values
    said = [
        f"{before} to {after}" for before, after in zip(here["switch_before"].values, here["switch_after"].values, strict=True)
    ]
    ends = np.searchsorted(p, where)
    if sides is None:
        kinks = np.stack([where, np.interp(where, p, values)], axis=-1)
        return MarkedCurve(name, p, values, kinks, said)
    x = np.insert(p, ends.repeat(3), where.repeat(3))
    y = np.insert(values, ends.repeat(3), np.insert(sides, 1, np.nan, axis=1).ravel())
    return MarkedCurve(name, x, y, np.stack([where.repeat(2), sides.ravel()], axis=-1), [one for one in said for _ in range(2)])


experiment = Experiment(
    __name__,
    title="Every feature on one axis: pairs always pay, three and more sometimes",
    paper="Open problem O49",
    seconds={"quick": 8, "paper": 70},
    order=49,
)
