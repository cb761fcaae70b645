"""Section 9: computation in superposition."""
