"""The page asks the network for nothing, and a real browser draws it without complaint."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
import xarray as xr

from tegum.claims import Claim, Control
from tegum.errors import Mistake
from tegum.experiments import Experiment, Figure
from tegum.figures import CONFIG, arrow_panels
from tegum.report import Part, write_report

CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)


def small_data() -> xr.Dataset:
    return xr.Dataset(
        {
            "W": (
                ("density", "hidden", "feature"),
                np.array([[[1, 0, 0.5], [0, 1, 0.5]], [[1, -1, 0], [0, 0, 1]]], dtype=np.float32),
            ),
            "feature_importance": (("density", "feature"), np.array([[1, 0.9, 0.8], [1, 0.9, 0.8]])),
        },
        {"density": [1.0, 0.1]},
        {"recipe": "{}", "net": "ReluOutput </script>"},
    )


def small_part() -> Part:
    data = small_data()
    claims = [
        Claim(
            "a",
            "a statement with <b>marks</b>",
            "how",
            "1",
            "0.1",
            "1.05",
            True,
            "8 models",
            control=Control("noise", "3", False),
        ),
        Claim("b", "another", "how", "1", "0.1", "2", False, "8 models", note="theory says 2"),
    ]
    experiment = Experiment(
        "small", "A title", "F00", "described", {"quick": 1, "paper": 1}, lambda _: data, lambda _: {}, lambda _: claims
    )
    return Part(experiment, data, {"arrows": Figure(arrow_panels(data, "density"), "a caption </script>")}, claims, 1.0)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report([small_part()], "quick", tmp_path_factory.mktemp("report"))


def test_nothing_is_asked_from_the_network(page: Path) -> None:
    text = page.read_text()
    sources = re.findall(r"""(?:src|href)\s*=\s*["']([^"']+)""", text) + re.findall(r"url\(([^)]*)\)|@import\s+(\S+)", text)
    assert set(sources) == {"plotly.min.js", "claims.json", "data:,"}
    assert "http" not in text


def test_the_upload_button_is_off(page: Path) -> None:
    assert CONFIG["showSendToCloud"] is False
    assert '"showSendToCloud": false' in page.read_text()


def test_text_is_escaped(page: Path) -> None:
    text = page.read_text()
    assert "&lt;b&gt;marks" in text
    assert text.count("</script>") == 2


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_draws_every_figure_without_complaint(page: Path, tmp_path: Path) -> None:
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-sync",
        "--no-first-run",
    ]
    options += ["--enable-logging=stderr", "--v=0", f"--user-data-dir={tmp_path}", "--virtual-time-budget=20000", "--dump-dom"]
    done = subprocess.run([str(CHROMIUM), *options, page.as_uri()], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.count("main-svg") >= 1
    assert done.stdout.count('class="trace scatter') >= 8
    assert "CONSOLE" not in done.stderr
    assert "Share chart" not in done.stdout
    assert "cloud" not in "".join(re.findall(r'data-title="([^"]*)"', done.stdout)).lower()


def test_arrows_are_data() -> None:
    figure = arrow_panels(small_data(), "density", turn=False)
    arrows = [trace for trace in figure.data if (trace.name or "").startswith("feature")]
    assert len(arrows) == 6
    tips = {(trace.xaxis, trace.name): (trace.x[1], trace.y[1]) for trace in arrows}
    assert tips["x2", "feature 1"] == (-1, 0)
    assert [annotation.text for annotation in figure.layout.annotations] == [
        "density 1<br>sparsity 0 %",
        "density 0.1<br>sparsity 90 %",
    ]
    assert isinstance(figure, go.Figure)
    with pytest.raises(Mistake, match="select one model for each density"):
        arrow_panels(small_data().expand_dims(seed=2), "density")
