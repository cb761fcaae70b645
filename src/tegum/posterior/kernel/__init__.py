"""The compiled parts of the posterior laboratory: random streams, losses, steps of chains, volumes of level sets."""
