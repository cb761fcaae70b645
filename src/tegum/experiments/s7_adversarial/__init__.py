"""Section 7: the relation to adversarial robustness."""
