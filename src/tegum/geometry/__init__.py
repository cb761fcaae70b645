"""Measures of geometry: arrays in, arrays out."""

from typing import TYPE_CHECKING

from tegum.loading import load_on_first_use

if TYPE_CHECKING:
    from tegum.geometry.alignment import aligned, aligned_to, likeness, likeness_by_chance
    from tegum.geometry.catalogue import ignoring, polygon, simplex
    from tegum.geometry.codes import Code, code_of, hand_built
    from tegum.geometry.events import Event, events
    from tegum.geometry.graph import FeatureGraph, feature_graph
    from tegum.geometry.identification import Component, Identification, identify, shape_names
    from tegum.geometry.measures import (
        coherence,
        cosines,
        dimensionality,
        dimensions_per_feature,
        feature_norms,
        frame_spectrum,
        gram,
        interference,
        leverage,
        phase_of,
        polar_angles,
        spectral_spread,
        tightness,
        welch_bound,
    )
    from tegum.geometry.motif import Motif, hand_built_motif, motifs
    from tegum.geometry.neurons import (
        left_out,
        main_features,
        monosemantic,
        neuron_order,
        participation_ratio,
        rescaled_neurons,
        second_to_first,
        weights_above,
    )
    from tegum.geometry.samples import sample_dimensionality, sample_vectors
    from tegum.geometry.sets import Arrangement, arrangement_of, circle_gaps
    from tegum.geometry.stages import Visit, visits
    from tegum.geometry.thomson import relu_energy

__all__ = [
    "Arrangement",
    "Code",
    "Component",
    "Event",
    "FeatureGraph",
    "Identification",
    "Motif",
    "Visit",
    "aligned",
    "aligned_to",
    "arrangement_of",
    "circle_gaps",
    "code_of",
    "coherence",
    "cosines",
    "dimensionality",
    "dimensions_per_feature",
    "events",
    "feature_graph",
    "feature_norms",
    "frame_spectrum",
    "gram",
    "hand_built",
    "hand_built_motif",
    "identify",
    "ignoring",
    "interference",
    "left_out",
    "leverage",
    "likeness",
    "likeness_by_chance",
    "main_features",
    "monosemantic",
    "motifs",
    "neuron_order",
    "participation_ratio",
    "phase_of",
    "polar_angles",
    "polygon",
    "relu_energy",
    "rescaled_neurons",
    "sample_dimensionality",
    "sample_vectors",
    "second_to_first",
    "shape_names",
    "simplex",
    "spectral_spread",
    "tightness",
    "visits",
    "weights_above",
    "welch_bound",
]

load_on_first_use(__name__)
