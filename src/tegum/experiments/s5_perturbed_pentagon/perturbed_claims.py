"""What both experiments that perturb one feature claim: a pentagon that bends smoothly, until two digons cost less.

Every function takes what `shared.perturbed` returns, and the words for what is perturbed.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims.old import Claim, Control, Disagreement
from tegum.experiments.s5_perturbed_pentagon.shared import (
    DIGONS,
    KINDS,
    OTHER_DIGONS,
    PENTAGON,
    neighbour_gap,
    trained_crossing,
)
from tegum.geometry import cosines, feature_norms, polar_angles

ON_A_BRANCH = 1.05
ENOUGH = 8


def lowest_model(data: xr.Dataset, ratio: float) -> NDArray[np.float64]:
    """W of the run with the lowest exact loss at a ratio of the grid."""
    return np.asarray(tg.best(data[["loss", "status", "W"]].sel(ratio=ratio, method="nearest"))["W"].values)


def regular_pentagon(W: NDArray[np.float64]) -> tuple[bool, str]:
    """Whether all gaps between neighbours are 72 +- 2 degrees and all norms equal within 2 %."""
    angles, norms = np.sort(polar_angles(W)), feature_norms(W)
    gaps = np.diff(angles, append=angles[0] + 360)
    spread = float(norms.max() / norms.min() - 1) if norms.min() > 0 else np.inf
    text = f"gaps {gaps.min():.2f}° to {gaps.max():.2f}°, norms {norms.min():.3f} to {norms.max():.3f}"
    return bool((abs(gaps - 72) <= 2).all() and spread <= 0.02), text


def two_digons(W: NDArray[np.float64]) -> tuple[bool, str]:
    """Whether feature 0 is absent and the others, each of norm above 0.9, form two opposite pairs at right angles."""
    norms, angles = feature_norms(W), cosines(W)[1:, 1:]
    opposite = angles < -0.98
    across = ~opposite & ~np.eye(len(angles), dtype=bool)
    paired = bool((opposite.sum(axis=1) == 1).all() and (abs(angles[across]) < 0.1).all())
    text = f"‖W₀‖ = {norms[0]:.3f}; the others, of norm {norms[1:].min():.3f} or more, "
    text += f"{'' if paired else 'do not '}form two opposite pairs"
    return bool(norms[0] < 0.1 and paired and norms[1:].min() > 0.9), text


def regular_claim(data: xr.Dataset) -> Claim:
    """At ratio 1 the pentagon is regular."""
    holds, measured = regular_pentagon(lowest_model(data, 1.0))
    there, elsewhere = regular_pentagon(data["linear_W"].sel(linear_ratio=1.0).values)
    count = data.sizes["seed"]
    return Claim(
        name="regular",
        statement="Where all features are alike the best solution is a regular pentagon.",
        how="gaps between neighbouring features and norms in the run with the lowest exact loss at ratio 1",
        expected="72° five times, equal norms",
        tolerance="± 2°; norms within 2 %",
        measured=measured,
        holds=holds,
        evidence=f"best of {count} by exact loss",
        enough=count >= ENOUGH,
        control=Control("the best of 4 linear models", elsewhere, there),
    )


def digons_claim(data: xr.Dataset, what: str) -> Claim:
    """At ratio 0.1 the best solution is two digons."""
    holds, measured = two_digons(lowest_model(data, 0.1))
    there, elsewhere = two_digons(lowest_model(data, 1.0))
    label = tg.geometry.identify(data["collapsed_W"].values).label
    count = data.sizes["seed"]
    return Claim(
        name="two-digons",
        statement=f"Far below the critical ratio the best solution is two digons, and the {what} feature is not represented.",
        how="the run with the lowest exact loss at ratio 0.1",
        expected="‖W₀‖ < 0.1, the others two opposite pairs of norms above 0.9",
        tolerance="cos < -0.98 within pairs, |cos| < 0.1 across",
        measured=measured,
        holds=holds,
        evidence=f"best of {count} by exact loss",
        enough=count >= ENOUGH,
        control=Control("the best run at ratio 1", elsewhere, there),
        note=f"The exact descent from a pentagon at ratio 0.1 ends as {label}, loss {float(data['collapsed_loss']):.5f}.",
    )


def gaps(data: xr.Dataset, branch: str) -> xr.DataArray:
    """The gap between the neighbours of feature 0 along a branch, in degrees, where both are defined."""
    W = data["branch_W"].sel(branch=branch, drop=True).transpose("branch_ratio", "hidden", "feature")
    found = xr.DataArray([neighbour_gap(one) for one in W.values], {"branch_ratio": W["branch_ratio"].values}, "branch_ratio")
    return found.dropna("branch_ratio")


def _rises(gap: NDArray[np.float64]) -> bool:
    return bool(gap.size > 2 and (np.diff(gap) > 0).all())


def gap_claim(data: xr.Dataset) -> Claim:
    """The neighbours move away as the ratio rises."""
    gap, flat = gaps(data, PENTAGON), gaps(data, OTHER_DIGONS)
    ratio, degrees = gap["branch_ratio"].values, gap.values
    widest = int(degrees.argmax())
    rises = _rises(degrees)
    alike = float(gap.sel(branch_ratio=1.0))
    where = f"{degrees[0]:.1f}° at ratio {ratio[0]:.3g}, {alike:.1f}° at 1, {degrees[-1]:.1f}° at {ratio[-1]:g}"
    return Claim(
        name="neighbours",
        statement="The others move away from the varied feature as its ratio rises, and close in as it falls.",
        how=f"angle between the two neighbours of feature 0 on the exact pentagon branch, {len(ratio)} ratios",
        expected="rises throughout",
        tolerance="none",
        measured=where + ("" if rises else f"; widest, {degrees[widest]:.1f}°, at {ratio[widest]:.3g}"),
        holds=rises,
        evidence="one exact branch",
        control=Control(
            "two digons without another feature", f"{flat.values.min():.1f}° to {flat.values.max():.1f}°", _rises(flat.values)
        ),
        disagreement=None
        if rises or not _rises(degrees[: widest + 1])
        else Disagreement(
            "the others move away as the ratio rises",
            f"until {ratio[widest]:.3g}, then {degrees[widest] - degrees[-1]:.1f}° back",
            "Found on exact minima, not on runs that stopped early: beyond that ratio the neighbours come back a little.",
        ),
    )


def first_order_claim(data: xr.Dataset) -> Claim:
    """At the crossing the slopes differ."""
    pentagon, digons = (float(data["slope"].sel(branch=branch)) for branch in (PENTAGON, DIGONS))
    left, right = data["pentagon_slopes"].values
    lost = float(data["lost_at"].sel(branch=PENTAGON))
    where = float(data["crossing"])
    followed = data["branch_loss"].sel(branch=DIGONS).dropna("branch_ratio")["branch_ratio"].values
    jump, same = abs(digons / pentagon - 1), abs(right / left - 1)
    return Claim(
        name="first-order",
        statement="Every geometry has a loss curve of its own; the phase change is where they cross, a first-order transition.",
        how="slopes of the exact losses of pentagon and two digons at the crossing; where the pentagon stops being a minimum",
        expected="slopes that differ by more than 10 %, the pentagon still a minimum",
        tolerance="10 %",
        measured=f"d loss / d ratio {pentagon:.5f} and {digons:.5f}; the pentagon is a minimum "
        + ("throughout" if np.isnan(lost) else f"down to {lost:.6f}"),
        holds=jump > 0.1 and not lost >= where,
        evidence="two exact branches",
        control=Control("the pentagon's slope just below and just above", f"{left:.5f} and {right:.5f}", same > 0.1),
        note=f"The two digons were followed as a minimum from ratio {followed.min():g} to {followed.max():g}.",
    )


def trained_crossing_claim(data: xr.Dataset) -> Claim:
    """The trained runs cross where the exact branches do."""
    exact, found = float(data["crossing"]), trained_crossing(data)
    wrong = trained_crossing(data, behind=3)
    return Claim(
        name="trained-crossing",
        statement="Trained runs, labelled by their geometry, cross where the exact branches do.",
        how="ratio where the lowest losses of trained pentagons and of trained two digons are equal, between grid points",
        expected=f"{exact:.6f}",
        tolerance="10 %",
        measured=f"{found:.3f}",
        holds=bool(abs(found / exact - 1) <= 0.1),
        evidence=f"{data['loss'].size} runs, all counted",
        enough=data["loss"].size >= 100,
        control=Control(
            "pentagons against the two digons three ratios below",
            "no crossing" if np.isnan(wrong) else f"{wrong:.3f}",
            bool(abs(wrong / exact - 1) <= 0.1),
        ),
    )


def _on_branches(data: xr.Dataset, shown: Sequence[str]) -> float:
    """The share of runs of the kinds shown whose loss is within 5 % of an exact branch of the kind in the same place."""
    exact = data["branch_loss"].rename(branch_ratio="ratio").reindex(ratio=data["ratio"], method="nearest", tolerance=1e-6)
    families = {KINDS[0]: [PENTAGON], KINDS[1]: [name for name in exact["branch"].values if name != PENTAGON]}
    hits, count = 0, 0
    for kind, of in zip(KINDS[:2], shown, strict=True):
        mine = data["loss"].where(data["kind"] == kind)
        near = (abs(mine / exact.sel(branch=families[of]) - 1) <= ON_A_BRANCH - 1).any("branch")
        hits, count = hits + int(near.sum()), count + int(mine.notnull().sum())
    return hits / max(count, 1)


def curves_claim(data: xr.Dataset) -> Claim:
    """Runs lie on the curves of their geometry."""
    share, swapped = _on_branches(data, KINDS[:2]), _on_branches(data, KINDS[1::-1])
    count = {kind: int((data["kind"] == kind).sum()) for kind in KINDS}
    return Claim(
        name="own-curves",
        statement="Suboptimal runs included, each geometry traces its own loss curve.",
        how="runs whose exact loss is within 5 % of an exact branch of the geometry that was identified",
        expected="at least 90 % of the pentagons and two digons",
        tolerance="as stated",
        measured=f"{share:.1%}",
        holds=share >= 0.9,
        evidence=", ".join(f"{number} {kind}" for kind, number in count.items()),
        enough=min(count[KINDS[0]], count[KINDS[1]]) >= ENOUGH,
        control=Control("pentagons against the digons' curves and the reverse", f"{swapped:.1%}", swapped >= 0.9),
    )
