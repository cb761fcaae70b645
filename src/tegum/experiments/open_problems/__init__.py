"""Questions asked in print about exactly these models, answered in numbers that can be checked.

They are registered, in other letters, in Lionel Levine's list "Mathematics for AI Safety" (2026, CC-BY), by the numbers that
stand beside the claims.  Whatever is said here is an answer of ours, with how sure it is: proved; certified globally,
where a bound covers all parameters; certified locally, where K starts were followed to their minima and the exact loss rises
on all sides of the lowest.
"""

HEADING = "Open problems"
