"""What an experiment is: a study that trains, figures that show it, claims that judge it.

One file, one experiment: it has the functions ``study``, ``figures`` and ``claims`` and ends with
``experiment = Experiment(__name__, ...)``; its name is the experiment's id, its docstring says what is trained.  To add one to
tegum's, copy a file of its section; nothing else has to be told.  It holds no training loop, no file path, no random call
and no plotly call; what two experiments of a section share is the section's ``shared.py``, what two sections share belongs in
the library.
"""

import re
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Literal, TypeVar, final, get_args

import plotly.graph_objects as go
import xarray as xr

from tegum.checking import Checked, check_fields, shown
from tegum.claims import Claim
from tegum.errors import InvalidInputError, Problems
from tegum.interruption import noticing_interruption
from tegum.provenance import provenance

T = TypeVar("T")
Profile = Literal["quick", "paper"]


@final
@dataclass(frozen=True)
class Figure(metaclass=Checked):
    """A picture with its caption: what to see in it, how it was made."""

    picture: go.Figure
    caption: str

    def __post_init__(self) -> None:
        problems = Problems()
        check_fields(self, problems)
        if not isinstance(self.picture, go.Figure):
            problems.add(f"picture is {shown(self.picture)}", "give a figure of plotly")
        problems.raise_if_any()


@final
@dataclass(frozen=True)
class Experiment(metaclass=Checked):
    """One figure of the paper, or another question, by three functions of a module: ``study``, ``figures`` and ``claims``.

    What claims nothing needs no function ``claims``.

    Args:
        module: the ``__name__`` of the file that defines them.
        title: what it shows, in one line.
        paper: which figure or section of the paper it rebuilds; or what else it is about, such as "Open problem O49".
        seconds: estimated cost of each profile on two cores of a 2024 server.
        order: where it stands among the experiments of its section of the paper.
    """

    module: str
    title: str
    paper: str
    seconds: dict[Profile, float]
    order: float = 0

    def __post_init__(self) -> None:
        problems = Problems()
        check_fields(self, problems)
        if self.module not in sys.modules:
            problems.add(f"module is {shown(self.module)}", "give __name__")
        elif not re.fullmatch(r"\w[\w -]*", self.id):
            problems.add(f"the file is called {self.file.name!r}", "choose letters, digits and hyphens, such as my_idea.py")
        if isinstance(self.seconds, Mapping):
            for profile in get_args(Profile):
                problems.check_number(f"seconds[{profile!r}]", self.seconds.get(profile), 0, 1e9)
        problems.raise_if_any()

    @property
    def id(self) -> str:
        """The word that the command line knows it by: the name of its file, with hyphens."""
        return self.file.stem.replace("_", "-")

    @property
    def file(self) -> Path:
        """The file that defines it."""
        return Path(str(self._module.__file__)).resolve()

    @property
    def describe(self) -> str:
        """What `tegum show` prints: what is trained, and what is chosen where the paper is silent."""
        return (self._module.__doc__ or "").strip()

    def study(self, profile: Profile) -> xr.Dataset:
        """Trains, and returns everything as one dataset, with its provenance.

        Its attribute ``interrupted`` is 1 where Ctrl-C ended it early.
        """
        with noticing_interruption() as pressed:
            data = self._called("study", profile, xr.Dataset)
        early = int(bool(pressed or data.attrs.get("interrupted")))
        return data.assign_attrs({**provenance(), **data.attrs, "interrupted": early})

    def figures(self, data: xr.Dataset) -> dict[str, Figure]:
        """The pictures of that dataset, by name."""
        figures = self._called("figures", data, dict)
        for name, figure in figures.items():
            if not isinstance(figure, Figure):
                raise self._wrong("figures", f"returns {shown(figure)} as {name!r}", "wrap it: Figure(picture, caption)")
            if not isinstance(name, str) or not re.fullmatch(r"[^/\\\0]+", name):
                raise self._wrong("figures", f"calls one {name!r}", "choose a word that can be part of a file's name")
        return figures

    def claims(self, data: xr.Dataset) -> list[Claim]:
        """The statements, judged on that dataset; none where the file has no function ``claims``."""
        claims = self._called("claims", data, list) if hasattr(self._module, "claims") else []
        if other := [claim for claim in claims if not isinstance(claim, Claim)]:
            raise self._wrong("claims", f"returns {shown(other[0])} in its list", "let it return instances of Claim")
        counts = Counter(claim.name for claim in claims)
        if twice := [name for name, count in counts.items() if count > 1]:
            raise self._wrong("claims", f"returns {counts[twice[0]]} claims called {twice[0]!r}", "give each its own name")
        return claims

    def _wrong(self, name: str, what: str, advice: str) -> InvalidInputError:
        """What is wrong with the function of that name, and the line where it begins."""
        code = getattr(getattr(self._module, name), "__code__", None)
        line = "" if code is None else f", line {code.co_firstlineno}"
        return InvalidInputError(f"{self.file.name}{line}: {name} {what}", advice)

    @property
    def _module(self) -> ModuleType:
        return sys.modules[self.module]

    def _called(self, name: str, argument: object, kind: type[T]) -> T:
        """What the module's function of that name returns."""
        function = getattr(self._module, name, None)
        if function is None:
            raise InvalidInputError(f"{self.file.name} has no function {name}", f"write one that returns a {kind.__name__}")
        try:
            signature(function).bind(argument)
        except TypeError:
            raise self._wrong(name, "is no function of one argument", f"write one that returns a {kind.__name__}") from None
        found = function(argument)
        if not isinstance(found, kind):
            advice = "let it return {name: Figure(picture, caption)}" if kind is dict else f"let it return a {kind.__name__}"
            raise self._wrong(name, f"returns a {type(found).__name__}", advice)
        return found
