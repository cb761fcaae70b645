"""The estimate of a search for minima: what it counts, and that it tells small searches from large ones."""

import time
from typing import Any

import numpy as np
import pytest

import tegum as tg
from tegum import processor
from tegum.exact import certificate, cost
from tegum.exact.certificate import smallest_curvatures
from tegum.exact.cost import minimising_seconds, slowness
from tegum.exact.distributions import Distributions
from tegum.exact.kernel.landscape import Starts
from tegum.exact.laws import LawLoss, Laws
from tegum.exact.objective import engine_of
from tegum.exact.parameters import free_of, size_of
from tegum.features import Independent, Mixture
from tegum.nets import AbsoluteValue, ActivationOutput, Linear, ReluHidden, ReluOutput, Untied
from tegum.processor import Registers

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
    evaluation, eigenvalues = slower * (5 * 1.2e-6 + 25 * 0.26e-6), slower * (19e-9 * 15**2 + 0.05e-9 * 15**3)
    seconds = minimising_seconds(ReluOutput(5, 2), SPARSE, starts=64, points=10)
    assert seconds == pytest.approx(slower * 6e-3 + 640 * ((45 + 4 * 5 + 3 + 0.18 * 5) * evaluation + eigenvalues), rel=1e-12)
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
    exponential = Independent(5, density=0.1, magnitude=tg.features.Exponential(1.0))
    assert minimising_seconds(ReluOutput(5, 2), exponential, starts=1) == one  # whose Hessian is inverted as well
    assert one < minimising_seconds(ReluOutput(5, 2), tg.features.CorrelatedSets(1, 5, density=0.1), starts=1) < 1.2 * one


LAWS: list[tuple[tg.nets.Net, tg.features.Features, bool]] = [
    (ReluOutput(4, 2), Mixture([Independent(4, density=0.1), Independent(4, density=0.5)]), False),
    (ReluOutput(4, 2), Independent(4, density=0.3, signed=True), False),
    (ReluOutput(4, 2), tg.features.KSparse(4, 2), False),
    (ReluOutput(4, 2), Independent(4, density=0.3, magnitude=tg.features.Constant()), False),
    (ReluOutput(10, 2), Independent(10, density=0.3, magnitude=tg.features.Constant()), False),
    (ReluOutput(4, 2), tg.features.data_set(Independent(4, density=0.3), 50), False),
    (ReluOutput(4, 2), Independent(4, density=0.3, magnitude=tg.features.Uniform(0.5, 1)), True),
    (ActivationOutput(4, 2, activation="gelu"), Independent(4, density=0.3), True),
    (ActivationOutput(4, 2, activation="abs"), Independent(4, density=0.3), True),
    (Linear(4, 2), Independent(4, density=0.3, signed=True), True),
    (Untied(4, 2), Independent(4, density=0.3), True),
    (Untied(4, 2, hidden_bias=True, activation="identity"), Independent(4, density=0.3), True),
    (ReluHidden(4, 1), Independent(4, density=0.3), True),
]


@pytest.mark.parametrize(("net", "features", "differenced"), LAWS, ids=[f"{type(a).__name__} {b!r:.40}" for a, b, _ in LAWS])
def test_as_many_evaluations_are_charged_as_a_certificate_takes(
    net: tg.nets.Net, features: tg.features.Features, differenced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost, "_timed", lambda *_: 1.0)
    monkeypatch.setattr(cost, "slowness", lambda: 0.0)
    charged = minimising_seconds(net, features, 1) - minimising_seconds(net, features, 1, certify=False)
    taken = answers_of_a_certificate(net, features, monkeypatch)
    least = 4 * net.n_features + 6  # what differences take at least
    assert (taken >= least) == (charged >= least) == differenced
    assert not differenced or 1 / 3 < charged / taken < 3


def answers_of_a_certificate(net: tg.nets.Net, features: tg.features.Features, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often a law is asked for the losses of a model, to say what curvature there is at one beside all kinks."""
    laws, asked, inside = engine_of(net, features), [0], [False]
    assert isinstance(laws, Laws)

    def counted(name: str) -> None:
        method = getattr(Laws, name)

        def call(*arguments: Any) -> Any:
            if inside[0]:
                return method(*arguments)
            asked[0], inside[0] = asked[0] + 1, True
            try:
                return method(*arguments)
            finally:
                inside[0] = False

        monkeypatch.setattr(Laws, name, call)

    counted("answer")
    counted("answer_of")
    smallest_curvatures(net, laws, starts_at_random(net, laws), 256, (), 1, False)
    return asked[0]


def starts_at_random(net: tg.nets.Net, engine: Laws | Distributions) -> Starts:
    """One point."""
    d, nothing, zero = size_of(net), np.zeros(1), np.zeros(1, dtype=np.int64)
    return Starts(
        x=np.random.default_rng(0).normal(0, 0.5, (1, d)) * free_of(net),
        free=free_of(net).astype(np.float64)[None],
        distribution_of=zero,
        weight=engine.weight if isinstance(engine, Distributions) else np.zeros((0, 0)),
        importance=engine.importance,
        loss=nothing,
        norm=nothing,
        steps=zero,
        evaluations=zero,
        status=zero,
    )


@pytest.mark.parametrize(("most_whole", "most_rows", "way"), [(600, 500, "whole"), (5, 500, "rows"), (5, 4, "nothing")])
def test_the_way_that_is_taken_is_charged(
    most_whole: int, most_rows: int, way: certificate.Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of compiled code, by what is called on each way."""
    monkeypatch.setattr(certificate, "_MOST_DENSE", most_whole)
    monkeypatch.setattr(certificate, "_MOST_ROWS", most_rows)
    net, called = ReluOutput(5, 2), list[str]()
    for name in ("hessians", "_by_lanczos"):
        whole = getattr(certificate, name)
        monkeypatch.setattr(certificate, name, lambda *a, name=name, whole=whole: called.append(name) or whole(*a))
    engine = engine_of(net, SPARSE)
    curvatures, _ = smallest_curvatures(net, engine, starts_at_random(net, engine), 256, (), 1, False)
    assert called == {"whole": ["hessians"], "rows": ["_by_lanczos"], "nothing": []}[way]
    assert certificate.way_of(net, engine) == way
    charged = minimising_seconds(net, SPARSE, 1) - minimising_seconds(net, SPARSE, 1, certify=False)
    assert np.isnan(curvatures[0]) == (charged == 0) == (way == "nothing")
    if way == "rows":
        rows = slowness() * (3 + 0.18 * 5) * (5 * 1.2e-6 + 25 * 0.26e-6)
        assert charged == pytest.approx(rows + slowness() * 122 * (5**3 + 3 * 1 * 15) * 0.22e-9)


def test_nothing_is_charged_where_nothing_is_certified() -> None:
    wide = Independent(600, density=0.01)
    assert minimising_seconds(ReluOutput(600, 2), wide, 1) == minimising_seconds(ReluOutput(600, 2), wide, 1, certify=False)
    narrow = Independent(400, density=0.01)
    assert minimising_seconds(ReluOutput(400, 2), narrow, 1) > minimising_seconds(ReluOutput(400, 2), narrow, 1, certify=False)


def test_a_law_in_python_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    law = Mixture([SPARSE, Independent(5, density=0.5)])
    before = minimising_seconds(ReluOutput(5, 2), law, starts=10)
    whole = LawLoss.__call__

    def slow(self: LawLoss, x: Any) -> Any:
        began = time.thread_time()
        while time.thread_time() - began < 5e-3:
            pass
        return whole(self, x)

    monkeypatch.setattr(LawLoss, "__call__", slow)
    after = minimising_seconds(ReluOutput(5, 2), law, starts=10)
    evaluations = 10 * (45 + 4 * 5 + 1.5 + 0.05 * 5)
    assert 4e-3 * evaluations < after - before < 10e-3 * evaluations


def test_several_distributions_count_as_their_first() -> None:
    batch = Independent(5, density=np.full((3, 1), 0.1))
    assert minimising_seconds(ReluOutput(5, 2), batch, 8, 3) == minimising_seconds(ReluOutput(5, 2), SPARSE, 8, 3)


def test_a_search_takes_about_what_is_estimated() -> None:
    search = ReluOutput(15, 4), Independent(15, density=0.1), 8
    cpu_seconds(*search)
    assert 1 / 4 < minimising_seconds(*search) / cpu_seconds(*search) < 4


def test_a_machine_is_as_slow_as_its_engine_and_as_is_guessed_before_that_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    slower, before = slowness(), minimising_seconds(ReluOutput(5, 2), SPARSE, starts=10)
    assert 0.1 < slower < 100
    monkeypatch.setattr(processor, "is_compiled", lambda _: False)
    for width, guess in ((16, 1.0), (8, 2.5), (4, 2.5)):
        monkeypatch.setattr(processor, "registers", lambda width=width: Registers(32, width))
        assert slowness() == guess
        assert minimising_seconds(ReluOutput(5, 2), SPARSE, starts=10) == pytest.approx(before * guess / slower)


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
