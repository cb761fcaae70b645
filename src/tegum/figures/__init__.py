"""Pictures: datasets in, plotly figures out."""

from tegum.figures.arrows import arrow_panels
from tegum.figures.theme import CONFIG

__all__ = ["CONFIG", "arrow_panels"]
