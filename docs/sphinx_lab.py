"""The lab in the documentation: ``lab.html`` beside the pages, and the directive ``{lab}``, a small one in a page."""

from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import tegum as tg

SMALL, WHOLE = "lab-small.html", "lab-page.html"
HEIGHT = 640


class Lab(SphinxDirective):
    """A small lab that begins at an address, in a frame of its own."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The frame; the address is checked here."""
        address = self.arguments[0]
        tg.lab.read(address)
        style = f"width: 100%; max-width: 480px; height: {HEIGHT}px; border: 0"
        title = "A live model of features in superposition"
        frame = f'<iframe title="{title}" src="{SMALL}{escape(address)}" style="{style}"></iframe>'
        return [nodes.raw("", frame, format="html")]


def write_labs(app: Sphinx, error: Exception | None) -> None:
    """Writes both pages of the lab where the site is."""
    if error is None and app.builder.format == "html":
        folder = Path(app.outdir)
        tg.lab.write(folder / WHOLE)
        (folder / SMALL).write_text(tg.lab.page(layout="small", more=WHOLE), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("lab", Lab)
    app.connect("build-finished", write_labs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
