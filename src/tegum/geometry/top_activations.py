"""What makes a neuron fire: how often its primary feature is on, at its strongest activations and at middling ones.

Of a neuron's positive activations those between two quantiles are taken; the share of them with the neuron's primary feature
on is

    primary_share(h, on, main_features(W), 0.99, 1)          looking at top activations, as people do
    primary_share(h, on, main_features(W), 0.4, 0.6)         looking at ordinary ones

Example: a neuron that reads x_0 + 0.2 x_1 has a share near 1 at the top and a lower one in the middle.
Source: the close-up in section 9 of `Toy Models of Superposition`; that only activations above a tenth of the neuron's
largest count (as for weights, what is smaller is not seen) is our choice.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from tegum.errors import InvalidInputError


def primary_share(
    h: Float[np.ndarray, "samples m"],
    on: Bool[np.ndarray, "samples n"],
    primary: Int[np.ndarray, " m"],
    low: float,
    high: float,
    least: float = 0.1,
) -> Float[np.ndarray, " m"]:
    """The share for every neuron, shape (m,); NaN where a neuron never fires.

    Args:
        h: activations.
        on: which features are on in each sample.
        primary: each neuron's primary feature.
        low: the lower quantile, 0 to 1.
        high: the upper quantile, not below ``low``.
        least: activations up to this share of the neuron's largest do not count.

    Raises:
        InvalidInputError: for quantiles that are not 0 <= low <= high <= 1.
    """
    if not 0 <= low <= high <= 1:
        raise InvalidInputError(f"the quantiles are {low} and {high}", "choose 0 <= low <= high <= 1")
    share = np.full(h.shape[1], np.nan)
    for k, feature in enumerate(primary):
        fires = h[:, k] > least * h[:, k].max()
        values = h[fires, k]
        if values.size:
            bottom, top = np.quantile(values, [low, high])
            share[k] = on[fires, feature][(values >= bottom) & (values <= top)].mean()
    return share
