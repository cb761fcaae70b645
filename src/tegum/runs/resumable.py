"""A long training that can be stopped and resumed: pieces of the sweep, finished one by one, each a file.

A piece's file is named by the fingerprint of everything that defines it; resuming is looking whether it is there.  A piece
that was interrupted leaves no file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from tegum.caching import Call
from tegum.features import Features
from tegum.nets import Net
from tegum.runs.files import read_dataset, write_dataset
from tegum.runs.pieces import piece_name
from tegum.runs.splitting import joined, pieces_of
from tegum.training import Recipe, train


def train_to(
    folder: Path,
    net: Net,
    features: Features,
    recipe: Recipe,
    *,
    sweep: Mapping[str, Any] | None = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """Trains as `tegum.train` does, keeping finished pieces in ``folder``; a second call goes on where the first ended.

    Args:
        folder: where the pieces lie; made where there is none.
        net: as in `tegum.train`, like all that follow.
        features: the world.
        recipe: how it is trained.
        sweep: axes of the grid.
        threads: how many models at a time.
        progress: whether to show a bar.

    Returns:
        The whole dataset; where Ctrl-C ended it, what is finished, with the attribute ``interrupted`` 1.

    Raises:
        InvalidInputError: for wrong arguments, an unwritable folder or damaged pieces; nothing finished is lost.
    """
    arguments = {"net": net, "features": features, "recipe": recipe, "sweep": dict(sweep or {})}
    call = Call(train, {**arguments, "threads": threads, "progress": progress}, splittable=True)
    calls, along = pieces_of(call)
    parts: list[xr.Dataset] = []
    for piece in calls:
        path = folder / piece_name(piece)
        if path.exists():
            parts.append(read_dataset(path))
            continue
        parts.append(piece.run())
        if parts[-1].attrs["interrupted"]:
            break
        write_dataset(parts[-1], path)
    return joined(parts, along, call)
