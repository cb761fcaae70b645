"""Section 5: non-uniform superposition, correlated and anticorrelated features."""
