"""From a distribution to the laws whose moments and tails are known: a mixture's parts, each a table of states or half lines.

A part that is a law of finitely many states is summed over; of independent blocks, or of k of n features, each output is a
`HalfLine` away.
"""

from collections.abc import Iterator

from tegum.errors import InvalidInputError
from tegum.exact.laws.answer import ON_SAMPLES
from tegum.exact.laws.choice import leaves, of_constants, of_parts
from tegum.exact.laws.magnitude import Transform
from tegum.exact.laws.states import StatesLaw
from tegum.exact.laws.transform import BlockProduct, Choices, Product
from tegum.features import Constant, Exponential, Features, FiniteLaw, Joined, KSparse, Magnitude

Inverted = tuple[Magnitude, bool, Product]
"""Magnitudes, whether they have both signs, and how features combine."""


def known_laws(features: Features) -> Iterator[tuple[float, StatesLaw | Inverted]]:
    """The parts of a single distribution, with their weights.

    Raises:
        InvalidInputError: for what is neither.
    """
    for weight, leaf in leaves(features, 1.0):
        yield weight, _known(leaf)


def _known(leaf: Features) -> StatesLaw | Inverted:
    if isinstance(leaf, FiniteLaw):
        return StatesLaw(leaf.states, leaf.probabilities)
    together = isinstance(leaf, Joined) and not (leaf.has_blocks() and hasattr(leaf, "magnitude"))
    if together or isinstance(leaf.magnitude, Constant):
        law = of_parts(leaf) if isinstance(leaf, Joined) and together else of_constants(leaf)
        if isinstance(law, StatesLaw):
            return law
        raise InvalidInputError(f"moments and tails of {leaf!r} are not known", ON_SAMPLES)
    if not isinstance(leaf.magnitude, Exponential):
        Transform(leaf.magnitude, leaf.signed).require_usable()
    if isinstance(leaf, KSparse):
        return leaf.magnitude, leaf.signed, Choices(leaf.n_features, leaf.n_active)
    if leaf.has_blocks():
        return leaf.magnitude, leaf.signed, BlockProduct(leaf.blocks())
    raise InvalidInputError(f"{type(leaf).__name__} has no independent blocks", f"give it a method blocks(), or {ON_SAMPLES}")
