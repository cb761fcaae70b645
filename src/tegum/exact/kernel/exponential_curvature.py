"""The Hessian of an output of exponential magnitudes: the sum over its hyperbola, differentiated term by term.

A row with b > 0 is turned around as in `tegum.exact.kernel.exponential`; second derivatives keep their sign by that.  It takes
the finest spacing, halved again and again, that needs no more terms than there may be.
"""

import math
from typing import Any

import numpy as np

from tegum.compilation import apart_from_callers, inner
from tegum.exact.kernel.bends import FIRST, SECOND, VALUE, Products, near
from tegum.exact.kernel.exponential import CANCELLED, HALF, STEEP, contour_of, exponential_factor, omega_of
from tegum.exact.kernel.product import Products as Derivatives
from tegum.exact.kernel.records import ZERO, Distribution, Listed, OwnFeature, Work
from tegum.exact.kernel.set_bends import add_bends
from tegum.exact.kernel.vectors import WIDTH, complex_of, exp_of, load, ramp, store_complex, total
from tegum.exact.kernel.walk import features_of

_FIRST_STEP, _LAST_STEP = 4.5, 0.01


@apart_from_callers
@inner
def exponential_curvature(
    distribution: Distribution, work: Work, blocks: Listed, own: OwnFeature, b: float, terms: int, memory: Products, H: Any
) -> bool:
    """Whether it added the Hessian of T E r(side s)^2, side = -1 for b > 0, to H (n + 1, n + 1), with the sign of the side.

    It does not where terms of different signs cancel on both contours.  An entry may go to either side of the diagonal.
    """
    a, n = distribution.mean, H.shape[0] - 1
    side = -1.0 if b > 0 else 1.0
    none = 1.0
    for entry in range(blocks.first, blocks.end):
        none *= distribution.inactive[blocks.order[entry]]
    for component in range(distribution.block_first[distribution.blocks]):
        work.large[component] = 0
    zero = complex_of(0.0, 0.0)
    for attempt in range(2):
        contour, _ = contour_of(distribution, work, blocks, b, side, STEEP if attempt else np.pi / 4)
        step = _FIRST_STEP
        while 2 * contour.reach <= terms * step and step > _LAST_STEP:
            step /= 2
        for i in range(n + 1):
            for k in range(n + 1):
                H[i, k] = 0.0
        got = norm = 0.0
        scale = side * 2 * contour.alpha / np.pi * step
        k = ZERO
        while k * step < contour.reach:
            up = exp_of(step * (ramp() + float(k)))
            down = 1.0 / up
            ch = 0.5 * (up + down)
            sh = 0.5 * (up - down)
            z = complex_of(contour.alpha * (contour.sin_psi * ch + 1.0), (contour.alpha * contour.cos_psi) * sh)
            for i in features_of(blocks):
                T = -side if i == own.feature and own.block >= 0 else 0.0
                factor, first, second = exponential_factor(side * work.g[i] * a, a, z, T)
                store_complex(memory.factors, near(VALUE, i), factor)
                store_complex(memory.factors, near(FIRST, i), first)
                store_complex(memory.factors, near(SECOND, i), second)
            omega = omega_of(contour, z, ch, sh) * scale
            if k == 0:
                omega = omega * load(HALF, 0)
            found = add_bends(distribution, work, blocks, ZERO, Derivatives(zero, omega, zero), z, memory, H) - none * omega
            # nothing is active: no part of r(s) for b <= 0, but it decays slowest
            H[n, n] -= none * total((z * z * omega).real)
            got += total(found.real)
            norm += total(found.real * found.real + found.imag * found.imag)
            k += WIDTH
        if math.sqrt(norm) <= CANCELLED * abs(got):
            return True
    return False
