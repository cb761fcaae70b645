"""The posterior laboratory: samplers on the exact loss, local learning coefficients, free energies, with known answers."""

from typing import TYPE_CHECKING

from tegum.loading import load_on_first_use

if TYPE_CHECKING:
    from tegum.posterior.coefficient import Estimate, ExactCoefficient, exact_coefficient, llc
    from tegum.posterior.diagnostics import diagnostics
    from tegum.posterior.energies import Waic, free_energy, sample_size_of_change, waic
    from tegum.posterior.sample import sample
    from tegum.posterior.samplers import HMC, MALA, Langevin, RMSProp
    from tegum.posterior.volumes import volume_scaling

__all__ = [
    "HMC",
    "MALA",
    "Estimate",
    "ExactCoefficient",
    "Langevin",
    "RMSProp",
    "Waic",
    "diagnostics",
    "exact_coefficient",
    "free_energy",
    "llc",
    "sample",
    "sample_size_of_change",
    "volume_scaling",
    "waic",
]

load_on_first_use(__name__)
