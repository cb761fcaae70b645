"""Measures of geometry: arrays in, arrays out."""

from tegum.geometry.alignment import aligned, aligned_to
from tegum.geometry.catalogue import composite_name, polygon, simplex
from tegum.geometry.codes import CODES, Code, blocks_of, code_of, hand_built, sign_pattern
from tegum.geometry.events import Event, Jump, events, jumps, quiet_change, settled
from tegum.geometry.frames import coherence, frame_operator, frame_spectrum, leverage, tightness, welch_bound
from tegum.geometry.graph import FeatureGraph, factor_dimensions, feature_graph, largest_across, learned
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
from tegum.geometry.motif import Motif, hand_built_motif, motifs, responses
from tegum.geometry.neurons import (
    left_out,
    main_features,
    monosemantic,
    neuron_order,
    participation_ratio,
    random_rotations,
    rescaled_neurons,
    second_to_first,
    silent_neurons,
    weights_above,
)
from tegum.geometry.phases import DEDICATED, NOT_LEARNED, SUPERPOSITION, phase_of
from tegum.geometry.projection import ignoring
from tegum.geometry.purity import level_distance, purity
from tegum.geometry.stages import Plateau, Visit, axis_frame, between_sets, plateaus, stages, visits
from tegum.geometry.thomson import relu_energy, thomson_points
from tegum.geometry.top_activations import primary_share

__all__ = [
    "CODES",
    "DEDICATED",
    "NOT_LEARNED",
    "SUPERPOSITION",
    "Code",
    "Component",
    "Event",
    "FeatureGraph",
    "Identification",
    "Jump",
    "Motif",
    "Plateau",
    "Visit",
    "aligned",
    "aligned_to",
    "axis_frame",
    "between_sets",
    "blocks_of",
    "code_of",
    "coherence",
    "composite_name",
    "cosines",
    "dimensionality",
    "dimensions_per_feature",
    "events",
    "factor_dimensions",
    "feature_graph",
    "feature_norms",
    "frame_operator",
    "frame_spectrum",
    "gram",
    "hand_built",
    "hand_built_motif",
    "identify",
    "ignoring",
    "interference",
    "jumps",
    "largest_across",
    "learned",
    "left_out",
    "level_distance",
    "leverage",
    "main_features",
    "monosemantic",
    "motifs",
    "neuron_order",
    "participation_ratio",
    "phase_of",
    "plateaus",
    "polar_angles",
    "polygon",
    "primary_share",
    "purity",
    "quiet_change",
    "random_rotations",
    "relu_energy",
    "rescaled_neurons",
    "responses",
    "second_to_first",
    "settled",
    "shape_names",
    "sign_pattern",
    "silent_neurons",
    "simplex",
    "stages",
    "thomson_points",
    "tightness",
    "visits",
    "weights_above",
    "welch_bound",
]
