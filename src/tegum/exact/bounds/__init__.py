"""Bounds that hold everywhere: the closed-form loss of small worlds in interval arithmetic, without the engine's inversion."""
