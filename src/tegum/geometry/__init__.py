"""Measures of geometry: arrays in, arrays out."""

from tegum.geometry.alignment import aligned
from tegum.geometry.catalogue import composite_name, polygon, simplex
from tegum.geometry.frames import coherence, frame_operator, frame_spectrum, leverage, tightness, welch_bound
from tegum.geometry.graph import FeatureGraph, feature_graph, learned
from tegum.geometry.identification import Component, Identification, identify, shape_names
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
from tegum.geometry.projection import ignoring
from tegum.geometry.thomson import relu_energy, thomson_points

__all__ = [
    "DEDICATED",
    "NOT_LEARNED",
    "SUPERPOSITION",
    "Component",
    "FeatureGraph",
    "Identification",
    "aligned",
    "coherence",
    "composite_name",
    "cosines",
    "dimensionality",
    "dimensions_per_feature",
    "feature_graph",
    "feature_norms",
    "frame_operator",
    "frame_spectrum",
    "gram",
    "identify",
    "ignoring",
    "interference",
    "learned",
    "leverage",
    "phase_of",
    "polar_angles",
    "polygon",
    "relu_energy",
    "shape_names",
    "simplex",
    "thomson_points",
    "tightness",
    "welch_bound",
]
