"""Computing |x| without superposition: the best net whose neurons belong to one feature each.

    y_i = ReLU(sum over the neurons of feature i  v_k ReLU(w_k x_i)  +  b_i),      x_i active with density p, uniform on [-1, 1]

    two neurons    ReLU(x) + ReLU(-x)                        0
    one neuron     a ReLU(x) + b,                            V - C^2 / U          V = p/3 - p^2/4       variance of |x|
                   a = C / U,  b = p/2 - a p/4                                    C = p/6 - p^2/8       Cov(|x|, ReLU(x))
    none           b = p/2                                   V                    U = p/6 - p^2/16      variance of ReLU(x)

times I_i.  A second neuron always saves more than a first (C^2 / U <= V / 2), so that with falling importances the best net
gives two neurons to the m/2 most important features and none to the others; an odd neuron goes to the next one.

>>> import numpy as np, tegum as tg
>>> tg.theory.absolute_without_superposition(density=1, importance=np.ones(2), n_hidden=3)
(0.0666..., array([2, 1]))

A net that computes features in superposition must have a lower loss than this.

Source: section 9 of `Toy Models of Superposition` describes the two neurons; the rest is ours.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from tegum.arraylike import takes_arrays
from tegum.checking import require_range
from tegum.errors import InvalidInputError
from tegum.theory.candidates import dropped_loss


def one_sided_loss(density: ArrayLike, importance: ArrayLike = 1.0) -> NDArray[np.float64]:
    """I (V - C^2 / U): the loss of |x| from one neuron, which sees one sign of x; elementwise.  0 at density 0."""
    p = np.asarray(density, dtype=np.float64)
    saved = np.where(p > 0, p * (1 / 6 - p / 8) ** 2 / (1 / 6 - p / 16), 0.0)
    return np.asarray(np.asarray(importance) * (dropped_loss(p) - saved))


@takes_arrays
def absolute_without_superposition(
    density: float, importance: Float[np.ndarray, " n"], n_hidden: int
) -> tuple[float, NDArray[np.int64]]:
    """The lowest loss with one feature to a neuron, and how many neurons each feature then has, shape (n,).

    Raises:
        InvalidInputError: for fewer than one hidden unit.
    """
    require_range("importance", importance, 0, 1e30)
    if n_hidden < 1:
        raise InvalidInputError(f"n_hidden is {n_hidden}", "choose at least 1")
    neurons = np.zeros(len(importance), dtype=np.int64)
    order = np.argsort(-importance, kind="stable")
    neurons[order[: n_hidden // 2]] = 2
    neurons[order[n_hidden // 2 : n_hidden // 2 + n_hidden % 2]] = 1
    each = np.array([dropped_loss(density), one_sided_loss(density), 0.0])
    return float((importance * each[neurons]).sum()), neurons
