"""Compiles what tests need beside what `tegum doctor` compiles: once, before two workers of the tests would both do so.

Run by `make test`, as ``python -m tests.compiled``, while another core is busy with what needs no engine.
"""

import numpy as np

import tegum as tg
from tegum.theory.pair_basins import pair_basins

NET, FEATURES = tg.nets.ReluOutput(2, 1), tg.features.Independent(2, density=0.3)
DIGON, ZERO = np.array([[1.0, -1.0]]), np.zeros(2)


def compile_all() -> None:
    """One small call of each kind."""
    small = {"chains": 2, "draws": 4, "warm_up": 4, "n_beta": 1e3, "progress": False}
    for sampler in (tg.posterior.HMC(), tg.posterior.Langevin(step_size=0.1)):
        tg.posterior.sample(NET, FEATURES, DIGON, ZERO, sampler=sampler, **small)  # type: ignore[arg-type]
    tg.posterior.volume_scaling(NET, FEATURES, DIGON, ZERO, groups=4, lowest=1e-6, progress=False)
    pair_basins(0.3, 0.5, error=0.1)
    tg.exact.loss(DIGON, ZERO, tg.features.FiniteLaw(np.eye(2)))
    tg.training.engine_samples(FEATURES, 64, seed=0)


if __name__ == "__main__":
    compile_all()
