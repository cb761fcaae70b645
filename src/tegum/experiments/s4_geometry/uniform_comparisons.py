"""The statements about equal features that compare: models of other sizes, and training with exact minimisation."""

import numpy as np
import xarray as xr

from tegum.claims.old import Claim, Control
from tegum.experiments.s4_geometry.uniform_lines import evidence, line_of, shown_places
from tegum.experiments.s4_geometry.uniform_study import EXACT, GRADIENT, POLISHED, TRAINING, inverse, sizes_of


def comparison_claims(data: xr.Dataset) -> list[Claim]:
    """How sizes and ways compare."""
    return [_smaller(data), _doubled(data), _converged(data), _ways_agree(data)]


def _smaller(data: xr.Dataset) -> Claim:
    line = line_of(data, TRAINING)
    gap = float(abs(line - data["smaller_D_star"].values).max())
    wide = float(abs(line[shown_places(data)] - data["doubled_D_star"].values).max())
    crowded = float(abs(line - data["crowded_D_star"].values).max())
    n, m = data.sizes["feature"], data.sizes["hidden"]
    less = f"({int(data['smaller_n'])}, {int(data['smaller_m'])})"
    return Claim(
        name="size",
        statement="Neither n (where n ≫ m) nor m changes the line.",
        how=f"largest difference of D* between (n, m) = ({n}, {m}) and {less}, all densities; and "
        f"({3 * n // 2}, {2 * m}), with fewer features per dimension, at those of the graphs",
        expected="0",
        tolerance="0.05",
        measured=f"{gap:.3f}; {wide:.3f}",
        holds=max(gap, wide) < 0.05,
        evidence=f"{data.sizes['density']} and {data.sizes['shown_density']} densities, 1 model of each size",
        control=Control(f"n not much larger than m: ({2 * m}, {m})", f"{crowded:.2f}", crowded < 0.05),
    )


def _doubled(data: xr.Dataset) -> Claim:
    base = sizes_of(data["W"].sel(way=TRAINING, drop=True))["represented"].values
    places = shown_places(data)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = data["doubled_represented"].values / base[places]
        against_smaller = base[places] / data["smaller_represented"].values[places]
    n, m, less_n, less_m = data.sizes["feature"], data.sizes["hidden"], int(data["smaller_n"]), int(data["smaller_m"])
    return Claim(
        name="doubled",
        statement="Doubling m doubles the number of features represented.",
        how=f"features with norm at least 1/2, of models with n = {3 * n // 2}, m = {2 * m} over those with n = {n}, m = {m}, "
        "at the six densities of the graphs",
        expected="2",
        tolerance="10 %",
        measured=", ".join(f"{value:.2f}" for value in ratio),
        holds=bool((abs(ratio / 2 - 1) <= 0.1).all()),
        evidence=f"{len(places)} densities, 1 model of each size",
        control=Control(
            f"n = {n}, m = {m} over n = {less_n}, m = {less_m}",
            ", ".join(f"{value:.2f}" for value in against_smaller),
            bool((abs(against_smaller / 2 - 1) <= 0.1).all()),
        ),
    )


def _converged(data: xr.Dataset) -> Claim:
    trained, polished = (data["loss"].sel(way=way).values for way in (TRAINING, POLISHED))
    start, components = float(trained[0]), (data.sizes["feature"] - data.sizes["hidden"]) / 12
    excess = trained / polished - 1
    p = data["density"].values
    empty = data.sizes["feature"] * (p / 3 - p**2 / 4) / polished - 1
    at_rest = float((data["gradient"].sel(way=[EXACT, POLISHED]) <= GRADIENT).mean())
    return Claim(
        name="converged",
        statement="Training has come to its end: minimising the expected loss further hardly lowers it.",
        how="exact loss after training over that after exact minimisation from there, minus 1, largest over densities",
        expected="0",
        tolerance="1 %",
        measured=f"{excess.max():.2%} at 1/(1 − S) = {inverse(data)[excess.argmax()]:.2f}, median {np.median(excess):.2%}",
        holds=bool(excess.max() <= 0.01),
        evidence=evidence(data),
        control=Control("W = 0, every output at its mean (closed form)", f"{empty.max():.0%}", bool(empty.max() <= 0.01)),
        note=f"{at_rest:.0%} of the minimisations ended by their gradient, the others by their number of steps; the loss at "
        f"density 1 is {start:.3f}, that of principal components {components:.3f}.",
    )


def _ways_agree(data: xr.Dataset) -> Claim:
    lines = {way: line_of(data, way) for way in (TRAINING, EXACT)}
    gap = np.abs(lines[TRAINING] - lines[EXACT])
    losses = data["loss"].sel(way=[EXACT, POLISHED]).values
    difference = losses[0] / losses[1] - 1
    return Claim(
        name="both-ways",
        statement="Stochastic training and exact minimisation tell the same story.",
        how="largest difference of D* between the two, from the same starts",
        expected="0",
        tolerance="0.05",
        measured=f"{gap.max():.4f} at 1/(1 − S) = {inverse(data)[gap.argmax()]:.2f}, median {np.median(gap):.3f}",
        holds=bool(gap.max() <= 0.05),
        evidence=evidence(data),
        control=Control(
            "models with two features per dimension",
            f"{abs(lines[EXACT] - data['crowded_D_star'].values).max():.2f}",
            bool(abs(lines[EXACT] - data["crowded_D_star"].values).max() <= 0.05),
        ),
        note=f"Minimised from the start instead of from the trained weights, {int((difference < 0).sum())} of "
        f"{difference.size} models end lower, by {max(-difference.min(), 0):.2%} at most; the others higher, "
        f"by {max(difference.max(), 0):.2%} at most.",
    )
