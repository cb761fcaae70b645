"""How a call is cut into pieces, and how their results are joined.

An instance does not depend on what is trained beside it, so a sweep may be cut anywhere, and the joined pieces equal the uncut
result bit for bit.  The first axis is cut as often as it has positions before the next one is, the seeds come last:

>>> two = {"density": ["dense", "sparse"], "l1": [0, 0.1, 1]}
>>> cut_into(4, [("density", 2), ("l1", 3)]).edges
{'density': (0, 1, 2), 'l1': (0, 1, 3)}

What makes a good piece depends on the machine: as many instances as it has threads, or a minute of work where pieces go to
others.  Whoever comes first therefore leaves its cut in the folder, and all that come later follow it (`agreed`).
"""

import itertools
import json
import math
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, final

import numpy as np
import xarray as xr

from tegum.caching import Call
from tegum.errors import InvalidInputError
from tegum.runs.files import UNSEALED, sealed, set_aside, unsealed, write_atomically
from tegum.runs.programs import this_program

MOST_SECONDS, USUAL_PIECES, _MOST_INSTANCES = 60.0, 20, 20_000
"""The work on one core that a kill may cost; how many pieces a short call has; how many models are in memory at once."""

SUFFIX, _USUAL_STARTS = ".cut", 64
_FORMAT = "tegum cut 1"


@final
@dataclass(frozen=True)
class Cut:
    """The edges of the slices along each axis that is cut, in the order of the result's axes; no axis: one piece."""

    edges: dict[str, tuple[int, ...]]

    def calls(self, call: Call) -> list[Call]:
        """The pieces of ``call``, the last axis running fastest."""
        slices = [[slice(a, b) for a, b in pairwise(edges)] for edges in self.edges.values()]
        return [_part(call, dict(zip(self.edges, place, strict=True))) for place in itertools.product(*slices)]

    def joined(self, parts: Sequence[xr.Dataset], call: Call) -> xr.Dataset:
        """The results of all pieces as the uncut ``call`` would have returned them."""
        if not self.edges:
            return parts[0]
        longest = max(part.sizes.get("sample", 0) for part in parts)  # of the data sets; others end with NaN
        wide = [part.pad(sample=(0, longest - part.sizes["sample"])) if "sample" in part.dims else part for part in parts]
        for name in reversed(self.edges):
            each = len(self.edges[name]) - 1
            wide = [_beside(wide[k : k + each], name) for k in range(0, len(wide), each)]
        return wide[0].assign_attrs(joined_attributes([part.attrs for part in parts], [_models(part) for part in parts], call))


def _part(call: Call, place: Mapping[str, slice]) -> Call:
    """The call for a part of some of its axes."""
    changes: dict[str, Any] = {}
    sweep = dict(call.arguments.get("sweep") or {})
    for name, part in place.items():
        if name == "seed":
            recipe = call.arguments["recipe"]
            changes["recipe"] = recipe.replaced(seeds=recipe.seed_list[part])
        else:
            changes["sweep"] = sweep = sweep | {name: sweep[name][part]}
    return call.replaced(**changes)


def _beside(parts: Sequence[xr.Dataset], along: str) -> xr.Dataset:
    return xr.concat(
        parts, along, data_vars="minimal", combine_attrs="override", join="exact", coords="different", compat="equals"
    )


def _models(part: xr.Dataset) -> int:
    return int(part["status"].size) if "status" in part else 1


def joined_attributes(parts: Sequence[Mapping[str, Any]], models: Sequence[int], call: Call) -> dict[str, Any]:
    """What a joined result says of itself, from what its parts say and how many models each has."""
    first = dict(parts[0])
    first["interrupted"] = max(part["interrupted"] for part in parts)
    first["wall_seconds"] = round(sum(part["wall_seconds"] for part in parts), 3)
    first |= makers(parts)
    if (recipe := call.arguments.get("recipe")) is not None:
        first["recipe"] = recipe.model_dump_json()
    if "found_once" in first:
        first["found_once"] = sum(part["found_once"] for part in parts)
    if "not_converged" in first:
        first["not_converged"] = float(np.average([part["not_converged"] for part in parts], weights=models))
    return first


def makers(parts: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The machines and libraries that made some datasets, each once, from what these say of themselves.

    >>> makers([{"machine": "a, 2 cores"}, {"machine": "b, 8 cores"}, {"machine": "a, 2 cores"}])
    {'machine': 'a, 2 cores; b, 8 cores'}
    """
    found: dict[str, dict[str, None]] = {}
    for part in parts:
        for name in ("python", "libraries", "machine"):
            if name in part:
                found.setdefault(name, {}).update(dict.fromkeys(str(part[name]).split("; ")))
    return {name: "; ".join(values) for name, values in found.items()}


def cut_for(call: Call, least: int) -> Cut:
    """The cut of a call into pieces of at least ``least`` instances each, as near to a minute of one core's work as may be."""
    axes = _axes(call) if call.splittable else []
    most = math.prod((length for _, length in axes), start=1)
    instances = most * (1 if "recipe" in call.arguments else _starts(call.arguments.get("seeds")))
    usual = min(USUAL_PIECES, instances // max(1, least))
    wanted = max(usual, math.ceil(call.seconds() / MOST_SECONDS), math.ceil(instances / _MOST_INSTANCES))
    return cut_into(min(wanted, most), axes)


def _starts(seeds: int | Sequence[int] | None) -> int:
    """How many starts each grid point has."""
    return seeds if isinstance(seeds, int) else _USUAL_STARTS if seeds is None else len(seeds)


def cut_into(count: int, axes: Sequence[tuple[str, int]]) -> Cut:
    """A cut into about so many pieces, at least one, along axes with names and lengths."""
    edges: dict[str, tuple[int, ...]] = {}
    for name, length in axes:
        if count <= 1 and edges:
            break
        pieces = min(length, max(count, 1))
        edges[name] = tuple(int(edge) for edge in np.linspace(0, length, pieces + 1).astype(int))
        count = math.ceil(count / pieces)
    return Cut(edges)


def _axes(call: Call) -> list[tuple[str, int]]:
    """The axes along which a call may be cut, with their lengths; none where its arguments are not what they should be."""
    sweep, recipe = call.arguments.get("sweep") or {}, call.arguments.get("recipe")
    found: list[tuple[str, int]] = []
    with suppress(TypeError):
        for name, axis in sweep.items():
            changed = getattr(axis, "fields", (name,))
            if not ("steps" in changed and recipe is not None and recipe.recorded_steps()):
                found.append((name, len(axis)))  # which steps are recorded depends on the longest of the trainings
    if recipe is not None:
        found.append(("seed", len(recipe.seed_list)))
    return found


def agreed(
    path: Path,
    call: Call,
    mine: Callable[[], Cut],
    named: Callable[[Sequence[Call]], list[str]],
    notice: Callable[[str], Any] | None,
) -> tuple[Cut, list[str]]:
    """The cut that is written in ``path`` and the names of its pieces, or ``mine``, which then is written there.

    Of two programs that write at once the first wins.

    Raises:
        InvalidInputError: where the file is damaged and there is no ``notice`` to say so.
    """
    while True:
        if path.exists():
            try:
                cut, names = read_cut(path)
                _require_of(cut, call)
                if names != named(cut.calls(call)):
                    raise ValueError("its pieces are not those of this call")
                return cut, names
            except (ValueError, KeyError, TypeError, OSError) as error:
                if notice is None:
                    raise InvalidInputError(f"{path} is damaged ({error})", "delete it and run the command again") from None
                notice(f"{path} is damaged: set aside as {set_aside(path).name}, and made again")
                continue
        cut = mine()
        names = named(cut.calls(call))
        said = {"format": _FORMAT, "seal": UNSEALED, "call": call.function.__name__, "edges": cut.edges, "pieces": names}
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.{this_program()}.part")
        write_atomically(draft, sealed(json.dumps(said)))
        try:
            os.link(draft, path)
        except FileExistsError:
            continue
        except OSError:  # a file system without links
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        return cut, names


def read_cut(path: Path) -> tuple[Cut, list[str]]:
    """A cut and the names of its pieces as they were written.

    Raises:
        ValueError, KeyError, TypeError, OSError: where it is damaged.
    """
    said = json.loads(unsealed(path.read_bytes()))
    if said["format"] != _FORMAT:
        raise ValueError(f"its format is {said['format']!r:.40}")
    cut = Cut({str(name): tuple(int(edge) for edge in edges) for name, edges in said["edges"].items()})
    names = [str(name) for name in said["pieces"]]
    if len(names) != math.prod(len(edges) - 1 for edges in cut.edges.values()) or any("/" in name for name in names):
        raise ValueError("its edges are not those of its pieces")
    return cut, names


def _require_of(cut: Cut, call: Call) -> None:
    """Raises a ValueError where the cut cannot be of this call."""
    lengths = dict(_axes(call))
    for name, edges in cut.edges.items():
        if edges[0] != 0 or edges[-1] != lengths[name] or sorted(set(edges)) != list(edges):
            raise ValueError("its edges are not those of this call")
