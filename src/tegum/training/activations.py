"""Output activations in the compiled engine: a row of 64 outputs becomes 64 values and 64 slopes.

Problem.  Identity and ReLU cost one comparison and are done where the loss is.  The others need exponentials, and a user's
own function is not known when the engine is compiled; one kernel must serve them all.

Idea.  `activate_row` chooses once a row, not once a number: by a code (1 GELU, 2 softplus, 3 square, 4 abs, 5 tanh), or, for
a function of the user's own, by the address of machine code that Numba makes of it in this process.  The engine's stored
code therefore never contains a user's function.  Named activations use an exponential that vectorises:

    exp x = 2^k exp r,  k = round(x / ln 2),  |r| <= ln 2 / 2, exp r by its series to r^6            for x <= 0 only

    activation   value                            slope                              largest error on [-20, 20]
    gelu         x Phi(x)                         Phi + x phi                        1e-6, relative to 1 + |x|
    softplus     max(x, 0) + log(1 + e)           1 / (1 + exp -x)                   the same
    tanh         sign(x) (1 - e^2) / (1 + e^2)    1 - tanh^2                         the same          with e = exp -|x|

log(1 + e) is 2 artanh(e / (2 + e)) by its series; Phi by formula 7.1.26 of Abramowitz and Stegun, "Handbook of Mathematical
Functions" (1964), whose error is 1e-7.

Example.  tanh 1: k = -3 and r = 0.079 make e^2 = exp -2 = 2^-3 exp 0.079 = 0.1353, and (1 - 0.1353) / (1 + 0.1353) is 0.7616.
"""

import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from tegum.compilation import apart_from_callers, compiled, inlined, inner
from tegum.errors import InvalidInputError
from tegum.nets import ACTIVATIONS, Activation
from tegum.nets.activation import known_code
from tegum.training.blocks import PANEL_WIDTH, Floats, opened

ENGINE_ORDER = ("gelu", "softplus", "square", "abs", "tanh")
"""Names in the order of the kernel's codes 1, 2, ...; 0 is identity and ReLU, the code after the last a user's own."""

_ZERO, _HALF, _ONE, _TWO = (np.float32(number) for number in (0, 0.5, 1, 2))
_SMALLEST = np.float32(-87)  # exp -87 is about the smallest float32 that is not denormal
_PER_LN2, _LN2 = np.float32(1 / np.log(2)), np.float32(np.log(2))
_BIAS, _MANTISSA = np.int32(127), np.int32(23)
_E3, _E4, _E5, _E6 = (np.float32(1 / number) for number in (6, 24, 120, 720))
_A3, _A5, _A7, _A9, _A11, _A13 = (np.float32(1 / number) for number in (3, 5, 7, 9, 11, 13))
_ROOT_HALF, _DENSITY = np.float32(np.sqrt(0.5)), np.float32(1 / np.sqrt(2 * np.pi))
_P = np.float32(0.3275911)
_P1, _P2, _P3, _P4, _P5 = (np.float32(number) for number in (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429))

# Every operation below is cast to float32: Numba promotes some of them to 64 bits, which halves the speed.


@inlined
def _exp(x: np.float32) -> np.float32:
    """Exp x for x <= 0, float32."""
    x = max(x, _SMALLEST)
    k = np.floor(np.float32(x * _PER_LN2 + _HALF))
    r = np.float32(x - np.float32(k * _LN2))
    series = np.float32(_ONE + r * (_ONE + r * (_HALF + r * (_E3 + r * (_E4 + r * (_E5 + r * _E6))))))
    # A float32 is mantissa times 2^(exponent - 127), the exponent from bit 23 on: these bits alone are 2^k.
    power = np.int32(np.int32(np.int32(k) + _BIAS) << _MANTISSA).view(np.float32)
    return np.float32(series * power)


@inner
def _gelu_row(outputs: Floats, slopes: Floats) -> None:
    for sample in range(PANEL_WIDTH):
        x = outputs[sample]
        gauss = _exp(np.float32(-_HALF * np.float32(x * x)))
        # The formula is for erfc(z), z >= 0, and Phi(-|x|) = erfc(|x| / sqrt 2) / 2; the other side is 1 less that.
        t = np.float32(_ONE / np.float32(_ONE + _P * np.float32(abs(x) * _ROOT_HALF)))
        tail = np.float32(_HALF * t * gauss * np.float32(_P1 + t * (_P2 + t * (_P3 + t * (_P4 + t * _P5)))))
        phi = np.float32(_ONE - tail) if x > _ZERO else tail
        slopes[sample] = np.float32(phi + np.float32(x * np.float32(_DENSITY * gauss)))
        outputs[sample] = np.float32(x * phi)


@inner
def _softplus_row(outputs: Floats, slopes: Floats) -> None:
    for sample in range(PANEL_WIDTH):
        x = outputs[sample]
        e = _exp(np.float32(-abs(x)))
        # With s = e / (2 + e) <= 1/3, log(1 + e) = 2 artanh s = 2 s (1 + s^2/3 + s^4/5 + ...).
        s = np.float32(e / np.float32(_TWO + e))
        q = np.float32(s * s)
        series = np.float32(_ONE + q * (_A3 + q * (_A5 + q * (_A7 + q * (_A9 + q * (_A11 + q * _A13))))))
        upper = np.float32(_ONE / np.float32(_ONE + e))  # 1 / (1 + exp -|x|), the slope of |x|; that of -|x| is e times this
        slopes[sample] = upper if x > _ZERO else np.float32(e * upper)
        outputs[sample] = np.float32(max(x, _ZERO) + np.float32(_TWO * s) * series)


@inner
def _tanh_row(outputs: Floats, slopes: Floats) -> None:
    for sample in range(PANEL_WIDTH):
        x = outputs[sample]
        e = _exp(np.float32(-_TWO * abs(x)))  # the table's e^2
        t = np.float32(np.float32(_ONE - e) / np.float32(_ONE + e))
        slopes[sample] = np.float32(_ONE - t * t)
        outputs[sample] = t if x > _ZERO else np.float32(-t)


@inner
def _square_row(outputs: Floats, slopes: Floats) -> None:
    for sample in range(PANEL_WIDTH):
        x = outputs[sample]
        slopes[sample] = np.float32(_TWO * x)
        outputs[sample] = np.float32(x * x)


@inner
def _abs_row(outputs: Floats, slopes: Floats) -> None:
    for sample in range(PANEL_WIDTH):
        x = outputs[sample]
        slopes[sample] = np.float32(np.float32(x > _ZERO) - np.float32(x < _ZERO))
        outputs[sample] = abs(x)


@intrinsic
def _call_row(_typing: Any, address: Any, outputs: Any, slopes: Any) -> Any:
    """Calls the machine code at ``address`` with two rows."""
    signature = types.void(types.int64, outputs, slopes)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        address, *rows = opened(context, builder, signature.args, arguments)
        kind = ir.FunctionType(ir.VoidType(), [ir.FloatType().as_pointer()] * 2)
        builder.call(builder.inttoptr(address, kind.as_pointer()), rows)
        return context.get_dummy_value()

    return signature, generate


@apart_from_callers
@compiled
def activate_row(code: int, address: int, outputs: Floats, slopes: Floats) -> None:
    """Replaces a row of 64 outputs by the activation's values and writes its derivatives there to ``slopes``."""
    if code == 1:
        _gelu_row(outputs, slopes)
    elif code == 2:
        _softplus_row(outputs, slopes)
    elif code == 3:
        _square_row(outputs, slopes)
    elif code == 4:
        _abs_row(outputs, slopes)
    elif code == 5:
        _tanh_row(outputs, slopes)
    else:
        _call_row(address, outputs, slopes)


_own_rows: dict[tuple[Activation, str], Any] = {}
_making = threading.Lock()


def _own_row(activation: Activation) -> Any:
    """Machine code for a row of a user's activation as it is now, made once for this process and kept as long as it lives."""
    with _making:
        now = activation, known_code(activation)
        if now not in _own_rows:
            _own_rows[now] = _made_row(activation)
        return _own_rows[now]


def _made_row(activation: Activation) -> Any:
    def row(outputs: Any, slopes: Any) -> None:
        for sample in range(PANEL_WIDTH):
            y = np.float64(outputs[sample])
            here = np.float32(value(y))
            slopes[sample] = np.float32(slope(y))
            # What is no number must end the training: inf makes the loss inf, but nan > floor is false, an output of 0.
            outputs[sample] = here if here == here else np.float32(np.inf)

    pointer = types.CPointer(types.float32)
    try:
        value, slope = _usable(activation.value), _usable(activation.slope)
        return numba.cfunc(types.void(pointer, pointer), error_model="numpy")(row)
    except Exception as error:  # noqa: BLE001  Numba raises errors of many kinds for what it cannot compile
        raise InvalidInputError(
            f"activation {activation.name!r} cannot be compiled ({type(error).__name__})",
            "write value and slope as functions of one number, of arithmetic, conditions (a if x > 0 else b), functions of "
            "math, elementwise ones of numpy, and functions of your own under @numba.njit",
        ) from None


def _usable(function: Callable[..., Any]) -> Any:
    """The function as compiled code can call it; what is not written in Python, such as `np.tanh`, from a function that is."""
    if hasattr(function, "py_func"):
        return function

    def called(y: Any) -> Any:
        return function(y)

    return numba.njit(error_model="numpy")(function if isinstance(function, FunctionType) else called)


def activation_code(activation: Activation) -> tuple[int, int]:
    """The kernel's code of an activation and, for a user's own, the address of its row function.

    An `InvalidInputError` where a user's function cannot be compiled.
    """
    if activation.name in ("identity", "relu"):
        return 0, 0
    if activation == ACTIVATIONS.get(activation.name):
        return ENGINE_ORDER.index(activation.name) + 1, 0
    return len(ENGINE_ORDER) + 1, int(_own_row(activation).address)
