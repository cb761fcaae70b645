"""The estimate of a search for minima: what it counts, and that it tells small searches from large ones."""

import time
from typing import Any

import numpy as np
import pytest

import tegum as tg
from tegum.exact import cost
from tegum.exact.cost import minimising_seconds, slowness
from tegum.features import Independent, Mixture
from tegum.nets import AbsoluteValue, ActivationOutput, Linear, ReluOutput, Untied

SPARSE = Independent(5, density=0.1)


def cpu_seconds(net: tg.nets.Net, features: tg.features.Features, starts: int) -> float:
    """What one thread works for a search, the least of three."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        tg.exact.minimise(net, features, seeds=starts, threads=1, progress=False)
        taken.append(time.process_time() - began)
    return min(taken)


def test_the_sum_by_hand() -> None:
    slower = slowness()
    evaluation = slower * (5 * 1.2e-6 + 25 * 0.26e-6)
    seconds = minimising_seconds(ReluOutput(5, 2), SPARSE, starts=64, points=10)
    assert seconds == pytest.approx(slower * 6e-3 + 640 * (45 + 4 * 5 + 10 + 0.3 * 15) * evaluation, rel=1e-12)
    down = minimising_seconds(ReluOutput(5, 2), SPARSE, starts=64, points=10, certify=False)
    assert down == pytest.approx(slower * 6e-3 + 640 * (45 + 4 * 5) * evaluation, rel=1e-12)


def test_what_costs_more_and_what_less() -> None:
    one = minimising_seconds(ReluOutput(5, 2), SPARSE, starts=1)
    assert minimising_seconds(ReluOutput(5, 2), Independent(5), starts=1) > one  # dense: many steps
    assert minimising_seconds(Linear(5, 2), SPARSE, starts=1) < one
    for net in (Untied(5, 2), ActivationOutput(5, 2, activation="gelu")):
        assert minimising_seconds(net, SPARSE, starts=1) > one
    large = Independent(60, density=0.1)
    whole, by_products = (minimising_seconds(ReluOutput(60, m), large, starts=1) for m in (8, 20))
    assert by_products > whole  # the certificate of 1,260 parameters is by Lanczos, of 540 the whole Hessian
    sets = tg.features.CorrelatedSets(1, 5, density=0.1)
    assert minimising_seconds(ReluOutput(5, 2), sets, starts=1) > one  # whose Hessian is made of differences


def test_a_law_in_python_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    law = Mixture([SPARSE, Independent(5, density=0.5)])
    before = minimising_seconds(ReluOutput(5, 2), law, starts=10)
    whole = tg.exact.Objective.__call__

    def slow(self: tg.exact.Objective, x: Any) -> Any:
        began = time.thread_time()
        while time.thread_time() - began < 5e-3:
            pass
        return whole(self, x)

    monkeypatch.setattr(tg.exact.Objective, "__call__", slow)
    after = minimising_seconds(ReluOutput(5, 2), law, starts=10)
    evaluations = 10 * (45 + 4 * 5 + 5 * 15)
    assert 4e-3 * evaluations < after - before < 10e-3 * evaluations


def test_several_distributions_count_as_their_first() -> None:
    batch = Independent(5, density=np.full((3, 1), 0.1))
    assert minimising_seconds(ReluOutput(5, 2), batch, 8, 3) == minimising_seconds(ReluOutput(5, 2), SPARSE, 8, 3)


def test_a_search_takes_about_what_is_estimated() -> None:
    search = ReluOutput(15, 4), Independent(15, density=0.1), 8
    cpu_seconds(*search)
    assert 1 / 4 < minimising_seconds(*search) / cpu_seconds(*search) < 4


def test_a_machine_is_as_slow_as_its_engine_and_before_it_is_compiled_as_that_of_the_constants(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slower, before = slowness(), minimising_seconds(ReluOutput(5, 2), SPARSE, starts=10)
    assert 0.1 < slower < 100
    monkeypatch.setattr(cost.compilation, "is_compiled", lambda _: False)
    assert minimising_seconds(ReluOutput(5, 2), SPARSE, starts=10) == pytest.approx(before / slower)


def test_large_and_small_searches_are_told_apart() -> None:
    """The ratio of two, which the machine does not change, to a factor of four."""
    small, large = (ReluOutput(4, 2), Independent(4, density=0.2), 40), (ReluOutput(15, 4), Independent(15, density=0.1), 8)
    cpu_seconds(*small)
    taken = cpu_seconds(*large) / cpu_seconds(*small)
    estimated = minimising_seconds(*large) / minimising_seconds(*small)
    assert taken > 2
    assert 1 / 4 < estimated / taken < 4


def test_what_minimise_refuses_has_no_estimate() -> None:
    with pytest.raises(tg.InvalidInputError, match="AbsoluteValue"):
        minimising_seconds(AbsoluteValue(5, 2), SPARSE, starts=1)
    with pytest.raises(tg.InvalidInputError, match="features"):
        minimising_seconds(ReluOutput(4, 2), SPARSE, starts=1)
    with pytest.raises(tg.InvalidInputError, match="starts is -1"):
        minimising_seconds(ReluOutput(5, 2), SPARSE, starts=-1)
