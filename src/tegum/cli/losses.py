"""What `tegum exact-loss` says and writes, from one dataset on the axes of the file.

It has ``loss``, ``loss_error``, ``terms`` and ``squared_error`` (..., feature), and ``status``, ``sampled_loss`` and
``loss_standard_error`` where the file has them; its attributes say what was computed.
"""

import json
import math
from collections.abc import Hashable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from tegum.cli.output import MOST_LINES, say
from tegum.exact.kernel.model import LARGEST_WEIGHT

_SUSPICIOUS = 6.0
_WIDTH = 120
_FORMATS = {"loss": ".12g", "median": ".12g", "worst": ".12g", "loss_error": ".1e", "sampled_loss": ".6g"}
_FORMATS |= {"loss_standard_error": ".1g", "excess": ".2%", "basin_excess": ".2%", "best_bias_loss": ".6g", "dead": ".0f"}
_COLUMNS = ["loss", "median", "worst", "loss_error", "terms", "sampled_loss", "loss_standard_error"]
_COLUMNS += ["excess", "basin_excess", "best_bias_loss", "dead", "shape"]


def table(found: xr.Dataset) -> pd.DataFrame:
    """A row for each model: the labels that say which, then everything about it; ``squared_error`` is a list."""
    axes = [str(axis) for axis in found["loss"].dims]
    frame = found.drop_dims("feature").expand_dims([] if axes else ["model"]).to_dataframe(dim_order=axes or ["model"])
    frame["squared_error"] = found["squared_error"].values.reshape(len(frame), -1).tolist()
    return frame.reset_index(drop=not axes)


def as_json(found: xr.Dataset) -> bytes:
    """Everything as JSON; numbers that do not exist are null."""
    frame = table(found)
    frame["squared_error"] = [[None if np.isnan(one) else one for one in errors] for errors in frame["squared_error"]]
    models = frame.astype(object).where(frame.notna(), None).to_dict("records")
    text = json.dumps({**found.attrs, "models": models}, indent=1, ensure_ascii=False, allow_nan=False)
    return text.encode(errors="backslashreplace")


def as_csv(found: xr.Dataset) -> bytes:
    """One row for each model, one column for each feature's squared error."""
    frame = table(found)
    errors = pd.DataFrame(frame.pop("squared_error").tolist()).add_prefix("squared_error_")
    return frame.join(errors).to_csv(index=False).encode()


def best_along(found: xr.Dataset, starts: Sequence[str]) -> tuple[xr.Dataset, dict[Hashable, xr.DataArray]]:
    """The model of lowest loss at each grid point, beside the median and the worst loss along ``starts``; and its place there.

    Where it stands along them is in coordinates.
    """
    loss, found = found["loss"], found.assign_coords({axis: found[axis] for axis in starts})
    place = loss.fillna(np.inf).argmin(list(starts))
    return found.isel(place).assign(median=loss.median(starts), worst=loss.max(starts)), place


def report(
    found: xr.Dataset,
    starts: Sequence[str],
    per_feature: bool = False,
    out: Path | None = None,
    best_of: int = 1,
    more: str = "--out FILE.csv writes",
) -> None:
    """Says what the models are, their losses, and what to be careful about.

    Of many models the best along ``starts`` are shown, of ``best_of`` where they were chosen before; ``more`` says what shows
    those for which there is no room.
    """
    frame, axes = table(found), [str(axis) for axis in found["loss"].dims]
    say(f"{found.attrs['file']}: {found.attrs['read']}")
    say(f"{found.attrs['model']}; features: {found.attrs['features']}")
    lines, along = frame, [axis for axis in axes if axis not in starts]
    if len(frame) > MOST_LINES and starts and best_of == 1:
        best_of = math.prod(found.sizes[axis] for axis in starts)
        lines = table(best_along(found, starts)[0])
    if best_of > 1:
        say(f"the best of {best_of} models" + (f" for each {', '.join(along)}" if along else ""))
        axes = [*along, *starts]
    shown = lines.head(MOST_LINES)
    columns = [name for name in (*axes, *_COLUMNS) if name in shown]
    formatters = {name: f"{{:{form}}}".format for name, form in _FORMATS.items() if name in columns}
    say(shown.to_string(columns=columns, index=False, formatters=formatters, line_width=_WIDTH))
    if len(lines) > MOST_LINES:
        say(f"... and {len(lines) - MOST_LINES} more grid points; {more} everything")
    if per_feature:
        say("squared error of each feature:")
        errors = pd.DataFrame(shown["squared_error"].tolist(), index=shown.index)
        say(shown[axes].join(errors).to_string(index=False, float_format="{:.6g}".format, line_width=_WIDTH))
    judged = frame[frame["loss"].notna()]
    if len(judged) < len(frame):
        say(f"{len(frame) - len(judged)} without a loss: weights not finite (diverged), or not below {LARGEST_WEIGHT:g}")
    missed = int((judged["loss_error"] > found.attrs["tol"] * judged["loss"]).sum())
    if missed:
        say(f"{missed} with an error above {found.attrs['tol']:g} of the loss: trust as many digits as the error leaves")
    if "sampled_loss" in judged:
        sampled = judged[judged["loss_standard_error"] > 0]
        stray = ((sampled["sampled_loss"] - sampled["loss"]).abs() / sampled["loss_standard_error"]).median()
        if stray > _SUSPICIOUS:
            say(f"the losses sampled in training differ by {stray:.0f} standard errors (median): were these their features?")
    if out is not None:
        say(f"everything: {out}")
