"""Packages whose names load on first use, so that a command waits for nothing that it does not need.

Problem.  `tegum list` prints a table, and with everything that packages import on their way comes everything else: plotly,
pandas, the solvers of SciPy, a compiler; three seconds.

Idea.  A package only says where each of its names is defined, in the place that type checkers and readers look at, and the name
loads when it is first asked for:

    if TYPE_CHECKING:
        from tegum.exact.evaluate import loss, loss_and_gradient
        from tegum.exact.minimise import minimise

    __all__ = ["loss", "loss_and_gradient", "minimise"]

    load_on_first_use(__name__)

A name may be that of the module which defines it, such as ``minimise`` here: the package's is the function.

>>> import tegum.exact
>>> tegum.exact.minimise.__module__, sorted(home_of_names("tegum.geometry"))[0]
('tegum.exact.minimise', 'Arrangement')

Modules import what they need at their top, as everywhere; what few calls need is in modules of its own.
Source: PEP 562, "Module __getattr__ and __dir__".
"""

import sys
from functools import cache
from importlib import import_module
from types import ModuleType

TYPE_CHECKING = False  # that of typing, which is not loaded: until the command line is, Ctrl-C leaves a traceback
if TYPE_CHECKING:
    from typing import Any


@cache
def home_of_names(package: str) -> dict[str, str]:
    """The module that defines each name of a package, as its block for type checkers says; of its own modules the package."""
    import ast  # takes as long as all else of `import tegum`

    with open(str(sys.modules[package].__file__), encoding="utf-8") as file:
        blocks = [one for one in ast.parse(file.read()).body if isinstance(one, ast.If)]
    imports = [one for block in blocks for one in block.body if isinstance(one, ast.ImportFrom)]
    return {name.name: str(one.module) for one in imports for name in one.names}


def load_on_first_use(package: str) -> None:
    """Lets the names of a package, those in its ``__all__``, load when they are first asked for."""
    sys.modules[package].__class__ = _Package


class _Package(ModuleType):
    """A package whose names load on first use."""

    def __getattr__(self, name: str) -> "Any":
        if name not in self.__dict__.get("__all__", ()):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        home = home_of_names(self.__name__)[name]
        try:
            if home == self.__name__:
                return import_module(f"{home}.{name}")
            value = getattr(import_module(home), name)
        except ImportError as error:
            if import_module("tegum.interruption").came_of_interruption(error):
                raise KeyboardInterrupt from error
            raise
        setattr(self, name, value)
        return value

    def __setattr__(self, name: str, value: "Any") -> None:
        """Also what Python does with a module of the package once it has loaded, which must not hide a name like its own."""
        if isinstance(value, ModuleType) and name in self.__all__ and home_of_names(self.__name__)[name] != self.__name__:
            value = getattr(value, name)
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *self.__all__})
