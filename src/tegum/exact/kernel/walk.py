"""The walk over the features of some blocks, as a ``for`` loop of compiled code that costs what two nested loops cost.

    for i in features_of(blocks): ...           # feature_first[block] to feature_first[block + 1] - 1 of each block

A generator would do, but keeps its place in memory and jumps back into itself for every feature: 5 % of a whole loss.  This
iterator's place lives in registers, because its code stands in the loop.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import RefType, iternext_impl
from numba.extending import intrinsic, lower_builtin, models, register_model

from tegum.compilation import inlined
from tegum.exact.kernel.records import Distribution, Listed
from tegum.exact.kernel.vectors import data_of


class _WalkType(types.SimpleIteratorType):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__("Walk", types.int64)


_WALK = _WalkType()


@register_model(_WalkType)
class _WalkModel(models.StructModel):  # type: ignore[misc]
    def __init__(self, manager: Any, numba_type: Any) -> None:
        table, place = types.CPointer(types.int64), types.EphemeralPointer(types.int64)
        members = [("order", table), ("feature_first", table), ("end", types.int64)]
        super().__init__(manager, numba_type, [*members, ("entry", place), ("feature", place), ("stop", place)])


@intrinsic
def _walk(typing_context: Any, order: Any, feature_first: Any, first: Any, end: Any) -> Any:
    """An iterator at the first feature of block order[first]."""

    def code(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        walk = cgutils.create_struct_proxy(_WALK)(context, builder)
        walk.order, walk.feature_first = (data_of(context, builder, sig.args[k], args[k]) for k in (0, 1))
        nothing = ir.Constant(ir.IntType(64), 0)
        walk.entry, walk.end = cgutils.alloca_once_value(builder, args[2]), args[3]
        walk.feature, walk.stop = (cgutils.alloca_once_value(builder, nothing) for _ in range(2))
        return walk._getvalue()

    return _WALK(order, feature_first, types.int64, types.int64), code


@lower_builtin("getiter", _WALK)
def _itself(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
    return args[0]


@lower_builtin("iternext", _WALK)
@iternext_impl(RefType.UNTRACKED)
def _next(context: Any, builder: ir.IRBuilder, sig: Any, args: Any, result: Any) -> None:
    walk = cgutils.create_struct_proxy(_WALK)(context, builder, args[0])
    one = ir.Constant(ir.IntType(64), 1)
    look, enter, leave = (builder.append_basic_block(name) for name in ("look", "enter", "leave"))
    builder.branch(look)
    # while the block is exhausted and another is left: enter that
    builder.position_at_end(look)
    entry = builder.load(walk.entry)
    inside = builder.icmp_signed("<", builder.load(walk.feature), builder.load(walk.stop))
    more = builder.icmp_signed("<", entry, walk.end)
    builder.cbranch(builder.or_(inside, builder.not_(more)), leave, enter)
    builder.position_at_end(enter)
    block = builder.load(builder.gep(walk.order, [entry]))
    builder.store(builder.load(builder.gep(walk.feature_first, [block])), walk.feature)
    builder.store(builder.load(builder.gep(walk.feature_first, [builder.add(block, one)])), walk.stop)
    builder.store(builder.add(entry, one), walk.entry)
    builder.branch(look)
    builder.position_at_end(leave)
    feature = builder.load(walk.feature)
    result.set_valid(inside)
    result.yield_(feature)
    builder.store(builder.add(feature, one), walk.feature)


@inlined
def components_in(distribution: Distribution, block: int) -> Any:
    """The components of one block."""
    return range(distribution.block_first[block], distribution.block_first[block + 1])


@inlined
def members_of(distribution: Distribution, component: int) -> Any:
    """The features of one component."""
    return range(distribution.component_first[component], distribution.component_first[component + 1])


@inlined
def components_of(blocks: Listed, block_first: Any) -> Any:
    """The components of the listed blocks, one after the other; ``block_first`` as in `Distribution`."""
    return _walk(blocks.order, block_first, blocks.first, blocks.end)


@inlined
def features_of(blocks: Listed) -> Any:
    """The features of the listed blocks, one after the other."""
    return _walk(blocks.order, blocks.feature_first, blocks.first, blocks.end)
