"""Which files of one's own a Python file imports, so that results are not taken for those of code that was changed since.

A file's imports are read from its text, those within functions, too, and followed through the modules that it imports.  Of
Python's own modules and the libraries that tegum builds on nothing counts; modules installed beside them count themselves, and
what these import does not: it may be all of another library.
"""

import ast
import importlib.util
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from itertools import accumulate
from pathlib import Path

from tegum.nets.code import is_own


def own_files(path: Path) -> list[Path]:
    """The files of the modules of one's own that a Python file imports, directly or through one another, sorted."""
    found: dict[Path, str] = {}
    waiting = [(path, "")]
    while waiting:
        file, package = waiting.pop()
        for name in _imports(file, package):
            module = _file_of(name) if is_own(name) else None
            if module is not None and module != path and module not in found:
                found[module] = name
                if not _is_installed(module):
                    waiting.append((module, name if module.stem == "__init__" else name.rpartition(".")[0]))
    return sorted(found)


def _imports(file: Path, package: str) -> Iterator[str]:
    """The names of modules that a file of this package imports, and names that may be modules of one that it imports from."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            with suppress(ImportError):  # more dots than there are packages
                base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
                names = [f"{base}.{one.name}" for one in node.names]
        for name in names:
            yield from accumulate(name.split("."), "{}.{}".format)


def _file_of(name: str) -> Path | None:
    """The file of a module, where there is one in Python."""
    file = None
    if (loaded := sys.modules.get(name)) is not None:
        file = getattr(loaded, "__file__", None)
    else:
        with suppress(Exception):  # a package of one's own, which is imported to look into it, may raise anything
            spec = importlib.util.find_spec(name)
            file = spec and spec.origin
    return Path(file).resolve() if file and Path(file).suffix == ".py" and Path(file).is_file() else None


def _is_installed(file: Path) -> bool:
    """Whether a file lies where packages are installed."""
    return any(file.is_relative_to(Path(sysconfig.get_path(kind)).resolve()) for kind in ("purelib", "platlib"))
