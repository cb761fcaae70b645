"""Eight numbers at a time: a vector type for compiled code, so that sums over many terms use whole vector registers.

A compiler left to itself does not vectorise the recursions and complex products of the exact engine.  Here vectors are
values like numbers, with ``+ - *`` between them and with floats:

    a = load(array, at)          array[at : at + 8]
    store(array, at, a * a + 1.0)
    total(a)                     the sum of the eight

They exist in compiled code only and check nothing; LLVM splits them where the machine's registers are narrower.
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

WIDTH = 8

_DOUBLE = ir.DoubleType()
_INDEX = ir.IntType(64)
_VECTOR = ir.VectorType(_DOUBLE, WIDTH)
_FREE = ("contract", "reassoc", "nsz", "arcp")


class _LanesType(types.Type):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(name="Lanes")


LANES = _LanesType()


@register_model(_LanesType)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, _VECTOR)


def _spread(builder: ir.IRBuilder, value: Any) -> Any:
    """The vector of eight times ``value``."""
    single = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(single, ir.Constant(_VECTOR, ir.Undefined), mask)


def _define(operation: Callable[..., Any], instruction: str) -> None:
    """Gives an operator a meaning between vectors, and between a vector and a float."""

    class Template(AbstractTemplate):  # type: ignore[misc]
        def generic(self, args: Any, kws: Any) -> Any:
            if LANES in args and all(a is LANES or isinstance(a, types.Float) for a in args):
                return signature(LANES, *(a if a is LANES else types.float64 for a in args))
            return None

    infer_global(operation)(Template)

    def lower(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        vectors = [a if t is LANES else _spread(builder, a) for a, t in zip(args, sig.args, strict=True)]
        return getattr(builder, instruction)(*vectors, flags=_FREE)

    for pair in ((LANES, LANES), (LANES, types.float64), (types.float64, LANES)):
        lower_builtin(operation, *pair)(lower)


for _operation, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _define(_operation, _instruction)
    _define(getattr(operator, "i" + _operation.__name__), _instruction)


def _data(context: Any, builder: ir.IRBuilder, array_type: Any, array: Any) -> Any:
    """Where the numbers of an array, or of a pointer, begin."""
    if isinstance(array_type, types.CPointer):
        return array
    return context.make_array(array_type)(context, builder, array).data


def _address(context: Any, builder: ir.IRBuilder, array_type: Any, array: Any, at: Any) -> Any:
    return builder.bitcast(builder.gep(_data(context, builder, array_type, array), [at]), _VECTOR.as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def pointer(typing_context: Any, array: Any) -> Any:
    """The address of a contiguous array: indexed like it, but one word to pass on, where an array is seven."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        return _data(context, builder, sig.args[0], args[0])

    return types.CPointer(array.dtype)(array), code


@intrinsic  # type: ignore[untyped-decorator]
def load(typing_context: Any, array: Any, at: Any) -> Any:
    """The vector array[at : at + 8] of a contiguous float64 array."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        return builder.load(_address(context, builder, sig.args[0], *args), align=8)

    return LANES(array, types.int64), code


@intrinsic  # type: ignore[untyped-decorator]
def store(typing_context: Any, array: Any, at: Any, vector: Any) -> Any:
    """array[at : at + 8] = vector."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        builder.store(args[2], _address(context, builder, sig.args[0], args[0], args[1]), align=8)
        return context.get_dummy_value()

    return types.void(array, types.int64, LANES), code


@intrinsic  # type: ignore[untyped-decorator]
def peek(typing_context: Any, array: Any, at: Any) -> Any:
    """The number array[at]; unlike indexing it does not look for negative positions."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        return builder.load(builder.gep(_data(context, builder, sig.args[0], args[0]), [args[1]]))

    return array.dtype(array, types.int64), code


@intrinsic  # type: ignore[untyped-decorator]
def fill(typing_context: Any, value: Any) -> Any:
    """The vector of eight times ``value``."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        return _spread(builder, args[0])

    return LANES(types.float64), code


@intrinsic  # type: ignore[untyped-decorator]
def ramp(typing_context: Any) -> Any:
    """The vector 0, 1, ..., 7."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        return ir.Constant(_VECTOR, [float(i) for i in range(WIDTH)])

    return LANES(), code


@intrinsic  # type: ignore[untyped-decorator]
def total(typing_context: Any, vector: Any) -> Any:
    """The sum of the eight numbers."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        part = args[0]
        for width in (4, 2, 1):
            low = ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(width)))
            high = ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(width, 2 * width)))
            part = builder.fadd(builder.shuffle_vector(part, part, low), builder.shuffle_vector(part, part, high), flags=_FREE)
        return builder.extract_element(part, ir.Constant(ir.IntType(32), 0))

    return types.float64(LANES), code


@intrinsic  # type: ignore[untyped-decorator]
def lane(typing_context: Any, vector: Any, which: Any) -> Any:
    """One of the eight numbers."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        return builder.extract_element(args[0], args[1])

    return types.float64(LANES, types.int64), code


@intrinsic  # type: ignore[untyped-decorator]
def nearest(typing_context: Any, vector: Any) -> Any:
    """Each number rounded to the nearest integer."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), "llvm.rint.v8f64")
        return builder.call(function, args)

    return LANES(LANES), code


@intrinsic  # type: ignore[untyped-decorator]
def at_least(typing_context: Any, vector: Any, floor: Any) -> Any:
    """The larger of each number and ``floor``."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        floor = _spread(builder, args[1])
        return builder.select(builder.fcmp_ordered(">", args[0], floor), args[0], floor)

    return LANES(LANES, types.float64), code


@intrinsic  # type: ignore[untyped-decorator]
def exponent(typing_context: Any, value: Any) -> Any:
    """floor(log2 |value|) of a finite normal number, from its bits; -1023 for zero and subnormal ones."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], _INDEX)
        biased = builder.and_(builder.lshr(bits, ir.Constant(_INDEX, 52)), ir.Constant(_INDEX, 0x7FF))
        return builder.sub(biased, ir.Constant(_INDEX, 1023))

    return types.int64(types.float64), code
