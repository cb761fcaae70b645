"""Section 4: the geometry of superposition."""
