"""With which power one quantity grows with another: y ~ x^k, where k is the least-squares slope of ln y against ln x.

>>> round(exponent([1, 2, 4], [3, 12, 48]), 6)
2.0
"""

import numpy as np
from numpy.typing import ArrayLike


def exponent(x: ArrayLike, y: ArrayLike) -> float:
    """The slope of log y against log x, both of shape (points,); NaN where some y is not above 0."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    return float(np.polyfit(np.log(x), np.log(y), 1)[0]) if (y > 0).all() else float("nan")
