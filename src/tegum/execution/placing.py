"""The same calls elsewhere: `tegum.executing` around them, ``--on`` and ``--shard`` on the command line.

>>> import tegum as tg
>>> with tg.executing(shard="1/1", folder="sweep"):                                # or tg.executing("dask://host:port")
...     data = tg.train(tg.nets.ReluOutput(2, 1), tg.features.Independent(2), tg.Recipe(steps=1, seeds=3))
>>> data.sizes["seed"]
3
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tegum.caching import caching
from tegum.checking import as_path, checked
from tegum.errors import InvalidInputError
from tegum.execution.executors import computing, shard_of
from tegum.execution.pieces import Pieces
from tegum.interruption import Interrupted


@checked
@contextmanager
def executing(on: Any = None, *, shard: str | None = None, folder: Path | str | None = None) -> Iterator[None]:
    """A block in which trainings, minimisations and flows are computed elsewhere, piece by piece, with the same bits.

    It holds for the thread that it is opened in, and where `contextvars.copy_context` takes it.

    Args:
        on: a cluster: ``"dask://host:port"`` of a scheduler, ``"dask"`` for a cluster of processes on this machine that lives
            as long as the block (in a script: under ``if __name__ == "__main__":``, because they load it), or a ``Client``
            of `dask.distributed`.
        shard: which share of the pieces this program computes, such as ``"3/16"``, where several share the ``folder``.
        folder: where finished pieces are kept, from which a second call goes on; without it they live as long as the block.
            Results of more than 128 MB are then read from there, where they are looked at.

    Raises:
        InvalidInputError: where there is no such cluster, its version of tegum is another one, or both are given; for a shard
            without a folder.
        Elsewhere: in a shard, where a call needs pieces that other shards have yet to compute.
        KeyboardInterrupt: after Ctrl-C in a call, without the data so far, which outside of the block are in `Interrupted`.
            Finished pieces are in the ``folder``, from which the same call goes on; where there is none they are lost.
    """
    if shard is not None and folder is None:
        raise InvalidInputError(f"shard is {shard!r} and there is no folder", "give the folder that all shards share")
    with placed(on, shard), ExitStack() as stack:
        if folder is None:
            pieces = Pieces(Path(stack.enter_context(TemporaryDirectory(prefix="tegum-"))), kept=False)
        else:
            pieces = Pieces(as_path(folder))
        stack.enter_context(caching(pieces))
        try:
            yield
        except KeyboardInterrupt as stop:
            if folder is None and not isinstance(stop, Interrupted):
                stop.add_note("what was finished is gone with the block of tegum.executing: give it a folder to keep that")
            raise


@contextmanager
def placed(on: Any, shard: str | None) -> Iterator[None]:
    """A block in which pieces are computed there, as `executing` says; who is in it has a cache of pieces of its own."""
    if on is not None and shard is not None:
        raise InvalidInputError(f"on is {on!r} and shard is {shard!r}", "choose one: a cluster shares the pieces out itself")
    if shard is not None:
        with computing(shard_of(shard)):
            yield
    elif on is not None:
        from tegum.execution.cluster import cluster_on  # needs the extra, which only this asks for

        with cluster_on(on) as cluster, computing(cluster):
            yield
    else:
        yield
