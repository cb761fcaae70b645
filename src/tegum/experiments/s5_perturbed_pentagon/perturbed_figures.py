"""What both experiments that perturb one feature show: losses of all runs over the exact branches, and the solutions."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from tegum.experiments import Figure
from tegum.experiments.s5_perturbed_pentagon.perturbed_claims import gaps
from tegum.experiments.s5_perturbed_pentagon.shared import DIGONS, GRID, KINDS, PENTAGON
from tegum.figures import arrow_overlay, branch_scatter, curve_panel
from tegum.geometry import aligned

_EVERY = 4


def perturbed_figures(data: xr.Dataset, label: str, places: Mapping[str, float]) -> dict[str, Figure]:
    """The three pictures; ``label`` names the ratio, ``places`` are marked in the first."""
    branches = data[["branch_loss", "lost_at", "lost_loss"]].rename(branch_loss="loss")
    where = float(data["crossing"])
    lost = float(data["lost_at"].sel(branch=PENTAGON))
    return {
        "losses": Figure(
            branch_scatter(data[["loss", "kind"]], branches, KINDS, label, places),
            f"Every trained run, {data['loss'].size} in all, with its exact expected loss, coloured by geometry identified; "
            "lines are the exact solutions, followed by continuation. Runs fall into one of a few solutions, often not the "
            f"best. The lowest curves cross at {where:.6f}; the pentagon remains a minimum down to {lost:.4f}, so training may "
            "stay in it.",
        ),
        "solutions": Figure(
            arrow_overlay(
                {
                    f"pentagon, {lost:.3f} to 10": solutions(data, PENTAGON),
                    f"two digons, 0.001 to {where:.3f}": solutions(data, DIGONS).sel(branch_ratio=slice(None, where)),
                },
                label,
                (0.1, 10.0),
            ),
            "The exact solutions at many ratios over each other. Left: all pentagons, turned so that feature 0 points upwards; "
            "blue where it counts for less than the others, yellow where for more. The others close in on it as it counts "
            "for less. Right: two digons where they are best. Feature 0 is not represented, and the others do not change.",
        ),
        "neighbours": Figure(
            curve_panel({"exact pentagon": gaps(data, PENTAGON)}, label, "angle between the neighbours of feature 0 (°)", True),
            "How far the two neighbours of feature 0 stand apart on the exact pentagon branch: 144° in the regular pentagon. "
            "To the left the curve ends, steeply, where the pentagon stops being a minimum.",
        ),
    }


def solutions(data: xr.Dataset, branch: str) -> xr.DataArray:
    """W at some ratios of a branch, in one position: feature 0 upwards where it is represented, else feature 1."""
    chosen = data["branch_W"].sel(branch=branch, drop=True).sel(branch_ratio=GRID[::_EVERY])
    W = chosen.transpose("branch_ratio", "hidden", "feature").dropna("branch_ratio")
    return W.copy(data=aligned(np.ascontiguousarray(W.values), axes=[1]))
