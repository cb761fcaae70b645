"""A real browser without a network: the system's Chromium, driven by Playwright; tests are skipped where there is none."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

import tegum as tg
from tegum.experiments.s1_introduction import intro
from tegum.report import ResultFolder, write_page
from tests.experiments import small

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ["--no-sandbox", "--disable-background-networking", "--enable-unsafe-swiftshader"]
Opened = Callable[..., Page]
"""Opens the page of the lab."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder named by --results, or a new one with two experiments."""
    if named := request.config.getoption("--results"):
        return Path(str(named)).resolve()
    folder = ResultFolder(tmp_path_factory.mktemp("results"), pytest.fail)
    for experiment in (intro.experiment, small.experiment):
        folder.part(experiment, "quick")
    write_page(folder.parts(), folder.path)
    return folder.path


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains of, and what it asks for beyond the folder."""
    return []


@pytest.fixture
def page(browser: Browser, results: Path, complaints: list[str]) -> Iterator[Page]:
    context: BrowserContext = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    own = (results.as_uri(), "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(own) else complaints.append(f"asked: {request.url}"))
    page.goto((results / "index.html").as_uri())
    yield page
    context.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tg.lab.write(tmp_path_factory.mktemp("lab") / "lab.html")


@pytest.fixture
def said() -> list[str]:
    """What the browser complains of, and what is asked of the network."""
    return []


@pytest.fixture
def opened(browser: Browser, place: Path, said: list[str]) -> Iterator[Opened]:
    """Opens the page at an address, offline; whatever it complains of or asks for is a failure."""
    contexts = []

    def open_page(address: str = "", width: int = 1280, scheme: Any = "light", at: Path | None = None, **more: Any) -> Page:
        context = browser.new_context(offline=True, viewport={"width": width, "height": 900}, color_scheme=scheme, **more)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        own = ((at or place).as_uri(), "data:", "blob:")
        page.on("request", lambda request: None if request.url.startswith(own) else said.append(request.url))
        page.goto((at or place).as_uri() + address)
        page.wait_for_function("() => document.querySelector('.status strong')", timeout=20_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
