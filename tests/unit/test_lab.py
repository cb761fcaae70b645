"""The lab without a browser: addresses, what its JavaScript computes in Node, the page, models and records that it opens."""

import base64
import json
import re
import shutil
import subprocess
import sys
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tegum as tg
from tegum.figures.theme import SHAPE_COLOURS
from tegum.lab import address as addresses
from tegum.lab import joining
from tegum.lab.maps import SCALE
from tegum.lab.opening import address_in
from tests.oracle.lab_models import models, orthogonal_sum

NODE = shutil.which("node")
ORACLE = Path(__file__).parents[1] / "oracle" / "lab.js"
JS = Path(str(tg.lab.__file__)).with_name("js")
PENTAGON = 1.1 * tg.geometry.polygon(5)
FIVE = tg.features.Independent(5, density=0.1)
NET = tg.nets.ReluOutput(5, 2)


def shaped(seed: int, count: int) -> list[NDArray[np.float64]]:
    """Weights: orthogonal sums with noise, random ones, and solutions of Thomson's problem that have no simpler name."""
    generator = np.random.default_rng(seed)
    found = []
    for k in range(count):
        m, n = int(generator.integers(1, 6)), int(generator.integers(2, 15 if k % 2 else 33))
        W = orthogonal_sum(generator, n, m) + 10 ** -generator.uniform(0.5, 4) * generator.normal(size=(m, n))
        found.append(W if k % 4 else generator.normal(size=(m, n)))
    for points in tg.geometry.thomson.stored_solutions().values():
        turn = np.linalg.qr(generator.normal(size=(5, 5)))[0][:, : len(points)]
        found.append(turn @ points + 0.02 * generator.normal(size=(5, points.shape[1])))
    return found


@cache
def oracle(count: int) -> dict[str, Any]:
    """Models with losses and gradients, and weights with their shapes, as Python knows them."""
    weights = shaped(1, count // 2)
    shapes = []
    for W in weights:
        found = tg.geometry.identify(W, rows=False)
        shapes.append(
            {
                "W": W.ravel().tolist(),
                "m": W.shape[0],
                "n": W.shape[1],
                "label": found.label,
                "polytope": found.polytope or "",
                "names": found.names.tolist(),
            }
        )
    return {"models": models(count), "shapes": shapes}


def in_node(call: str, given: Any = None) -> Any:
    """What the joined script says in Node, of ``input``."""
    text = f"{tg.lab.script()}{ORACLE.read_text()}const input = {json.dumps(given)};console.log(JSON.stringify({call}));"
    done = subprocess.run([str(NODE), "-"], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def require_equal(known: dict[str, Any], said: dict[str, Any]) -> None:
    """Losses to 1e-9, gradients to 1e-7, addresses and shapes exactly."""
    for one, found in zip(known["models"], said["models"], strict=True):
        assert found["loss"] == pytest.approx(one["loss"], rel=1e-9, abs=1e-13), one
        assert abs(found["loss"] - one["loss"]) <= found["error"] + one["error"] + 1e-12, one
        if one["gradient"] is not None:
            assert np.abs(np.subtract(found["gradient"], one["gradient"])).max() < 1e-7, one
        assert found["address"] == one["address"]
    for one, found in zip(known["shapes"], said["shapes"], strict=True):
        assert found == {name: one[name] for name in ("label", "polytope", "names")}


@pytest.mark.skipif(NODE is None, reason="there is no Node")
def test_javascript_says_what_python_says() -> None:
    known = oracle(500)
    require_equal(known, in_node("answers(input)", known))
    assert {one["kind"] for one in known["models"]} == {"independent", "signed", "correlated", "anticorrelated"}


@pytest.mark.skipif(NODE is None, reason="there is no Node")
def test_the_flow_comes_to_rest_at_a_minimum_that_python_knows() -> None:
    call = """input.map((address) => {
      const simulation = new tegumLab.Simulation(tegumLab.stateOf(address));
      simulation.advance(1e6, Infinity);
      const { loss, resting, shapes } = simulation.frame(true);
      return [loss, resting, shapes.label];
    })"""
    start = tg.lab.link(NET, FIVE, PENTAGON + 0.05 * np.random.default_rng(0).normal(size=(2, 5)))
    penalised = start + "&interference=0.005"
    found = in_node(call, [start, penalised])
    plain = tg.best(tg.exact.minimise(NET, FIVE, seeds=8))
    heavy = tg.exact.minimise(NET, FIVE, seeds=1, initial={"W": PENTAGON}, penalties=[tg.exact.Interference(0.005)])
    for (loss, resting, label), known in zip(found, (plain, heavy.isel(seed=0)), strict=True):
        assert (resting, label) == (True, "pentagon")
        assert loss == pytest.approx(float(known.loss), rel=1e-7)


@pytest.mark.skipif(NODE is None, reason="there is no Node")
@pytest.mark.parametrize("how", ["adam", "sample"])
def test_adam_finds_a_pentagon_and_a_seed_repeats_it(how: str) -> None:
    call = """[0, 1].map(() => {
      const simulation = new tegumLab.Simulation(tegumLab.stateOf(input));
      simulation.advance(1500, Infinity);
      return [...simulation.frame(false).W, simulation.frame(false).loss];
    })"""
    one, other = in_node(call, tg.lab.link(NET, FIVE, how=how, seed=3) + "&rate=0.01&batch=64")  # type: ignore[arg-type]
    assert one == other
    assert one[-1] < 0.034


@pytest.mark.skipif(NODE is None, reason="there is no Node")
def test_samples_are_those_of_the_distribution() -> None:
    sets = tg.features.CorrelatedSets(2, 2, density=[0.3, 0.6])
    others = tg.features.AnticorrelatedSets(1, 4, density=[0.1, 0.2, 0.3, 0.4], signed=True)
    call = """input.map((address) => {
      const d = tegumLab.distributionOf(tegumLab.stateOf(address)), random = new tegumLab.Random(5), n = d.n;
      const x = new Float64Array(n), mean = new Float64Array(n), second = new Float64Array(n * n), count = 200000;
      for (let k = 0; k < count; k++) {
        tegumLab.sampleInto(d, random, x, 0);
        for (let i = 0; i < n; i++) {
          mean[i] += x[i] / count;
          for (let j = 0; j < n; j++) second[i * n + j] += x[i] * x[j] / count;
        }
      }
      return [[...mean], [...second]];
    })"""
    found = in_node(call, [tg.lab.link(tg.nets.ReluOutput(4, 2), one) for one in (sets, others)])
    for (mean, second), features in zip(found, (sets, others), strict=True):
        np.testing.assert_allclose(mean, features.mean(), atol=0.004)
        np.testing.assert_allclose(np.reshape(second, (4, 4)), features.second_moment(), atol=0.004)


@pytest.mark.skipif(NODE is None, reason="there is no Node")
def test_what_is_taken_along_is_the_same_model(tmp_path: Path) -> None:
    features = tg.features.AnticorrelatedSets(2, 2, density=[0.1, 0.2, 0.3, 0.4], importance=tg.features.geometric(0.8, 4))
    net, W, b = tg.nets.ReluOutput(4, 2), np.random.default_rng(0).normal(size=(2, 4)), np.array([0.1, -0.2, 0.0, 0.3])
    address = tg.lab.link(net, features, W, b, l2=0.01)
    call = """(() => {
      const s = tegumLab.stateOf(input), bytes = tegumLab.safetensorsOf(s, s.W, s.b, input);
      const back = tegumLab.weightsIn(bytes.buffer), python = tegumLab.pythonOf(s, s.W, s.b);
      return { bytes: [...bytes], python, back: [[...back.W], [...back.b], back.address] };
    })()"""
    found = in_node(call, address)
    assert found["back"] == [W.ravel().tolist(), b.tolist(), address]
    (tmp_path / "weights.safetensors").write_bytes(bytes(found["bytes"]))
    data = tg.read_weights(tmp_path / "weights.safetensors")
    np.testing.assert_array_equal(data.W.values, W)
    np.testing.assert_array_equal(data.b.values, b)
    assert address_in(tmp_path / "weights.safetensors") == address
    names: dict[str, Any] = {}
    lines = found["python"].replace("gradient_flow(net, features, W, b, 1000", "gradient_flow(net, features, W, b, 0.1")
    exec(lines, names)
    assert tg.exact.loss(names["W"], names["b"], names["features"]) == tg.exact.loss(W, b, features)
    assert names["flow"].sizes["feature"] == 4


@pytest.mark.skipif(NODE is None, reason="there is no Node")
def test_every_preset_and_step_of_the_tour_is_a_setting() -> None:
    call = (
        "[...tegumLab.PRESETS, ...tegumLab.TOUR].map(({ address }) => [address, tegumLab.addressOf(tegumLab.stateOf(address))])"
    )
    found = in_node(call)
    assert len(found) == 16
    for written, read in found:
        assert tg.lab.read(written).net == tg.lab.read(read).net


def test_an_address_comes_back() -> None:
    for one in oracle(500)["models"]:
        setting = tg.lab.read(one["address"])
        assert tg.lab.link(setting.net, setting.features, setting.W, setting.b) == one["address"]
    long = tg.lab.link(
        tg.nets.ReluOutput(32, 5), tg.features.Independent(32), np.random.default_rng(0).normal(size=(5, 32)), np.ones(32)
    )
    assert len(long) < 2200


def test_defaults_are_the_same_in_both_languages() -> None:
    text = (JS / "address.js").read_text()
    table = re.search(r"DEFAULTS = \{(.*?)\};", text, re.DOTALL)
    assert table
    assert dict(re.findall(r'(\w+): "([^"]*)"', table[1])) == addresses.DEFAULTS
    views = re.search(r"view: \[(.*?)\]", text)
    assert views
    assert tuple(re.findall(r'"(\w+)"', views[1])) == addresses.VIEWS


def test_the_script_is_joined_in_the_order_of_its_imports() -> None:
    everything = [*joining.CORE, *joining.SHOWN]
    assert sorted(everything) == sorted(path.stem for path in JS.glob("*.js"))
    for at, module in enumerate(everything):
        assert set(joining.imported(module)) <= set(everything[:at]), module
        assert len(re.findall("^export ", joining.source(module), re.MULTILINE)) <= len(joining.exported(module))
    assert len(set(everything)) == len(everything)
    text = tg.lab.script()
    assert not re.search(r"^(import|export) ", text, re.MULTILINE)
    assert "</" not in text
    assert all(colour in text for colour in SHAPE_COLOURS.values())


def test_the_page_is_small_and_asks_for_nothing() -> None:
    text = tg.lab.page("#v=1&n=5&m=2")
    assert len(text.encode()) < 400_000
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert "connect-src" not in text
    assert "default-src 'none'" in unescape(text)


def test_maps_hold_minima() -> None:
    for one in joining.stored_optima()["maps"]:
        n, m = one["n"], one["m"]
        values = np.frombuffer(base64.b64decode(one["parameters"]), "<i2").reshape(len(one["cells"]), -1) / SCALE
        for cell in (0, 300, 624):
            column, row = divmod(cell, len(one["ratio"]))
            importance = np.append(np.ones(n - 1), one["ratio"][row])
            features = tg.features.Independent(n, one["density"][column], importance)
            W, b = values[cell][: n * m].reshape(m, n), values[cell][n * m :]
            assert float(tg.exact.loss(W, b, features)) == pytest.approx(one["loss"][cell], rel=1e-4)
            found = tg.exact.minimise(tg.nets.ReluOutput(n, m), features, seeds=4, initial={"W": W, "b": b}, progress=False)
            assert one["loss"][cell] <= float(found.loss.min()) * (1 + 1e-8)
            assert tg.geometry.identify(W, rows=False).label == one["shapes"][one["cells"][cell]]


def test_lines_hold_the_lowest_losses() -> None:
    lines = joining.stored_optima()["lines"]
    assert len(lines) == 8
    for line in lines:
        at = line["density"].index(0.05)
        address = "#v=1&n={n}&m={m}&sets={sets}&I={I}&p=0.05".format(**line)
        setting = tg.lab.read(address)
        found = tg.exact.minimise(setting.net, setting.features, seeds=6, progress=False)
        assert line["loss"][at] <= float(found.loss.min()) * (1 + 1e-8), line


def test_where_the_pentagon_crosses_both_have_the_lowest_loss() -> None:
    (line,) = (one for one in joining.stored_optima()["lines"] if (one["n"], one["m"], one["I"]) == (5, 2, "1"))
    (crossing,) = (one for one in line["density"] if isinstance(one, list))
    stored = line["loss"][line["density"].index(crossing)]
    features, digons = tg.features.Independent(5, density=crossing), np.array([[0.0, 1, -1, 0, 0], [0, 0, 0, 1, -1]])
    for W in (PENTAGON, digons):
        found = tg.exact.minimise(NET, features, seeds=1, initial={"W": W}, progress=False)
        assert stored == pytest.approx(float(found.loss[0]), rel=2e-4)


@pytest.mark.skipif(NODE is None, reason="there is no Node")
def test_every_place_to_begin_says_its_lowest_loss() -> None:
    found = in_node("tegumLab.PRESETS.map(({ address }) => [address, tegumLab.certifiedLoss(tegumLab.stateOf(address))])")
    assert all(optimum is not None for _, optimum in found), found
    words = {optimum["said"] for _, optimum in found}
    assert words == {"lowest of 32 starts", "lowest certified", "lowest there is"}
    linear = tg.lab.link(tg.nets.Linear(4, 2), tg.features.Independent(4, [0.1, 0.9, 0.2, 0.3], [1, 0.5, 0.2, 2], signed=True))
    for address, optimum in [*found, (linear, in_node("tegumLab.certifiedLoss(tegumLab.stateOf(input))", linear))]:
        setting = tg.lab.read(address)
        if isinstance(setting.net, tg.nets.Linear):
            known = tg.exact.minimise(setting.net, setting.features, seeds=4, progress=False)
            assert optimum["loss"] == pytest.approx(float(known.loss.min()), rel=1e-7)


def test_the_best_model_of_a_training_is_opened_and_its_way_replayed(tmp_path: Path) -> None:
    recipe = tg.Recipe(steps=40, seeds=3, batch_size=64, evaluation_samples=64, record=("loss", "W", "b"), record_steps=4)
    data = tg.train(NET, FIVE, recipe, progress=False)
    found = tg.lab.model_of(data)
    setting = tg.lab.read(found.address)
    best = tg.best(data)
    np.testing.assert_array_equal(setting.W, best.W.values.astype(np.float64))
    assert repr(setting.features) == repr(FIVE)
    record = tg.lab.record_of(data)
    assert record.times == tuple(map(float, recipe.recorded_steps()))
    flow = tg.exact.gradient_flow(NET, FIVE, PENTAGON, np.zeros(5), 1.0, times=5)
    assert tg.lab.record_of(flow).clock == "time"
    with pytest.raises(tg.InvalidInputError, match="no W along steps or time"):
        tg.lab.record_of(tg.train(NET, FIVE, tg.Recipe(steps=1, evaluation_samples=64, batch_size=64), progress=False))
    place = tg.lab.write(tmp_path / "lab.html", found.address)
    assert found.address in place.read_text()


def test_a_widget_holds_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    widget = tg.lab.widget("#v=1&n=3&m=2", layout="small")
    assert (widget.address, widget.layout) == ("#v=1&n=3&m=2", "small")
    assert widget.trait_metadata("address", "sync")
    data = tg.exact.minimise(NET, FIVE, seeds=2, progress=False)
    assert tg.lab.widget(data).address == tg.lab.model_of(data).address
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(tg.InvalidInputError, match=r"anywidget is not installed.*tegum\[notebook\]"):
        tg.lab.widget()
