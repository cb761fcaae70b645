"""Pickles of lists: numbers that lie in lists are arrays, and what lies at two places is read at both."""

import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tegum as tg
from tests.fuzz import torch_files

W = np.arange(6.0).reshape(2, 3)
B = [0.1, -0.2, 0.3]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


LISTS: dict[str, dict[str, Any]] = {
    "a list": {"W": W, "b": B},
    "a tuple": {"net": {"W": W, "b": tuple(B)}},
    "rows": {"W": W.tolist(), "b": [B]},
    "NumPy's numbers": {"W": [list(row) for row in W], "b": list(np.array(B))},
    "whole ones among them": {"W": W.astype(int).tolist(), "b": B},
    "what an optimizer keeps": {"W": W, "b": B, "opt": {"param_groups": [{"betas": (0.9, 0.999)}]}, "sched": {"last": [0.1]}},
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_numbers_are_arrays(name: str) -> None:
    Path("lists").write_bytes(pickle.dumps(LISTS[name]))
    data = tg.read_weights("lists")
    np.testing.assert_array_equal(data.W, W)
    np.testing.assert_array_equal(data.b, B)


def test_lists_of_numbers_are_arrays_in_files_of_pytorch() -> None:
    Path("lists.pt").write_bytes(torch_files.zipped(pickle.dumps({"W": W.tolist(), "b": B}, 2)))
    np.testing.assert_array_equal(tg.read_weights("lists.pt").b, B)


@pytest.mark.parametrize("b", [[0.1, [0.2, 0.3]], [0.1, None, 0.3], {0: 0.1, 1: -0.2, 2: 0.3}, [[0.1], "0.2"]])
def test_no_number_of_a_bias_is_ignored(b: Any) -> None:
    Path("ragged").write_bytes(pickle.dumps({"W": W, "b": b}))
    with pytest.raises(tg.InvalidInputError, match=r"ragged also holds b\.0"):
        tg.read_weights("ragged")


@pytest.mark.parametrize("protocol", range(6))
def test_what_is_no_array_is_said_to_be_not_used(protocol: int) -> None:
    objects, masked = np.array([None, W], object), np.ma.masked_array(B, [True, False, False])
    others = {"note": "x", "raw": b"xy", "objects": objects, "kind": np.dtype("f4"), "no": None, "masked": masked}
    others |= {"generator": np.random.default_rng(0).bit_generator.state}  # five words and numbers
    Path("beside").write_bytes(pickle.dumps({"W": W, "b": np.array(B), "config": others, "float": np.float32}, protocol))
    data = tg.read_weights("beside", array="W")
    np.testing.assert_array_equal(data.b, B)
    assert data.unused == "10 in config, float ()"
    words = {"W": W, "b": np.array(B), "config": {"note": "x", "by": b"us"}} | ({"kinds": {1}} if protocol > 3 else {})
    Path("words").write_bytes(pickle.dumps(words, protocol))
    assert tg.read_weights("words").unused == f"config.note (), config.by (){', kinds ()' * (protocol > 3)}"


@pytest.mark.parametrize(
    "b", ["trained", b"trained", {0.1}, np.array(B, object), np.ma.masked_array(B, [True, False, False]), np.dtype("f4")]
)
def test_a_bias_that_holds_no_numbers_is_no_bias_of_0(b: Any) -> None:
    Path("words").write_bytes(pickle.dumps({"W": W, "b": b, "note": "x"}))
    with pytest.raises(tg.InvalidInputError, match=r"also holds b \(\)|b holds object values: give real numbers"):
        tg.read_weights("words")


def test_what_lies_at_two_places_is_read_at_both() -> None:
    layer = {"weight": W, "bias": B}
    Path("twice").write_bytes(pickle.dumps({"encoder": layer, "decoder": layer}))
    with pytest.raises(tg.InvalidInputError, match=r"holds encoder\.weight \(2, 3\), decoder\.weight \(2, 3\): say which is W"):
        tg.read_weights("twice")
    data = tg.read_weights("twice", array="decoder.weight", bias="decoder.bias")
    np.testing.assert_array_equal(data.b, B)
    assert data.unused == "encoder.weight (2, 3), encoder.bias (3,)"


def in_itself(make: Callable[[list[Any]], Any]) -> Any:
    inner: list[Any] = []
    inner.append(make(inner))
    return inner


def doubled(one: Any) -> Any:
    for _ in range(60):
        one = [one, one]
    return one


def test_containers_in_each_other_end() -> None:
    began = time.process_time()
    for held in (in_itself(lambda one: one), in_itself(lambda one: {"a": one, "b": [one]})):
        Path("ring").write_bytes(pickle.dumps({"W": W, "b": B, "ring": held}))
        np.testing.assert_array_equal(tg.read_weights("ring").b, B)
    for held in (doubled(0.5), doubled({}), doubled(W)):
        Path("many").write_bytes(pickle.dumps({"W": W, "b": B, "held": held}))
        with pytest.raises(
            tg.InvalidInputError, match=r"many is damaged \(.*(at more than \d+ places|with it all arrays take)"
        ):
            tg.read_weights("many")
    assert time.process_time() - began < 10
