"""Adversarial perturbations of the input, never longer than their limit, and what they do to the loss."""

from tegum.attacks.analytic import Attacked, analytic_attack
from tegum.attacks.gradient import gradient_attack
from tegum.attacks.reference import average_norm, without_superposition

__all__ = ["Attacked", "analytic_attack", "average_norm", "gradient_attack", "without_superposition"]
