"""`tegum lab`: the live lab in the browser, on a model of one's own where a file is named."""

import webbrowser
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tegum.cli.models import anything_in, as_wanted, ranked, wanted_features, wanted_net
from tegum.cli.options import AS_IT_IS, FILES_OWN, Reading, Wanted, given
from tegum.cli.output import say
from tegum.cli.pages import require_page
from tegum.errors import InvalidInputError, Problems
from tegum.features import Independent
from tegum.lab import model_of, page, record_of
from tegum.lab.opening import address_in
from tegum.recorded import with_features
from tegum.runs import write_atomically

_PAGE = Path("lab.html")
_DENSITY = 0.1
"""Of weights that do not say what their features are: the page has a slider."""


def lab(
    what: str | None = None,
    /,
    *,
    wanted: Wanted = FILES_OWN,
    reading: Reading = AS_IT_IS,
    out: Path = _PAGE,
    replay: Annotated[bool, Parameter(negative="")] = False,
    browser: bool = True,
) -> int:
    """Open the live lab: drag a feature and watch the others give way, down their exact loss.

    Example: tegum lab weights.safetensors --density 0.1

    Args:
        what: A result or a file of weights to begin with, or an address, '#v=1&n=5&m=2&p=0.1'; else five features in two
            dimensions.
        wanted: Options of features, for models.
        reading: Options of reading, for models.
        out: Where the page goes.
        replay: Play a recorded training step by step in place of a live model.
        browser: Open the page in the browser.
    """
    named = what is not None and not what.startswith("#")
    options = given(wanted, reading) + (["--replay"] if replay else [])
    if options and not named:
        what = f"{' and '.join(options)} {'is' if len(options) == 1 else 'are'} given, and no file of models"
        raise InvalidInputError(what, "name one, or write an address, '#v=1&n=5&m=2&p=0.1', without options")
    require_page(out, "--out")
    text = _of_models(Path(what), wanted, reading, replay) if what is not None and named else page(what or "")
    write_atomically(out, text.encode())
    say(f"open {out}")
    if browser:
        webbrowser.open(out.resolve().as_uri())
    return 0


def _of_models(path: Path, wanted: Wanted, reading: Reading, replay: bool) -> str:
    """The page of a model of a file or of a result's folder."""
    if not path.exists():
        raise InvalidInputError(f"there is no {path}", "name a folder of tegum train, or a file of weights")
    own = address_in(path) if (wanted, reading, replay) == (FILES_OWN, AS_IT_IS, False) else ""
    if own:
        return page(own)
    data = anything_in(path, reading)
    with Problems() as problems:
        features = wanted_features(data, wanted, problems) if wanted != FILES_OWN else None
    if features is None and "features" not in data.attrs:
        say(f"the file does not say what its features are: density {_DENSITY}, unless --density says otherwise")
        data = with_features(data, Independent(data.sizes["feature"], density=_DENSITY))
    net = wanted_net(data, wanted) if wanted.activation is not None else None
    data = ranked(as_wanted(data, features, net))
    if replay:
        return page(record=record_of(data, net=net))
    found = model_of(data, net=net)
    if found.said:
        say(f"shown: {found.said}")
    return page(found.address)
