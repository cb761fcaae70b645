"""`tegum train`: a sweep from a file or from options, kept on disk, resumable."""

import os
import tomllib
from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import xarray as xr
from cyclopts import Parameter

import tegum as tg
from tegum.caching import caching
from tegum.checking import require_disk
from tegum.cli.elsewhere import Where
from tegum.cli.output import duration, say, say_first, say_interrupted
from tegum.cli.pages import place_in, set_page_aside
from tegum.cli.problem import TABLES, Training, parsed, read_tables, training_of
from tegum.cli.values import Text, curve, numbers
from tegum.datasets import Status
from tegum.errors import InvalidInputError, Problems
from tegum.execution import Elsewhere, Pieces
from tegum.recorded import in_words
from tegum.report import show
from tegum.runs import RESULT, SWEEP, fingerprint, require_writable, write_atomically, write_dataset
from tegum.runs.files import keep_older, keep_other
from tegum.sweep import as_axis
from tegum.threads import default_threads
from tegum.training import compiling_seconds, estimated_seconds
from tegum.training.cost import require_time, result_bytes
from tegum.training.instances import grid_of

_RECORDS, _MOST_RECORDED = 40, 5_000_000
"""How often is recorded on the way, and how many numbers at most."""

_COUNTS = ("net.n_features", "net.n_hidden", "recipe.seeds", "recipe.steps")

Option = tuple[str, str, Any]
"""What an option is called, the place of what it gives in the tables, such as recipe.steps, and its value."""


def train(
    file: Path | None = None,
    /,
    *,
    net: str | None = None,
    features: Annotated[Text | None, Parameter(name=["--features", "-n"])] = None,
    hidden: Annotated[Text | None, Parameter(name=["--hidden", "-m"])] = None,
    density: Text | None = None,
    importance: Text | None = None,
    seeds: Text | None = None,
    steps: Text | None = None,
    set_: Annotated[tuple[str, ...], Parameter(name=["--set", "-s"])] = (),
    out: Path = Path("results/train"),
    threads: int | None = None,
    where: Where = Where(),  # noqa: B008
) -> int:
    """Train a sweep of models and keep it; the same command again resumes it.

    Example: tegum train -n 5 -m 2 --density 1,0.2,0.1 --importance geometric:0.9 --seeds 8

    Args:
        file: A TOML file with the tables [net], [features], [recipe] and [sweep]; options below override it and its axes.
        net: Linear, ReluOutput, ActivationOutput, Untied, UntiedNeurons, ReluHidden or AbsoluteValue (ReluOutput by default).
            ActivationOutput, Untied and UntiedNeurons take their function from --set net.activation=gelu, or softplus, square,
            abs, tanh; the two last what they are compared with from --set "net.target_map={A=[[0,1],[1,0]],relu=false}".
        features: Number of features n.
        hidden: Number of hidden units m.
        density: Probability that a feature is active (--sparsity is 1 minus it), by default 1; several, with commas, are swept.
        importance: A number, one for each feature with commas, or geometric:0.9, power_law:1, one_odd:0.1.
        seeds: How many models at each grid point.
        steps: Optimizer steps.
        set_: Any other field, as table.field=value: recipe.learning_rate=0.01, features.distribution=KSparse,
            features.magnitude=exponential (its mean is 1; features.magnitude={exponential=0.5} has another).
        out: Folder for the result, its page and what a resumed call needs.
        threads: How many models train at a time; one per core by default.
        where: Where the pieces are computed.
    """
    tables = read_tables(file) if file is not None else {}
    counts = zip(("-n", "-m", "--seeds", "--steps"), _COUNTS, (features, hidden, seeds, steps), strict=True)
    options = [(option, place, _value(text)) for option, place, text in counts if text is not None]
    options += [("--net", "net.family", net)] if net is not None else []
    training = _wanted(tables, options, density, importance, set_, threads)
    require_writable(out)
    _announce(training, default_threads() if threads is None else threads, out)
    try:
        with where.computing(), caching(pieces := Pieces(out / "pieces", say)):
            data = tg.train(training.net, training.features, training.recipe, sweep=training.sweep, threads=threads)
    except Elsewhere as left:
        say(where.done(left))
        return where.say_how_to_gather()
    except KeyboardInterrupt:
        return say_interrupted()
    result = _kept(data, training, out, pieces.manifest)
    _report(data)
    if pieces.manifest is None:
        _draw(data, out)
    else:
        set_page_aside(out)
        say(f"{data.nbytes / 1e6:,.0f} MB in {out / 'pieces'}: read where it is looked at, and too large for a page")
    say(f"result: {result}  (in Python: tegum.open({os.fspath(result)!r}))")
    return 0


def _wanted(
    tables: dict[str, Any],
    options: list[Option],
    density: str | None,
    importance: str | None,
    set_: tuple[str, ...],
    threads: int | None,
) -> Training:
    """The training of these tables and options, with what is recorded on the way; all that is wrong is said at once."""
    with Problems() as problems:
        problems.check_least("threads", threads)
        with problems.collecting():
            options += [] if density is None else [_density(density)]
        with problems.collecting():
            options += [] if importance is None else [("--importance", "features.importance", curve(importance))]
        with problems.collecting():
            options += [(f"--set {place}", place, value) for place, value in map(_assignment, set_)]
        _override(tables, options, problems)
        _check_sizes(tables, problems)
        with problems.collecting():
            training = training_of(tables)
    recipe = training.recipe if {"record", "record_steps"} & tables.get("recipe", {}).keys() else _recorded(training)
    return replace(training, recipe=recipe)


def _kept(data: xr.Dataset, training: Training, out: Path, manifest: Path | None) -> Path:
    """Where the result of a training was written, or the list of its pieces; one of another training is set aside."""
    result, sweep = out / RESULT, out / SWEEP
    data.attrs["training"] = fingerprint((training.net, training.features, training.recipe, training.sweep))
    keep_other(result, "training", data.attrs["training"], say)
    if sweep.exists() and (manifest is None or sweep.read_bytes() != manifest.read_bytes()):
        keep_older(sweep, "training", say)
    if manifest is not None:
        write_atomically(sweep, manifest.read_bytes())
        return sweep
    write_dataset(data, result)
    return result


def _recorded(training: Training) -> tg.Recipe:
    """The recipe, recording on the way what the page draws: losses, and the parameters where they are few."""
    net, recipe, sweep = training.net, training.recipe, training.sweep
    weights = sum(int(np.prod(shape)) for shape in net.parameter_shapes().values())
    recipes = grid_of(training.net, training.features, recipe, sweep)[1]
    few = len(recipes) * len(recipe.seed_list) * weights * _RECORDS <= _MOST_RECORDED
    losses = ("loss", "training_loss") if all(one.data_set_size for one in recipes) else ("loss",)
    return recipe.replaced(record=(*losses, *(net.parameter_shapes() if few else ())), record_steps=_RECORDS)


def _draw(data: xr.Dataset, out: Path) -> None:
    """Writes the page of a training."""
    try:
        page = show(data, title=f"Training {out.name}").write(place_in(out))
    except InvalidInputError as mistake:
        set_page_aside(out)
        say(f"no page: {mistake}")
        return
    say(f"open {page}")


def _override(tables: dict[str, Any], options: list[Option], problems: Problems) -> None:
    """Puts what options give in the place of what the file says, and of axes along which the file varies it."""
    places: dict[str, str] = {}
    for option, place, value in options:
        if place in places:
            how = "twice" if places[place] == option else f"by {places[place]} and {option}"
            problems.add(f"{place} is given {how}", "give it once")
        places[place] = option
        table, _, field = place.partition(".")
        known = tables.setdefault(table, {})
        if isinstance(known, dict):  # else it is refused where it is read
            known[field] = value
    sweep = tables.get("sweep", {})
    for name, axis in list(sweep.items()) if isinstance(sweep, dict) else ():
        fields, own = _fields_of(name, axis), places.get(f"sweep.{name}")
        given = {option: fields & _given_by(place, sweep) for place, option in places.items() if option != own}
        given = {option: both for option, both in given.items() if both}
        if own is None and given and len(fields) == 1:
            del sweep[name]
            continue
        for option, both in given.items():
            if own is None:
                what = f"{option} is given, and the axis {name!r} of the file varies {' and '.join(sorted(fields))} together"
                problems.add(what, f"leave {option} out, or take {' and '.join(sorted(both))} out of this axis")
            else:
                problems.add(f"{option} and {own} both give {' and '.join(sorted(both))}", "leave one of them out")


def _fields_of(name: str, axis: Any) -> set[str]:
    """The fields that an axis of a file varies: that of its name, or those of its table."""
    return axis.keys() - {"labels"} if isinstance(axis, dict) else {name}


def _given_by(place: str, sweep: dict[str, Any]) -> set[str]:
    """The fields of a sweep that an option of this place gives, as one value or as an axis."""
    table, _, field = place.partition(".")
    if table == "sweep":
        return _fields_of(field, sweep.get(field))
    return {field} if table in ("features", "recipe") else set()


def _density(text: str) -> Option:
    values = numbers(text)
    return ("--density", "features.density", values[0]) if len(values) == 1 else ("--density", "sweep.density", values)


def _assignment(text: str) -> tuple[str, Any]:
    """``recipe.l1=0.1`` as a place and a value."""
    place, equals, value = text.partition("=")
    if not equals or "." not in place:
        raise InvalidInputError(f"--set got {text!r}", "write table.field=value, such as recipe.learning_rate=0.01")
    place, found = place.strip(), _value(value)
    _require_one(place, value, found)
    return place, found


def _require_one(place: str, text: str, value: Any) -> None:
    """Raises where several numbers are given for what is one number in a training, with how that is swept."""
    table, _, field = place.partition(".")
    kind = getattr(tg.Recipe.model_fields.get(field), "annotation", None) if table == "recipe" else None
    try:
        several = "," in text and text.strip() == value and bool(numbers(text.strip()))
    except InvalidInputError:
        several = False
    if several or (kind in (int, float) and isinstance(value, list)):
        listed = f"[{text.strip().strip('[]')}]"
        swept = kind in (int, float) and field != "evaluation_samples"
        advice = f"to train models of each, write --set sweep.{field}={listed}" if swept else "give one number"
        if kind not in (int, float):
            advice = f"write several numbers as a list, --set {place}={listed}"
        raise InvalidInputError(f"{place} is {text.strip()}", advice)


def _check_sizes(tables: dict[str, Any], problems: Problems) -> None:
    """Collects sizes of the net that are not given, and gives them one, so that all else is checked."""
    if not tables.keys() <= set(TABLES):
        return  # one of them may be meant for that of the net
    net = tables.setdefault("net", {})
    for field, option, size, what in (("n_features", "-n", 5, "features"), ("n_hidden", "-m", 2, "hidden units")):
        if isinstance(net, dict) and field not in net:
            problems.add(f"the number of {what} is not given", f"say it, such as {option} {size}")
            net[field] = size


def _value(text: str) -> Any:
    """A value read as in a TOML file; bare words are text."""
    try:
        return parsed(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        if text.strip()[:1] in ("[", "{"):
            what = "write it as in TOML, such as [0.1, 0.2] or {exponential = 0.5}"
            raise InvalidInputError(f"{text.strip()} cannot be read", what) from None
        return text.strip()


def _announce(training: Training, workers: int, out: Path) -> None:
    """Checks the whole sweep before anything is trained, and says what it is and what it will cost."""
    net, recipe, sweep = training.net, training.recipe, training.sweep
    seeds, recipes = len(recipe.seed_list), grid_of(training.net, training.features, recipe, sweep)[1]
    models = len(recipes) * seeds
    require_time(net, recipes, workers)
    require_disk(f"the result of {models} models", result_bytes(net, recipes), out)
    seconds = estimated_seconds(net, training.features, recipe, sweep=sweep, threads=workers)
    axes = "".join(f"{name}: {len(axis)}, " for name, axis in sweep.items())
    count = "1 model" if models == 1 else f"{models} models"
    say(f"{count}: {net}; {axes}seeds: {seeds}; {recipe.steps} steps of {recipe.batch_size} samples")
    swept = [name for name, axis in sweep.items() if {*as_axis(name, axis).fields} & {*training.features.field_names()}]
    say(f"features: {in_words(training.features)}" + (f"; but for {', '.join(swept)}, which the sweep varies" if swept else ""))
    first = f", after {duration(compiling)} in which the engine is compiled" if (compiling := compiling_seconds()) else ""
    say(f"about {duration(seconds)} on {workers} {'core' if workers == 1 else 'cores'}{first}")


def _report(data: xr.Dataset) -> None:
    """The lowest and the median loss at each of the first grid points, and what became of the models."""
    finished = data["loss"].where(data["status"] == Status.FINISHED)
    axes = [str(dim) for dim in finished.dims if dim != "seed"]
    losses = finished.transpose(*axes, "seed").values.reshape(-1, finished.sizes["seed"])
    points = list(product(*(data[name].values.tolist() for name in axes)))
    lines = []
    for values, point in zip(losses, points, strict=True):
        labels = [f"{label:g}" if isinstance(label, float) else str(label) for label in point]
        where = ", ".join(f"{name} {label}" for name, label in zip(axes, labels, strict=True))
        usable = values[np.isfinite(values)]
        text = f"loss best {usable.min():.5g}, median {np.median(usable):.5g}" if usable.size else "no model finished"
        lines.append(f"  {where + ': ' if where else ''}{text}")
    say_first(lines, "  ... and {} more grid points")
    counts = Counter(data["status"].values.ravel().tolist())
    say(", ".join(f"{counts[name]} {name}" for name in sorted(counts)) + f"; {data.attrs['wall_seconds']:.1f} s")
