"""The compiled parts of the posterior laboratory: random streams, losses, steps of chains, volumes of level sets.

What chains and groups call is copied into them.  Functions that are only linked are there in several copies, optimised each on
its own: a process that has just compiled them all runs another one than a process that reads the caller from disk, and last
bits differ.
"""
