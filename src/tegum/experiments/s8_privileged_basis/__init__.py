"""Section 8: superposition in a privileged basis."""
