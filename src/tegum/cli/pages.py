"""Where a page goes that a command writes: never over a file of somebody else's, such as the weights that it is of."""

from pathlib import Path

from tegum.errors import InvalidInputError
from tegum.report.template import is_page

_LAB = b'tegumLab.mount(document.getElementById("lab"), '


def require_page(place: Path, option: str) -> Path:
    """The path, where there is nothing or a page of tegum; else an `InvalidInputError` that names the option for another."""
    if place.is_file():
        content = place.read_bytes()
        if not is_page(content) and _LAB not in content:
            what = f"{place} exists, and is no page of tegum's"
            raise InvalidInputError(what, f"say where the page goes, such as {option} shown.html")
    return place
