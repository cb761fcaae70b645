"""The lab in a notebook: a widget of anywidget, whose address is a trait, so that Python sees what was moved."""

from pathlib import Path
from typing import Any, Literal

import xarray as xr

from tegum.checking import checked
from tegum.errors import InvalidInputError
from tegum.features import Features
from tegum.lab.address import read
from tegum.lab.document import style
from tegum.lab.joining import script
from tegum.lab.opening import beginning

_RENDER = """export default { render({ model, el }) {
  const options = { layout: model.get("layout"), worker: tegumLab.workerSource, given: true };
  const lab = tegumLab.mount(el, model.get("address"), options);
  const tell = setInterval(() => {
    if (!lab.frame || lab.address() === model.get("address")) return;
    model.set("address", lab.address());
    model.save_changes();
  }, 1000);
  model.on("change:address", () => { if (model.get("address") !== lab.address()) lab.set(model.get("address")); });
  return () => { clearInterval(tell); lab.destroy(); };
} };
"""


@checked
def widget(
    what: xr.Dataset | Path | str | None = None, *, features: Features | None = None, layout: Literal["page", "small"] = "page"
) -> Any:
    """A live lab for JupyterLab and VS Code; its trait ``address`` follows what is moved, and moves it.

    Args:
        what: where it begins: an address that `link` wrote, a dataset with a model, or the path of a result or of weights; by
            default five features in two dimensions.  ``tg.lab.read(widget.address)`` has the net, the features, W and b.
        features: what the features are, where the dataset or file does not say.
        layout: ``"page"``, or ``"small"`` for picture and density alone.

    Raises:
        InvalidInputError: where anywidget is not installed, or for what has no model that the lab knows.
    """
    if layout not in ("page", "small"):
        raise InvalidInputError(f"layout is {layout!r}", "choose page or small")
    address = beginning(what, features) or "#v=1&n=5&m=2"
    read(address)
    try:
        import anywidget
        import traitlets
    except ImportError:
        what = "anywidget is not installed, which shows the lab in a notebook"
        raise InvalidInputError(what, 'pip install "tegum[notebook]"; or tg.lab.open() shows it in the browser') from None
    traits = {name: traitlets.Unicode(value).tag(sync=True) for name, value in (("address", address), ("layout", layout))}
    own = {"_esm": script() + _RENDER, "_css": style(), **traits}
    return type("LabWidget", (anywidget.AnyWidget,), own)()
