"""Chains in pieces in a folder, for a program that is killed: `python -m tests.laws.chains_in_pieces FOLDER`."""

import sys
from pathlib import Path

import numpy as np
import xarray as xr

import tegum as tg
from tegum.caching import caching
from tegum.execution import Pieces, Shard, cut
from tegum.execution.executors import computing

CHAINS, _STEPS = 4, 100_000


def drawn() -> xr.Dataset:
    """Four chains, some tenths of a second each."""
    point = tg.nets.ReluOutput(2, 1), tg.features.AnticorrelatedSets(1, 2, density=1 / 2), [[1.0, -1.0]], [0.0, 0.0]
    return tg.posterior.sample(*point, n_beta=1e5, chains=CHAINS, draws=_STEPS // 1000, thinning=1000, progress=False)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    cut.MOST_SECONDS = 1e-3
    with caching(Pieces(folder)), computing(Shard(1, 1)):
        data = drawn()
    np.savez(folder / "drawn.npz", **{name: data[name].values for name in ("W", "b", "loss", "energy", "loss_r_hat", "chain")})
