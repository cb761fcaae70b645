"""Certified phase diagrams against the boundaries that are known, and the command that draws them."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.cli import run
from tegum.figures import geometry_map
from tegum.maps import phase_map
from tegum.runs import read_dataset


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    ratio = [0.1, 0.3, 0.5]
    return phase_map(2, 1, list(np.geomspace(0.05, 0.9, 7)), ratio, seeds=8)


def test_two_features_are_a_digon_or_one_is_dropped(data: xr.Dataset) -> None:
    assert set(data["shape"].values.ravel()) == {"digon", "dedicated"}
    np.testing.assert_array_equal(data["shape"] == "digon", data["phase"] == "superposition")
    assert (data["status"] == "minimum").all()
    assert (data["found"] > 0).all()


def test_transitions_lie_at_the_known_densities_and_are_first_order(data: xr.Dataset) -> None:
    by_density = data.isel(transition=(data["along"] == "density").values)
    known = {0.1: 0.18125, 0.3: 0.37569, 0.5: 0.48463}
    assert {
        float(at): pytest.approx(float(value), rel=1e-4)
        for at, value in zip(by_density["at"], by_density["value"], strict=True)
    } == known
    assert (data["order"] == tg.exact.FIRST_ORDER).all()
    assert set(by_density["before"].values) == {"digon; the last feature superposition"}


def test_a_transition_along_importance_lies_on_the_same_line(data: xr.Dataset) -> None:
    by_ratio = data.isel(transition=(data["along"] == "importance_ratio").values)
    assert by_ratio.sizes["transition"]
    for density, ratio in zip(by_ratio["at"].values, by_ratio["value"].values, strict=True):
        features = tg.features.Independent(2, density=density, importance=np.array([1.0, ratio]))
        best = float(tg.exact.minimise(tg.nets.ReluOutput(2, 1), features, seeds=16)["loss"].min())
        assert best == pytest.approx(float(tg.theory.dropped_loss(density, ratio)), rel=1e-5)


def test_the_picture_names_shapes_phases_and_transitions(data: xr.Dataset) -> None:
    names = [trace.name for trace in geometry_map(data).data if trace.showlegend is not False and trace.name]
    assert {"digon", "dedicated", "last feature: superposition", "first order transition"} <= set(names)


def test_the_command_writes_data_and_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = f"phase --n 3 --m 2 --density 0.1:1 --importance 0.5:2 --points 2 --seeds 2 --out {tmp_path}"
    assert run(words.split()) == 0
    first = capsys.readouterr().out
    assert "digon + dedicated" in first
    assert read_dataset(tmp_path / "result.safetensors")["shape"].shape == (2, 2)
    assert "3 features in 2 dimensions" in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert run(words.split()) == 0
    assert capsys.readouterr().out == first


@pytest.mark.parametrize(
    ("density", "says"), [([0.5, 0.1], "increasing"), ([], "increasing"), ([0.0, 0.5], "above 0"), ([0.5, 1.5], "up to 1")]
)
def test_axes_that_make_no_map(density: list[float], says: str) -> None:
    with pytest.raises(tg.InvalidInputError, match=says):
        phase_map(2, 1, density, [1.0])
