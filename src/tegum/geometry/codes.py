"""Codes: which sets of neurons stand for which features, where the hidden layer has a nonlinearity.

With h = ReLU(W x) the neurons mean something: feature i on its own excites the neurons whose weight W_ki is positive and leaves
the others at 0.  That set is the feature's code word; a negative weight lets the feature inhibit a neuron.  Signs are read
against the feature's own largest positive weight, and features of norm below 1/2 are not represented:

    +1   W_ki >  0.3 max_l W_li             -1   W_ki < -0.3 max_l W_li             0   otherwise

Features and neurons that touch (any sign) hang together in *blocks*; a block of one feature and one neuron is *alone*, its
neuron monosemantic.  The catalogue holds the codes of the paper, up to the order of neurons and features:

    all monosemantic    five alone
    three in two        three alone;  {a b}, {a} inhibiting b, {b} inhibiting a
    five in three       two alone;    five features in three neurons, all words different (the paper gives no simple code)
    six in four         one alone;    u low:  the pairs of {a b c}, inhibiting u;  u high:  {u a}, {u b}, {u c}
    eight in five       u low:  the triples of {a b c d}, inhibiting u;            u high:  {u a}, {u b}, {u c}, {u d}
    pairs               all ten pairs of five neurons

A name needs the words; three in two needs its antipodal signs too.  Whether every inhibiting weight is there too is told
apart (``inhibits``), because trained nets leave some of them out.  (The words of six in four are all pairs of four neurons.)

>>> import tegum as tg
>>> W = tg.geometry.hand_built("six in four", 10)                                          # five neurons, ten features
>>> code = tg.geometry.code_of(W[[3, 1, 4, 0, 2], ::-1])
>>> code.name, str(code), code.inhibits
('six in four', '1 alone + 6 in 4', True)

Source: `Toy Models of Superposition`, section 8; the thresholds are ours.
"""

from collections import Counter
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any, final

import numpy as np
import scipy
from jaxtyping import Float, Int
from numpy.typing import NDArray

from tegum.arraylike import takes_arrays
from tegum.checking import checked, require_range
from tegum.errors import MOST, InvalidInputError

REPRESENTED = 0.5
WEIGHTY = 0.3
_NEURONS = 5

ALL_MONOSEMANTIC, THREE_IN_TWO, FIVE_IN_THREE = "all monosemantic", "three in two", "five in three"
SIX_IN_FOUR, EIGHT_IN_FIVE, PAIRS = "six in four", "eight in five", "pairs"
UNNAMED = "unnamed"


def _subset_code(others: int, size: int) -> NDArray[np.int64]:
    """Important words: ``size`` of the neurons 1, 2, ... inhibiting neuron 0; unimportant words: neuron 0 and one other."""
    important = [[-1, *(int(k in chosen) for k in range(others))] for chosen in combinations(range(others), size)]
    unimportant = [[1, *(int(k == single) for k in range(others))] for single in range(others)]
    return np.array(important + unimportant).T


BLOCK_CODES: dict[str, NDArray[np.int64]] = {
    ALL_MONOSEMANTIC: np.zeros((0, 0), np.int64),
    THREE_IN_TWO: np.array([[1, 1, -1], [1, -1, 1]]),
    FIVE_IN_THREE: np.array([[0, 1, 1, -1, 1], [0, 1, -1, 1, 1], [1, 1, 0, 0, -1]]),
    SIX_IN_FOUR: _subset_code(3, 2),
    EIGHT_IN_FIVE: _subset_code(4, 3),
    PAIRS: np.array([[int(k in chosen) for k in range(5)] for chosen in combinations(range(5), 2)]).T,
}
"""The block of each code that is not alone, (neurons, features), most important features first; +1 excites, -1 inhibits.

The other neurons have a feature each.  That of five in three is one that training finds; the matcher takes every set of five
different words in three neurons.
"""

CODES = tuple(BLOCK_CODES)
"""The codes by name, from dense features to sparse ones."""


@final
@dataclass(frozen=True)
class Code:
    """What the matcher found: the catalogue's name or "unnamed", and (features, neurons) of each block, alone ones first.

    Then how many features are represented, and whether every inhibiting weight of the named code is there as well.
    """

    name: str
    blocks: tuple[tuple[int, int], ...]
    features: int
    inhibits: bool = False

    @property
    def alone(self) -> int:
        """How many neurons are monosemantic."""
        return self.blocks.count((1, 1))

    def __str__(self) -> str:
        """The blocks in words, "2 alone + 5 in 3"."""
        rest = Counter(f"{features} in {neurons}" for features, neurons in self.blocks if (features, neurons) != (1, 1))
        words = [f"{self.alone} alone"] if self.alone else []
        words += [block if count == 1 else f"{count} x ({block})" for block, count in rest.items()]
        return " + ".join(words) or "nothing"


def sign_pattern(W: Float[np.ndarray, "m n"], weighty: float = WEIGHTY) -> Int[np.ndarray, "m n"]:
    """+1, 0 or -1 for every weight; columns of features that are not represented, or excite nothing, are 0.

    A weight counts, with its sign, where it exceeds ``weighty`` times the feature's largest positive weight.
    """
    top = W.max(axis=0, initial=0.0)
    with np.errstate(over="ignore"):
        represented = (np.linalg.norm(W, axis=0) >= REPRESENTED) & (top > 0)
    least = weighty * top
    pattern = (least < W).astype(np.int64) - (least < -W)
    return np.where(represented, pattern, 0)


def blocks_of(pattern: Int[np.ndarray, "m n"]) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """The neurons and features of each block of a `sign_pattern`, smallest block first: what non-zero entries join."""
    m, n = pattern.shape
    joined = np.zeros((m + n, m + n), dtype=bool)
    joined[:m, m:] = pattern != 0
    _, label = scipy.sparse.csgraph.connected_components(joined, directed=False)
    found = [(np.flatnonzero(label[:m] == k), np.flatnonzero(label[m:] == k)) for k in np.unique(label)]
    return sorted((block for block in found if len(block[0]) and len(block[1])), key=lambda block: (len(block[0]), *block[0]))


@takes_arrays
def code_of(W: Float[np.ndarray, "m n"], weighty: float = WEIGHTY) -> Code:
    """The code of one model, a row of W for each neuron; only models with five neurons have names, others are ``unnamed``."""
    require_range("weighty", weighty, 0, 1)
    pattern = sign_pattern(W, weighty)
    parts = [pattern[np.ix_(neurons, features)] for neurons, features in blocks_of(pattern)]
    shapes = tuple((part.shape[1], part.shape[0]) for part in parts)
    shared = [part for part in parts if part.shape != (1, 1)] or [BLOCK_CODES[ALL_MONOSEMANTIC]]
    covered = len(pattern) == _NEURONS == sum(map(len, parts))
    name, inhibits = _named(shared[0]) if covered and len(shared) == 1 else (UNNAMED, False)
    return Code(name, shapes, int((pattern != 0).any(axis=0).sum()), inhibits)


def _named(block: NDArray[np.int64]) -> tuple[str, bool]:
    """The code whose block this is, beside neurons that are alone, and whether it inhibits all that the code does."""
    for name, code in BLOCK_CODES.items():
        if block.shape != code.shape or len(np.unique(_words(block))) < code.shape[1]:
            continue
        if name == FIVE_IN_THREE:
            return name, True
        orders = [_in_order(block[list(order)]) for order in permutations(range(len(block)))]
        wanted = _in_order(code)
        inhibits = [bool((found[wanted < 0] < 0).all()) for found in orders if ((found > 0) == (wanted > 0)).all()]
        if inhibits and (any(inhibits) or name != THREE_IN_TWO):
            return name, any(inhibits)
    return UNNAMED, False


def _words(block: NDArray[np.int64]) -> NDArray[np.int64]:
    """The neurons that each feature excites, as the digits of a binary number."""
    return np.asarray(2 ** np.arange(len(block)) @ (block > 0))


def _in_order(block: NDArray[np.int64]) -> NDArray[np.int64]:
    """The features in the order of their words."""
    return block[:, np.argsort(_words(block))]


@checked
def hand_built(name: str, n: int) -> NDArray[np.float64]:
    """A W (5, n) with this code: the most important features alone, the next in the block, the others 0.

    Words have norm 1 over the neurons that they excite; inhibiting weights have the size of the exciting ones.

    Raises:
        InvalidInputError: for a name that is no code, or fewer features than the code has.
    """
    if name not in BLOCK_CODES:
        raise InvalidInputError(f"the code is {name!r}", f"choose among {', '.join(CODES)}")
    block = BLOCK_CODES[name]
    alone = _NEURONS - len(block)
    represented = alone + block.shape[1]
    if n > MOST:
        raise InvalidInputError(f"n is {n}", f"choose at most {MOST:,}")
    if n < represented:
        raise InvalidInputError(f"n is {n}", f"choose at least {represented}, the features of {name!r}")
    W = np.zeros((_NEURONS, n))
    W[:alone, :alone] = np.eye(alone)
    W[alone:, alone:represented] = block / np.sqrt((block > 0).sum(axis=0))
    return W
