"""Products in register blocks equal NumPy's, whatever registers they are cut for, in every size of a block."""

import re
from itertools import product
from typing import Any

import numba
import numpy as np
import pytest
from llvmlite import binding

from tegum.processor import Registers, registers_of
from tegum.training.blocks import (
    PANEL_WIDTH,
    REGISTERS,
    ROWS,
    Layout,
    Pair,
    Place,
    Rows,
    Tile,
    row_products,
    stripe_of,
    tile_of,
    tile_products,
)
from tegum.training.products import accumulate_panels, accumulate_rows

KINDS = {"AVX-512": Registers(32, 16), "AVX2": Registers(16, 8), "NEON": Registers(32, 4), "SSE": Registers(16, 4)}


@pytest.fixture(params=KINDS, scope="module")
def compiled(request: pytest.FixtureRequest) -> tuple[Registers, Any, Any]:
    """Both products for one kind of registers; this machine splits or joins them as its own registers need."""
    registers = KINDS[request.param]
    multiply, accumulate = row_products(registers, listed=True), tile_products(registers)
    dense = row_products(registers, listed=False)

    @numba.njit(_nrt=False)
    def rows_of(height, C, start, A, layout, B, chosen):  # type: ignore[no-untyped-def]
        if chosen.number < B.shape[0]:
            multiply(height, Place(C, 0), Place(start, 0), A, layout, B, chosen)
        else:
            dense(height, Place(C, 0), Place(start, 0), A, layout, B, chosen.number)

    @numba.njit(_nrt=False)
    def tile_product(S, layout, tile, rows, first, second):  # type: ignore[no-untyped-def]
        accumulate(S, layout, tile, rows, first, second)

    return registers, rows_of, tile_product


def test_multiply(compiled: tuple[Registers, Any, Any]) -> None:
    _, rows_of, _ = compiled
    rng = np.random.default_rng(0)
    n, chosen = 9, np.array([0, 3, 4, 8, 7], dtype=np.int32)
    A = rng.normal(size=2 + n * ROWS).astype(np.float32)
    start, B = rng.normal(size=ROWS).astype(np.float32), rng.normal(size=(n, PANEL_WIDTH)).astype(np.float32)
    for height, (row, column) in product(range(1, ROWS + 1), ((n, 1), (1, ROWS))):
        for some in (chosen[:4], np.arange(n, dtype=np.int32)):
            C = np.full((ROWS, PANEL_WIDTH), 7, np.float32)
            rows_of(height, C, start, A, Layout(2, row, column), B, Rows(some, len(some)))
            entries = A[2 + row * np.arange(height)[:, None] + column * some].astype(np.float64)
            np.testing.assert_allclose(C[:height], start[:height, None] + entries @ B[some], rtol=1e-5, atol=1e-5)
            assert (C[height:] == 7).all()


def test_accumulate(compiled: tuple[Registers, Any, Any]) -> None:
    registers, _, tile_product = compiled
    rng = np.random.default_rng(1)
    n, m, panels = 6, 6, 2
    P, X = rng.normal(size=(2, 1 + panels, n, PANEL_WIDTH)).astype(np.float32)
    Q, E = rng.normal(size=(2, 1 + panels, m, PANEL_WIDTH)).astype(np.float32)
    whole = np.einsum("pis,pjs->ij", P[1:], Q[1:], dtype=np.float64) + np.einsum("is,js->ij", X[0], E[0], dtype=np.float64)
    most, broadest = tile_of(registers)
    for height, width in product(range(1, most + 1), range(1, broadest + 1)):
        expected = np.ones((n, m))
        expected[1 : 1 + height, 2 : 2 + width] += whole[1 : 1 + height, 2 : 2 + width]
        for layout, order in ((Layout(0, m, 1), "C"), (Layout(0, 1, n), "F")):
            S = np.ones(n * m, np.float32)
            tile_product(S, layout, Tile(1, 2, height, width), (n, m), Pair(P, Q, 1, 1 + panels), Pair(X, E, 0, 1))
            np.testing.assert_allclose(S.reshape((n, m), order=order), expected, rtol=1e-5, atol=3e-5)


@pytest.mark.parametrize("tied", [True, False])
def test_gradients_of_any_size_go_over_a_few_panels_at_a_time(tied: bool) -> None:
    """Sizes whose tiles are unequal, and whose right panels are more than the first cache holds; all rows, or some."""
    rng = np.random.default_rng(2)
    n, m, panels, height = 14, 33, 5, tile_of(REGISTERS)[0]
    left, right = rng.normal(size=(2, panels, n, PANEL_WIDTH)), rng.normal(size=(2, panels, m, PANEL_WIDTH))
    (D, X), (H, E) = left.astype(np.float32), right.astype(np.float32)
    first, second = Pair(D, H, 0, panels), Pair(X, E, 0, panels if tied else 0)
    whole = np.einsum("pis,pjs->ij", D, H, dtype=np.float64) + tied * np.einsum("pis,pjs->ij", X, E, dtype=np.float64)
    for layout, order in ((Layout(3, m, 1), "C"), (Layout(3, 1, n), "F")):
        S = np.ones(3 + n * m, np.float32)
        accumulate_panels(S, layout, first, second)
        np.testing.assert_allclose(S[3:].reshape((n, m), order=order), 1 + whole, rtol=1e-5, atol=2e-4)
        some, block = np.array([0, 2, 3, 7, 8, 13], np.int32), np.zeros(height * m, np.float32)
        S, gathered = np.ones(3 + n * m, np.float32), np.full((2, panels, height, PANEL_WIDTH), np.nan, np.float32)
        accumulate_rows(S, layout, first, second, Rows(some, len(some)), gathered, block)
        expected = np.ones((n, m))
        expected[some] += whole[some]
        np.testing.assert_allclose(S[3:].reshape((n, m), order=order), expected, rtol=1e-5, atol=2e-4)


@pytest.mark.parametrize(
    ("triple", "features", "kind"),
    [
        ("x86_64-unknown-linux-gnu", "+sse2,+avx2,+avx512f,+avx512vl", "AVX-512"),
        ("x86_64-unknown-linux-gnu", "+avx,+avx2,+fma,-avx512f", "AVX2"),
        ("x86_64-apple-darwin", "+sse4.2,-avx,-avx512f", "SSE"),
        ("arm64-apple-darwin", "+neon,+fp-armv8", "NEON"),
        ("aarch64-unknown-linux-gnu", "", "NEON"),
    ],
)
def test_registers_are_those_of_the_target(triple: str, features: str, kind: str) -> None:
    assert registers_of(triple, features) == KINDS[kind]


@pytest.mark.parametrize("registers", KINDS.values(), ids=KINDS)
def test_blocks_leave_room_for_what_is_multiplied(registers: Registers) -> None:
    for rows in range(1, ROWS + 1):
        stripe = stripe_of(registers, rows)
        assert rows * stripe + (stripe if rows > 1 else 0) + 1 <= registers.number
        assert PANEL_WIDTH % (stripe * registers.width) == 0
    height, width = tile_of(registers)
    assert height * width + min(height, width) + 1 <= registers.number


def test_blocks_for_arm64_stay_in_registers(compiled: tuple[Registers, Any, Any]) -> None:
    """No such processor is here, but the assembly for one is: sums are neither written to memory nor read for each product."""
    registers, rows_of, tile_product = compiled
    if registers != KINDS["NEON"]:
        pytest.skip("for the registers of arm64")
    test_multiply(compiled)
    test_accumulate(compiled)
    for function in (rows_of, tile_product):
        lines = assembly(next(iter(function.inspect_llvm().values())), "aarch64-unknown-linux-gnu", "apple-m1")
        total = spilled = 0
        for loop in innermost_loops(lines):
            products = [line for line in loop if re.search(r"\bfmla\s+v\d+\.4s", line)]
            through_memory = [line for line in loop if re.search(r"\b(ldr|str|ldp|stp)\s+q\d+.*\[sp", line)]
            assert len(through_memory) <= len(products) / 15
            total, spilled = total + len(products), spilled + len(through_memory)
        assert total > 200
        assert spilled < total / 30


def innermost_loops(lines: list[str]) -> list[list[str]]:
    """The lines of assembly from each label to the jump that goes back to it, where there is no other label between."""
    begins = [k for k, line in enumerate(lines) if re.match(r"\.LBB\w+:", line)]
    loops = []
    for begin, end in zip(begins, [*begins[1:], len(lines)], strict=True):
        back = rf"\s+(b|cb|tb)\S*\s.*\{lines[begin].split(':')[0]}$"
        loops += [lines[begin : k + 1] for k in range(begin, end) if re.match(back, lines[k])]
    return loops


def assembly(module: str, triple: str, processor: str) -> list[str]:
    """The lines of a module's assembly for another processor."""
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    foreign = re.sub(r"target triple = .*", f'target triple = "{triple}"', re.sub(r"target datalayout = .*", "", module))
    parsed = binding.parse_assembly(re.sub(r'"target-(cpu|features)"="[^"]*"', "", foreign))
    machine = binding.Target.from_triple(triple).create_target_machine(cpu=processor, opt=3)
    parsed.data_layout = str(machine.target_data)
    return str(machine.emit_assembly(parsed)).splitlines()
