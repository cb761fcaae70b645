"""Section 6: superposition and learning dynamics."""
