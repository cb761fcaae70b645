"""How long calls are executed: in pieces that are kept on disk, here, in shards, or on a cluster."""

from tegum.execution.executing import executing, placed
from tegum.execution.executors import Executor, Here, Piece, Shard, shard_of
from tegum.execution.leases import owner_of
from tegum.execution.pieces import Elsewhere, Pieces, PiecesFailed

__all__ = [
    "Elsewhere",
    "Executor",
    "Here",
    "Piece",
    "Pieces",
    "PiecesFailed",
    "Shard",
    "executing",
    "owner_of",
    "placed",
    "shard_of",
]
