"""Certified maps: the optimum at every point of a grid of worlds, its shape, and where one shape takes over from another."""

from tegum.maps.minima import lowest_minima
from tegum.maps.phase_map import phase_map

__all__ = ["lowest_minima", "phase_map"]
