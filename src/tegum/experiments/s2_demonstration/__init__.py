"""Section 2: demonstrating superposition."""
