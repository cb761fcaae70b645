"""The product of `tegum.exact.product` where every block is a single feature: the common world, in half the time.

    phi = prod_i (1 - p_i + p_i A_i)

There are no lists of components to walk through, and factors are computed twice, going forward and going back: that is cheaper
than fetching them from memory, and leaves so little to remember that a hundred features fit the fastest cache.
"""

from typing import Any

from tegum.compilation import inlined
from tegum.exact.lanes import fill, load, peek, store
from tegum.exact.product import BEFORE, IMAGINARY, STEP, SUM, at
from tegum.exact.uniform import SHARE, WEIGHT, factor, own_factor


@inlined
def forward_singles(
    v: Any, rows: int, order: Any, first: int, end: int, own: int, q: float, P: float, k: int, ir: Any, ii: Any
) -> Any:
    """The product of the listed features' blocks at the points k to k + 7, and what is removed from it: four vectors."""
    pr = fill(1.0)
    pi = fill(0.0)
    gone_r = fill(q)
    gone_i = fill(0.0)
    for entry in range(first, end):
        i = peek(order, entry)
        if i == own:
            ar, ai, _, _ = own_factor(v, rows, i, P, k, ir, ii)
        else:
            ar, ai, _, _ = factor(v, rows, i, P, k, ir, ii)
        here = at(rows, BEFORE, i)
        store(v, here, pr)
        store(v, here + IMAGINARY, pi)
        fixed = at(rows, SUM, i) + STEP
        weight = peek(v, fixed + WEIGHT)
        share = peek(v, fixed + SHARE)
        gone_r = gone_r + share * ar
        gone_i = gone_i + share * ai
        fr = weight * ar + (1.0 - weight)
        fi = weight * ai
        t = pr * fr - pi * fi
        pi = pr * fi + pi * fr
        pr = t
    return pr, pi, gone_r, gone_i


@inlined
def backward_singles(
    v: Any, rows: int, order: Any, first: int, end: int, own: int, P: float, k: int, ir: Any, ii: Any, vr: Any, vi: Any
) -> None:
    """Adds the derivatives of Re{v (product - removed)} by the listed couplings to acc."""
    sr = vr
    si = vi
    for entry in range(end - 1, first - 1, -1):
        i = peek(order, entry)
        here = at(rows, BEFORE, i)
        fr = load(v, here)
        fi = load(v, here + IMAGINARY)
        fixed = at(rows, SUM, i) + STEP
        weight = peek(v, fixed + WEIGHT)
        share = peek(v, fixed + SHARE)
        xr = weight * (fr * sr - fi * si) - share * vr
        xi = weight * (fr * si + fi * sr) - share * vi
        if i == own:
            ar, ai, dr, di = own_factor(v, rows, i, P, k, ir, ii)
        else:
            ar, ai, dr, di = factor(v, rows, i, P, k, ir, ii)
        place = fixed - STEP
        store(v, place, load(v, place) + xr * dr - xi * di)
        fr = weight * ar + (1.0 - weight)
        fi = weight * ai
        t = sr * fr - si * fi
        si = sr * fi + si * fr
        sr = t
