"""Pictures of a result or of a file of weights, on a page and in words: `tegum show` where it is given one."""

from contextlib import suppress
from pathlib import Path

from tegum.cli.models import anything_in, as_wanted, ranked, wanted_features, wanted_net
from tegum.cli.options import FILES_OWN, Reading, Wanted
from tegum.cli.output import MOST_LINES, say, say_first
from tegum.cli.pages import require_page
from tegum.errors import InvalidInputError, Problems
from tegum.report import Shown, show
from tegum.runs import require_writable
from tegum.runs.opening import result_file


def draw(path: Path, wanted: Wanted, reading: Reading, page: Path | None) -> int:
    """Writes the page and says what is on it."""
    if (path / "parts").is_dir():
        advice = f"draw them with `tegum report {path}`"
        with suppress(InvalidInputError):
            advice += f", or the result beside them with `tegum show {result_file(path)}`"
        raise InvalidInputError(f"{path} holds experiments, not models", advice)
    data = anything_in(path, reading)
    if wanted != FILES_OWN:
        with Problems() as problems:
            features = wanted_features(data, wanted, problems)
            net = None
            with problems.collecting():
                net = None if wanted.activation is None else wanted_net(data, wanted)
        data = ranked(as_wanted(data, features, net))
    place = (path / "index.html" if path.is_dir() else path.with_suffix(".html")) if page is None else page
    require_page(place, "--page")
    require_writable(place.parent, "choose another with --page")
    shown = show(data, title=path.stem)
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
