"""Appendices of the paper."""
