"""Commands as a user types them: what they say, and how they are refused."""

import pytest

from tegum.cli import run


def said(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert run(words.split()) == 0
    return capsys.readouterr().out


def refused(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert run(words.split()) == 2
    return capsys.readouterr().err
