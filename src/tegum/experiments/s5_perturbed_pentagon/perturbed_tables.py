"""Reference values of the perturbed and of the regular pentagon, and the exact branches beside them."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tegum.claims.old import Claim, Control
from tegum.experiments.s5_perturbed_pentagon.shared import DIGONS, KINDS, PENTAGON

TABLE = {
    "ratio": (0.2, 0.25, 0.3, 0.4, 1.0),
    "pentagon loss": (0.00554, 0.00597, 0.00631, 0.00686, 0.00888),
    "digons loss": (0.00498, 0.00579, 0.00661, 0.00823, 0.01771),
    "‖W₀‖": (1.135, 1.156, 1.164, 1.166, 1.135),
    "other ‖W‖": (1.08, 1.095, 1.105, 1.117, 1.135),
    "b₀": (-0.465, -0.437, -0.41, -0.37, -0.247),
    "other b": (-0.136, -0.16, -0.18, -0.20, -0.247),
}
"""From sampled magnitudes, with 1 to 2 % of noise; the digons by their closed form rp/3 - (rp)^2/4 + 2p^2/3."""
UNIFORM = {
    "density": (0.05, 0.1, 0.15, 0.2, 0.25),
    "pentagon loss": (0.0089, 0.0266, 0.0509, 0.0803, 0.1133),
    "digons loss": (0.0177, 0.0375, 0.0594, 0.0833, 0.1094),
    "‖W‖": (1.135, 1.10, 1.065, 1.03, 1.0),
    "b": (-0.25, -0.21, -0.17, -0.13, -0.085),
}
LOOSE, BIAS = 0.02, 0.01


def measured_table(data: xr.Dataset) -> dict[str, NDArray[np.float64]]:
    """What the exact engine gives for the reference table."""
    at = {branch: data.sel(branch=branch).sel(branch_ratio=list(TABLE["ratio"])) for branch in (PENTAGON, DIGONS)}
    norms = np.linalg.norm(at[PENTAGON]["branch_W"].transpose("branch_ratio", "hidden", "feature").values, axis=1)
    b = at[PENTAGON]["branch_b"].transpose("branch_ratio", "feature").values
    return {
        "pentagon loss": at[PENTAGON]["branch_loss"].values,
        "digons loss": at[DIGONS]["branch_loss"].values,
        "‖W₀‖": norms[:, 0],
        "other ‖W‖": norms[:, 1:].mean(axis=1),
        "b₀": b[:, 0],
        "other b": b[:, 1:].mean(axis=1),
    }


def measured_uniform(data: xr.Dataset) -> dict[str, NDArray[np.float64]]:
    """The same for the uniform table."""
    pentagon, digons = (data["uniform_loss"].sel(shape=shape).values for shape in KINDS[:2])
    return {"pentagon loss": pentagon, "digons loss": digons, "‖W‖": data["uniform_norm"].values, "b": data["uniform_b"].values}


def deviations(
    table: Mapping[str, tuple[float, ...]], found: dict[str, NDArray[np.float64]], shift: int = 0
) -> tuple[float, float]:
    """The largest relative deviation of losses and norms, and the largest deviation of a bias; rows may be shifted."""
    apart = {name: np.roll(values, shift) - np.array(table[name]) for name, values in found.items()}
    relative = [abs(apart[name] / np.array(table[name])).max() for name in found if not name.startswith(("b", "other b"))]
    return float(max(relative)), float(max(abs(apart[name]).max() for name in found if name.startswith(("b", "other b"))))


def table_claim(
    name: str, statement: str, table: Mapping[str, tuple[float, ...]], found: dict[str, NDArray[np.float64]]
) -> Claim:
    """Exact values beside a table; the control compares each row with the next one's values."""
    (relative, bias), (wrong, wrong_bias) = deviations(table, found), deviations(table, found, shift=1)
    rows = len(next(iter(found.values())))
    return Claim(
        name=name,
        statement=statement,
        how="losses, norms and biases of the exact branches beside reference values, from sampled magnitudes or closed forms",
        expected=f"the {rows} rows of the table",
        tolerance=f"{LOOSE:.0%} for losses and norms, {BIAS:g} for biases",
        measured=f"at most {relative:.2%} and {bias:.4f} away",
        holds=relative <= LOOSE and bias <= BIAS,
        evidence=f"{rows * len(found)} numbers",
        control=Control(
            "each row against the next one's values",
            f"{wrong:.0%} and {wrong_bias:.3f} away",
            wrong <= LOOSE and wrong_bias <= BIAS,
        ),
    )
