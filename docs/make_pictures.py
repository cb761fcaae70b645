"""Renders the pictures of the README and of docs/ from fresh results with headless Chromium: ``make pictures``."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import plotly.graph_objects as go
from exact_error import measured

from tegum.experiments import experiment_called
from tegum.figures import CONFIG, error_curves

PICTURES = Path(__file__).parent / "pictures"
WIDTH = 1000


def screenshot(figure: go.Figure, path: Path) -> None:
    """One figure as a PNG at twice its size."""
    browser = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
    if browser is None:
        sys.exit("no Chromium found: install it to render pictures")
    height = int(figure.layout.height)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "figure.html"
        body = figure.to_html(
            config=CONFIG | {"displayModeBar": False}, include_plotlyjs=True, full_html=False, default_width=f"{WIDTH}px"
        )
        page.write_text(
            f'<!doctype html><meta charset="utf-8"><style>body{{margin:0;background:#fff}}</style>{body}', encoding="utf-8"
        )
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=2"]
        options += ["--disable-background-networking", "--virtual-time-budget=20000", f"--user-data-dir={folder}/profile"]
        options += [f"--window-size={WIDTH},{height}", f"--screenshot={path}"]
        subprocess.run([browser, *options, page.as_uri()], check=True, capture_output=True)


def main() -> None:
    """Every picture."""
    intro = experiment_called("intro")
    data = intro.study("quick")
    screenshot(intro.figures(data)["arrows"].picture, PICTURES / "intro.png")
    screenshot(error_curves(measured()), PICTURES / "exact_error.png")


if __name__ == "__main__":
    main()
