"""A training described in a file or by options: names and numbers in, net, features, recipe and sweep out.

    [net]                          [features]                            [recipe]           [sweep]
    family = "ReluOutput"          distribution = "Independent"          steps = 5000       density = [1, 0.2, 0.1]
    n_features = 5                 importance = { geometric = 0.9 }      seeds = 8
    n_hidden = 2

Everything wrong in any table is reported in one message.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any, final

from tegum import features as feature_laws
from tegum import nets
from tegum.errors import InvalidInputError, Problems
from tegum.features import Features, Magnitude
from tegum.nets import Net
from tegum.sweep import Axis
from tegum.training import Recipe

FAMILIES: tuple[type[Net], ...] = (
    nets.Linear,
    nets.ReluOutput,
    nets.ActivationOutput,
    nets.ReluHidden,
    nets.AbsoluteValue,
)
DISTRIBUTIONS: tuple[type[Features], ...] = (
    feature_laws.Independent,
    feature_laws.CorrelatedSets,
    feature_laws.AnticorrelatedSets,
    feature_laws.KSparse,
)
_TABLES = ("net", "features", "recipe", "sweep")


@final
@dataclass(frozen=True, eq=False)
class Training:
    """What `tegum.train` takes."""

    net: Net
    features: Features
    recipe: Recipe
    sweep: dict[str, Any]


def read_tables(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        InvalidInputError: where there is no such file, or it is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read ({error.strerror})", "check the name of the recipe file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        advice = "write tables of values, [net], [features], [recipe] and [sweep], such as n_features = 5"
        raise InvalidInputError(f"{path} is not TOML ({error})", advice) from None


def _named(kind: str, name: Any, choices: tuple[type[Any], ...]) -> type[Any]:
    for choice in choices:
        if choice.__name__.lower() == str(name).lower().replace("-", "").replace("_", ""):
            return choice
    raise InvalidInputError(f"{kind} is {name!r}", f"choose among {', '.join(c.__name__ for c in choices)}")


def _made(make: type[Any], table: dict[str, Any]) -> Any:
    """An object made of a table's entries; unknown and missing ones are the user's mistakes."""
    parameters = {name: p for name, p in signature(make).parameters.items() if name != "self"}
    problems = Problems()
    for name in table:
        if name not in parameters:
            problems.add(f"{make.__name__} has no field {name!r}", f"choose among {', '.join(parameters)}")
    for name, parameter in parameters.items():
        if name not in table and parameter.default is parameter.empty:
            problems.add(f"{make.__name__} needs {name}", "give it a value")
    problems.raise_if_any()
    return make(**table)


_CURVES: dict[str, Callable[[Any, int], Any]] = {
    "geometric": feature_laws.geometric,
    "power_law": feature_laws.power_law,
    "one_odd": feature_laws.one_odd,
}


def _importance(value: Any, n_features: int) -> Any:
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (name := next(iter(value))) in _CURVES:
        return _CURVES[name](value[name], n_features)
    raise InvalidInputError(
        f"importance is {value!r}", f"give a number, a list, or one of {', '.join(_CURVES)} with its number"
    )


def _magnitude(value: Any) -> Magnitude:
    laws: dict[str, Callable[..., Magnitude]] = {
        law.__name__.lower(): law for law in (feature_laws.Uniform, feature_laws.Exponential, feature_laws.Constant)
    }
    name, arguments = (next(iter(value.items()), (None, None))) if isinstance(value, dict) else (value, None)
    if isinstance(name, str) and name.lower() in laws:
        law = laws[name.lower()]
        return law() if arguments is None else law(arguments)
    raise InvalidInputError(f"magnitude is {value!r}", 'choose "uniform", "exponential", "constant", or { exponential = mean }')


def features_of(table: dict[str, Any], n_features: int) -> Features:
    """The world that a table describes; ``n_features`` where it does not say.

    Raises:
        InvalidInputError: naming everything wrong in it.
    """
    table = dict(table)
    make = _named("distribution", table.pop("distribution", "Independent"), DISTRIBUTIONS)
    problems = Problems()
    if "n_features" in signature(make).parameters:
        table.setdefault("n_features", n_features)
    for name, read in (("importance", lambda value: _importance(value, n_features)), ("magnitude", _magnitude)):
        if name in table:
            value = table.pop(name)
            with problems.collecting():
                table[name] = read(value)
    made: Features | None = None
    with problems.collecting():
        made = _made(make, table)
    problems.raise_if_any()
    assert made is not None
    return made


def _axis(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        table = dict(value)
        labels = table.pop("labels", None)
        if not isinstance(labels, list):
            raise InvalidInputError(f"the axis {name!r} has no list of labels", "give labels = [...] and a list for each field")
        return Axis(labels, **table)
    return value


def training_of(tables: dict[str, Any]) -> Training:
    """The net, features, recipe and sweep that the tables describe.

    Raises:
        InvalidInputError: naming everything wrong in all of them.
    """
    problems = Problems()
    for name, table in tables.items():
        if name not in _TABLES:
            problems.add(f"there is a table [{name}]", f"choose among {', '.join(f'[{t}]' for t in _TABLES)}")
        elif not isinstance(table, dict):
            problems.add(f"{name} is {table!r}", f"write it as a table [{name}]")
    problems.raise_if_any()
    net_table = dict(tables.get("net", {}))
    made: dict[str, Any] = {}
    with problems.collecting():
        family = _named("family", net_table.pop("family", "ReluOutput"), FAMILIES)
        made["net"] = _made(family, net_table)
    size = net_table.get("n_features")
    with problems.collecting():
        made["features"] = features_of(tables.get("features", {}), size if isinstance(size, int) and size > 0 else 1)
    with problems.collecting():
        made["recipe"] = Recipe(**tables.get("recipe", {}))
    with problems.collecting():
        made["sweep"] = {name: _axis(name, value) for name, value in tables.get("sweep", {}).items()}
    problems.raise_if_any()
    return Training(**made)
