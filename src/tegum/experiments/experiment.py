"""What an experiment is: a study that trains, figures that show it, claims that judge it.

An experiment file holds no training loop, no file path, no random call and no plotly call; what two experiments share
belongs in the library.  To add one, write a file like `intro` and name it in `experiments/__init__.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
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
        id: the word that the command line knows it by.
        title: what it shows, in one line.
        paper: which figure or section of the paper it rebuilds.
        describe: what `tegum show` prints: what is trained, what is chosen where the paper is silent.
        seconds: estimated price of each profile on two cores.
        study: trains, and returns everything as one dataset.
        figures: the pictures of that dataset, by name.
        claims: the paper's statements, judged on that dataset.
    """

    id: str
    title: str
    paper: str
    describe: str
    seconds: dict[Profile, float]
    study: Callable[[Profile], xr.Dataset]
    figures: Callable[[xr.Dataset], dict[str, Figure]]
    claims: Callable[[xr.Dataset], list[Claim]]
