"""The squared errors of y = r(W^T W x + b) summed over given inputs, and their gradient, in compiled code.

Problem.  Through G = W^T W an input costs n^2, and most of a sparse input is 0.

Idea.  Through h = W x it costs (active features) m + n m, and nothing n x T is ever stored.  64 inputs at a time go over
`_CHUNK` features after the other, whose weights and gradient stay in the first cache meanwhile:

    e_j = r(b_j + sum_k h_k W_kj) - x_j        d_j = 2 p I_j e_j where the output fires, else 0
    db_j += d_j      dW_kj += h_k d_j      E_k += W_kj d_j          and at the end  dW_ki += E_k x_i

Example: W = [[1]], b = [0], x = 1/2: h = 1/2, e = 0.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import compiled, copied_into_callers, inner

Floats = NDArray[np.float64]

_AT_ONCE, _CHUNK = 64, 512


class Inputs(NamedTuple):
    """Inputs as sparse rows, row t from ``first[t]`` to ``first[t + 1] - 1``, columns in order; and their probabilities."""

    first: NDArray[np.int64]
    column: NDArray[np.int64]
    value: Floats
    probability: Floats


class Sums(NamedTuple):
    """What is summed: E e_j^2 of each output, and the gradient of sum_j I_j E e_j^2; and memory for it."""

    squares: Floats
    by_W: Floats
    by_b: Floats
    hidden: Floats
    back: Floats
    row: Floats
    place: NDArray[np.int64]


def sums_for(n_hidden: int, n_features: int) -> Sums:
    """Memory for one model."""
    n, m = n_features, n_hidden
    blocks = np.zeros((m, _AT_ONCE)), np.zeros((m, _AT_ONCE)), np.zeros(_CHUNK), np.zeros(_AT_ONCE, dtype=np.int64)
    return Sums(np.zeros(n), np.zeros((m, n)), np.zeros(n), *blocks)


def inputs_of(rows: Any, probabilities: Floats) -> Inputs:
    """Sparse rows of SciPy, and their probabilities, as compiled code reads them."""
    first, column = (np.array(one, dtype=np.int64) for one in (rows.indptr, rows.indices))
    return Inputs(first, column, np.array(rows.data, dtype=np.float64), np.array(probabilities, dtype=np.float64))


# Loops run over slices: numba looks whether a sum of indices is negative, and would not vectorise.


@copied_into_callers
@inner
def _set_outputs(W: Floats, b: Floats, hidden: Floats, a: int, left: int, right: int, row: Floats) -> None:
    """The outputs ``left`` to ``right`` of input a."""
    m, biases = W.shape[0], b[left:right]
    for j in range(biases.size):
        row[j] = biases[j]
    for k in range(0, m - 1, 2):
        one, two = hidden[k, a], hidden[k + 1, a]
        first, second = W[k, left:right], W[k + 1, left:right]
        for j in range(first.size):
            row[j] += one * first[j] + two * second[j]
    if m % 2:
        last, weights = hidden[m - 1, a], W[m - 1, left:right]
        for j in range(weights.size):
            row[j] += last * weights[j]
    for j in range(biases.size):
        row[j] = max(row[j], 0.0)


@copied_into_callers
@inner
def _square(squares: Floats, importance: Floats, p: float, row: Floats) -> None:
    """Adds to the squares of some outputs, whose errors in ``row`` become derivatives."""
    for j in range(squares.size):
        error = row[j]
        squares[j] += p * error * error
        row[j] = 2 * p * importance[j] * error


@copied_into_callers
@inner
def _pull_back(W: Floats, left: int, right: int, a: int, found: Sums) -> None:
    """What the derivatives by outputs, in ``row``, add to those by b, by W and by the hidden values."""
    row, by_b = found.row, found.by_b[left:right]
    for j in range(by_b.size):
        by_b[j] += row[j]
    for k in range(W.shape[0]):
        weights, by_weights = W[k, left:right], found.by_W[k, left:right]
        h, total = found.hidden[k, a], 0.0
        for j in range(weights.size):
            by_weights[j] += h * row[j]
            total += weights[j] * row[j]
        found.back[k, a] += total


@compiled
def sum_over_inputs(W: Floats, b: Floats, importance: Floats, inputs: Inputs, gradient: int, found: Sums) -> None:
    """Fills squares and, where asked for, the gradient of one model W (m, n), b (n,)."""
    m, n = W.shape
    first, column, value, row = inputs.first, inputs.column, inputs.value, found.row
    found.squares[:] = 0.0
    found.by_W[:] = 0.0
    found.by_b[:] = 0.0
    for begin in range(0, first.size - 1, _AT_ONCE):
        size = min(_AT_ONCE, first.size - 1 - begin)
        for a in range(size):
            found.place[a] = first[begin + a]
            for k in range(m):
                h = 0.0
                for q in range(first[begin + a], first[begin + a + 1]):
                    h += W[k, column[q]] * value[q]
                found.hidden[k, a] = h
                found.back[k, a] = 0.0
        for left in range(0, n, _CHUNK):
            right = min(left + _CHUNK, n)
            for a in range(size):
                p = inputs.probability[begin + a]
                _set_outputs(W, b, found.hidden, a, left, right, row)
                while found.place[a] < first[begin + a + 1] and column[found.place[a]] < right:
                    i, x = column[found.place[a]], value[found.place[a]]
                    if row[i - left] > 0:
                        row[i - left] -= x
                    else:  # an output that does not fire is wrong by x, and does not move
                        found.squares[i] += p * x * x
                    found.place[a] += 1
                _square(found.squares[left:right], importance[left:right], p, row)
                if gradient:
                    _pull_back(W, left, right, a, found)
        if gradient:
            for a in range(size):
                for q in range(first[begin + a], first[begin + a + 1]):
                    for k in range(m):
                        found.by_W[k, column[q]] += found.back[k, a] * value[q]
