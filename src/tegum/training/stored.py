"""A batch of stored samples, forward and backward, without making sparse ones dense: full batches of small data sets.

Problem.  Of 10,000 features ten are active in a sample, and a data set as panels would be a thousand times larger than what is
in it; gathering panels takes longer than training on them.

Idea.  A sample's hidden values cost (active features) m, its outputs n m, and an output differs from that of an empty sample in
its error alone:

    h = W x        e_j = f(b_j + h . W_j) - x_j        d_j = 2 I_j e_j / batch where the output fires, else 0
    db_j += d_j    dW_kj += h_k d_j    E_k += W_kj d_j          and at the end  dW_ki += E_k x_i

A panel of 64 samples goes over `FEATURES_AT_ONCE` features after the other, lane by lane along the features.  For nets with
tied weights, linear hidden units and a ReLU or nothing behind them, compared with x (`trains_stored`); others get panels.

Example: W = [[1]], b = [0], x = 1/2: h = 1/2, e = 0.
"""

import numpy as np

from tegum.compilation import apart_from_callers, copied_into_callers, inlined, inner
from tegum.features import FiniteLaw
from tegum.nets import ACTIVATIONS, Net
from tegum.training.arrays import FEATURES_AT_ONCE, FeatureNumbers, RecipeNumbers, Scratch, Shape, SparseRows, State
from tegum.training.blocks import PANEL_WIDTH, Floats
from tegum.training.randomness import fill_random
from tegum.training.recipe import Recipe

_ZERO = np.float32(0)


def trains_stored(net: Net, recipe: Recipe) -> bool:
    """Whether a net is trained on sparse rows as they are, by what this file knows."""
    plain = net.tied and not (net.hidden_relu or net.has_hidden_bias or net.absolute_target) and net.target_map is None
    output = net.output_activation in (ACTIVATIONS["relu"], ACTIVATIONS["identity"])
    usual = not (recipe.dropout or recipe.l1 or recipe.attack_size) and recipe.loss_on == "all"
    return plain and output and usual


def rows_of_set(samples: FiniteLaw) -> SparseRows:
    """A data set as compiled code reads it, in single precision."""
    rows = samples.rows
    return SparseRows(np.array(rows.indptr, np.int64), np.array(rows.indices, np.int32), np.array(rows.data, np.float32))


def panels_of_set(samples: FiniteLaw, panels: Floats) -> None:
    """Fills panels (T / 64 rounded up, n, 64), which begin as zeros, with a data set."""
    rows = samples.rows
    sample = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    panels[sample // PANEL_WIDTH, rows.indices, sample % PANEL_WIDTH] = rows.data


@inlined
def _hidden_values(shape: Shape, parameters: Floats, rows: SparseRows, t: int, scratch: Scratch, a: int) -> None:
    """Hidden values of sample t of the set, at place a of panel 0."""
    scratch.place[a] = rows.first[t]
    for k in range(shape.m):
        h = _ZERO
        for q in range(rows.first[t], rows.first[t + 1]):
            h = np.float32(h + parameters[k * shape.n + rows.column[q]] * rows.value[q])
        scratch.hidden[0, k, a] = h
        scratch.hidden_gradient[0, k, a] = _ZERO


# Loops run over slices: numba looks whether a sum of indices is negative, and would not vectorise.


@copied_into_callers
@inner
def _set_outputs(shape: Shape, parameters: Floats, hidden: Floats, a: int, left: int, right: int, errors: Floats) -> None:
    """The outputs ``left`` to ``right`` of the sample at place a."""
    n, biases = shape.n, parameters[shape.b + left : shape.b + right]
    floor = _ZERO if shape.output_relu else np.float32(-np.inf)
    for j in range(biases.size):
        errors[j] = biases[j]
    for k in range(0, shape.m - 1, 2):
        one, two = hidden[k, a], hidden[k + 1, a]
        first, second = parameters[k * n + left : k * n + right], parameters[k * n + n + left : k * n + n + right]
        for j in range(first.size):
            errors[j] = np.float32(errors[j] + one * first[j] + two * second[j])
    if shape.m % 2:
        k = shape.m - 1
        last, weights = hidden[k, a], parameters[k * n + left : k * n + right]
        for j in range(weights.size):
            errors[j] = np.float32(errors[j] + last * weights[j])
    for j in range(biases.size):
        errors[j] = max(errors[j], floor)


@copied_into_callers
@inner
def _loss_of(importance: Floats, factor: np.float32, errors: Floats) -> float:
    """The loss of the errors of some outputs, which become its derivatives."""
    total = _ZERO
    for j in range(importance.size):
        weight, error = importance[j], errors[j]
        total = np.float32(total + weight * error * error)
        errors[j] = np.float32(np.float32(weight * factor) * error)
    return np.float64(total)


@copied_into_callers
@inner
def _pull_back(shape: Shape, parameters: Floats, gradient: Floats, a: int, left: int, right: int, scratch: Scratch) -> None:
    """What derivatives by outputs, in ``errors``, add to those by b, by W and by the hidden values."""
    n, errors, by_b = shape.n, scratch.errors, gradient[shape.b + left : shape.b + right]
    for j in range(by_b.size):
        by_b[j] = np.float32(by_b[j] + errors[j])
    for k in range(shape.m):
        weights, by_weights = parameters[k * n + left : k * n + right], gradient[k * n + left : k * n + right]
        h, total = scratch.hidden[0, k, a], _ZERO
        for j in range(weights.size):
            by_weights[j] = np.float32(by_weights[j] + h * errors[j])
            total = np.float32(total + weights[j] * errors[j])
        scratch.hidden_gradient[0, k, a] = np.float32(scratch.hidden_gradient[0, k, a] + total)


@apart_from_callers
@inner
def stored_gradient(
    shape: Shape, scratch: Scratch, features: FeatureNumbers, recipe: RecipeNumbers, state: State, whole: int
) -> float:
    """The loss on the next batch of the stored set, its gradient left in ``scratch.gradient``; or on the ``whole`` set.

    A batch as large as the set is the set; a smaller one is drawn as `draw.gather_panel` draws it.
    """
    rows, n, parameters, gradient = state.rows, shape.n, state.parameters, scratch.gradient
    size = recipe.data_set_size
    batch, all_of_it = size if whole else recipe.batch_size, whole or recipe.batch_size == size
    factor, importance = np.float32(2.0 / batch), features.importance
    gradient[:] = _ZERO
    loss = 0.0
    for begin in range(0, batch, PANEL_WIDTH):
        count = min(PANEL_WIDTH, batch - begin)
        if not all_of_it:
            fill_random(state.stream, scratch.words)
        for a in range(count):
            t = begin + a if all_of_it else (np.int64(scratch.words[a]) * size) >> 32
            scratch.attacked[a] = t
            _hidden_values(shape, parameters, rows, t, scratch, a)
        for left in range(0, n, FEATURES_AT_ONCE):
            right = min(left + FEATURES_AT_ONCE, n)
            for a in range(count):
                end = rows.first[np.int64(scratch.attacked[a]) + 1]
                _set_outputs(shape, parameters, scratch.hidden[0], a, left, right, scratch.errors)
                while scratch.place[a] < end and rows.column[scratch.place[a]] < right:
                    i, x = np.int64(rows.column[scratch.place[a]]), rows.value[scratch.place[a]]
                    if shape.output_relu == 0 or scratch.errors[i - left] > _ZERO:
                        scratch.errors[i - left] = np.float32(scratch.errors[i - left] - x)
                    else:  # an output that does not fire is wrong by x, and does not move
                        loss += np.float64(importance[i] * x * x)
                    scratch.place[a] += 1
                loss += _loss_of(importance[left:right], factor, scratch.errors)
                _pull_back(shape, parameters, gradient, a, left, right, scratch)
        for a in range(count):
            t = np.int64(scratch.attacked[a])
            for q in range(rows.first[t], rows.first[t + 1]):
                for k in range(shape.m):
                    at = k * n + rows.column[q]
                    gradient[at] = np.float32(gradient[at] + scratch.hidden_gradient[0, k, a] * rows.value[q])
    return loss / batch
