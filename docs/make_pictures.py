"""Renders the pictures of the README and of docs/ with headless Chromium: ``make pictures``.

They are made of what lies in results/ where the present code made it, and of new results where not.
"""

import shutil
import sys
from pathlib import Path

import figure_pictures
from exact_error import measured
from playwright.sync_api import sync_playwright

from tegum.experiments import experiment_called
from tegum.figures import error_curves
from tegum.report import ResultFolder, read_pictures, write_page
from tegum.report.pictures import BROWSERS, export_pictures

PICTURES = Path(__file__).parent / "pictures"
RESULTS = Path(__file__).resolve().parents[1] / "results"
SHOWN = {
    "intro": "arrows",
    "sweep-n20": "models",
    "phase-n2m1": "phases",
    "uniform-geometry": "graphs-exact",
    "one-density": "losses",
}


def head(page: Path, picture: Path) -> None:
    """The head of a report, as a browser shows it: the live model at rest, and the first pictures at a glance."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"]).new_page(
            viewport={"width": 1300, "height": 1320}, device_scale_factor=1.5, reduced_motion="reduce"
        )
        window.goto(page.as_uri())
        drawn = "[...document.querySelectorAll('.thumb img')].filter((image) => image.naturalWidth).length >= 6"
        window.wait_for_function(drawn, timeout=60_000)
        window.screenshot(path=picture)


def main() -> None:
    """A picture of each experiment shown, the page of them all, the exact engine's error, and one of each figure function."""
    results = ResultFolder(RESULTS, sys.stdout.write)
    for name, picture in SHOWN.items():
        results.part(experiment_called(name), "quick")
        export_pictures({picture: read_pictures(results.path, name)[picture]}, PICTURES / name, "png")
    head(write_page(results.parts(), results.path), PICTURES / "results-page.png")
    export_pictures({"error": error_curves(measured())}, PICTURES / "exact", "png")
    figure_pictures.draw(results, PICTURES / "figures")


if __name__ == "__main__":
    main()
