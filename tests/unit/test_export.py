"""What is exported is what was measured, in every format; what is missing is named."""

import importlib.util
import io
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import xarray as xr
from PIL import Image, ImageSequence

import tegum as tg
from tegum.cli import run
from tegum.figures.theme import styled
from tegum.report import ResultFolder, read_pictures, write_page
from tegum.report.export import export_data, tables
from tegum.report.part import width_of
from tegum.report.pictures import (
    BROWSERS,
    PictureFormat,
    Purpose,
    export_films,
    export_pictures,
    lettered,
    look_for,
    moments,
    still,
)
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
    starts: dict[PictureFormat, bytes] = {"png": b"\x89PNG", "pdf": b"%PDF"}
    pictures = read_pictures(folder, "small")
    for kind, start in starts.items():
        written = export_pictures(pictures if kind == "png" else {"arrows": pictures["arrows"]}, tmp_path / "small", kind)
        assert written[0].name == f"small-arrows.{kind}"
        assert all(path.read_bytes().startswith(start) for path in written)
        assert len(written[0].read_bytes()) > 5000
    assert (tmp_path / "small-space.png").exists()


@pytest.mark.skipif(BROWSER is None, reason=f"no browser: none of {', '.join(BROWSERS)} is installed")
def test_a_picture_is_as_large_as_its_purpose_and_has_no_buttons(folder: Path, tmp_path: Path) -> None:
    picture = read_pictures(folder, "small")["arrows"]
    picture.update_layout(updatemenus=[{"buttons": [{"label": "PRESS ME", "method": "restyle", "args": [{}]}]}])
    purposes: dict[Purpose, int] = {"slides": 1920, "column": 3 * max(480, width_of(picture))}
    for purpose, dots in purposes.items():
        (path,) = export_pictures({purpose: picture}, tmp_path / "a", "png", look_for(purpose))
        with Image.open(path) as image:
            assert image.size[0] == pytest.approx(dots, abs=2)
    (path,) = export_pictures({"arrows": picture}, tmp_path / "a", "svg", look_for(width=900, font="Courier", size=21))
    text = path.read_text()
    assert text.startswith("<svg")
    assert 'width="900"' in text
    assert "PRESS ME" not in text
    assert "Courier" in text
    assert "font-size: 21px" in text


def test_what_was_chosen_is_as_far_from_the_edge_of_a_picture_without_its_buttons() -> None:
    data = xr.Dataset({"W": (("seed", "hidden", "feature"), np.stack([np.eye(2)] * 3)), "loss": ("seed", [3.0, 1.0, 2.0])})
    given = tg.figures.strips(data)
    drawn = still(given)
    assert drawn.layout.margin.t == given.layout.margin.t - 40
    assert given.layout.margin.t - given.layout.annotations[-1].yshift == 6
    assert drawn.layout.annotations[-1].text == "of 3 seeds the one of lowest loss"
    assert drawn.layout.margin.t - drawn.layout.annotations[-1].yshift == 6


def test_larger_letters_have_larger_margins_and_the_data_stay() -> None:
    picture = styled(go.Figure(go.Scatter(x=[1, 2], y=[3, 4])), 400)
    picture.add_annotation(text="a note", font={"size": 12}, yshift=-10, showarrow=False)
    drawn = lettered(picture, look_for(size=28, font="Courier"))
    assert drawn.layout.font.to_plotly_json() == {"family": "Courier", "size": 28, "color": "#222222"}
    assert (drawn.layout.annotations[0].font.size, drawn.layout.annotations[0].yshift) == (24, -20)
    assert (drawn.layout.margin.t, picture.layout.margin.t) == (120, 60)
    assert list(drawn.data[0].y) == [3, 4]


def test_films_show_every_moment(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = read_pictures(folder, "small")
    assert [list(moment.data[0].x) for moment in moments(pictures["space"])] == [[0], [1], [2]]
    assert moments(pictures["arrows"]) == []
    path = {"W": (("time", "hidden", "feature"), np.linspace(0.1, 1, 3)[:, None, None] * np.eye(3, 6))}
    data = xr.Dataset({**path, "loss": ("time", [3.0, 2.0, 1.0])}, {"time": [1.0, 10.0, 100.0]})
    each = moments(tg.figures.path_slider(data, clock="steps"))
    last = [next(trace.x[1] for trace in moment.data if trace.mode == "lines+markers") for moment in each]
    np.testing.assert_allclose(last, [0.1, 0.55, 1.0])
    assert all(not moment.layout.sliders for moment in each)
    with pytest.raises(tg.InvalidInputError, match="there is no ffmpeg, which writes mp4: install it"):
        export_films(pictures, tmp_path / "a", "mp4", browser=lambda _: None)
    monkeypatch.setattr("tegum.report.pictures._drawn", drawn_squares)
    (film,) = export_films(pictures, tmp_path / "small", "gif")
    assert film.name == "small-space.gif"
    with Image.open(film) as image:
        frames = [frame.convert("RGB").getpixel((0, 0))[0] for frame in ImageSequence.Iterator(image)]
    assert frames == [0, 100, 200]


def test_a_film_goes_through_ffmpeg_and_what_that_says_is_said(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tegum.report.pictures._drawn", drawn_squares)
    program = tmp_path / "ffmpeg"
    program.write_text('#!/bin/sh\nfor last; do :; done\nset -- "$(dirname "$last")"/*.png\necho $# pictures > "$last"\n')
    program.chmod(0o755)
    pictures = read_pictures(folder, "small")
    (film,) = export_films(pictures, tmp_path / "small", "mp4", browser=lambda _: str(program))
    assert (film.name, film.read_text()) == ("small-space.mp4", "3 pictures\n")
    program.write_text("#!/bin/sh\necho no such codec >&2\nexit 1\n")
    with pytest.raises(tg.InvalidInputError, match="ffmpeg cannot write mp4: no such codec"):
        export_films(pictures, tmp_path / "small", "mp4", browser=lambda _: str(program))


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg is installed")
def test_a_film_of_ffmpegs_is_an_mp4(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tegum.report.pictures._drawn", drawn_squares)
    (film,) = export_films(read_pictures(folder, "small"), tmp_path / "small", "mp4")
    assert film.read_bytes()[4:8] == b"ftyp"


def drawn_squares(pictures: Sequence[go.Figure], *_: Any) -> list[bytes]:
    """Grey squares in the place of a browser's pictures."""
    found = []
    for number in range(len(pictures)):
        Image.new("RGB", (4, 4), (100 * number,) * 3).save(file := io.BytesIO(), "PNG")
        found.append(file.getvalue())
    return found


def test_options_of_pictures_are_for_pictures(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", str(folder), "--for", "slides"]) == 2
    assert "--for is given, and csv is no format of pictures: add --format png, or leave it out" in capsys.readouterr().err
    for kind in ("pdf", "svg"):
        assert run(["export", str(folder), "--format", kind, "--scale", "3"]) == 2
        assert f"--scale is given, and {kind} has no dots: add --format png, or leave it out" in capsys.readouterr().err
    assert run(["export", str(folder), "--format", "png", "--width", "3", "--font-size", "900"]) == 2
    assert "--width is 3: choose 200 to 5000" in (said := capsys.readouterr().err)
    assert "--font-size is 900: choose 4 to 100" in said


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
    own = f"not judged anew, as `tegum reproduce FILE --out {folder}` does: small"
    assert capsys.readouterr().out == f"{own}\n1 failed, 2 held, 1 underpowered\nopen {folder / 'index.html'}\n"
    assert (folder / "index.html").exists()
