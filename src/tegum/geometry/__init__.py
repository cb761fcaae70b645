"""Measures of geometry: arrays in, arrays out."""

from tegum.geometry.alignment import aligned
from tegum.geometry.frames import coherence, frame_operator, frame_spectrum, leverage, tightness, welch_bound
from tegum.geometry.graph import FeatureGraph, feature_graph, learned
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
    "FeatureGraph",
    "aligned",
    "coherence",
    "cosines",
    "dimensionality",
    "dimensions_per_feature",
    "feature_graph",
    "feature_norms",
    "frame_operator",
    "frame_spectrum",
    "gram",
    "interference",
    "learned",
    "leverage",
    "phase_of",
    "polar_angles",
    "tightness",
    "welch_bound",
]
