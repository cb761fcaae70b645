"""How long calls are executed: in pieces that are kept on disk, here, in shards, or on a cluster."""

from typing import TYPE_CHECKING

from tegum.loading import load_on_first_use

if TYPE_CHECKING:
    from tegum.execution.executors import ON_CLUSTER, OWN_EXPERIMENTS, Executor, Here, Piece, Shard, shard_of
    from tegum.execution.pieces import Pieces
    from tegum.execution.placing import executing, placed
    from tegum.execution.status import Progress, progress_in
    from tegum.execution.work import Elsewhere

__all__ = [
    "ON_CLUSTER",
    "OWN_EXPERIMENTS",
    "Elsewhere",
    "Executor",
    "Here",
    "Piece",
    "Pieces",
    "Progress",
    "Shard",
    "executing",
    "placed",
    "progress_in",
    "shard_of",
]

load_on_first_use(__name__)
