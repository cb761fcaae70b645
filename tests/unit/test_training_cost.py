"""The estimate of a training: what it counts, against counts by hand and against the engine itself."""

import time
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

import tegum as tg
from tegum import checking, processor
from tegum.cli import run
from tegum.cli import training as cli
from tegum.features import Exponential, Independent
from tegum.nets import AbsoluteValue, ActivationOutput, ReluHidden, ReluOutput, TargetMap, UntiedNeurons
from tegum.processor import Registers
from tegum.training import compiling_seconds, cost, estimated_seconds, seconds_of_each
from tegum.training.cost import result_bytes, seconds_on_sets

NET, FEATURES = ReluOutput(6, 3), Independent(6, density=0.2)
RECIPE = tg.Recipe(steps=10_000, batch_size=128, evaluation_samples=64_000)


def seconds(recipe: tg.Recipe = RECIPE, **arguments: Any) -> float:
    """The estimate on one core."""
    return estimated_seconds(**{"net": NET, "features": FEATURES, "threads": 1, **arguments}, recipe=recipe)


def cpu_seconds(**fields: Any) -> float:
    """What one thread works for a training, the least of three."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        tg.train(NET, FEATURES, RECIPE.replaced(**fields), threads=1, progress=False)
        taken.append(time.process_time() - began)
    return min(taken)


def test_the_sum_by_hand() -> None:
    """The formula of the module, written out for one training."""
    slower = cost.slowness()
    panel = 25e-9 + 6 * 10e-9 + 5 * 18 * 0.5e-9
    step = 150e-9 + (18 + 6 + 3) * 0.2e-9 + 2 * panel
    test_panel = 25e-9 + 6 * 10e-9 + 2 * 18 * 0.5e-9
    model = 45e-6 + (18 + 6 + 3) * 27e-9 + 10_000 * step + 1000 * test_panel
    assert seconds() == pytest.approx(slower * (5e-3 + 110e-6 + model), rel=1e-9)
    assert seconds_of_each(NET, FEATURES, RECIPE).item() == pytest.approx(slower * model, rel=1e-9)


def test_a_batch_that_does_not_fill_its_panel_costs_a_panel_and_more() -> None:
    assert seconds(RECIPE.replaced(batch_size=65)) > seconds(RECIPE) > seconds(RECIPE.replaced(batch_size=64))


@pytest.mark.parametrize(
    "more",
    [
        {"recipe": RECIPE.replaced(steps=11_000)},
        {"recipe": RECIPE.replaced(batch_size=129)},
        {"recipe": RECIPE.replaced(attack_size=0.1)},
        {"recipe": RECIPE.replaced(dropout=0.1)},
        {"recipe": RECIPE.replaced(l1=0.1)},
        {"recipe": RECIPE.replaced(data_set_size=500)},
        {"recipe": RECIPE.replaced(evaluation_samples=128_000)},
        {"recipe": RECIPE.replaced(record_steps=20)},
        {"recipe": RECIPE.replaced(record_steps=20, record=("W",))},
        {"recipe": RECIPE.replaced(loss_on="active")},
        {"recipe": RECIPE.replaced(seeds=2)},
        {"net": ReluHidden(6, 3)},
        {"net": AbsoluteValue(6, 3)},
        {"net": ActivationOutput(6, 3, activation="tanh")},
        {"features": Independent(6, density=0.2, magnitude=Exponential(1.0))},
        {"features": tg.features.Mixture([FEATURES, FEATURES])},
        {"sweep": {"density": [0.1, 0.2]}},
    ],
    ids=map(str, range(17)),
)
def test_what_costs_more(more: dict[str, Any]) -> None:
    assert seconds(**more) > 1.01 * seconds()


def test_what_costs_less() -> None:
    sparse = {"net": ReluOutput(200, 20), "features": Independent(200, density=0.001)}
    dense = {"net": ReluOutput(200, 20), "features": Independent(200, density=0.1)}
    assert seconds(**sparse) < 0.9 * seconds(**dense)
    assert seconds(RECIPE.replaced(optimizer="sgd")) < seconds()
    plain, mapped = UntiedNeurons(6, 6), UntiedNeurons(6, 6, target_map=TargetMap(np.ones((6, 6))))
    assert seconds(net=plain) < seconds(net=mapped)


def test_a_stored_set_costs_by_its_size_and_less_than_panels() -> None:
    net, features = ReluOutput(500, 2), Independent(500, density=0.01)
    recipe = tg.Recipe(steps=100_000, batch_size=64, evaluation_samples=64)
    sets = [tg.features.data_set(features, count) for count in (128, 256)]

    def taken(recipe: tg.Recipe, *data: tg.features.FiniteLaw) -> float:
        return seconds_on_sets(net, features, recipe, {}, data)

    whole, half = (taken(recipe.replaced(batch_size=size), one) for size, one in ((256, sets[1]), (128, sets[0])))
    assert whole == pytest.approx(2 * half, rel=0.1)
    assert taken(recipe.replaced(seeds=2), *sets) == pytest.approx(2 * taken(recipe, sets[0]), rel=0.1)
    assert 1.5 * taken(recipe, sets[0]) < taken(recipe.replaced(dropout=0.1), sets[0])


def test_a_sweep_costs_the_sum_of_its_models() -> None:
    recipe = RECIPE.replaced(seeds=3, record_steps=5)
    sweep = {"steps": [100, 10_000], "density": [0.5, 0.1, 0.01], "optimizer": ["sgd", "adamw"]}
    each = seconds_of_each(NET, FEATURES, recipe, sweep=sweep)
    assert each.shape == (2, 3, 2)
    for index in np.ndindex(*each.shape):
        steps, density, optimizer = (axis[k] for axis, k in zip(sweep.values(), index, strict=True))
        alone = recipe.replaced(steps=steps, optimizer=optimizer)
        assert each[index] == pytest.approx(seconds_of_each(NET, Independent(6, density=density), alone).item())
    calls = cost.slowness() * (5e-3 + 12 * 110e-6)
    assert seconds(recipe, sweep=sweep) == pytest.approx(calls + 3 * each.sum(), rel=1e-9)


def test_threads_share_all_but_python_and_no_model_is_shared() -> None:
    recipe = RECIPE.replaced(steps=1_000_000)
    one, two, many = (seconds(recipe, sweep={"seeds_": tg.Axis([0, 1], l1=[0.0, 0.0])}, threads=k) for k in (1, 2, 16))
    assert two == many
    assert one / 2 < two < 0.51 * one


def test_python_of_ones_own_is_timed() -> None:
    def busy(y: Any, x: Any) -> Any:
        began = time.thread_time()
        while time.thread_time() - began < 2e-3:
            pass
        return ((y - x) ** 2).sum(axis=1)

    def loss(value: Any) -> tg.training.OwnLoss:
        return tg.training.OwnLoss("own", value=value, slope=lambda y, x: 2 * (y - x))

    panels = 10_000 * 2 + 1000  # two at each step, and the test set
    more = seconds(loss=loss(busy)) - seconds(loss=loss(lambda y, x: ((y - x) ** 2).sum(axis=1)))
    assert 1.9e-3 * panels < more < 3e-3 * panels


def test_the_engine_takes_about_what_is_estimated() -> None:
    """Two trainings of very different kinds, on whatever machine this is."""
    cpu_seconds(steps=1)
    many = {"steps": 60_000, "batch_size": 64}
    large = {"steps": 60, "batch_size": 16_384, "record_steps": 3, "evaluation_samples": 400_000}
    for fields in (many, large):
        assert 1 / 3 < seconds(RECIPE.replaced(**fields)) / cpu_seconds(**fields) < 3


def test_a_machine_is_as_slow_as_is_guessed_until_training_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    own_loss = tg.training.OwnLoss("own", value=lambda y, x: ((y - x) ** 2).sum(axis=1), slope=lambda y, x: 2 * (y - x))
    monkeypatch.setattr(cost, "_timed_slowness", lambda: 7.0)
    for compiled, expected in ((True, 7.0), (False, 2.5)):
        monkeypatch.setattr(processor, "is_compiled", lambda _, compiled=compiled: compiled)
        monkeypatch.setattr(processor, "registers", lambda: Registers(16, 8))
        assert cost.slowness() == expected
        assert seconds(loss=own_loss) > seconds() > expected * 5e-3


def test_what_is_done_to_one_number_at_a_time_is_no_slower_where_registers_are_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logarithms of exponential magnitudes: what they add is half as many times as long where the rest takes twice as long."""
    exponential, added = Independent(6, density=0.2, magnitude=Exponential(1.0)), []
    for width, slower in ((16, 1.0), (8, 2.0)):
        monkeypatch.setattr(processor, "registers", lambda width=width: Registers(32, width))
        monkeypatch.setattr(cost, "slowness", lambda slower=slower: slower)
        added.append(seconds(features=exponential) - seconds())
    assert added[0] == pytest.approx(added[1], rel=1e-9)
    assert added[0] == pytest.approx(6 * (20_000 + 1000) * (20e-9 + 0.2 * (110e-9 + 0.8 * 900e-9)), rel=1e-9)


def test_the_command_says_that_it_compiles_first(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.Pieces, "__call__", stopped)
    assert compiling_seconds() == 0
    for compiled, wanted in (
        (True, "about 1 s on 1 core\n"),
        (False, "on 1 core, after 12 s in which the engine is compiled\n"),
    ):
        monkeypatch.setattr(cost, "is_compiled", lambda _, compiled=compiled: compiled)
        assert cli.train(features="2", hidden="1", steps="2", out=tmp_path, threads=1) == 130
        assert wanted in capsys.readouterr().out


def test_a_sweep_whose_result_has_no_room_is_refused_before_it_begins(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking.shutil, "disk_usage", lambda place: Mock(free=60e9 if place == tmp_path else 0))
    words = ["train", "-n", "2000", "-m", "1000", "--seeds", "100000", "--out", str(tmp_path)]
    assert run([*words, "--steps", "10"]) == 2
    told = f"choose less, or another folder: there are 60 GB free at {tmp_path}"
    assert capsys.readouterr().err.strip() == f"tegum: the result of 100000 models would need 801 GB: {told}"
    assert run(words) == 2
    assert "a training of 100000 models with 1,030,553,600,000 samples would take about" in capsys.readouterr().err
    net, recipes = ReluOutput(3, 2), [tg.Recipe(seeds=4, record=("loss", "W"), record_steps=(0, 5, 9)), tg.Recipe(seeds=1)]
    assert result_bytes(net, recipes) == 4 * 9 * (4 * (1 + 3) + 1)
