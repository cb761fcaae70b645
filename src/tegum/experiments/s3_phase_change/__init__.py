"""Section 3: superposition as a phase change."""
