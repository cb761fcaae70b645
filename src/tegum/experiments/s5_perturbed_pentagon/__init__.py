"""Section 5: non-uniform superposition, one feature perturbed."""
