"""A result is never taken for that of code that was changed since: of all that a function reaches, every change is seen."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.caching import cached, caching
from tegum.execution import Pieces
from tegum.nets.code import code_of
from tegum.runs import fingerprint

REACHED = {
    "a function of a module": ("import helpers\ndef f(x): return helpers.scale(x)", "def scale(x): return {} * x"),
    "a constant of a module": ("import helpers\ndef f(x): return helpers.SCALE * x", "SCALE = {}"),
    "what that one calls": ("import helpers\ndef f(x): return helpers.g(x)", "def h(x): return {}\ndef g(x): return h(x)"),
    "a module in a module": (
        "import helpers as near\ndef f(x): return near.inner.scale(x)",
        "from types import ModuleType\ninner = ModuleType('inner')\nexec('def scale(x): return {} * x', inner.__dict__)",
    ),
    "a module that is imported inside": (
        "def f(x):\n    import helpers\n    return helpers.scale(x)",
        "def scale(x): return {}",
    ),
    "a name that is imported inside": (
        "def f(x):\n    from helpers import scale\n    return scale(x)",
        "def scale(x): return {}",
    ),
    "a class of a module": ("import helpers\ndef f(x): return helpers.A().g()", "class A:\n    def g(self): return {}"),
    "an instance": ("from helpers import a\ndef f(x): return a.b", "class A: pass\na = A()\na.b = {}"),
    "a bound method": (
        "from helpers import g\ndef f(x): return g()",
        "class A:\n    _b = {}\n    def g(self): return 1\ng = A().g",
    ),
    "a keyword's default": ("from helpers import f", "def f(x, *, a={}): return a * x"),
    "a keyword's default behind": ("from helpers import g\ndef f(x): return g(x)", "def g(x, *, a={}): return a * x"),
    "an array in a list": (
        "from helpers import A\ndef f(x): return A[0][1000]",
        "import numpy as np\nA = [np.zeros(3000)]\nA[0][1000] = {}",
    ),
    "an array in mappings": (
        "from helpers import A\ndef f(x): return A['a']",
        "import numpy as np\nA = {{'a': {{1: np.zeros(3000)}}}}\nA['a'][1][1000] = {}",
    ),
    "an array as a default": ("from helpers import f", "import numpy as np\ndef f(x, a=(np.arange(3000) == {},)): return x"),
    "an array among objects": (
        "from helpers import A\ndef f(x): return A",
        "import numpy as np\nA = np.array([None, np.zeros(3000)], object)\nA[1][1000] = {}",
    ),
    "the type of an array": (
        "from helpers import A\ndef f(x): return A",
        "import numpy as np\nA = np.zeros(4 * {}, f'i{{8 // {}}}')",
    ),
    "a part of a call": ("from helpers import f", "from functools import partial\nf = partial(max, {})"),
    "a long pattern": ("from helpers import P\ndef f(x): return P", "import re\nP = re.compile('a' * 300 + '{}')"),
    "features in a closure": (
        "from helpers import law\ndef f(x): return law.density",
        "import tegum as tg\nlaw = tg.features.Independent(2000, density=[0.1] * 1000 + [0.{}] + [0.1] * 999)",
    ),
}


def made(name: str, text: str) -> ModuleType:
    sys.modules[name] = module = ModuleType(name)
    exec(text, module.__dict__)
    return module


def reached(name: str, value: int, monkeypatch: pytest.MonkeyPatch) -> Any:
    mine, theirs = REACHED[name]
    for module in ("helpers", "mine"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    made("helpers", theirs.format(value, value))
    return code_of(made("mine", mine).f)


@pytest.mark.parametrize("name", REACHED)
def test_what_a_function_reaches_is_part_of_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = [reached(name, value, monkeypatch) for value in (1, 2, 1)]
    assert codes[0] == codes[2] != codes[1]


def law(**held: Any) -> tg.features.Magnitude:
    """A law of one's own, uniform, whose class has more in it."""

    class Own(tg.features.Magnitude):
        largest = 1.0

        def moment(self, order: int) -> float:
            return 1 / (1 + order)

        def quantile(self, probability: Any) -> Any:
            return probability

    for name, member in held.items():
        setattr(Own, name, member)
    return Own()


def test_constants_of_a_class_are_part_of_it() -> None:
    assert fingerprint(law(_share=0.5)) == fingerprint(law(_share=0.5)) != fingerprint(law(_share=0.4))


FOREIGN = {
    "a generator": "import numpy as np\nrandom = np.random.default_rng(0)\ndef f(x): return random.random()",
    "its method": "import numpy as np\ndraw = np.random.default_rng(0).random\ndef f(x): return draw()",
    "a file": "from io import BytesIO\nfile = BytesIO(b'a')\ndef f(x): return file.read()",
    "a module that fails": "def f(x):\n    import no_such_module_anywhere\n    return x",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_nobody_can_tell_is_not_kept(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    function = made("mine", FOREIGN[name]).f
    with pytest.raises(TypeError):
        code_of(function)

    calls = []

    @cached()
    def study(law: Any) -> xr.Dataset:
        calls.append(law)
        return xr.Dataset({"a": 1})

    with caching(Pieces(tmp_path, pytest.fail)):
        study(law(more=function))
        study(law(more=function))
    assert len(calls) == 2
    assert not list(tmp_path.iterdir())


def test_features_of_ones_own_are_what_they_have_read(tmp_path: Path) -> None:
    """A constructor that reads a file, or draws numbers, has the same arguments and makes other features of them."""
    path = tmp_path / "densities.txt"

    class FromFile(tg.features.Features):
        def __init__(self, path: str) -> None:
            density = np.loadtxt(path)
            self.set_fields(len(density), density, path=path)

        def active(self, n_samples: int, generator: np.random.Generator) -> Any:
            return generator.random((n_samples, self.n_features)) < self.density

    path.write_text("0.1 0.2")
    before, same = fingerprint(FromFile(str(path))), fingerprint(FromFile(str(path)))
    path.write_text("0.1 0.9")
    assert before == same != fingerprint(FromFile(str(path)))
