"""What was published on these models after the paper: double descent, correlated worlds, scaling laws, capacities and spectra.

Each printed statement is a claim with the number measured here beside it, and each experiment asks what only an exact loss can
answer: is the effect a property of the objective's minima, or of the optimiser that was stopped on the way?
"""

HEADING = "Beyond the paper"
