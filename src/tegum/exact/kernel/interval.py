"""The moment generating function of u ~ U[low, high] and two derivatives, at many complex points.

    A = e^{low z} i_0,   A' = e^{low z} (low i_0 + w i_1),   A'' = e^{low z} (low^2 i_0 + 2 low w i_1 + w^2 i_2)

with w = high - low, y = w z and i_k = int_0^1 u^k e^{yu} du = (e^y - k i_{k-1}) / y, i_0 = (e^y - 1) / y; near 0 by their
series sum_m y^m / (m! (m + k + 1)).
"""

from typing import Any

import numpy as np

from tegum.compilation import compiled

_NEAR, _SERIES = 1.0, 18


@compiled
def interval_transform(z: Any, low: float, high: float, A: Any, first: Any, second: Any) -> None:
    """Fills A, A' and A'' at the points z, all of one flat shape."""
    w = high - low
    for k in range(z.size):
        y = w * z[k]
        if abs(y.real) + abs(y.imag) < _NEAR:
            power = 1.0 + 0.0j
            i0 = i1 = i2 = 0.0 + 0.0j
            for m in range(_SERIES):
                i0 += power / (m + 1)
                i1 += power / (m + 2)
                i2 += power / (m + 3)
                power *= y / (m + 1)
        else:
            e = np.exp(y)
            i0 = (e - 1) / y
            i1 = (e - i0) / y
            i2 = (e - 2 * i1) / y
        shift = np.exp(low * z[k])
        A[k] = shift * i0
        first[k] = shift * (low * i0 + w * i1)
        second[k] = shift * (low * low * i0 + 2 * low * w * i1 + w * w * i2)
