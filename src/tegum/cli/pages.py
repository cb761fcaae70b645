"""Where a page goes that a command writes: never over a file of somebody else's, such as the weights that it is of."""

from pathlib import Path

from tegum.cli.output import say
from tegum.errors import InvalidInputError
from tegum.report import ResultFolder
from tegum.report.template import is_page, place_for_page
from tegum.runs import RESULT, SWEEP
from tegum.runs.files import set_aside

_LAB = b'tegumLab.mount(document.getElementById("lab"), '


def require_page(place: Path, option: str) -> Path:
    """The path, where there is nothing or a page of tegum; else an `InvalidInputError` that names the option for another."""
    if place.is_file():
        content = place.read_bytes()
        if not is_page(content) and _LAB not in content:
            what = f"{place} exists, and is no page of tegum's"
            raise InvalidInputError(what, f"say where the page goes, such as {option} shown.html")
    return place


def page_in(out: Path) -> Path:
    """What the page of a result is called in its folder: index.html, which beside experiments is the page of these."""
    return out / ("result.html" if ResultFolder(out, say).names() else "index.html")


def place_in(out: Path) -> Path:
    """The same; somebody else's file there is set aside, saying so."""
    return place_for_page(page_in(out), say)


def set_page_aside(out: Path) -> None:
    """Sets the page of an earlier result aside, where this one has none."""
    page = page_in(out)
    if page.is_file() and is_page(page.read_bytes()):
        say(f"{page} is of an earlier result: it is kept as {set_aside(page, 'older').name}")


def make_room(out: Path) -> None:
    """Renames the page of a result without experiments, in whose folder that of experiments will be index.html."""
    page, other = out / "index.html", out / "result.html"
    results = [out / name for name in (RESULT, SWEEP) if (out / name).exists()]
    if results and page_in(out) == page and page.is_file() and is_page(page.read_bytes()):
        page.replace(place_for_page(other, say))
        say(f"the page of {results[0]} is {other} now")
