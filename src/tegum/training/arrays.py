"""What the compiled engine works on: plain arrays, one row per instance.

The kernel cannot read a recipe or a distribution; `instances` translates both into these tables.  The parameters of an
instance are one vector,  encoder (m n) | decoder (n m, untied nets only) | b (n) | b_hidden (m),  with zeros that are
never trained where a net has no bias.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.nets import RELU, Net
from tegum.training.activations import activation_code
from tegum.training.blocks import LANES

GROUPS = ("encoder", "decoder", "b", "b_hidden")
"""The parameter groups, in the order of the parameter vector."""

OPTIMIZERS = ("adamw", "adam", "sgd")
SCHEDULES = ("constant", "linear", "cosine")
LAWS = ("Uniform", "Exponential", "Constant")
"""Names in the order of the kernel's codes 0, 1, 2."""

_PANEL_BUDGET = 2048
_MOST_PANELS = 8
_ROW_STEP = 32


class Shape(NamedTuple):
    """The net, as the kernel's switches (0 or 1) and sizes; the output activation beyond ReLU as in `activations`."""

    n: int
    m: int
    hidden_relu: int
    output_relu: int
    tied: int
    absolute: int
    bias: int
    hidden_bias: int
    activation: int
    own_activation: int


class World(NamedTuple):
    """The feature distribution of each instance, as the sampler reads it.

    A block's single draw r (31 bits) turns feature i on where 0 <= r - low_i <= span_i.  A feature that is alone in its
    component takes its magnitude from the same draw, ``(r - low_i) scale_i``; the others draw their own, times scale_i.
    A feature of density 0 has scale 0.
    """

    importance: NDArray[np.float32]
    low: NDArray[np.int32]
    span: NDArray[np.uint32]
    scale: NDArray[np.float32]
    begins_block: NDArray[np.uint8]
    alone: NDArray[np.uint8]
    n_active: NDArray[np.int64]
    law: NDArray[np.int32]
    law_value: NDArray[np.float32]
    signed: NDArray[np.uint8]
    sparse: NDArray[np.uint8]


class Method(NamedTuple):
    """How each instance is trained."""

    optimizer: NDArray[np.int32]
    schedule: NDArray[np.int32]
    learning_rate: NDArray[np.float64]
    final_fraction: NDArray[np.float64]
    warmup_steps: NDArray[np.int64]
    steps: NDArray[np.int64]
    beta1: NDArray[np.float64]
    beta2: NDArray[np.float64]
    epsilon: NDArray[np.float64]
    momentum: NDArray[np.float64]
    l1: NDArray[np.float32]
    attack_size: NDArray[np.float32]
    attack_once: NDArray[np.uint8]
    batch_size: NDArray[np.int64]
    data_set_size: NDArray[np.int64]
    decay: NDArray[np.float32]


class State(NamedTuple):
    """Where each instance stands: parameters, the optimizer's two averages, its random stream, its data set."""

    parameters: NDArray[np.float32]
    first: NDArray[np.float32]
    second: NDArray[np.float32]
    stream: NDArray[np.uint32]
    data: NDArray[np.float32]


class Scratch(NamedTuple):
    """What one thread writes on: panels of inputs, output gradients, hidden values and hidden gradients, and more.

    ``slopes`` holds the output activation's derivatives in the panel at hand, where it is none of identity and ReLU.
    """

    inputs: NDArray[np.float32]
    outputs: NDArray[np.float32]
    hidden: NDArray[np.float32]
    hidden_gradient: NDArray[np.float32]
    slopes: NDArray[np.float32]
    X: NDArray[np.float32]
    Y: NDArray[np.float32]
    H: NDArray[np.float32]
    E: NDArray[np.float32]
    gradient: NDArray[np.float32]
    zeros: NDArray[np.float32]
    targets: NDArray[np.float32]
    attacked: NDArray[np.int32]
    before: NDArray[np.float32]
    length: NDArray[np.float32]
    lane_loss: NDArray[np.float32]
    words: NDArray[np.uint32]
    own_words: NDArray[np.uint32]
    remaining: NDArray[np.int32]
    every: NDArray[np.int32]
    active: NDArray[np.int32]
    firing: NDArray[np.int32]


def shape_of(net: Net) -> Shape:
    """The kernel's view of a net."""
    return Shape(
        net.n_features,
        net.n_hidden,
        int(net.hidden_relu),
        int(net.output_activation is RELU),
        int(net.tied),
        int(net.absolute_target),
        int(net.bias),
        int(net.has_hidden_bias),
        *activation_code(net.output_activation),
    )


def group_sizes(net: Net) -> tuple[int, int, int, int]:
    """How many numbers each group of the parameter vector holds."""
    product = net.n_features * net.n_hidden
    return product, 0 if net.tied else product, net.n_features, net.n_hidden


def parameter_slices(net: Net) -> dict[str, slice]:
    """Where each of the net's parameters lies in the parameter vector."""
    ends = np.cumsum(group_sizes(net))
    slices = dict(zip(GROUPS, (slice(int(e - s), int(e)) for e, s in zip(ends, group_sizes(net), strict=True)), strict=True))
    names = {"W": "encoder", "W1": "encoder", "W2": "decoder", "b": "b", "b_hidden": "b_hidden"}
    return {name: slices[names[name]] for name in net.parameter_shapes()}


def panels_at_once(net: Net) -> int:
    """How many panels are kept between the passes: as many as stay in a core's second-level cache, at most 8."""
    return int(np.clip(_PANEL_BUDGET // (net.n_features + net.n_hidden), 1, _MOST_PANELS))


def separate_rows(count: int, length: int) -> NDArray[np.float32]:
    """Zeros of shape (count, at least length) whose rows share no cache line, so that threads do not slow each other."""
    return _aligned(count, -(-length // _ROW_STEP) * _ROW_STEP)


def _aligned(*shape: int) -> NDArray[np.float32]:
    """Zeros whose first element lies at a multiple of 64 bytes, so that no vector straddles two cache lines."""
    size = 4 * int(np.prod(shape))
    raw = np.zeros(size + 64, dtype=np.uint8)
    offset = -raw.ctypes.data % 64
    return raw[offset : offset + size].view(np.float32).reshape(shape)


def scratch_for(net: Net) -> Scratch:
    """Fresh scratch memory for one thread."""
    n, m, panels = net.n_features, net.n_hidden, panels_at_once(net)
    longest = max(n, m)
    inputs, outputs = _aligned(panels, n, LANES), _aligned(panels, n, LANES)
    hidden, hidden_gradient = _aligned(panels, m, LANES), _aligned(panels, m, LANES)
    return Scratch(
        inputs=inputs,
        outputs=outputs,
        hidden=hidden,
        hidden_gradient=hidden_gradient,
        slopes=_aligned(n, LANES),
        X=inputs.reshape(-1),
        Y=outputs.reshape(-1),
        H=hidden.reshape(-1),
        E=hidden_gradient.reshape(-1),
        gradient=_aligned(sum(group_sizes(net))),
        zeros=_aligned(longest),
        targets=_aligned(n, LANES),
        attacked=_aligned(LANES).view(np.int32),
        before=_aligned(LANES),
        length=_aligned(LANES),
        lane_loss=_aligned(LANES),
        words=_aligned(LANES).view(np.uint32),
        own_words=_aligned(LANES).view(np.uint32),
        remaining=_aligned(LANES).view(np.int32),
        every=np.arange(longest, dtype=np.int32),
        active=np.zeros(longest, dtype=np.int32),
        firing=np.zeros(longest, dtype=np.int32),
    )
