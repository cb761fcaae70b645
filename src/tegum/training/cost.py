"""What a training will cost, before it starts.

    seconds = instances * steps * batch * (n a + n m c) / threads,   a = 0.8 ns a sample and feature, c = 0.07 ns a product

measured on one core of a 2023 server with 512-bit registers; other machines differ by a factor of two or three.
"""

from tegum.nets import Net

_SECONDS_PER_FEATURE = 0.8e-9
_SECONDS_PER_PRODUCT = 0.07e-9


def estimated_seconds(net: Net, instances: int, steps: int, batch_size: int, threads: int) -> float:
    """About how long training takes, in seconds.

    >>> from tegum.nets import ReluOutput
    >>> round(estimated_seconds(ReluOutput(5, 2), instances=10, steps=10_000, batch_size=1024, threads=2), 2)
    0.24

    Args:
        net: what is trained.
        instances: how many models.
        steps: optimizer steps of each.
        batch_size: samples a step.
        threads: how many models are trained at a time.
    """
    sample = net.n_features * (_SECONDS_PER_FEATURE + net.n_hidden * _SECONDS_PER_PRODUCT)
    return instances * steps * batch_size * sample / min(threads, max(instances, 1))
