"""Measures of geometry: arrays in, arrays out."""

from tegum.geometry.alignment import aligned
from tegum.geometry.measures import (
    cosines,
    dimensionality,
    dimensions_per_feature,
    feature_norms,
    gram,
    interference,
    polar_angles,
)
from tegum.geometry.phases import DEDICATED, NOT_LEARNED, SUPERPOSITION, phase_of

__all__ = [
    "DEDICATED",
    "NOT_LEARNED",
    "SUPERPOSITION",
    "aligned",
    "cosines",
    "dimensionality",
    "dimensions_per_feature",
    "feature_norms",
    "gram",
    "interference",
    "phase_of",
    "polar_angles",
]
