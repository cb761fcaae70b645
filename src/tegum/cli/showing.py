"""`tegum show`: pictures of any result or file of weights, or what an experiment of the paper does."""

from difflib import get_close_matches
from pathlib import Path

from tegum.cli.experiments import show_experiment
from tegum.cli.models import AS_IT_IS, FILES_OWN, Reading, Wanted
from tegum.cli.output import MOST_LINES, say, say_first
from tegum.errors import InvalidInputError, Problems
from tegum.experiments import experiment_files, groups
from tegum.recorded import with_features
from tegum.report import Shown
from tegum.report import show as shown_of
from tegum.runs import open as opened
from tegum.runs import require_writable

_OURS = b"Drawn by tegum"


def show(
    what: str,
    /,
    *,
    wanted: Wanted = FILES_OWN,
    reading: Reading = AS_IT_IS,
    page: Path | None = None,
    out: Path = Path("results"),
) -> int:
    """Show a result or anyone's weights in pictures, or what an experiment trains, with its verdicts if it has run.

    Example: tegum show weights.npz --density 0.1

    Args:
        what: A folder of `tegum train` or `tegum phase`, a file of weights; or an id from `tegum list`, a Python file that
            defines an experiment.
        wanted: Options of features, for models.
        reading: Options of reading, for models.
        page: Where the page of a result goes; by default index.html in its folder, or beside a file, named like it.
        out: The folder of results to look for verdicts of an experiment in.
    """
    path = Path(what)
    if not path.exists() and path.suffix != ".py" and (path.suffix or len(path.parts) > 1):
        raise InvalidInputError(f"there is no {what}", "name a folder of tegum train or tegum phase, or a file of weights")
    if what in experiment_files() or what in groups() or path.suffix == ".py":
        return show_experiment(what, out)
    if not path.exists():
        close = get_close_matches(what, experiment_files(), n=1)
        other = "give a folder of tegum train or tegum phase, a file of weights, or an id from `tegum list`"
        what = f"there is neither a file nor an experiment called {what!r}"
        raise InvalidInputError(what, f"did you mean {close[0]!r}?" if close else other)
    if (path / "parts").is_dir():
        raise InvalidInputError(f"{what} holds experiments, not models", f"draw them with `tegum report {what}`")
    data = opened(path) if path.is_dir() else reading.read(path)
    if wanted != FILES_OWN:
        with Problems() as problems:
            if wanted.mean:
                problems.add(
                    "--mean is given", "leave it out: a page shows sums; tegum inspect and tegum exact-loss know means"
                )
            features = wanted.features(data, problems)
            with problems.collecting():
                data = data if wanted.activation is None else data.assign_attrs(net=repr(wanted.net(data)))
        data = data if features is None else with_features(data, features)
    place = _place_of(path) if page is None else page
    require_writable(place.parent)
    shown = shown_of(data, title=path.stem)
    say_shown(shown)
    if shown.absent and "features" not in data.attrs:
        say("for exact losses say what the features are, such as --density 0.1")
    say(f"open {shown.write(place)}")
    return 0


def say_shown(shown: Shown) -> None:
    """Says what a page shows: the models drawn, with losses and shapes, and where starts ended."""
    for line in shown.lead:
        say(line)
    for table in shown.tables:
        widths = [max(map(len, column)) for column in zip(table.columns, *table.rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table.rows]
        say(f"\n{table.title}:")
        say("  " + "  ".join(name.ljust(width) for name, width in zip(table.columns, widths, strict=True)).rstrip())
        say_first([f"  {line}" for line in lines], "  ... and {} more", MOST_LINES)
    for name, why in shown.absent.items():
        say(f"no {name}: {why}")


def _place_of(path: Path) -> Path:
    """Where the page of a result goes; a file of somebody else's is not written over."""
    place = path / "index.html" if path.is_dir() else path.with_suffix(".html")
    if place == path or (place.exists() and _OURS not in place.read_bytes()):
        raise InvalidInputError(
            f"{place} exists, and is no page of tegum's", "say where the page goes, such as --page shown.html"
        )
    return place
