"""`read_weights` understands files from anywhere, and asks where it does not: it ignores and crosses nothing in silence."""

import doctest
import json
import pickle
import sys
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from safetensors.numpy import load_file, save, save_file

import tegum as tg
from tegum.cli import run
from tegum.runs import write_dataset
from tegum.runs.pickles import torch_archive
from tests.fuzz import torch_files

RNG = np.random.default_rng(5)
W = RNG.normal(size=(3, 2, 5))
B = RNG.normal(size=(3, 5))
WRITTEN_BY_PYTORCH = Path(__file__).parents[1] / "oracle"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def as_torch(arrays: dict[str, Any], **options: Any) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"model": {name: torch.tensor(values) for name, values in arrays.items()}}, "weights", **options)


def as_npz(arrays: dict[str, Any], save: Callable[..., None] = np.savez) -> None:
    save("weights.npz", **arrays)
    Path("weights.npz").rename("weights")


FORMATS: dict[str, Callable[[dict[str, Any]], None]] = {
    "npz": as_npz,
    "npz, compressed": lambda arrays: as_npz(arrays, np.savez_compressed),
    "safetensors": lambda arrays: save_file({name: values.copy() for name, values in arrays.items()}, "weights"),
    "PyTorch": as_torch,
    "PyTorch before 1.6": lambda arrays: as_torch(arrays, _use_new_zipfile_serialization=False),
    **{
        f"pickle, protocol {i}": lambda arrays, i=i: Path("weights").write_bytes(pickle.dumps({"net": arrays}, i)) and None
        for i in range(6)
    },
}


@pytest.mark.parametrize("kind", FORMATS)
def test_content_says_what_a_file_is(kind: str) -> None:
    arrays = {"encoder.weight": np.asfortranarray(W), "b_final": B[:, None].astype(np.float32), "loss": np.zeros(100)}
    FORMATS[kind](arrays)
    data = tg.read_weights("weights")
    np.testing.assert_array_equal(data.W.values, W)
    np.testing.assert_array_equal(data.b.values, B.astype(np.float32))
    assert data.W.dims == ("instance", "hidden", "feature")
    assert data.b.dims == ("instance", "feature")
    assert (data.W.dtype, data.b.dtype) == (np.float64, np.float64)
    assert data.file_format == kind.split(",")[0].split(" before")[0]
    assert (data.n_features, data.n_hidden, data.instances) == (5, 2, 3)
    assert data.unused.endswith("loss (100,)")
    assert "encoder.weight (3, 2, 5), a column for each feature, n = 5, m = 2, 3 instances; b from" in data.understood
    assert "b_final (3, 1, 5), one for each instance; not used:" in data.understood


def test_a_matrix_alone_and_16_bits() -> None:
    np.save("weights.npy", W[0].astype(np.float16))
    data = tg.read_weights(Path("weights.npy"))
    np.testing.assert_array_equal(data.W, W[0].astype(np.float16))
    np.testing.assert_array_equal(data.b, np.zeros(5))
    assert data.understood == "npy: W (2, 5), a column for each feature, n = 5, m = 2; b = 0, there is no bias"
    raw = (W[0].astype("<f4").view("<u4") >> 16).astype("<u2")
    header = json.dumps({"W": {"dtype": "BF16", "shape": [2, 5], "data_offsets": [0, 20]}}).encode()
    Path("half").write_bytes(len(header).to_bytes(8, "little") + header + raw.tobytes())
    np.testing.assert_allclose(tg.read_weights("half").W, W[0], rtol=2**-7)


def test_the_example_of_the_docstring_runs() -> None:
    assert doctest.testmod(sys.modules["tegum.runs.weights"]).failed == 0
    assert tg.read_weights.__doc__ is not None
    assert ">>>" in tg.read_weights.__doc__


NAMES = {
    "W": ("w", "weight", "weights", "encoder.weight", "linear1.weight", "W_enc", "embed", "anything"),
    "b": ("bias", "biases", "B", "b_final", "b_dec", "b_1t", "b1", "decoder.bias", "linear2.bias", "output_bias"),
}


@pytest.mark.parametrize(("W_name", "b_name"), [(name, "b") for name in NAMES["W"]] + [("W", name) for name in NAMES["b"]])
def test_names(W_name: str, b_name: str) -> None:
    np.savez("weights.npz", **{W_name: W, b_name: B})
    data = tg.read_weights("weights.npz")
    np.testing.assert_array_equal(data.W, W)
    np.testing.assert_array_equal(data.b, B)


def test_an_untied_map() -> None:
    G = W.swapaxes(-1, -2) @ W
    np.savez("map.npz", **{"net.G": G, "net.b": B[0]})
    data = tg.read_weights("map.npz")
    assert data.G.dims == ("instance", "output", "feature")
    assert data.b.dims == ("feature",)
    assert data.understood == (
        "npz: G from net.G (3, 5, 5), a column for each feature, n = 5, 3 instances; b from net.b (5,), the same for all"
    )


def test_the_map_of_an_untied_model_is_a_product() -> None:
    A, B_, c = RNG.normal(size=(3, 5, 2)), RNG.normal(size=(3, 2, 5)), RNG.normal(size=(3, 2, 2))
    np.savez("untied.npz", **{"last.weight": A, "middle.weight": c, "first.weight": B_, "last.bias": B, "loss": 1.0})
    data = tg.read_weights("untied.npz", array="last.weight @ middle.weight@first.weight")
    expected = np.array(
        [
            [[sum(A[k, i, a] * c[k, a, d] * B_[k, d, j] for a in (0, 1) for d in (0, 1)) for j in range(5)] for i in range(5)]
            for k in range(3)
        ]
    )
    np.testing.assert_allclose(data.G, expected, rtol=1e-13)
    np.testing.assert_array_equal(data.b, B)
    assert data.G.dims == ("instance", "output", "feature")
    assert data.understood.endswith("n = 5, 3 instances; b from last.bias (3, 5), one for each instance; not used: loss ()")
    two = tg.read_weights("untied.npz", array="last.weight @ first.weight", rows=True)
    np.testing.assert_allclose(two.G, (A @ B_).swapaxes(1, 2), rtol=1e-13)
    assert two.unused == "middle.weight (3, 2, 2), loss ()"


def test_a_tied_model_may_keep_its_weights_twice() -> None:
    np.savez("tied.npz", **{"decoder.weight": W[0].T, "encoder.weight": W[0], "decoder.bias": B[0]})
    data = tg.read_weights("tied.npz")
    np.testing.assert_array_equal(data.W, W[0])
    assert "W from encoder.weight (2, 5), whose transpose is decoder.weight" in data.understood
    rows = tg.read_weights("tied.npz", rows=True)
    np.testing.assert_array_equal(rows.W, W[0])
    assert "W from decoder.weight (5, 2), whose transpose is encoder.weight, a row for each feature" in rows.understood


@pytest.mark.parametrize(
    ("lead", "given", "dims", "words"),
    [
        ((), (5,), ("feature",), "b (5,)"),
        ((), (1, 5), ("feature",), "b (1, 5)"),
        ((3,), (5,), ("feature",), "the same for all"),
        ((3,), (1, 5), ("feature",), "the same for all"),
        ((3,), (3, 1, 5), ("instance", "feature"), "one for each instance"),
        ((3, 1), (3, 5), ("instance_0", "instance_1", "feature"), "one for each instance"),
    ],
)
def test_each_instance_has_its_own_bias(lead: tuple[int, ...], given: tuple[int, ...], dims: Any, words: str) -> None:
    weights, bias = RNG.normal(size=(*lead, 2, 5)), RNG.normal(size=given)
    np.savez("weights.npz", W=weights, b=bias)
    data = tg.read_weights("weights.npz")
    assert data.W.shape == weights.shape
    assert data.b.dims == dims
    assert words in data.understood
    if data.b.ndim > 1:
        expected = bias.reshape(bias.shape[0], *(1,) * (len(lead) - 1), 5)
        np.testing.assert_array_equal(data.b, np.broadcast_to(expected, (*lead, 5)))


ASKED = {
    "two": ({"V": W[:, :, :4], "W": W}, {}, "holds W (3, 2, 5), V (3, 2, 4): say which is W, such as array='W'"),
    "likely": ({"out": W, "encoder": W[0]}, {}, "holds encoder (2, 5), out (3, 2, 5): say which is W, such as array='encoder'"),
    "rows": ({"W": W.swapaxes(1, 2), "b": B}, {}, "W has shape (3, 5, 2), fewer columns than rows: add rows=True if a row"),
    "biases": ({"W": W, "b": B, "bias": B}, {}, "holds b (3, 5), bias (3, 5): say which is b, such as bias='b'"),
    "unknown": (
        {"W": W, "offset": B[0]},
        {},
        "also holds offset (5,): add array='W' if that does not matter, bias='offset' if",
    ),
    "hidden": (
        {"W": W, "b": B, "offset": B[0, :2]},
        {},
        "holds offset (2,): add array='W' if that does not matter, encoder_bias='offset' if it is added to hidden values",
    ),
    "two hidden": (
        {"W": W, "b_enc": B[0, :2], "b_hidden": B[0, :2]},
        {},
        "holds b_enc (2,), b_hidden (2,): say which is added to hidden values, such as encoder_bias='b_enc'",
    ),
    "hidden length": ({"W": W, "c": B}, {"encoder_bias": "c"}, "c has shape (3, 5): choose a bias (..., 2)"),
    "hidden of a map": (
        {"G": np.eye(5), "c": B[0, :2]},
        {"encoder_bias": "c"},
        "c has shape (2,): leave encoder_bias out: the map G has no",
    ),
    "turned": (
        {"W": W[0], "b": B[0, :2]},
        {},
        "if it is added to hidden values without an activation, rows=True if a row of W is a feature",
    ),
    "untied": (
        {"first": W[0], "last": W[1].T, "b": B[0]},
        {},
        "say which is W, such as array='first', or the map of x if nothing lies between them, such as array='last @ first'",
    ),
    "unknown factor": ({"A": W[0], "B": W[0].T}, {"array": "A @ C"}, "has no array 'C' to choose: choose among A (2, 5), B"),
    "factors": ({"A": W[0], "B": W[0].T}, {"array": "A @ A"}, "(2, 5) @ (2, 5), the product at A, has shapes that do not fit"),
    "crossed factors": ({"A": W, "B": W[0].T}, {"array": "B @ A"}, "(5, 2) @ (3, 2, 5), the product at A, has shapes that"),
    "small product": ({"A": W[0], "B": W[0, :1]}, {"array": "B @ A", "rows": False}, "(1, 5) @ (2, 5), the product at A"),
    "no map": ({"A": W[0], "B": np.ones((3, 2))}, {"array": "B @ A"}, "B @ A has shape (3, 5): give weights W (..., m, n), or"),
    "mask": ({"W": W, "mask": W > 0}, {}, "holds W (3, 2, 5), mask (3, 2, 5): say which is W"),
    "crossed": ({"W": W, "b": RNG.normal(size=(4, 5))}, {}, "have leading axes (3,) and b (4,): give b (3, 5), one for each"),
    "many b": ({"W": W[0], "b": B}, {}, "the weights have leading axes () and b (3,): give b (5,)"),
    "which axis": ({"W": np.ones((3, 3, 2, 5)), "b": B}, {}, "have leading axes (3, 3) and b (3,): give b (3, 3, 5)"),
    "complex": ({"W": W + 0j, "b": B + 0j}, {}, "2 mistakes:\n  W holds complex128 values: give real numbers"),
    "words": ({"W": [["a", "b"]]}, {}, "W holds <U1 values: give real numbers"),
    "written b": ({"W": W, "b": ["1"] * 5}, {}, "b holds <U1 values: give real numbers"),
    "empty": ({"W": W[:0], "b": B}, {}, "W has shape (0, 2, 5): give at least one number along each axis"),
    "vector": ({"W": W[0, 0]}, {}, "holds no matrix, but W (5,): give weights W (..., m, n)"),
    "nothing": ({}, {}, "holds no matrix: give weights"),
    "map": ({"G": W}, {}, "G has shape (3, 2, 5): give weights W (..., m, n), or a map G (..., n, n)"),
    "array": ({"W": W}, {"array": "V"}, "has no array 'V' to choose: choose among W (3, 2, 5)"),
    "bias": ({"W": W, "b": B}, {"bias": "c"}, "has no array 'c' to choose: choose among b (3, 5)"),
    "no bias": ({"W": W}, {"bias": "c"}, "has no array 'c' to choose: leave the option out"),
    "length": ({"W": W, "c": B[:, :4]}, {"bias": "c"}, "c has shape (3, 4): choose a bias (..., 5)"),
    "object": ({"W": np.array([[None]])}, {}, "W holds object values: give real numbers"),
}


@pytest.mark.parametrize("case", ASKED)
def test_what_is_not_understood_is_asked(case: str) -> None:
    arrays, options, message = ASKED[case]
    np.savez("weights.npz", **arrays)
    with pytest.raises(tg.InvalidInputError) as caught:
        tg.read_weights("weights.npz", **options)
    assert message in str(caught.value)


def test_answers_are_heard() -> None:
    np.savez("weights.npz", first=W, second=W.swapaxes(1, 2) + 1, offset=B, scale=2.0, mask=B > 0, title="ours")
    data = tg.read_weights("weights.npz", array="second", bias="offset", rows=True)
    np.testing.assert_array_equal(data.W, W + 1)
    np.testing.assert_array_equal(data.b, B)
    assert data.unused == "first (3, 2, 5), mask (3, 5), scale (), title ()"
    assert not tg.read_weights("weights.npz", array="first").b.any()
    np.savez("tall.npz", W=W[0].T, b=B[0, :2])
    assert tg.read_weights("tall.npz", rows=False).sizes == {"hidden": 5, "feature": 2}
    assert not tg.read_weights("tall.npz", rows=True, bias="none").b.any()


def test_lists_and_numbers_in_containers() -> None:
    inner: list[Any] = [W[0], "words", None, 0.1]
    inner.append(inner)
    Path("list").write_bytes(pickle.dumps([inner, {"step": np.float64(3)}]))
    data = tg.read_weights("list")
    np.testing.assert_array_equal(data.W, W[0])
    assert data.weights == "W from 0.0 (2, 5)"
    assert data.unused == "0.1 (), 0.3 (), 1.step ()"


def test_a_checkpoint_keeps_more_than_a_model() -> None:
    optimizer = {"state": {i: {"step": 3.0, "exp_avg": W[0]} for i in range(5)}, "lr": 0.1}
    config = {"bias": True, "weight_decay": 0.1}
    content = {"model": {"W": W[0], "b": B[0]}, "optimizer": optimizer, "config": config, "epoch": 2}
    Path("checkpoint").write_bytes(pickle.dumps(content))
    data = tg.read_weights("checkpoint")
    assert (data.weights, data.bias) == ("W from model.W (2, 5)", "b from model.b (5,)")
    assert data.unused == "11 in optimizer, config.bias (), config.weight_decay (), epoch ()"
    Path("many").write_bytes(pickle.dumps([W[0]] * 20))
    with pytest.raises(
        tg.InvalidInputError, match=r"0 \(2, 5\), .*, 11 \(2, 5\) and 8 more: say which is W, such as array='0'"
    ):
        tg.read_weights("many")


def test_objects_of_pytorch_are_refused_with_what_to_do() -> None:
    torch = pytest.importorskip("torch")
    torch.save([torch.ones(2, 5), torch.zeros(5)], "list")
    assert tg.read_weights("list", bias="1").weights == "W from 0 (2, 5)"
    torch.save(torch.nn.Linear(5, 2), "whole")
    with pytest.raises(tg.InvalidInputError, match=r"Linear, and objects can run code .* torch.save\(model.state_dict\(\)"):
        tg.read_weights("whole")
    torch.save({"W": torch.ones(1).expand(2**16, 2**16)}, "huge")
    with pytest.raises(tg.InvalidInputError, match="W: it asks for 4294967296 numbers"):
        tg.read_weights("huge")


def test_objects_in_pickles_are_refused() -> None:
    Path("evil").write_bytes(pickle.dumps({"W": print}))
    with pytest.raises(tg.InvalidInputError, match=r"evil holds builtins.print, and objects can run code"):
        tg.read_weights("evil")


def test_files_that_pytorch_wrote_are_read_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    data = tg.read_weights(WRITTEN_BY_PYTORCH / "torch_2_14.pt")  # a parameter in bfloat16, and a view in half precision
    np.testing.assert_array_equal(data.W, np.arange(30.0).reshape(3, 2, 5) / 8)
    np.testing.assert_array_equal(data.b, (np.arange(15.0).reshape(5, 3) / 4).T)
    assert data.unused == "epoch (), active (), steps (2,)"
    old = tg.read_weights(WRITTEN_BY_PYTORCH / "torch_before_1_6.pt")
    np.testing.assert_array_equal(old.W, np.arange(10.0).reshape(2, 5) / 8)
    np.testing.assert_array_equal(old.b, np.arange(5.0))
    with pytest.raises(tg.InvalidInputError, match=r"holds torch.nn.modules.linear.Linear, and objects can run code"):
        tg.read_weights(WRITTEN_BY_PYTORCH / "torch_module.pt")


def test_tensors_ask_for_no_more_than_their_storage_has() -> None:
    whole = bytearray(torch_archive({"W": np.ones((2, 5), np.float32)}))
    place = whole.index(b"J\x02\x00\x00\x00J\x05\x00\x00\x00t")  # its size
    for size in (b"\x03\x00\x00\x00", b"\x00\x00\x00\x7f", b"\xff\xff\xff\xff"):
        changed = bytearray(whole)
        changed[place + 1 : place + 5] = size
        content = zipfile.ZipFile(BytesIO(whole)).read("archive/data.pkl")
        head = zlib.crc32(content).to_bytes(4, "little")
        changed = changed.replace(
            head, zlib.crc32(bytes(content).replace(whole[place : place + 5], b"J" + size)).to_bytes(4, "little")
        )
        Path("lie").write_bytes(changed)
        with pytest.raises(tg.InvalidInputError, match=r"W: it asks for|negative"):
            tg.read_weights("lie")


def test_a_state_dict_is_written_without_pytorch() -> None:
    data = tg.train(tg.nets.ReluOutput(5, 2), tg.features.Independent(5), tg.Recipe(steps=3, seeds=2), progress=False)
    for name in ("state.pt", "state.safetensors"):
        tg.write_state_dict(data, name)
        found = tg.read_weights(name)
        np.testing.assert_array_equal(found.W, data.W)
        np.testing.assert_array_equal(found.b, data.b)
    with pytest.raises(tg.InvalidInputError, match=r"state.bin is no state dict: choose a name that ends in .pt, .pth or"):
        tg.write_state_dict(data, "state.bin")
    with pytest.raises(tg.InvalidInputError, match="the dataset holds no parameters of models"):
        tg.write_state_dict(data[["loss"]], "state.pt")


def test_a_state_dict_has_the_axes_of_parameters_in_their_order() -> None:
    net = tg.nets.Untied(4, 2, hidden_bias=True)
    sweep = {"density": [0.5, 0.2, 0.1]}
    data = tg.train(net, tg.features.Independent(4), tg.Recipe(steps=3, seeds=2), sweep=sweep, progress=False)
    turned = data.assign(
        W1=data["W1"].transpose("feature", "seed", "hidden", "density"),
        W2=data["W2"].transpose("hidden", "feature", ...),
        b=data["b"].isel(seed=0).transpose("feature", "density"),
        b_hidden=data["b_hidden"].isel(seed=0, density=0),
    )
    tg.write_state_dict(turned, "state.safetensors")
    state = load_file("state.safetensors")
    np.testing.assert_array_equal(state["W1"], data["W1"].transpose("seed", "density", ...))
    np.testing.assert_array_equal(state["W2"], data["W2"].transpose("seed", "density", ...))
    np.testing.assert_array_equal(state["b"], np.stack([data["b"].isel(seed=0)] * 2))
    np.testing.assert_array_equal(state["b_hidden"], data["b_hidden"][0, 0])
    tg.write_state_dict(xr.Dataset({"G": (("feature", "output"), W[0].T @ W[1]), "b": ("feature", B[0])}), "map.pt")
    np.testing.assert_array_equal(tg.read_weights("map.pt").G, (W[0].T @ W[1]).T.astype(np.float32))


@pytest.mark.parametrize(
    "write",
    [
        lambda tensors: torch_files.zipped(torch_files.pickled(tensors)),
        lambda tensors: torch_files.legacy(torch_files.pickled(tensors, b"N")),
    ],
)
def test_a_small_file_takes_little_memory(write: Callable[[dict[str, Any]], bytes]) -> None:
    one = torch_files.Tensor(numel=6, size=(2**12, 2**12), stride=(0, 0))
    Path("spread").write_bytes(write({"W": one, "b": torch_files.WHOLE["b"]}))
    with pytest.raises(tg.InvalidInputError, match=r"W: it asks for 16777216 numbers of 6"):
        tg.read_weights("spread")


def test_all_arrays_of_a_file_together_take_what_its_bytes_can_fill() -> None:
    large = np.zeros(2**20, "<f4").tobytes()
    one = torch_files.Tensor(numel=2**20, size=(2**20,), stride=(1,))
    many = {f"step{k}": one for k in range(40)} | {"W": torch_files.WHOLE["W"]}
    content = torch_files.zipped(torch_files.pickled(many), {"0": large}, method=zipfile.ZIP_DEFLATED)
    Path("many").write_bytes(content)
    with pytest.raises(tg.InvalidInputError, match=r"step\d+: with it all arrays take \d+ bytes"):
        tg.read_weights("many")


def test_a_bias_of_hidden_values_becomes_part_of_b() -> None:
    x, c, d = RNG.normal(size=5), RNG.normal(size=(3, 2)), RNG.normal(size=2)

    def outputs(data: Any, k: int) -> Any:
        b = data.b.values[k] if data.b.ndim == 2 else data.b.values
        return (data.G.values[k] if "G" in data else data.W.values[k].T @ data.W.values[k]) @ x + b

    np.savez("tied.npz", W=W, b_dec=B, b_enc=c)
    data = tg.read_weights("tied.npz")
    for k in range(3):
        np.testing.assert_allclose(outputs(data, k), W[k].T @ (W[k] @ x + c[k]) + B[k])
    assert data.bias == (
        "b from b_dec (3, 5), one for each instance + Wᵀ b_enc (3, 2), one for each instance, as if no activation lay between"
    )
    assert not tg.read_weights("tied.npz", bias="none").b.any()
    np.testing.assert_array_equal(tg.read_weights("tied.npz", encoder_bias="none").b, B)
    np.savez("rows.npz", W=W.swapaxes(1, 2), offset=d)
    data = tg.read_weights("rows.npz", rows=True, encoder_bias="offset")
    np.testing.assert_allclose(outputs(data, 1), W[1].T @ (W[1] @ x + d))
    assert data.bias == "b from Wᵀ offset (2,), the same for all, as if no activation lay between"
    D, H, E = RNG.normal(size=(5, 2)), RNG.normal(size=(2, 2)), W[0]
    layers = {"out.weight": D, "out.bias": B[0], "hidden.0.weight": H, "hidden.0.bias": d, "fc1.weight": E, "fc1.bias": c[0]}
    np.savez("untied.npz", **layers)
    data = tg.read_weights("untied.npz", array="out.weight @ hidden.0.weight @ fc1.weight")
    np.testing.assert_allclose(data.G.values @ x + data.b.values, D @ (H @ (E @ x + c[0]) + d) + B[0])
    square = {"W1": H, "b1": d, "W2": H.T, "b2": c[0]}
    np.savez("square.npz", **square)
    data = tg.read_weights("square.npz", array="W2 @ W1")
    np.testing.assert_allclose(data.G.values @ x[:2] + data.b.values, H.T @ (H @ x[:2] + d) + c[0])
    np.savez("twins.npz", **{"fc1.weight": H, "fc1.bias": d, "fc2.weight": H.T, "fc2.bias": c[0]})
    data = tg.read_weights("twins.npz")
    np.testing.assert_allclose(data.W.values.T @ data.W.values @ x[:2] + data.b.values, H.T @ (H @ x[:2] + d) + c[0])


def test_a_model_whose_inputs_are_rows_is_the_same_model() -> None:
    features = tg.features.Independent(5, 0.3)
    E, M, D, e, m, d = (0.5 * RNG.normal(size=shape) for shape in ((2, 5), (3, 2), (5, 3), 2, 3, 5))
    layers = {"W_enc": E.T, "W_mid": M.T, "W_dec": D.T, "b_enc": e, "b_mid": m, "b_dec": d}
    np.savez("jax.npz", **layers)
    data = tg.read_weights("jax.npz", array="W_enc @ W_mid @ W_dec", rows=True)
    x = RNG.normal(size=(4, 5))
    expected = ((x @ layers["W_enc"] + e) @ layers["W_mid"] + m) @ layers["W_dec"] + d
    np.testing.assert_allclose(x @ data.G.values.T + data.b.values, expected)
    assert "(W_dec)ᵀ b_mid (3,) + (W_mid @ W_dec)ᵀ b_enc (2,), as if no activation lay between" in data.bias
    assert data.unused == ""
    short = {"W_enc": E.T, "W_dec": E + 0.1, "b_enc": e, "b_dec": d}
    np.savez("two.npz", **short)
    torch = {"encoder.weight": E, "decoder.weight": (E + 0.1).T, "encoder.bias": e, "decoder.bias": d}
    np.savez("torch.npz", **torch)
    one, other = tg.read_weights("two.npz", array="W_enc @ W_dec", rows=True), "decoder.weight @ encoder.weight"
    same = tg.read_weights("torch.npz", array=other)
    losses = [tg.exact.loss(found.G, found.b, features, tied=False) for found in (one, same)]
    np.testing.assert_allclose(*losses, rtol=1e-12)
    named = tg.read_weights("two.npz", array="W_enc @ W_dec", rows=True, encoder_bias="b_enc")
    np.testing.assert_array_equal(named.b, one.b)
    with pytest.raises(
        tg.InvalidInputError, match=r"such as array='W_enc @ W_dec' with rows=True for x @ W_enc @ W_dec, or array"
    ):
        tg.read_weights("two.npz")
    with pytest.raises(
        tg.InvalidInputError, match=r"'decoder.weight @ encoder.weight' for decoder.weight @ encoder.weight @ x,"
    ):
        tg.read_weights("torch.npz")
    with pytest.raises(tg.InvalidInputError, match=r"W_enc @ W_dec begins with the encoder: add rows=True if inputs are rows"):
        tg.read_weights("two.npz", array="W_enc @ W_dec")
    assert not np.allclose(tg.read_weights("two.npz", array="W_enc @ W_dec", rows=False).G, one.G)


@pytest.mark.parametrize("write", [lambda path, arrays: np.savez(path, **arrays), lambda path, arrays: save_file(arrays, path)])
def test_a_square_tied_model_does_not_depend_on_the_order_of_names(write: Callable[..., None]) -> None:
    square, b, c = RNG.normal(size=(4, 4)), RNG.normal(size=4), RNG.normal(size=4)
    for encoder, decoder in (("encoder", "decoder"), ("linear1", "linear2"), ("z.embedding", "unembedding")):
        held = {f"{encoder}.weight": square, f"{decoder}.weight": square.T.copy(), f"{decoder}.bias": b}
        for inner in ({}, {f"{encoder}.bias": c}):
            for names in (list(held | inner), list(held | inner)[::-1]):
                write("tied.npz", {name: (held | inner)[name] for name in names})
                for rows in (None, True):
                    data = tg.read_weights("tied.npz", rows=rows)
                    np.testing.assert_array_equal(data.W, square)
                    np.testing.assert_allclose(data.b, b + square.T @ c if inner else b)
    for names in (("W_enc", "W_dec"), ("first.weight", "last.weight")):  # of x @ W_enc @ W_dec W is W_dec
        write("tied.npz", {names[0]: square, names[1]: square.T.copy(), "b": b})
        with pytest.raises(tg.InvalidInputError, match="say which is W, such as array"):
            tg.read_weights("tied.npz")
    write("alone.npz", {"decoder.weight": square, "decoder.bias": b})
    with pytest.raises(tg.InvalidInputError, match="in a decoder rows may be features: add rows=True if a row is a feature"):
        tg.read_weights("alone.npz")
    np.testing.assert_array_equal(tg.read_weights("alone.npz", rows=True).W, square.T)
    np.testing.assert_array_equal(tg.read_weights("alone.npz", rows=False).W, square)


def test_a_bias_of_hidden_values_is_no_bias_of_outputs() -> None:
    for name in ("b_enc", "encoder.bias", "b_hidden"):
        np.savez("rows.npz", **{"W": W[0], name: B[0]})
        with pytest.raises(
            tg.InvalidInputError, match=r"bias=.* if it is the bias of the outputs, rows=True if a row of W is a f"
        ):
            tg.read_weights("rows.npz")
        rows = tg.read_weights("rows.npz", rows=True)
        np.testing.assert_allclose(rows.b, W[0] @ B[0])  # (2, 5) are then two features in five dimensions
        np.testing.assert_array_equal(tg.read_weights("rows.npz", bias=name).b, B[0])
    np.savez("columns.npz", W=W[0], b_dec=B[0])
    with pytest.raises(tg.InvalidInputError, match="leave rows out if a column of W is a feature"):
        tg.read_weights("columns.npz", rows=True)


def test_datasets_of_tegum_keep_names_and_facts() -> None:
    recipe = tg.Recipe(steps=5, seeds=2, batch_size=64)
    data = tg.train(tg.nets.ReluOutput(3, 2), tg.features.Independent(3), recipe, sweep={"density": [0.5, 0.1]}, progress=False)
    data["other_W"] = (("hidden", "feature"), np.ones((2, 3)))
    write_dataset(data, "result.safetensors")
    Path("result.safetensors").rename("result.pt")
    found = tg.read_weights("result.pt")
    assert found.drop_vars(["W", "b"]).equals(data.drop_vars(["W", "b"]))
    np.testing.assert_array_equal(found.W, data.W)
    assert found.attrs["recipe"] == data.attrs["recipe"]
    assert "dataset of tegum: W (density 2, seed 2, hidden 2, feature 3), a column" in found.understood
    other = tg.read_weights("result.pt", array="other_W")
    assert set(other.data_vars) == {"W"}, "whose b is not known"
    assert not {"net", "features", "feature_density"} & {*other.attrs, *other.coords}
    assert other.understood.endswith("the file does not hold their b")
    assert not tg.read_weights("result.pt", array="other_W", bias="none").b.any()
    with pytest.raises(tg.InvalidInputError, match="holds no b with axes hidden and feature: choose with array among W, other"):
        tg.read_weights("result.pt", array="b")
    with pytest.raises(tg.InvalidInputError, match="leave rows and encoder_bias out"):
        tg.read_weights("result.pt", rows=True)


def test_weights_in_a_dataset_have_the_bias_that_is_theirs(capsys: pytest.CaptureFixture[str]) -> None:
    net, features = tg.nets.ReluOutput(3, 2), tg.features.Independent(3, density=0.1)
    recipe = tg.Recipe(steps=300, seeds=2, batch_size=64, record=("W", "b"), record_steps=(100,))
    data = tg.train(net, features, recipe, progress=False)
    data = data.assign(minima_W=data.W + 1, minima_b=data.b + 2)
    write_dataset(data, "result.safetensors")
    for name, bias in {"W": data.b, "W_history": data.b_history, "minima_W": data.minima_b}.items():
        np.testing.assert_array_equal(tg.read_weights("result.safetensors", array=name).b, bias)
    own = tg.read_weights("result.safetensors", array="minima_W", bias="b")
    np.testing.assert_array_equal(own.b, data.b)
    assert "; b (seed, feature)" in own.understood
    with pytest.raises(tg.InvalidInputError, match="holds no c: choose with bias among b, b_history, minima_b, none"):
        tg.read_weights("result.safetensors", bias="c")
    write_dataset(data[["W"]], "alone.safetensors")
    alone = tg.read_weights("alone.safetensors")
    for ask in (tg.exact.loss, tg.expected_loss, tg.lab.model_of):
        with pytest.raises(tg.InvalidInputError, match=r"the dataset (holds W without b|has no b)"):
            ask(alone)  # type: ignore[operator]
    for command in ("exact-loss", "inspect"):
        run([command, "alone.safetensors"])
        assert "the file does not hold the b of these W: name it with --bias" in "".join(capsys.readouterr())
    assert run(["exact-loss", "alone.safetensors", "--bias", "none"]) == 0
    assert "b = 0, there is no bias" in capsys.readouterr().out
    bare = tg.train(tg.nets.Linear(3, 2, bias=False), features, recipe.replaced(record=(), record_steps=0), progress=False)
    write_dataset(bare[["W"]], "bare.safetensors")
    assert not tg.read_weights("bare.safetensors").b.any()


def lying() -> dict[str, bytes]:
    """Files whose headers claim what is not there."""
    npy = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little")
    shapes = ("(1000000, 1000000)", "(2, -3)", "(-2, -3)", "(2,", "(2.5, 1)", "(" * 200, "2, 3")
    found = {
        f"npy {shape[:20]}": npy + f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}".ljust(118).encode()
        for shape in shapes
    }
    for dtype, shape, end in (("F64", [10**9, 10**9], 48), ("F64", [2, 3], 10**12), ("F8_E4M3", [6, 8], 48), ("X", [1], 48)):
        header = json.dumps({"W": {"dtype": dtype, "shape": shape, "data_offsets": [0, end]}}).encode()
        found[f"safetensors {dtype} {shape}"] = len(header).to_bytes(8, "little") + header + bytes(48)
    deep = b'{"a":' * 3000 + b"1" + b"}" * 3000
    found["safetensors, nested"] = len(deep).to_bytes(8, "little") + deep
    header = json.dumps({"__metadata__": {"format": "tegum dataset 1", "variables": "[" * 10**5, "attributes": "{}"}}).encode()
    found["dataset, nested"] = len(header).to_bytes(8, "little") + header
    return found


@pytest.mark.parametrize("name", lying())
def test_lies_about_sizes_are_refused(name: str) -> None:
    Path("lie").write_bytes(lying()[name])
    with pytest.raises(tg.InvalidInputError):
        tg.read_weights("lie")


def test_an_archive_that_cannot_be_so_large_is_refused() -> None:
    np.savez_compressed("weights.npz", W=W)
    raw = bytearray(Path("weights.npz").read_bytes())
    entry = raw.index(b"PK\x01\x02")
    raw[entry + 24 : entry + 28] = (2**31).to_bytes(4, "little")
    Path("weights.npz").write_bytes(raw)
    with pytest.raises(tg.InvalidInputError, match="it asks for 2147483648 bytes"):
        tg.read_weights("weights.npz")
    with zipfile.ZipFile("weights.npz", "w") as archive:
        archive.writestr("notes.txt", "hello")
    with pytest.raises(tg.InvalidInputError, match=r"holds notes.txt: write arrays alone, with numpy.savez"):
        tg.read_weights("weights.npz")
    with pytest.raises(tg.InvalidInputError, match="there is no file"):
        tg.read_weights(Path.cwd())


def originals() -> dict[str, bytes]:
    """A good file of each format."""
    arrays, found = {"W": W, "b": B}, {}
    for name, write in {"npz": np.savez, "compressed": np.savez_compressed}.items():
        write("good.npz", **arrays)
        found[name] = Path("good.npz").read_bytes()
    np.save("good.npy", W)
    found |= {"npy": Path("good.npy").read_bytes(), "safetensors": save(arrays)}
    found |= {f"pickle {i}": pickle.dumps(arrays, i) for i in (4, 5)}
    write_dataset(tg.runs.read_weights("good.npz"), "good")
    found["dataset"] = Path("good").read_bytes()
    found |= {"torch": torch_archive(arrays), "old torch": (WRITTEN_BY_PYTORCH / "torch_before_1_6.pt").read_bytes()}
    return found


def test_damaged_files_are_a_mistake_or_are_read() -> None:
    """Only an `InvalidInputError` or a good result ever comes out of a few hundred files that were cut, hit, or mixed."""
    rng, outcomes = np.random.default_rng(0), {"read": 0, "refused": 0}
    files = originals()
    for name, whole in files.items():
        other = files["npz" if name != "npz" else "safetensors"]
        for i in range(50):
            raw = bytearray(whole)
            at = int(rng.integers(len(raw) if i % 2 else min(len(raw), 300)))
            match i % 5:
                case 0:
                    raw = raw[:at]
                case 1:
                    raw[at] = int(rng.integers(256))
                case 2:
                    for place in rng.integers(len(raw), size=8):
                        raw[place] ^= 1 << int(rng.integers(8))
                case 3:
                    raw = raw[:at] + rng.bytes(int(rng.integers(1, 40))) + raw[at:]
                case 4:
                    raw = other[:at] + raw[at:]
            Path("damaged").write_bytes(raw)
            try:
                data = tg.read_weights("damaged")
            except tg.InvalidInputError:
                outcomes["refused"] += 1
            else:
                assert data.W.dims[-2:] == ("hidden", "feature")
                outcomes["read"] += 1
    assert min(outcomes.values()) > 20, outcomes


def test_another_array_of_a_dataset_is_of_no_net() -> None:
    net, features = tg.nets.UntiedNeurons(3, 1), tg.features.Independent(3, density=0.2)
    data = tg.train(net, features, tg.Recipe(steps=2, batch_size=64, evaluation_samples=64), progress=False)
    write_dataset(data, "untied.safetensors")
    found = tg.read_weights("untied.safetensors", array="W1", bias="none")
    expected = tg.exact.loss(data["W1"].values, np.zeros(3), features)
    np.testing.assert_allclose(tg.exact.loss(found, features=features), expected, rtol=1e-12)
    assert {"net", "recipe", "features"} & set(found.attrs) == set()
    assert data.attrs["net"] == repr(net) == tg.read_weights("untied.safetensors").attrs["net"]


def test_a_bias_of_another_length_is_pointed_at(tmp_path: Path) -> None:
    np.savez(tmp_path / "odd.npz", W=np.ones((2, 5)), b=np.zeros(4))
    with pytest.raises(tg.InvalidInputError, match="check b, a bias of these outputs has 5 numbers; or add array='W'"):
        tg.read_weights(tmp_path / "odd.npz")
