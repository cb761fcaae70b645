"""Section 10: the strategic picture of superposition."""
