"""Loss against learning coefficient over all minima of six features in two dimensions: is there a correlation?

A public re-run of the one-active world, some 4,000 trainings, found none and could not say why.  Here minima are those that 300
random starts (paper profile 4,000) of an exact search end in, of that world and of independent features at several densities;
their coefficients are exact, and beside them stand estimates with settings as they are used (HMC without bias of its own, n =
1,000 samples, gamma = 100).

Why there is none: the Hessian of a minimum that is bent in all directions but the rotations has one and the same rank, 18 - 1 =
17, whatever the loss.  Only an output that never fires lets directions go: its bias, and
where nothing else reads its weights these two as well, so that 17/2 becomes 8 or 7.
"""

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims import OURS, Claim, Evidence, above, at_least, at_most, equal, near
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.posterior.shared import dead, ring, world
from tegum.features import Features, Independent
from tegum.figures.clouds import Cloud, clouds
from tegum.posterior import exact_coefficient, llc

STARTS: dict[Profile, int] = {"quick": 300, "paper": 4000}
DENSITIES: dict[Profile, list[float]] = {"quick": [0.05, 0.2], "paper": [0.02, 0.05, 0.1, 0.2, 0.5]}
ESTIMATED = 24
"""Different minima of each world that are estimated, the most frequent first."""
USUAL = {"n_beta": 1000 / np.log(1000), "localisation": 100.0, "chains": 8, "draws": 500}
DIGITS = 6
ONE_ACTIVE, DEAD = "one active", "one active, sixth feature dead"


def study(profile: Profile) -> xr.Dataset:
    """Every different minimum: its loss, how often it was found, its coefficient and an estimate."""
    worlds: dict[str, Features] = {ONE_ACTIVE: world(6)[1]}
    worlds |= {f"independent, density {p:g}": Independent(6, density=p) for p in DENSITIES[profile]}
    rows = [row for name, features in worlds.items() for row in of_world(name, features, STARTS[profile])]
    point = dead(ring(5, 6))
    exact = exact_coefficient(*point)
    rows.append(
        {"world": DEAD, "loss": point.loss, "hits": 0, "coefficient": exact.value, "kind": exact.kind, **estimated(point)}
    )
    return xr.Dataset(
        {name: ("minimum", [row[name] for row in rows]) for name in rows[0]},
        attrs={"starts": STARTS[profile], "worlds": len(worlds)},
    )


def of_world(name: str, features: Features, starts: int) -> list[dict[str, object]]:
    """The different minima of one distribution."""
    net = tg.nets.ReluOutput(6, 2)
    found = tg.exact.minimise(net, features, seeds=starts, certify=False, progress=False)
    losses, first, counts = np.unique(found["loss"].values.round(DIGITS), return_index=True, return_counts=True)
    rows: list[dict[str, object]] = []
    for k in np.argsort(-counts)[:ESTIMATED]:
        W, b = found["W"].values[first[k]], found["b"].values[first[k]]
        exact = exact_coefficient(net, features, W, b)
        if exact.kind != "saddle":
            row = {
                "world": name,
                "loss": float(losses[k]),
                "hits": int(counts[k]),
                "coefficient": exact.value,
                "kind": exact.kind,
            }
            rows.append(row | estimated((net, features, W, b)))
    return rows


def estimated(point: tuple[object, ...]) -> dict[str, object]:
    """An estimate with the usual settings."""
    one = llc(*point, progress=False, **USUAL)  # type: ignore[arg-type]
    return {"estimate": one.value, "estimate_error": one.standard_error}


def claims(data: xr.Dataset) -> list[Claim]:
    """One coefficient whatever the loss; estimates differ, and are no coefficients."""
    trained = data.where(data["world"] != DEAD, drop=True)
    bent = trained.where(trained["kind"].isin(["regular", "kinked"]), drop=True)
    share = float(bent["hits"].sum() / trained["hits"].sum())
    evidence = Evidence(
        f"{trained.sizes['minimum']} minima of {data.attrs['worlds']} distributions, {data.attrs['starts']} starts each"
    )
    alike = bent.where(bent["world"] == ONE_ACTIVE, drop=True)
    both = data.where(data["world"].isin([ONE_ACTIVE, DEAD]), drop=True)
    return [
        Claim(
            "one-coefficient",
            "All minima that are bent in every direction but the rotations have the coefficient 17/2, whatever their loss.",
            source=OURS,
            how="smallest and largest exact coefficient; largest loss over smallest",
            measure=lambda one: {
                "coefficients": sorted({float(one["coefficient"].min()), float(one["coefficient"].max())}),
                "losses": float(one["loss"].max() / one["loss"].min()),
            },
            expect={"coefficients": equal([8.5]), "losses": above(1.5)},
            of=bent,
            against={"with a dead feature": both, "the most frequent alone": bent.isel(minimum=[0])},
            evidence=evidence,
        ),
        Claim(
            "nearly-all-starts",
            "Nearly all starts end in such minima, so that among them loss and coefficient cannot be correlated.",
            source=OURS,
            how="share of starts",
            measure=float,
            expect=at_least(0.95),
            of=share,
            against={"those with other coefficients": 1 - share},
            evidence=evidence,
        ),
        Claim(
            "dead-is-simpler-and-worse",
            "A dead feature makes the pentagon simpler, 7 in place of 17/2, and worse, by 0.0069.",
            source=OURS,
            how="coefficient and loss less those of the pentagon with a tuned feature",
            measure=lambda pair: {"coefficient": pair[0], "loss": pair[1]},
            expect={"coefficient": equal(-1.5), "loss": near(0.0069, 5e-5)},
            of=difference(data, DEAD),
            against={"the hexagon": difference(data, ONE_ACTIVE)},
            evidence=Evidence("two exact points"),
        ),
        Claim(
            "estimates-see-curvature",
            "With 1,000 samples and gamma = 100 estimates at minima of one coefficient differ by more than five errors, and "
            "none is above 4.",
            source=OURS,
            how="spread of the estimates in the one-active world in units of their largest error; the largest estimate",
            measure=lambda one: {
                "spread": float(np.ptp(one["estimate"].values) / one["estimate_error"].max()),
                "largest": float(one["estimate"].max()),
            },
            expect={"spread": above(5.0), "largest": at_most(4.0)},
            of=alike,
            against={"exact coefficients": alike.assign(estimate=alike["coefficient"])},
            evidence=Evidence(f"{alike.sizes['minimum']} minima"),
            note="They measure how strongly a minimum is bent beside gamma, not in how many directions.",
        ),
    ]


def difference(data: xr.Dataset, name: str) -> tuple[float, float]:
    """Coefficient and loss of the lowest minimum of one kind, less those of the pentagon with a tuned feature."""
    one, tuned = data.where(data["world"] == name, drop=True), ring(5, 6).loss
    lowest = one.isel(minimum=int(one["loss"].values.argmin()))
    return float(lowest["coefficient"]) - 8.5, float(lowest["loss"]) - tuned


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """Exact coefficients and estimates against loss."""
    names = list(dict.fromkeys(data["world"].values.tolist()))
    panels = {
        title: [
            Cloud(name, one["loss"].values, one[what].values, None if error is None else one[error].values, texts(one))
            for name in names
            for one in [data.where((data["world"] == name) & np.isfinite(data[what]), drop=True)]
            if one.sizes["minimum"]
        ]
        for title, what, error in (("exact", "coefficient", None), ("estimated as usual", "estimate", "estimate_error"))
    }
    return {
        "loss": Figure(
            clouds(panels, "loss", "learning coefficient", height=460),
            "Every different minimum of six features in two dimensions. Exactly, all but those with a dead output have 17/2; "
            "with few "
            "samples estimates scatter far below, by curvature.",
        )
    }


def texts(one: xr.Dataset) -> list[str]:
    """What hovering says of each minimum."""
    return [f"{kind}, {int(hits)} starts" for kind, hits in zip(one["kind"].values, one["hits"].values, strict=True)]


experiment = Experiment(
    __name__,
    title="Loss against learning coefficient over all minima of six features in two dimensions",
    paper="Singular learning theory",
    seconds={"quick": 30, "paper": 80},
    order=4,
)
