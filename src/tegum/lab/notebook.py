"""The lab in a notebook: a widget of anywidget, whose address is a trait, so that Python sees what was moved."""

from typing import Any

from tegum.checking import checked
from tegum.errors import InvalidInputError
from tegum.lab.address import read
from tegum.lab.document import style
from tegum.lab.joining import script

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
def widget(address: str = "#v=1&n=5&m=2", layout: str = "page") -> Any:
    """A live lab for JupyterLab and VS Code; its trait ``address`` follows what is moved, and moves it.

    Args:
        address: where it begins, as `link` writes it; ``tg.lab.read(widget.address)`` has the net, the features, W and b.
        layout: ``"page"``, or ``"small"`` for picture and density alone.

    Raises:
        InvalidInputError: where anywidget is not installed, or for an address that is none.
    """
    read(address)
    if layout not in ("page", "small"):
        raise InvalidInputError(f"layout is {layout!r}", "choose page or small")
    try:
        import anywidget
        import traitlets
    except ImportError:
        what = "anywidget is not installed, which shows the lab in a notebook"
        raise InvalidInputError(what, 'pip install "tegum[notebook]"; or tg.lab.open() shows it in the browser') from None
    traits = {name: traitlets.Unicode(value).tag(sync=True) for name, value in (("address", address), ("layout", layout))}
    own = {"_esm": script() + _RENDER, "_css": style(), **traits}
    return type("LabWidget", (anywidget.AnyWidget,), own)()
