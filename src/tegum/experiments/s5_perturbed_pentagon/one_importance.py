"""One feature matters less or more than the others: the same bending, and the same sudden change, as with its density.

Paper: section 5 says that importance deforms the pentagon as density does, and shows density only (F19, F20).  As
`one-density`: n = 5, m = 2, density 0.05 for all; feature 0 has `ratio` times the importance of the others, 0.1 to 10 in
training, down to 0.001 on the exact branches; AdamW at 1e-3, decay 0.01, as there.  Importance changes what the loss counts,
not which features are active: sum_i I_i (x_i - y_i)^2, not divided by the sum of importances.
"""

import xarray as xr

from tegum.claims import OURS, Claim
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s5_perturbed_pentagon.shared import perturbed, perturbed_figures, shape_claims, transition_claims


def study(profile: Profile) -> xr.Dataset:
    """Runs and branches over the ratio of importances."""
    return perturbed("importance", profile)


def claims(data: xr.Dataset) -> list[Claim]:
    """The same statements as for density; the paper gives no critical ratio here."""
    return [*shape_claims(data, "less important", lambda _: OURS), *transition_claims(data, lambda _: OURS)]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The losses and the solutions."""
    return perturbed_figures(data, "importance", {"exact crossing": float(data["crossing"])})


experiment = Experiment(
    __name__,
    title="One feature becomes less important: the same bending and the same jump",
    paper="Section 5, perturbing a single feature (F19, F20), with importance",
    seconds={"quick": 6, "paper": 40},
    order=2,
)
