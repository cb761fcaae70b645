"""Eight numbers at a time: vector types for compiled code, so that sums over many terms use whole vector registers.

A compiler left to itself does not vectorise the recursions and complex products of the exact engine.  Here eight real or
eight complex numbers are one value, with ``+ - * /`` between them and with floats (no division by complex ones):

    a = load(array, at)                  array[at : at + 8]
    store(array, at, a * a + 1.0)
    total(a)                             the sum of the eight
    z = load_complex(array, at)          real parts array[at : at + 8], imaginary parts array[at + 8 : at + 16]
    store_complex(array, at, z * z)
    total((z * complex_of(a, a)).real)

They exist in compiled code only and check nothing; LLVM splits them where the machine's registers are narrower.
"""

import operator
from collections.abc import Callable
from math import factorial
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, make_attribute_wrapper, models, register_model

from tegum.compilation import inlined

WIDTH = 8
PAIR = 2 * WIDTH
"""How many doubles a complex vector takes in an array."""

_DOUBLE = ir.DoubleType()
_INDEX = ir.IntType(64)
_VECTOR = ir.VectorType(_DOUBLE, WIDTH)
_SQUARINGS = 6
_EXP = np.array([1.0 / factorial(k) for k in range(15)])
_FREE = ("contract", "reassoc", "nsz", "arcp")


class _RealType(types.Type):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(name="Real8")


class _ComplexType(types.Type):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(name="Complex8")


REAL, COMPLEX = _RealType(), _ComplexType()


@register_model(_RealType)
class _RealModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, _VECTOR)


@register_model(_ComplexType)
class _ComplexModel(models.StructModel):  # type: ignore[misc]
    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, [("real", REAL), ("imag", REAL)])


make_attribute_wrapper(_ComplexType, "real", "real")
make_attribute_wrapper(_ComplexType, "imag", "imag")


def _spread(builder: ir.IRBuilder, value: Any) -> Any:
    """The vector of eight times ``value``."""
    single = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(single, ir.Constant(_VECTOR, ir.Undefined), mask)


def _parts(context: Any, builder: ir.IRBuilder, kind: Any, value: Any) -> tuple[Any, Any]:
    """Real and imaginary part of an operand; None for the imaginary part of a real one."""
    if kind is COMPLEX:
        both = cgutils.create_struct_proxy(COMPLEX)(context, builder, value)
        return both.real, both.imag
    return (value if kind is REAL else _spread(builder, value)), None


def _joined(context: Any, builder: ir.IRBuilder, real: Any, imag: Any) -> Any:
    both = cgutils.create_struct_proxy(COMPLEX)(context, builder)
    both.real, both.imag = real, imag
    return both._getvalue()


def _combined(operation: str, builder: ir.IRBuilder, left: tuple[Any, Any], right: tuple[Any, Any]) -> tuple[Any, Any]:
    """One of ``+ - * /`` by parts: (a + ib) (c + id) = ac - bd + i (ad + bc); a missing imaginary part is 0."""

    def of(name: str, *operands: Any) -> Any:
        return getattr(builder, name)(*operands, flags=_FREE)

    (a, b), (c, d) = left, right
    if operation in ("fadd", "fsub"):
        if b is not None and d is not None:
            return of(operation, a, c), of(operation, b, d)
        negative = operation == "fsub" and b is None and d is not None
        return of(operation, a, c), of("fsub", ir.Constant(_VECTOR, [0.0] * WIDTH), d) if negative else (b or d)
    if b is not None and d is not None:
        return of("fsub", of("fmul", a, c), of("fmul", b, d)), of("fadd", of("fmul", a, d), of("fmul", b, c))
    if d is not None:
        return of("fmul", a, c), of("fmul", a, d)
    return of(operation, a, c), of(operation, b, c) if b is not None else None


def _define(operation: Callable[..., Any], instruction: str) -> None:
    """Gives an operator a meaning between vectors, and between a vector and a float."""
    divides = instruction == "fdiv"

    class Template(AbstractTemplate):  # type: ignore[misc]
        def generic(self, args: Any, kws: Any) -> Any:
            vectors = [a for a in args if a is REAL or a is COMPLEX]
            if not vectors or not all(a in vectors or isinstance(a, types.Float) for a in args):
                return None
            if divides and args[1] is COMPLEX:
                return None
            result = COMPLEX if COMPLEX in vectors else REAL
            return signature(result, *(a if a in vectors else types.float64 for a in args))

    infer_global(operation)(Template)

    def lower(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        left, right = (_parts(context, builder, kind, value) for kind, value in zip(sig.args, args, strict=True))
        real, imag = _combined(instruction, builder, left, right)
        return real if sig.return_type is REAL else _joined(context, builder, real, imag)

    for pair in [(a, b) for a in (REAL, COMPLEX, types.float64) for b in (REAL, COMPLEX, types.float64)]:
        if pair != (types.float64, types.float64) and not (divides and pair[1] is COMPLEX):
            lower_builtin(operation, *pair)(lower)


for _operation, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _define(_operation, _instruction)
    _define(getattr(operator, "i" + _operation.__name__), _instruction)


def data_of(context: Any, builder: ir.IRBuilder, array_type: Any, array: Any) -> Any:
    """Where the numbers of an array, or of a pointer, begin."""
    if isinstance(array_type, types.CPointer):
        return array
    return context.make_array(array_type)(context, builder, array).data


def _address(context: Any, builder: ir.IRBuilder, array_type: Any, array: Any, at: Any, ahead: int = 0) -> Any:
    at = builder.add(at, ir.Constant(_INDEX, ahead))
    return builder.bitcast(builder.gep(data_of(context, builder, array_type, array), [at]), _VECTOR.as_pointer())


@intrinsic
def pointer(typing_context: Any, array: Any) -> Any:
    """The address of a contiguous array: indexed like it, but one word to pass on, where an array is seven."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        return data_of(context, builder, sig.args[0], args[0])

    return types.CPointer(array.dtype)(array), code


@intrinsic
def load(typing_context: Any, array: Any, at: Any) -> Any:
    """The vector array[at : at + 8] of a contiguous float64 array."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        return builder.load(_address(context, builder, sig.args[0], *args), align=8)

    return REAL(array, types.int64), code


@intrinsic
def store(typing_context: Any, array: Any, at: Any, vector: Any) -> Any:
    """array[at : at + 8] = vector."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        builder.store(args[2], _address(context, builder, sig.args[0], args[0], args[1]), align=8)
        return context.get_dummy_value()

    return types.void(array, types.int64, REAL), code


@intrinsic
def load_complex(typing_context: Any, array: Any, at: Any) -> Any:
    """The complex vector array[at : at + 8] + i array[at + 8 : at + 16] of a contiguous float64 array."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        halves = [
            builder.load(_address(context, builder, sig.args[0], args[0], args[1], ahead), align=8) for ahead in (0, WIDTH)
        ]
        return _joined(context, builder, *halves)

    return COMPLEX(array, types.int64), code


@intrinsic
def store_complex(typing_context: Any, array: Any, at: Any, vector: Any) -> Any:
    """Writes what `load_complex` reads."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        for half, ahead in zip(_parts(context, builder, COMPLEX, args[2]), (0, WIDTH), strict=True):
            builder.store(half, _address(context, builder, sig.args[0], args[0], args[1], ahead), align=8)
        return context.get_dummy_value()

    return types.void(array, types.int64, COMPLEX), code


@intrinsic
def complex_of(typing_context: Any, real: Any, imag: Any) -> Any:
    """The complex vector with these parts, each a vector or a float."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        return _joined(context, builder, *(_parts(context, builder, *each)[0] for each in zip(sig.args, args, strict=True)))

    return COMPLEX(*(kind if kind is REAL else types.float64 for kind in (real, imag))), code


@intrinsic
def peek(typing_context: Any, array: Any, at: Any) -> Any:
    """The number array[at]; unlike indexing it does not look for negative positions."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        return builder.load(builder.gep(data_of(context, builder, sig.args[0], args[0]), [args[1]]))

    return array.dtype(array, types.int64), code


@intrinsic
def fill(typing_context: Any, value: Any) -> Any:
    """The vector of eight times ``value``."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        return _spread(builder, args[0])

    return REAL(types.float64), code


@intrinsic
def ramp(typing_context: Any) -> Any:
    """The vector 0, 1, ..., 7."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        return ir.Constant(_VECTOR, [float(i) for i in range(WIDTH)])

    return REAL(), code


@intrinsic
def total(typing_context: Any, vector: Any) -> Any:
    """The sum of the eight numbers."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        part = args[0]
        for width in (4, 2, 1):
            low = ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(width)))
            high = ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(width, 2 * width)))
            part = builder.fadd(builder.shuffle_vector(part, part, low), builder.shuffle_vector(part, part, high), flags=_FREE)
        return builder.extract_element(part, ir.Constant(ir.IntType(32), 0))

    return types.float64(REAL), code


@intrinsic
def running(typing_context: Any, vector: Any) -> Any:
    """The sums of the first number, of the first two, ..., of all eight."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        part, nothing = args[0], ir.Constant(_VECTOR, [0.0] * WIDTH)
        for shift in (1, 2, 4):
            lanes = [i if i < shift else WIDTH + i - shift for i in range(WIDTH)]
            moved = builder.shuffle_vector(nothing, part, ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), lanes))
            part = builder.fadd(part, moved)
        return part

    return REAL(REAL), code


def _size(builder: ir.IRBuilder, vector: Any) -> Any:
    """|x| of each number, of any number of them."""
    name = f"llvm.fabs.v{vector.type.count}f64"
    return builder.call(
        cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector.type, [vector.type]), name), [vector]
    )


@intrinsic
def farther(typing_context: Any, vector: Any, other: Any) -> Any:
    """Of each pair of numbers the one that is farther from 0."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        sizes = [_size(builder, one) for one in args]
        return builder.select(builder.fcmp_ordered(">", sizes[1], sizes[0]), args[1], args[0])

    return REAL(REAL, REAL), code


@intrinsic
def farthest(typing_context: Any, vector: Any) -> Any:
    """The largest |x| of the eight numbers."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        part = _size(builder, args[0])
        for width in (4, 2, 1):
            low = ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(width)))
            high = ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(width, 2 * width)))
            halves = [builder.shuffle_vector(part, part, lanes) for lanes in (low, high)]
            part = builder.select(builder.fcmp_ordered(">", halves[1], halves[0]), halves[1], halves[0])
        return builder.extract_element(part, ir.Constant(ir.IntType(32), 0))

    return types.float64(REAL), code


@intrinsic
def lane(typing_context: Any, vector: Any, which: Any) -> Any:
    """One of the eight numbers."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        return builder.extract_element(args[0], args[1])

    return types.float64(REAL, types.int64), code


@intrinsic
def nearest(typing_context: Any, vector: Any) -> Any:
    """Each number rounded to the nearest integer."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), "llvm.rint.v8f64")
        return builder.call(function, args)

    return REAL(REAL), code


@intrinsic
def at_least(typing_context: Any, vector: Any, floor: Any) -> Any:
    """The larger of each number and ``floor``."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        floor = _spread(builder, args[1])
        return builder.select(builder.fcmp_ordered(">", args[0], floor), args[0], floor)

    return REAL(REAL, types.float64), code


@intrinsic
def exponent(typing_context: Any, value: Any) -> Any:
    """floor(log2 |value|) of a finite normal number, from its bits; -1023 for zero and subnormal ones."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], _INDEX)
        biased = builder.and_(builder.lshr(bits, ir.Constant(_INDEX, 52)), ir.Constant(_INDEX, 0x7FF))
        return builder.sub(biased, ir.Constant(_INDEX, 1023))

    return types.int64(types.float64), code


@inlined
def exp_of(x: Any) -> Any:
    """e^x of a vector, |x| <= 64: a series for e^(x / 64), squared six times."""
    y = x * (1.0 / 2**_SQUARINGS)
    e = fill(0.0)
    for k in range(14, -1, -1):
        e = e * y + _EXP[k]
    for _ in range(_SQUARINGS):
        e = e * e
    return e
