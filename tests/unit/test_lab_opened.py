"""What the lab opens of datasets, files and addresses, and what it refuses, in both languages."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import tegum as tg
from tegum.lab import address as addresses
from tests.unit.test_lab import FIVE, NET, NODE, PENTAGON, in_node

REFUSAL = "(() => { try { return tegumLab.stateOf(input).view; } catch (error) { return error.message; } })()"
"""Why the page refuses an address."""


def test_models_of_other_settings_are_no_recording() -> None:
    """A branch of changing density: each of its models has a loss of its own setting, and opens on its own."""
    branch = tg.exact.follow(NET, FIVE, PENTAGON, np.full(5, -0.2), np.linspace(0.03, 0.09, 3), progress=False).data
    with pytest.raises(tg.InvalidInputError, match=r"recorded along 'density'.*setting of its own"):
        tg.lab.record_of(branch)
    for at in (0, -1):
        setting = tg.lab.read(tg.lab.model_of(branch.isel(density=[at])).address)
        assert setting.W is not None
        loss = tg.exact.loss(setting.W, setting.b, setting.features)
        assert float(loss) == pytest.approx(float(branch.loss[at]), rel=1e-7)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (tg.lab.link(NET, FIVE, PENTAGON, np.full(5, -0.2)) + "&bias=0", "bias is 0, and b is not"),
        ("#v=1&n=5&m=2&b=" + 54 * "A", "there is b and no W"),
    ],
)
def test_both_languages_refuse_an_address(address: str, words: str) -> None:
    with pytest.raises(tg.InvalidInputError, match=words):
        tg.lab.read(address)
    if NODE:
        assert words in in_node(REFUSAL, address)


@pytest.mark.parametrize(
    "said",
    [
        *("rate=abc", "rate=0", "rate=0x1", "seed=-3", f"seed={2**53}", "seed=1.5", "batch=0", "batch=1000000", "l2=-1"),
        *(
            "interference=nan",
            "interference=1e7",
            "sets=independent:3",
            "sets=correlated:",
            "sets=correlated:2&x=signed",
            "constructor=1",
            "p=1_0",
            "I=foo:0.9",
        ),
    ],
)
def test_what_one_language_refuses_the_other_refuses(said: str) -> None:
    address = f"#v=1&n=6&m=2&{said}"
    with pytest.raises(tg.InvalidInputError):
        tg.lab.read(address)
    if NODE:
        assert in_node(REFUSAL, address)


def test_the_largest_seed_is_the_last_that_the_page_knows() -> None:
    assert tg.lab.read(tg.lab.link(NET, FIVE, seed=2**53 - 1)).others["seed"] == "9007199254740991"
    with pytest.raises(tg.InvalidInputError, match="the seed is 9007199254740992: choose from 0 to 9007199254740991"):
        tg.lab.link(NET, FIVE, seed=2**53)


@pytest.mark.skipif(NODE is None, reason="there is no Node")
def test_numbers_are_written_alike() -> None:
    values = [0.0, 5e-5, 1e-6, 1.25e-6, 9e-7, 5e-7, 1.5e-12, 0.1, 1 / 3, 7, 1e15, 123456789012345680.0, 1e20, 1e21, 2.5e29]
    found = in_node(
        "input.map((value) => tegumLab.addressOf({ ...tegumLab.stateOf(''), importance: [value], curve: '' }))", values
    )
    for value, address in zip(values, found, strict=True):
        written = addresses._written(value)
        assert f"&I={written}" in address
        assert float(written) == value


@pytest.mark.skipif(NODE is None, reason="there is no Node")
@pytest.mark.parametrize(("l2", "decay"), [(0.0, 0), (0.01, 0.02)])
@pytest.mark.parametrize("bias", [True, False])
def test_lines_of_a_training_on_samples_train_what_the_page_trains(l2: float, decay: float, bias: bool) -> None:
    net, W = tg.nets.ReluOutput(5, 2, bias), PENTAGON
    address = tg.lab.link(net, FIVE, W, np.zeros(5), how="sample", l2=l2, interference=0.05) + "&batch=64&rate=0.003"
    call = """(() => { const s = tegumLab.stateOf(input);
      return tegumLab.pythonOf(s, s.W, s.b ?? new Float64Array(s.n)); })()"""
    lines = in_node(call, address).replace("steps=5000", "steps=20")
    names: dict[str, Any] = {}
    exec(lines, names)
    recipe = names["recipe"]
    assert (recipe.decay_of("W"), recipe.decay_of("b")) == (decay, 0)
    assert (recipe.batch_size, recipe.learning_rate, recipe.optimizer) == (64, 0.003, "adam")
    assert names["data"].W.isel(seed=0).values == pytest.approx(W, abs=0.1)
    assert "# without the page's tg.exact.Interference(0.05)" in lines


def test_a_model_is_opened_with_the_penalties_that_it_was_found_with() -> None:
    penalties = [tg.exact.Interference(0.005), tg.exact.L2(0.0001)]
    how: Any = {"seeds": 1, "initial": {"W": PENTAGON}, "progress": False}
    found = tg.exact.minimise(NET, FIVE, penalties=penalties, **how)
    flow = tg.exact.gradient_flow(NET, FIVE, PENTAGON, np.zeros(5), 0.1, times=3, penalties=penalties)
    for data in (found, flow):
        others = tg.lab.read(tg.lab.model_of(data).address).others
        assert (others["interference"], others["l2"]) == ("0.005", "0.0001")
    plain = tg.lab.read(tg.lab.model_of(tg.exact.minimise(NET, FIVE, **how)).address).others
    assert (plain["interference"], plain["l2"]) == ("0", "0")
    with pytest.raises(tg.InvalidInputError, match=r"found with the penalties L2.*L1.*the lab knows L2 and Interference"):
        tg.lab.model_of(tg.exact.minimise(NET, FIVE, penalties=[tg.exact.L2(0.01), tg.exact.L1(0.01)], **how))
    with pytest.raises(tg.InvalidInputError, match="found with the constraints"):
        tg.lab.model_of(tg.exact.minimise(NET, FIVE, constraints=[tg.exact.NormBudget(2.0)], **how))


@pytest.mark.skipif(NODE is None, reason="there is no Node")
def test_b_says_which_axis_of_a_file_is_features(tmp_path: Path) -> None:
    W, call = (
        np.arange(6.0) + 1,
        "(() => { try { return show(tegumLab.weightsIn(bytes)); } catch (error) { return error.message; } })()",
    )
    shown = "({ n, m, W, b, turned }) => [n, m, [...W], [...b], turned]"
    found = []
    for shape, b in (((3, 2), 2), ((3, 2), 3), ((3, 2), 0), ((2, 3), 3), ((2, 3), 2)):
        arrays = {"W": W.reshape(shape)} | ({"b": np.ones(b)} if b else {})
        save_file(arrays, tmp_path / "weights.safetensors")
        given = list((tmp_path / "weights.safetensors").read_bytes())
        found.append(in_node(f"((show, bytes) => {call})({shown}, Uint8Array.from(input).buffer)", given))
    rows, turned = W.tolist(), W.reshape(3, 2).T.ravel().tolist()
    assert found[0] == [2, 3, rows, [1, 1], False]
    assert found[1] == [3, 2, turned, [1, 1, 1], True]
    assert found[2] == [3, 2, turned, [0, 0, 0], True]
    assert found[3] == [3, 2, rows, [1, 1, 1], False]
    assert "W is 2 x 3, and b has 2 numbers" in found[4]
