"""Chains in pieces in a folder, for a program that is killed: `python -m tests.laws.chains_in_pieces FOLDER [whole]`."""

import sys
from pathlib import Path

import numpy as np
import xarray as xr

import tegum as tg
from tegum.caching import caching
from tegum.execution import Pieces, Shard, cut
from tegum.execution.executors import computing

CHAINS, COMPARED = 4, ("W", "b", "loss", "energy", "loss_r_hat", "chain")


def drawn(steps: int = 100_000) -> xr.Dataset:
    """Four chains, some tenths of a second each."""
    point = tg.nets.ReluOutput(2, 1), tg.features.AnticorrelatedSets(1, 2, density=1 / 2), [[1.0, -1.0]], [0.0, 0.0]
    return tg.posterior.sample(*point, n_beta=1e5, chains=CHAINS, draws=20, thinning=steps // 20, progress=False)


if __name__ == "__main__":
    folder, *whole = sys.argv[1:]
    cut.MOST_SECONDS = 60.0 if whole else 1e-3
    with caching(Pieces(Path(folder))), computing(Shard(1, 1)):
        data = drawn()
    np.savez(Path(folder) / "drawn.npz", **{name: data[name].values for name in COMPARED})
