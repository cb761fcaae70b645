"""While threads of ours work, matrix products have one each; afterwards all is as it was."""

import scipy.linalg
from threadpoolctl import ThreadpoolController, threadpool_limits  # type: ignore[import-untyped]

from tegum.threads import in_threads


def blas_threads() -> set[int]:
    """How many threads each library of matrix products has now."""
    return {int(one["num_threads"]) for one in ThreadpoolController().select(user_api="blas").info()}


def test_threads_do_not_share_their_cores_with_those_of_matrix_products() -> None:
    assert scipy.linalg.blas
    seen: list[set[int]] = []
    with threadpool_limits(limits=2, user_api="blas"):
        assert in_threads(lambda _: seen.append(blas_threads()), 2, lambda: None)
        assert blas_threads() == {2}
    assert seen == [{1}, {1}]
