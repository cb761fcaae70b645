"""One feature matters less or more than the others: the same bending, and the same sudden change, as with its density.

Paper: section 5 says that importance deforms the pentagon as density does, and shows density only (F19, F20).  As
`one-density`: n = 5, m = 2, density 0.05 for all; feature 0 has `ratio` times the importance of the others, 0.1 to 10 in
training, down to 0.001 on the exact branches; AdamW at 1e-3, decay 0.01, as there.  Importance changes what the loss counts,
not what the world shows: sum_i I_i (x_i - y_i)^2, not divided by the sum of importances.
"""

import numpy as np
import xarray as xr

import tegum as tg
from tegum.claims.old import Claim
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s5_perturbed_pentagon import perturbed_claims as shared
from tegum.experiments.s5_perturbed_pentagon.perturbed_figures import perturbed_figures
from tegum.experiments.s5_perturbed_pentagon.shared import perturbed

POINTS: dict[Profile, int] = {"quick": 21, "paper": 41}
RECIPE: dict[Profile, tg.Recipe] = {"quick": tg.Recipe(steps=5000, seeds=10), "paper": tg.Recipe(steps=5000, seeds=64)}


def study(profile: Profile) -> xr.Dataset:
    """Runs and branches over the ratio of importances."""
    return perturbed("importance", np.round(10 ** np.linspace(-1, 1, POINTS[profile]), 6), RECIPE[profile])


def claims(data: xr.Dataset) -> list[Claim]:
    """The same statements as for density; the paper gives no critical ratio here."""
    return [
        shared.regular_claim(data),
        shared.digons_claim(data, "less important"),
        shared.gap_claim(data),
        shared.first_order_claim(data),
        shared.trained_crossing_claim(data),
        shared.curves_claim(data),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The losses and the solutions."""
    return perturbed_figures(data, "relative importance of feature 0", {"exact crossing": float(data["crossing"])})


experiment = Experiment(
    __name__,
    title="One feature becomes less important: the same bending and the same jump",
    paper="Section 5, perturbing a single feature (F19, F20), with importance",
    seconds={"quick": 6, "paper": 40},
    study=study,
    figures=figures,
    claims=claims,
    order=2,
)
