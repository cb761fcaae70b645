"""What the compiled engine works on: records of numbers and plain arrays, each about one instance.

Problem.  Compiled code can read neither a net nor a feature distribution nor a recipe.

Idea.  `instances` translates them into the records below.  All parameters of an instance are one vector,

    encoder (m n) | decoder (n m, untied nets only) | b (n) | b_hidden (m)

in which a net without a bias has zeros that are never trained.  `Shape` says where each part lies.

Example.  For ``ReluOutput(3, 2)`` the vector has 6 + 0 + 3 + 2 entries; W[k, i] is entry 3 k + i, the decoder is the same
entries read as the transposed matrix, b is 6 to 8, and 9 and 10 stay 0.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.nets import RELU, Net
from tegum.training.activations import activation_code
from tegum.training.blocks import PANEL_WIDTH, REGISTERS, Floats, Indices, Layout, Words, tile_of
from tegum.training.products import rows_at_once

Bytes = NDArray[np.uint8]

PARTS = ("encoder", "decoder", "b", "b_hidden")
PART_OF = {"W": 0, "W1": 0, "W2": 1, "b": 2, "b_hidden": 3}
"""The parts of the parameter vector, and which of them each parameter is."""

LAWS = ("Uniform", "Exponential", "Constant", "Uniform elsewhere")
"""Names in the order of the kernel's codes 0, 1, 2, 3; 0 is uniform on [0, 1]."""

FEATURES_AT_ONCE = 512
"""Whose weights and gradient stay in the first cache while a panel of stored samples goes over them."""

NO_ROWS = (np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32))

_FIRST_CACHE, _SECOND_CACHE = 160, 2048  # rows of 256 bytes that they hold beside what else there is
_FEW_PANELS, _MOST_PANELS = 4, 8
_ROW_STEP = 32  # floats: two cache lines, which processors fetch together


class TargetRows(NamedTuple):
    """A target r(A x + v): row i of A has the entries ``first[i]`` to ``first[i + 1] - 1`` of columns and weights.

    ``mapped`` is 0 where outputs are compared with x or |x| instead; the rest is then empty.
    """

    mapped: int
    relu: int
    first: Indices
    column: Indices
    weight: Floats
    shift: Floats


class Shape(NamedTuple):
    """A net: its sizes, its switches (0 or 1), and where its parameters lie."""

    n: int
    m: int
    hidden_relu: int
    output_relu: int
    tied: int
    absolute: int
    hidden_rows: int  # how many hidden units,
    output_rows: int  # and how many outputs products work on at a time
    target: TargetRows
    hidden_bias: int
    activation: int  # the code that `activations` gives the output activation,
    own_activation: int  # and the address
    encoder: Layout
    decoder: Layout
    b: int
    b_hidden: int
    trained: tuple[tuple[int, int], ...]  # begin and end of each part of the vector, equal where the net does not have it


class FeatureNumbers(NamedTuple):
    """A feature distribution: what the sampler and the loss read; how a draw r becomes a feature is told in `draw`."""

    importance: Floats
    low: Indices  # feature i is active where 0 <= r - low_i <= span_i
    span: Words
    scale: Floats  # what makes r - low_i, or the feature's own draw, a magnitude up to 1; 0 where the density is 0
    begins_block: Bytes  # whether to draw a new r
    alone: Bytes  # in its component: the magnitude comes from the same r
    all_alone: int  # whether each feature has a word of its own, for all that there is to know of it, and low_i = 0
    n_active: int  # k of k-sparse features, which need none of low, span and scale; 0 of all others
    law: int
    law_value: np.float32
    law_low: np.float32  # where a uniform law begins; ``law_value`` is then its width
    signed: int
    skips_inactive: int  # whether products are to skip features that are inactive in a whole panel
    unit_length: int  # whether samples are scaled to length 1 when they are drawn


class RecipeNumbers(NamedTuple):
    """A recipe; names have become codes, ``decay`` has a number for each part of the parameter vector."""

    optimizer: int
    decoupled_decay: int  # whether decay shrinks weights, or else joins the gradient
    unit_norms: float
    schedule: int
    learning_rate: float
    final_fraction: float
    warmup_steps: int
    steps: int
    beta1: float
    beta2: float
    epsilon: float
    momentum: float
    smoothing: float
    l1: np.float32
    dropout: np.float32
    active_only: int  # whether errors of inactive features count nothing
    attack_size: np.float32
    attack_once: int
    batch_size: int
    data_set_size: int  # 0 for fresh samples
    stored: int  # whether the data set is sparse rows, and the net one that `stored` trains on them
    decay: Floats


class SparseRows(NamedTuple):
    """A data set as sparse rows: those of sample t from ``first[t]`` to ``first[t + 1] - 1``, columns in order."""

    first: NDArray[np.int64]
    column: Indices
    value: Floats


class State(NamedTuple):
    """Where an instance stands."""

    parameters: Floats
    first: Floats  # the optimizer's average of the gradient,
    second: Floats  # and of its square
    stream: Words
    dropping: Words  # the stream that dropout draws from
    data_set: Floats  # (panels, n, 64); the last panel may be longer than the set
    rows: SparseRows  # the set as sparse rows, or none of them


class Scratch(NamedTuple):
    """What one thread writes on; what is said of a buffer holds for the panels at hand."""

    inputs: Floats  # (panels, n, 64); under attack, the attacked ones
    outputs: Floats  # (panels, n, 64) before their activation; then after it; then D of `passes`
    hidden: Floats  # (panels, m, 64) after their activation
    hidden_gradient: Floats  # (panels, m, 64) E of `passes`
    gradient: Floats  # of the batch so far, laid out as the parameters
    sample_loss: Floats  # for each of the 64 places in a panel, summed over panels
    targets: Floats  # (n, 64) what outputs are compared with, where that is r(A x + v)
    slopes: Floats  # (n, 64) derivatives of an output activation that is not identity or ReLU
    kept: Floats  # (m, 64) what dropout multiplies hidden values by
    clean: Floats  # (n, 64) the inputs before the attack
    attacked: Indices  # for each sample the feature i attacked,
    attacked_output: Floats  # its output before the attack,
    push: Floats  # and what times G_i is the step
    words: Words
    own_words: Words
    remaining: Indices  # how many k-sparse features each sample still has to choose
    zeros: Floats
    every: Indices  # 0, 1, 2, ...
    found: Indices  # rows of a panel that are not all 0
    counting: Indices  # rows of a panel whose outputs count, see `passes`,
    marked: Bytes  # and whether a row is one of them in any panel
    gathered: Floats  # (2, panels, rows of a tile, 64) some rows of outputs and inputs side by side,
    tile_rows: Floats  # and their gradient (rows of a tile, m)
    errors: Floats  # of some outputs of one sample, see `stored`,
    place: NDArray[np.int64]  # and how far each sample's row is read


def _edges(net: Net) -> list[int]:
    """Where the parts of the parameter vector begin, and where the last one ends."""
    n, m = net.n_features, net.n_hidden
    return [int(edge) for edge in np.cumsum([0, n * m, 0 if net.tied else n * m, n, m])]


def parameter_count(net: Net) -> int:
    """The length of the net's parameter vector."""
    return _edges(net)[-1]


def parameter_slices(net: Net) -> dict[str, slice]:
    """Where each of the net's parameters lies in the parameter vector."""
    edges = _edges(net)
    return {name: slice(edges[PART_OF[name]], edges[PART_OF[name] + 1]) for name in net.parameter_shapes()}


def shape_of(net: Net) -> Shape:
    """The kernel's view of a net."""
    n, m = net.n_features, net.n_hidden
    _, decoder, b, b_hidden, _ = _edges(net)
    trained = {PART_OF[name]: (part.start, part.stop) for name, part in parameter_slices(net).items()}
    activation, own_activation = activation_code(net.output_activation)
    return Shape(
        n=n,
        m=m,
        hidden_relu=int(net.hidden_relu),
        output_relu=int(net.output_activation == RELU),
        tied=int(net.tied),
        absolute=int(net.absolute_target),
        hidden_rows=rows_at_once(m),
        output_rows=rows_at_once(n),
        target=_target_rows(net),
        hidden_bias=int(net.has_hidden_bias),
        activation=activation,
        own_activation=own_activation,
        encoder=Layout(0, n, 1),
        decoder=Layout(0, 1, n) if net.tied else Layout(decoder, m, 1),
        b=b,
        b_hidden=b_hidden,
        trained=tuple(trained.get(part, (0, 0)) for part in range(len(PARTS))),
    )


def _target_rows(net: Net) -> TargetRows:
    """What the kernel reads of a net's target map."""
    given = net.target_map
    rows = () if given is None else given.A
    return TargetRows(
        mapped=int(given is not None),
        relu=int(given is not None and given.relu),
        first=np.cumsum([0, *(len(row) for row in rows)]).astype(np.int32),
        column=np.array([i for row in rows for i, _ in row], dtype=np.int32),
        weight=np.array([a for row in rows for _, a in row], dtype=np.float32),
        shift=np.array(() if given is None else given.v, dtype=np.float32),
    )


def panels_for(samples: int) -> int:
    """How many panels hold so many samples."""
    return -(-samples // PANEL_WIDTH)


def panels_at_once(net: Net) -> int:
    """How many panels are kept between the passes: as many as stay in a core's first cache, or 4 if the second holds these."""
    rows = 2 * (net.n_features + net.n_hidden)
    return int(np.clip(max(_FIRST_CACHE // rows, _FEW_PANELS), 1, min(_MOST_PANELS, max(1, _SECOND_CACHE // rows))))


def separate_rows(count: int, length: int) -> Floats:
    """Zeros of shape (count, at least length) whose rows share no cache line, so that threads do not slow each other."""
    return _aligned(count, -(-length // _ROW_STEP) * _ROW_STEP)


def _aligned(*shape: int) -> Floats:
    """Zeros whose first element lies at a multiple of 64 bytes, so that no vector straddles two cache lines."""
    size = 4 * int(np.prod(shape))
    raw = np.zeros(size + 64, dtype=np.uint8)
    offset = -raw.ctypes.data % 64
    return raw[offset : offset + size].view(np.float32).reshape(shape)


def scratch_for(net: Net) -> Scratch:
    """Fresh scratch memory for one thread."""
    n, m, panels = net.n_features, net.n_hidden, panels_at_once(net)
    return Scratch(
        inputs=_aligned(panels, n, PANEL_WIDTH),
        outputs=_aligned(panels, n, PANEL_WIDTH),
        hidden=_aligned(panels, m, PANEL_WIDTH),
        hidden_gradient=_aligned(panels, m, PANEL_WIDTH),
        gradient=_aligned(parameter_count(net)),
        sample_loss=_aligned(PANEL_WIDTH),
        targets=_aligned(n, PANEL_WIDTH),
        slopes=_aligned(n, PANEL_WIDTH),
        kept=_aligned(m, PANEL_WIDTH),
        clean=_aligned(n, PANEL_WIDTH),
        attacked=_aligned(PANEL_WIDTH).view(np.int32),
        attacked_output=_aligned(PANEL_WIDTH),
        push=_aligned(PANEL_WIDTH),
        words=_aligned(PANEL_WIDTH).view(np.uint32),
        own_words=_aligned(PANEL_WIDTH).view(np.uint32),
        remaining=_aligned(PANEL_WIDTH).view(np.int32),
        zeros=_aligned(max(n, m)),
        every=np.arange(max(n, m), dtype=np.int32),
        found=np.zeros(n, dtype=np.int32),
        counting=np.zeros(n, dtype=np.int32),
        marked=np.zeros(n, dtype=np.uint8),
        gathered=_aligned(2, panels, tile_of(REGISTERS)[0], PANEL_WIDTH),
        tile_rows=_aligned(tile_of(REGISTERS)[0] * m),
        errors=_aligned(FEATURES_AT_ONCE),
        place=np.zeros(PANEL_WIDTH, dtype=np.int64),
    )
