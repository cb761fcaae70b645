"""The live lab: a page on which toy models of superposition move, with their exact loss.

>>> import tegum as tg
>>> tg.lab.link(tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.05), page="lab.html")
'lab.html#v=1&n=5&m=2&p=0.05'

`open` shows it in the browser, `write` makes a file of it, `widget` shows it in a notebook, `replay` plays a recorded training.
Another page holds a lab by `script`, `style` and one line of its own, in one inline script or more:

    tegumLab.mount(element, "#v=1&n=5&m=2&p=0.05", {layout: "small", worker: tegumLab.workerSource, more: "lab.html"})

Its policy allows ``worker-src blob:``, or the model is computed beside the page; ``more`` is the page that `write` wrote.
"""

from typing import TYPE_CHECKING

from tegum.loading import load_on_first_use

if TYPE_CHECKING:
    from tegum.lab.address import Setting, link, read
    from tegum.lab.document import Record, page, style, write
    from tegum.lab.joining import script
    from tegum.lab.notebook import widget
    from tegum.lab.opening import Model, model_of, open, record_of, replay  # noqa: A004

__all__ = [
    "Model",
    "Record",
    "Setting",
    "link",
    "model_of",
    "open",
    "page",
    "read",
    "record_of",
    "replay",
    "script",
    "style",
    "widget",
    "write",
]

load_on_first_use(__name__)
