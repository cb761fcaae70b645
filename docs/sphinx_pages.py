"""What Sphinx needs to be told: how every experiment was made, a recipe's fields, and how our docstrings are laid out.

The directive ``{experiments}`` writes a section for each of the paper's experiments, or of a group that it names, from its
docstring; ``{recipe-fields}`` a line for each field of a recipe; ``{parts}`` a package's public names, of all its
modules or of those that it names, module by module, with what each module says of its problem, formula and source; below a
function of `tegum.figures` stands a picture that it made.
"""

import ast
import inspect
import re
from collections import Counter
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from docutils import nodes
from numpy.typing import ArrayLike
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import stringify_annotation

from tegum.experiments import every_experiment, experiments_called, heading_of
from tegum.training import Recipe


class Experiments(SphinxDirective):
    """A section for each experiment: which figure of the paper, what is trained, what the paper leaves open, the cost."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The sections."""
        found: list[nodes.Node] = []
        papers = [each for each in every_experiment() if not heading_of(each)]
        for experiment in experiments_called(self.arguments[0]) if self.arguments else papers:
            cost = ", ".join(f"{profile} {seconds:g} s" for profile, seconds in experiment.seconds.items())
            text = "\n\n".join(
                paragraph.replace("\n", " ") for paragraph in experiment.describe.replace("`", "").strip().split("\n\n")
            )
            section = nodes.section(ids=[f"experiment-{experiment.id}"], names=[experiment.id])
            section += nodes.title(text=experiment.title)
            command = nodes.paragraph()
            command += [nodes.Text(f"{experiment.paper}. "), nodes.literal(text=f"tegum reproduce {experiment.id}")]
            command += nodes.Text(f" ({cost} on two cores).")
            section += command
            section += [nodes.paragraph(text=paragraph) for paragraph in text.split("\n\n")]
            found.append(section)
        return found


class RecipeFields(SphinxDirective):
    """The fields of a recipe: name, default, meaning."""

    def run(self) -> list[nodes.Node]:
        """A list of definitions."""
        found = nodes.definition_list()
        for name, field in Recipe.model_fields.items():
            term = nodes.term("", "", nodes.literal(text=f"{name}={field.default!r}"))
            meaning = nodes.definition("", nodes.paragraph(text=field.description or ""))
            found += nodes.definition_list_item("", term, meaning)
        return [found]


class Parts(SphinxDirective):
    """What a package makes public, in the order in which it names its modules, below each module's own words."""

    required_arguments = 1
    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """A rubric, the module's docstring and its public functions and classes, for each module."""
        package, *modules = self.arguments[0], *" ".join(self.arguments[1:]).split()
        package, lines = import_module(package), []
        for statement in ast.walk(ast.parse(inspect.getsource(package))):
            module = str(getattr(statement, "module", ""))
            wanted = not modules or module.rpartition(".")[2] in modules
            if isinstance(statement, ast.ImportFrom) and module.startswith(f"{package.__name__}.") and wanted:
                names = [alias.name for alias in statement.names if alias.name in package.__all__]
                members = [line for name in names for line in self._member(package, name)]
                if members:
                    lines += [f".. rubric:: {statement.module}", "", f".. automodule:: {statement.module}", "   :no-index:", ""]
                    lines += members
        return self.parse_text_to_nodes("\n".join(lines))

    @staticmethod
    def _member(package: ModuleType, name: str) -> list[str]:
        """The directive of a function or class; constants are left out."""
        value = getattr(package, name)
        if inspect.isclass(value):
            return [f".. autoclass:: {package.__name__}.{name}", "   :members:", ""]
        if not inspect.isfunction(value):
            return []
        picture = [f".. image:: /pictures/figures/{name}.png", f"   :alt: A picture that {name} made", ""]
        drawn = (
            Path(__file__).parent / "pictures" / "figures" / f"{name}.png"
        ).exists() and package.__name__ == "tegum.figures"
        return [f".. autofunction:: {package.__name__}.{name}", "", *(picture if drawn else [])]


def as_text(line: str) -> str:
    """A line of a docstring as reStructuredText: `names` in single quotes are code, bars are bars."""
    line = re.sub(r"(?<![`:])`([^`<]+)`(?![`_])", r"``\1``", line)
    pieces = re.split(r"(``[^`]*``)", line)
    return "".join(piece if piece.startswith("``") else piece.replace("|", r"\|") for piece in pieces)


def laid_out(lines: list[str]) -> list[str]:
    """A module's docstring: indented formulas and examples are literal text."""
    out: list[str] = []
    inside = False
    for number, line in enumerate(lines):
        indented = line.startswith("    ")
        if indented and not inside and (number == 0 or not lines[number - 1].strip()):
            out += ["::", ""]
            inside = True
        elif line.strip() and not indented:
            if inside and out[-1].strip():
                out.append("")
            inside = False
        out.append(line if inside else as_text(line))
    return out


def process(_: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """What autodoc calls for each docstring."""
    lines[:] = laid_out(lines) if what == "module" else [as_text(line) for line in lines]


def shorten(_: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str | None) -> Any:
    """A signature with the name of NumPy's type of "anything like an array" in place of what it stands for."""
    long = stringify_annotation(ArrayLike, "smart")
    return [text and text.replace(long, "ArrayLike") for text in (signature, returns)]


def keep_offline(_: Sphinx, page: str, template: str, context: dict[str, Any], tree: nodes.document | None) -> None:
    """Removes what plotly would ask from the network: the pages are read from disk, too."""
    if "body" in context:
        context["body"] = re.sub(r'<script[^>]*src="https?://[^"]*"[^>]*></script>', "", context["body"])


def name_pages_outside(_: Sphinx, page: str, source: list[str]) -> None:
    """Names pages that are not part of the site, such as the README, where their source links to them."""
    source[0] = re.sub(r"\[([\w.]+)\]\(\.\./\w+\.md\)", r"\1", source[0])


_FOR_ALL = {
    r'role="heading"(?! aria-level)': 'role="heading" aria-level="2"',
    r"<pre(?! tabindex)\b": '<pre tabindex="0"',
    r'<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
    r'<aside class="sidebar-drawer"': '<aside aria-label="all pages" class="sidebar-drawer"',
    r'<aside class="toc-drawer': '<aside aria-label="on this page" class="toc-drawer',
    r'<th class="head"><p></p></th>': '<td class="head"></td>',
}
"""What pages need that are read by keyboard, or aloud, and do not get from their theme."""


def for_all(app: Sphinx, error: Exception | None) -> None:
    """Makes the pages fit to be read by keyboard, and aloud."""
    for path in Path(app.outdir).rglob("*.html") if error is None and app.builder.format == "html" else ():
        text = path.read_text(encoding="utf-8")
        for old, new in _FOR_ALL.items():
            text = re.sub(old, new, text)
        path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    doubled = [name for name, count in Counter(experiment.id for experiment in every_experiment()).items() if count > 1]
    if doubled:
        raise ValueError(f"two experiments are called {', '.join(doubled)}")
    app.add_directive("experiments", Experiments)
    app.add_directive("recipe-fields", RecipeFields)
    app.add_directive("parts", Parts)
    app.connect("source-read", name_pages_outside)
    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-process-signature", shorten)
    app.connect("html-page-context", keep_offline)
    app.connect("build-finished", for_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
