"""What is exported is what was measured, in every format; what is missing is named."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import tegum as tg
from tegum.cli import run
from tegum.report import ResultFolder, read_pictures, write_page
from tegum.report.export import BROWSERS, PictureFormat, export_data, export_pictures, tables
from tegum.runs import read_dataset
from tests.experiments import small

BROWSER = next((path for name in BROWSERS if (path := shutil.which(name))), None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = ResultFolder(tmp_path_factory.mktemp("results"), pytest.fail)
    results.part(small.experiment, "quick")
    write_page(results.parts(), results.path)
    return results.path


@pytest.fixture(scope="module")
def data(folder: Path) -> xr.Dataset:
    return read_dataset(folder / "data" / "small.safetensors")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_tables_hold_every_number(kind: str, folder: Path, data: xr.Dataset) -> None:
    assert run(["export", str(folder), "--format", kind]) == 0
    read = pd.read_csv if kind == "csv" else pd.read_parquet
    frame = read(folder / "export" / f"small.density-seed-hidden-feature.{kind}")
    assert list(frame.columns) == ["density", "seed", "hidden", "feature", "W"]
    np.testing.assert_array_equal(frame["W"].to_numpy(dtype=np.float32), data["W"].values.reshape(-1))
    frame = read(folder / "export" / f"small.density-seed.{kind}")
    back = frame.set_index(["density", "seed"]).to_xarray()
    np.testing.assert_allclose(back["loss"].sel(density=data.density, seed=data.seed), data["loss"], rtol=1e-15)
    assert set(back["status"].values.reshape(-1)) == {"finished"}
    assert '"profile": "quick"' in (folder / "export" / "small.json").read_text()


def test_every_variable_is_in_one_table(data: xr.Dataset) -> None:
    names = [name for _, part in tables(data) for name in part.data_vars]
    assert sorted(names) == sorted({*data.data_vars, "feature_density", "feature_importance"})


def test_numbers_without_dimensions_are_a_table_too(tmp_path: Path) -> None:
    paths = export_data(xr.Dataset({"a": 1.5, "b": 2}), tmp_path / "one", "csv")
    assert paths[0].name == "one.single.csv"
    assert paths[0].read_text().splitlines() == ["row,a,b", "0,1.5,2"]


def test_netcdf_comes_back_as_it_was(folder: Path, data: xr.Dataset, tmp_path: Path) -> None:
    assert run(["export", str(folder), "small", "--format", "netcdf", "--out", str(tmp_path)]) == 0
    back = xr.load_dataset(tmp_path / "small.nc", engine="scipy")
    xr.testing.assert_equal(back.drop_vars("status"), data.drop_vars("status"))
    assert back.attrs["recipe"] == data.attrs["recipe"]
    large = xr.Dataset({"n": ("x", [2**40, 1])}, attrs={"list": [1, 2], "flag": True})
    (path,) = export_data(large, tmp_path / "large", "netcdf")
    assert xr.load_dataset(path, engine="scipy")["n"].values.tolist() == [2.0**40, 1.0]


@pytest.mark.skipif(BROWSER is None, reason=f"no browser: none of {', '.join(BROWSERS)} is installed")
def test_pictures_are_drawn(folder: Path, tmp_path: Path) -> None:
    starts: dict[PictureFormat, bytes] = {"png": b"\x89PNG", "svg": b"<svg", "pdf": b"%PDF"}
    pictures = read_pictures(folder, "small")
    for kind, start in starts.items():
        written = export_pictures(pictures if kind == "png" else {"arrows": pictures["arrows"]}, tmp_path / "small", kind)
        assert written[0].name == f"small-arrows.{kind}"
        assert all(path.read_bytes().startswith(start) for path in written)
        assert len(written[0].read_bytes()) > 5000
    assert (tmp_path / "small-space.png").exists()


def test_what_is_missing_is_named(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = read_pictures(folder, "small")
    with pytest.raises(tg.InvalidInputError, match=r"there is no browser to draw svg pictures \(chromium, .*install Chromium"):
        export_pictures(pictures, tmp_path / "small", "svg", browser=lambda _: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(
        tg.InvalidInputError, match="the package kaleido, which writes png, is not installed: pip install kaleido"
    ):
        export_pictures(pictures, tmp_path / "small", "png")
    with pytest.raises(tg.InvalidInputError, match="the package pyarrow, which writes parquet, is not installed"):
        export_data(xr.Dataset(), tmp_path / "small", "parquet")


def test_wrong_folders_and_ids_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", str(folder), "large", "tiny"]) == 2
    said = capsys.readouterr().err
    assert f"{folder} has no results of 'large': choose among small" in said
    assert "'tiny'" in said


def test_a_report_is_written_anew(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "index.html").unlink()
    assert run(["report", str(folder)]) == 1
    assert capsys.readouterr().out == f"1 failed, 2 held, 1 underpowered\nopen {folder / 'index.html'}\n"
    assert (folder / "index.html").exists()
