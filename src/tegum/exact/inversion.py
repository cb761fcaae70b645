"""Laplace inversion for uniform magnitudes: the part of a row's expected loss that has no closed form, with its gradient.

    E[r(b + s)^2] = (1 / 2 pi i) int 2 e^{zb} phi(z) / z^3 dz,   phi(z) = prod_B phi_B(z)

The integral becomes a sum over z_k = (2 + 2 pi i k) / P.  The blocks of a row come as two lists: the *large* ones, whose
patterns "none is on" and "only i is on" are taken out of the product because they decay slowest (they are added back in
closed form elsewhere), and the *small* ones, which stay a plain factor:

    sum_k Re{ omega_k  Phi_S(z_k)  [ Phi_L(z_k) - q - sum_i c_i A(z_k g_i) ] }

Nothing is lost but the terms after the last one.  Their sum is judged by how far the partial sums over the last half of the
terms stray from the final one, doubled for caution: where they fall like 1/K or faster, what is left is less than that.
"""

from typing import Any

import numpy as np

from tegum.compilation import compiled, inlined
from tegum.exact.lanes import WIDTH, fill, load, ramp, total
from tegum.exact.product import ALL_ROWS, SINGLE_ROWS, SUM, at, backward, forward
from tegum.exact.singles import backward_singles, forward_singles
from tegum.exact.uniform import ALPHA, factor, first_powers, own_factor, start, step_on, write_factor

_TURN = 2 * np.pi
_CAUTION = 2.0
_EARLIER = 0.125
_FIRST_HALF = np.array([0.5] + [1.0] * (WIDTH - 1))


@inlined
def _strayed(partial: Any, chunks: int) -> float:
    """How much may be missing after the last chunk, from how the partial sums strayed before it.

    The largest distance from the last sum over the second half; for those over the second quarter an eighth, as a floor where
    the second half is close by chance.
    """
    last = partial[chunks - 1]
    most = abs(last) if chunks == 1 else 0.0
    for chunk in range(max(chunks // 4 - 1, 0), chunks - 1):
        share = 1.0 if chunk >= chunks // 2 - 1 else _EARLIER
        most = max(most, share * abs(last - partial[chunk]))
    return _CAUTION * most


@compiled
def invert(
    world: Any,
    work: Any,
    g: Any,
    order: Any,
    large: int,
    count: int,
    own: int,
    q: float,
    c: Any,
    b: float,
    P: float,
    a2: float,
    a3: float,
    least: int,
    most: int,
    target: float,
    target_b: float,
    gradient: int,
) -> Any:
    """The sum for a2 r^2 + a3 r^3 over the listed blocks: ``order[:large]`` the large, ``order[large:count]`` the small ones.

    ``c[i]`` is 0 for patterns left in the product.  Starts with ``least`` terms (a power of two times 8) and doubles them up to
    ``most`` until the error estimates of the value and its derivative by b meet their targets.  The derivatives by
    couplings are added to ``work.slope``.

    Returns:
        value, value of r^3 alone (0 where a3 is 0), derivative by b, error estimates of value and of that derivative, terms.
    """
    v = work.v
    rows = SINGLE_ROWS if world.simple else ALL_ROWS
    for entry in range(count):
        block = order[entry]
        for component in range(world.block_first[block], world.block_first[block + 1]):
            for i in range(world.component_first[component], world.component_first[component + 1]):
                start(world, v, rows, i, component, g[i], c[i], P)
    wr, wi, step_r, step_i = first_powers(b / P)
    wr = wr + 1.0
    step_r += 1
    half = load(_FIRST_HALF, 0)
    square = 4 * a2 * P * P
    cube = 12 * P * P * P
    value = 0.0
    cubic = 0.0
    by_b = 0.0
    error = np.inf
    error_b = np.inf
    terms = least
    k = np.int64(0)
    while True:
        y = _TURN * (ramp() + float(k))
        norm = 1.0 / (y * y + ALPHA * ALPHA)
        ir = ALPHA * norm
        ii = -1.0 * y * norm
        if world.simple:
            lr, li, gone_r, gone_i = forward_singles(v, rows, order, 0, large, own, q, P, k, ir, ii)
        else:
            for entry in range(count):
                block = order[entry]
                for i in range(
                    world.component_first[world.block_first[block]], world.component_first[world.block_first[block + 1]]
                ):
                    if i == own:
                        ar, ai, dr, di = own_factor(v, rows, i, P, k, ir, ii)
                    else:
                        ar, ai, dr, di = factor(v, rows, i, P, k, ir, ii)
                    write_factor(v, rows, i, ar, ai, dr, di)
            lr, li, gone_r, gone_i = forward(world, work, rows, order, 0, large, q, c)
        lr = lr - gone_r
        li = li - gone_i
        # omega = weight e^{zb} / z^3, and the same for the third power
        jr = ir * ir - ii * ii
        ji = 2.0 * ir * ii
        cr = jr * ir - ji * ii
        ci = jr * ii + ji * ir
        pr = half * (wr * cr - wi * ci)
        pi = half * (wr * ci + wi * cr)
        half = fill(1.0)
        ur = square * pr
        ui = square * pi
        if a3 != 0:
            tr = cube * (pr * ir - pi * ii)
            ti = cube * (pr * ii + pi * ir)
            cubic += total(tr * lr - ti * li)
            ur = ur + a3 * tr
            ui = ui + a3 * ti
        nr = ur * lr - ui * li
        ni = ur * li + ui * lr
        if large < count:
            if world.simple:
                sr, si, _, _ = forward_singles(v, rows, order, large, count, own, 0.0, P, k, ir, ii)
            else:
                sr, si, _, _ = forward(world, work, rows, order, large, count, 0.0, c)
            if gradient:
                if world.simple:
                    backward_singles(v, rows, order, large, count, own, P, k, ir, ii, nr, ni)
                else:
                    backward(world, work, rows, order, large, count, c, nr, ni)
                tr = ur * sr - ui * si
                ui = ur * si + ui * sr
                ur = tr
            tr = nr * sr - ni * si
            ni = nr * si + ni * sr
            nr = tr
        value += total(nr)
        work.partial[k // WIDTH] = value
        if gradient:
            if world.simple:
                backward_singles(v, rows, order, 0, large, own, P, k, ir, ii, ur, ui)
            else:
                backward(world, work, rows, order, 0, large, c, ur, ui)
            by_b += total(ALPHA * nr - y * ni)
            work.partial_b[k // WIDTH] = by_b
        for entry in range(count):
            block = order[entry]
            for i in range(
                world.component_first[world.block_first[block]], world.component_first[world.block_first[block + 1]]
            ):
                step_on(v, rows, i)
        tr = wr * step_r - wi * step_i
        wi = wr * step_i + wi * step_r
        wr = tr
        k += WIDTH
        if k == terms:
            error = _strayed(work.partial, k // WIDTH)
            error_b = _strayed(work.partial_b, k // WIDTH) / P if gradient else 0.0
            if 2 * terms > most or (error <= target and error_b <= target_b):
                break
            terms *= 2
    if gradient:
        for entry in range(count):
            block = order[entry]
            for i in range(
                world.component_first[world.block_first[block]], world.component_first[world.block_first[block + 1]]
            ):
                work.slope[i] += total(load(v, at(rows, SUM, i)))
    return value, cubic, by_b / P, error, error_b, terms
