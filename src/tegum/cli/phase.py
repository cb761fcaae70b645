"""`tegum phase`: the phase diagram, by lowest certified minima, of any number of features in any number of dimensions."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import numpy as np
import xarray as xr
from cyclopts import Parameter

from tegum.caching import caching
from tegum.cli.elsewhere import Where
from tegum.cli.output import say, say_first, say_interrupted
from tegum.cli.pages import place_in
from tegum.cli.values import Number, Text, number
from tegum.datasets import Status
from tegum.errors import InvalidInputError, Problems
from tegum.exact import CONTINUOUS, FIRST_ORDER, NONE
from tegum.execution import Elsewhere, Pieces
from tegum.maps import phase_map
from tegum.nets import ReluOutput
from tegum.report import show
from tegum.runs import fingerprint, require_writable, write_dataset
from tegum.runs.files import keep_other


def phase(
    *,
    features: Annotated[Number, Parameter(name=["--features", "--n", "-n"])] = 3,
    hidden: Annotated[Number, Parameter(name=["--hidden", "--m", "-m"])] = 2,
    density: Text = "0.01:1",
    importance: Text = "0.1:10",
    points: Number = 24,
    seeds: Number = 32,
    rounds: Number = 6,
    out: Path = Path("results/phase"),
    threads: Number | None = None,
    where: Where = Where(),  # noqa: B008
) -> int:
    """Map the lowest certified minimum of some starts over density and the last feature's importance, coloured by its shape.

    Example: tegum phase -n 4 -m 2 --points 32

    Args:
        features: Number of features n; the last has its own importance, the others 1.
        hidden: Number of hidden units m.
        density: Lowest and highest density.
        importance: Lowest and highest importance of the last feature.
        points: Grid points along each axis, evenly spaced in the logarithm.
        seeds: Random starts at each grid point.
        rounds: Most rounds in which every point starts from its neighbours' optima.
        out: Folder for index.html, the data and what a resumed call needs.
        threads: How many starts at a time; one per core by default.
        where: Where the pieces are computed.
    """
    axes: list[list[float]] = []
    with Problems() as problems:
        with problems.collecting():
            ReluOutput(features, hidden)
        for name, text in (("density", density), ("importance", importance)):
            with problems.collecting():
                axes.append(_axis(name, text, max(points, 2)))
        for name, value, least in (("points", points, 2), ("seeds", seeds, 1), ("rounds", rounds, 0), ("threads", threads, 1)):
            problems.check_least(name, value, least)
    require_writable(out)
    say(f"{points * points} grid points, {seeds} random starts each, then starts from neighbours")
    try:
        with where.computing(), caching(Pieces(out / "pieces", say)):
            data = phase_map(features, hidden, *axes, seeds=seeds, rounds=rounds, threads=threads)
    except Elsewhere as left:
        say(where.done(left))
        return where.say_how_to_gather()
    except KeyboardInterrupt:
        return say_interrupted()
    result, page = out / "result.safetensors", place_in(out)
    data.attrs["map"] = fingerprint((features, hidden, axes, seeds, rounds))
    keep_other(result, "map", data.attrs["map"], say)
    write_dataset(data, result)
    title = f"{features} features in {hidden} dimension{'s' * (hidden != 1)}: the phase map"
    show(data, title=title).write(page)
    _report(data)
    say(f"data: {result}")
    say(f"open {page}")
    return 0


def _axis(name: str, text: str, points: int) -> list[float]:
    """Points from the lowest to the highest value of ``low:high``."""
    low, colon, high = text.partition(":")
    if not colon:
        raise InvalidInputError(f"--{name} is {text!r}", "give the lowest and the highest value, such as 0.01:1")
    ends = (number(low), number(high))
    if not 0 < ends[0] < ends[1] or (name == "density" and ends[1] > 1):
        advice = "choose numbers above 0, the lower first" + (", at most 1" if name == "density" else "")
        raise InvalidInputError(f"--{name} is {text!r}", advice)
    return [float(value) for value in np.geomspace(*ends, points)]


def _report(data: xr.Dataset) -> None:
    counts = Counter(data["shape"].values.ravel().tolist())
    lines = [f"  {count / data['shape'].size:>6.1%}  {name}" for name, count in counts.most_common()]
    say_first(lines, "          and {} rarer shapes", most=12)
    orders = Counter(data["order"].values.tolist())
    jumps = data["jump"].where(data["order"] == FIRST_ORDER, drop=True)
    largest = f", the slope jumps by up to {float(jumps.max()):.0%}" if jumps.size else ""
    say(
        f"transitions: {orders[FIRST_ORDER]} first order{largest}; {orders[CONTINUOUS]} continuous; {orders[NONE]} only of name"
    )
    rare = float((data["found"] <= 1 / 8).mean())
    share = float(data["found"].median())
    say(f"random starts that reach the lowest minimum: {share:.0%} (median); one in eight or fewer at {rare:.0%} of the points")
    unsure = int((data["status"] != Status.MINIMUM).sum())
    if unsure:
        say(f"not certified as a minimum: {unsure} of {data['status'].size} grid points (see status)")
