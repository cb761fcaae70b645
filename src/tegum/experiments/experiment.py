"""What an experiment is: a study that trains, figures that show it, claims that judge it.

One file, one experiment: it ends with ``experiment = Experiment(__name__, ...)``, its name is the experiment's id, and its
docstring says what is trained.  To add one to the paper's, copy a file of its section; nothing else has to be told.  It holds
no training loop, no file path, no random call and no plotly call; what two experiments of a section share is the section's
``shared.py``, what two sections share belongs in the library.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, final

import plotly.graph_objects as go
import xarray as xr

from tegum.claims import Claim

Profile = Literal["quick", "paper"]


@final
@dataclass(frozen=True)
class Figure:
    """A picture with its caption: what to see in it, how it was made."""

    picture: go.Figure
    caption: str


@final
@dataclass(frozen=True)
class Experiment:
    """One figure of the paper, rebuilt and judged.

    Args:
        module: the ``__name__`` of the file that defines it.
        title: what it shows, in one line.
        paper: which figure or section of the paper it rebuilds.
        seconds: estimated cost of each profile on two cores.
        study: trains, and returns everything as one dataset.
        figures: the pictures of that dataset, by name.
        claims: the paper's statements, judged on that dataset.
        order: where it stands among the experiments of its section of the paper.
    """

    module: str
    title: str
    paper: str
    seconds: dict[Profile, float]
    study: Callable[[Profile], xr.Dataset]
    figures: Callable[[xr.Dataset], dict[str, Figure]]
    claims: Callable[[xr.Dataset], list[Claim]]
    order: float = 0

    @property
    def id(self) -> str:
        """The word that the command line knows it by: the name of its file, with hyphens."""
        return self.file.stem.replace("_", "-")

    @property
    def file(self) -> Path:
        """The file that defines it."""
        return Path(str(sys.modules[self.module].__file__)).resolve()

    @property
    def describe(self) -> str:
        """What `tegum show` prints: what is trained, and what is chosen where the paper is silent."""
        return (sys.modules[self.module].__doc__ or "").strip()
