"""While threads of ours work, matrix products have one each; afterwards all is as it was."""

import scipy.linalg
from threadpoolctl import ThreadpoolController, threadpool_limits  # type: ignore[import-untyped]

from tegum.threads import in_threads, one_blas_thread


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


def test_of_calls_that_overlap_the_last_one_lifts_the_limit() -> None:
    """As in two threads, of which the first to begin is the first to end."""
    with threadpool_limits(limits=2, user_api="blas"):
        first, second = one_blas_thread(), one_blas_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert blas_threads() == {1}
        second.__exit__(None, None, None)
        assert blas_threads() == {2}
