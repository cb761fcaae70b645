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

__all__ = [
    "aligned",
    "cosines",
    "dimensionality",
    "dimensions_per_feature",
    "feature_norms",
    "gram",
    "interference",
    "polar_angles",
]
