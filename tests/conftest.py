"""Shapes in annotations are checked while the tests run; the gate tries the same random cases every time."""

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

from tests.oracle import shapes

install_import_hook(["tegum.features", "tegum.nets.net", "tegum.geometry"], f"{shapes.__name__}.checked")
os.environ["BROWSER"] = "true"  # pages are written, and no window opens


# A run that a shell started in the background ignores Ctrl-C; the tests that press it must not.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _interrupts_as_before() -> Iterator[None]:
    """The command line takes Ctrl-C over for its process; a test that runs it in this one gives it back."""
    handler = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--results", help="a folder of results whose page the tests marked any_page open")


settings.register_profile("gate", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("gate")
