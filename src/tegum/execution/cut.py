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
import math
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tegum.caching import Call
from tegum.checking import seeds_of
from tegum.datasets import PARAMETER_DIMS
from tegum.errors import InvalidInputError
from tegum.nets.net import Axes, parameter, starts_in
from tegum.runs.files import half_written, machine_fails, set_aside, write_atomically
from tegum.runs.lazy import joined_attributes
from tegum.runs.manifest import manifest_of, read_manifest
from tegum.sweep import Axis, as_axis, model_axes
from tegum.training import Recipe

MOST_SECONDS, USUAL_PIECES, _MOST_INSTANCES = 60.0, 20, 20_000
"""The work on one core that a kill may cost, how many pieces a short call has, and how many models are in memory at once, where
there is an axis to cut: the random starts of a search are not, however many they are."""

_USUAL_STARTS = 64


@final
@dataclass(frozen=True)
class Cut:
    """The edges of the slices along each axis that is cut, in the order of the result's axes; no axis: one piece."""

    edges: dict[str, tuple[int, ...]]

    def calls(self, call: Call) -> list[Call]:
        """The pieces of ``call``, the last axis running fastest."""
        cut = {name: edges for name, edges in self.edges.items() if len(edges) > 2}
        if not cut:
            return [call]
        given = call.arguments.get("initial") or {}
        axes = _labels(call) if given else {}
        initial = {name: parameter(name, array, f"initial {name}", axes) for name, array in given.items()}
        call = call.replaced(initial=initial) if initial else call
        swept = {name: as_axis(name, values) for name, values in (call.arguments.get("sweep") or {}).items() if name in cut}
        slices = [[slice(a, b) for a, b in pairwise(edges)] for edges in cut.values()]
        seeds = call.arguments["recipe"].seed_list if "seed" in cut else ()
        return [_part(call, swept, seeds, dict(zip(cut, place, strict=True))) for place in itertools.product(*slices)]

    def joined(self, parts: Sequence[xr.Dataset]) -> xr.Dataset:
        """The results of all pieces as the uncut call would have returned them."""
        if not self.edges:
            return parts[0]
        longest = max(part.sizes.get("sample", 0) for part in parts)  # of the data sets; others end with NaN
        wide = [part.pad(sample=(0, longest - part.sizes["sample"])) if "sample" in part.dims else part for part in parts]
        for name in reversed(self.edges):
            each = len(self.edges[name]) - 1
            wide = [_beside(wide[k : k + each], name) for k in range(0, len(wide), each)]
        models = [int(part["status"].size) if "status" in part else 1 for part in parts]
        return wide[0].assign_attrs(joined_attributes([part.attrs for part in parts], models))


def _part(call: Call, swept: Mapping[str, Axis], seeds: Sequence[int], place: Mapping[str, slice]) -> Call:
    """The call for a part of some of its axes: of its sweep, of which ``swept`` are the axes, and of all ``seeds``."""
    changes: dict[str, Any] = {}
    sweep = dict(call.arguments.get("sweep") or {})
    if initial := call.arguments.get("initial"):
        axes = list(_model_axes(call))
        changes["initial"] = {name: _sliced(array, PARAMETER_DIMS[name], axes, place) for name, array in initial.items()}
    for name, part in place.items():
        if name in call.along:
            changes |= {argument: call.arguments[argument][part] for argument in call.along[name]}
        elif name == "seed":
            changes["recipe"] = call.arguments["recipe"].replaced(seeds=seeds[part])
            if isinstance(sets := call.arguments.get("data"), Sequence):  # one for each seed
                changes["data"] = list(sets)[part]
        else:
            changes["sweep"] = sweep = sweep | {name: _positions(name, sweep[name][part], swept[name][part])}
    return call.replaced(**changes)


def _positions(name: str, values: Any, whole: Axis) -> Any:
    """A part of an axis as it was given, or, where its positions are then called otherwise, as a part of the ``whole``."""
    return values if as_axis(name, values).labels == whole.labels else whole


def _sliced(array: NDArray[Any], own: Sequence[str], axes: Sequence[str], place: Mapping[str, slice]) -> NDArray[Any]:
    """Initial weights of the models at a place; what has one value for all along an axis keeps it."""
    lead = array.ndim - len(own)
    cuts = [slice(None)] * array.ndim
    for name, part in place.items():
        axis = lead - len(axes) + axes.index(name)
        if axis >= 0 and array.shape[axis] > 1:
            cuts[axis] = part
    return array[tuple(cuts)]


def _beside(parts: Sequence[xr.Dataset], along: str) -> xr.Dataset:
    return xr.concat(
        parts, along, data_vars="minimal", combine_attrs="override", join="exact", coords="different", compat="equals"
    )


def cut_for(call: Call, least: int) -> Cut:
    """The cut of a call into pieces of at least ``least`` instances each, as near to a minute of one core's work as may be."""
    axes = _axes(call) if call.splittable else []
    if not axes:
        return Cut({})
    most = math.prod((length for _, length in axes), start=1)
    if call.along:  # a chain lasts: such calls are cut where a kill would cost more than a minute, into pieces for all threads
        return cut_into(min(math.ceil(call.seconds() / MOST_SECONDS), most // max(least // 2, 1)), axes)
    instances = most * (1 if "recipe" in call.arguments else _starts(call))
    usual = min(USUAL_PIECES, instances // max(1, least))
    wanted = max(usual, math.ceil(call.seconds() / MOST_SECONDS), math.ceil(instances / _MOST_INSTANCES))
    cut = cut_into(min(wanted, most), axes)
    beside = instances // most * _not_cut(call, axes)
    while (largest := beside * _largest(cut, axes)) > _MOST_INSTANCES and wanted < most:  # slices may be unequal
        wanted = max(wanted + 1, math.ceil(wanted * largest / _MOST_INSTANCES))
        cut = cut_into(min(wanted, most), axes)
    return cut


def _largest(cut: Cut, axes: Sequence[tuple[str, int]]) -> int:
    """How many positions the largest piece has, along axes that may be cut."""
    lengths = dict(axes) | {name: max(b - a for a, b in pairwise(edges)) for name, edges in cut.edges.items()}
    return math.prod(lengths.values())


def _not_cut(call: Call, axes: Sequence[tuple[str, int]]) -> int:
    """How many positions a sweep has along axes that may not be cut."""
    names = dict(axes)
    with suppress(TypeError):  # the call itself says what is wrong with its sweep
        return math.prod(len(axis) for name, axis in (call.arguments.get("sweep") or {}).items() if name not in names)
    return 1


def _starts(call: Call) -> int:
    """How many starts each grid point has: those asked for, those that ``initial`` has, or the usual ones."""
    seeds, initial = call.arguments.get("seeds"), call.arguments.get("initial") or {}
    if seeds is None and initial:
        return starts_in(initial, model_axes(call.arguments["features"], call.arguments.get("sweep") or {}))
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
    if not (_initial_fits(call) and _data_fit(call)):
        return []
    with suppress(TypeError):
        for name, axis in sweep.items():
            changed = getattr(axis, "fields", (name,))
            if not ("steps" in changed and recipe is not None and recipe.recorded_steps()):
                found.append((name, len(axis)))  # which steps are recorded depends on the longest of the trainings
    if recipe is not None:
        found.append(("seed", len(recipe.seed_list)))
    found += [(name, len(call.arguments[arguments[0]])) for name, arguments in call.along.items()]
    return found


def _model_axes(call: Call) -> dict[str, int]:
    """The axes of all models of a call, before those of a parameter, with their lengths."""
    features, recipe, sweep = call.arguments["features"], call.arguments.get("recipe") or Recipe(), call.arguments.get("sweep")
    seeds = _starts(call) if "seeds" in call.arguments else len(recipe.seed_list)
    lengths = [*(map(len, sweep.values()) if sweep else features.batch_shape), seeds]
    return dict(zip(model_axes(features, sweep or {}), lengths, strict=True))


def _labels(call: Call) -> Axes:
    """The axes of all models of a call and the labels along them."""
    seeds = call.arguments.get("seeds")
    known = None if seeds is None else seeds_of(seeds)
    if "seeds" not in call.arguments:
        known = (call.arguments.get("recipe") or Recipe()).seed_list
    return model_axes(call.arguments["features"], call.arguments.get("sweep") or {}, known)


def _initial_fits(call: Call) -> bool:
    """Whether initial weights, if any, are as they should be: else the call is not cut, and says what is wrong."""
    try:
        for name, value in (call.arguments.get("initial") or {}).items():
            axes, own = _model_axes(call), len(PARAMETER_DIMS[name])
            array, lengths = parameter(name, value, f"initial {name}", _labels(call)), tuple(axes.values())
            if array.ndim < own or np.broadcast_shapes(array.shape[: array.ndim - own], lengths) != lengths:
                return False
    except (KeyError, ValueError, TypeError):
        return False
    return True


def _data_fit(call: Call) -> bool:
    """Whether there are as many data sets as seeds, where there are several: else the call is not cut, likewise."""
    sets, recipe = call.arguments.get("data"), call.arguments.get("recipe")
    return recipe is None or not isinstance(sets, Sequence) or len(sets) == len(recipe.seed_list)


def agreed(
    path: Path,
    call: Call,
    mine: Callable[[], Cut],
    named: Callable[[Call], str],
    notice: Callable[[str], Any] | None,
) -> tuple[Cut, list[tuple[str, Call]]]:
    """The cut that is written in ``path`` and its pieces with their names, or ``mine``, which then is written there.

    Pieces that are the same call, as of a sweep that names a density twice, have one name.

    Of two programs that write at once the first wins.

    Raises:
        InvalidInputError: where the file is damaged and there is no ``notice`` to say so.
    """
    while True:
        if path.exists():
            try:
                edges, names = read_manifest(path)
                cut = Cut(edges)
                _require_of(cut, call)
                pieces = [(named(piece), piece) for piece in cut.calls(call)]
                if names != [name for name, _ in pieces]:
                    raise ValueError("its pieces are not those of this call")
                return cut, pieces
            except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
                if isinstance(error, PermissionError) or machine_fails(error):
                    raise
                if isinstance(error, FileNotFoundError):  # another program has set it aside
                    continue
                if notice is None:
                    raise InvalidInputError(f"{path} is damaged ({error})", "delete it and run the command again") from None
                notice(f"{path} is damaged: set aside as {set_aside(path).name}, and made again")
                continue
        cut = mine()
        pieces = [(named(piece), piece) for piece in cut.calls(call)]
        draft = half_written(path)
        write_atomically(draft, manifest_of(call.function.__name__, cut.edges, [name for name, _ in pieces]))
        try:
            os.link(draft, path)
        except FileExistsError:
            continue
        except OSError:  # a file system without links
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        return cut, pieces


def _require_of(cut: Cut, call: Call) -> None:
    """Raises a ValueError where the cut cannot be of this call."""
    lengths = dict(_axes(call))
    for name, edges in cut.edges.items():
        if edges[0] != 0 or edges[-1] != lengths[name] or sorted(set(edges)) != list(edges):
            raise ValueError("its edges are not those of this call")
