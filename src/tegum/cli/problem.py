"""A training described in a file or by options: names and numbers in, net, features, recipe and sweep out.

    [net]                          [features]                            [recipe]           [sweep]
    family = "ReluOutput"          distribution = "Independent"          steps = 5000       density = [1, 0.2, 0.1]
    n_features = 5                 importance = { geometric = 0.9 }      seeds = 8
    n_hidden = 2

What a net of two matrices is compared with is a table of its own, ``target_map = { A = [[0, 1], [1, 0]], relu = false }``, in
which a row of A may be a table of the entries that are not 0, ``{ 1 = 0.5 }``.

Everything wrong in any table is reported in one message.

>>> training_of({"net": {"n_features": 3, "n_hidden": 2}, "features": {"importance": {"one_odd": 0.1}}}).features
Independent(n_features=3, density=1, importance=[1.  1.  0.1], magnitude=Uniform(), signed=False)
"""

import tomllib
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any, final

import tegum as tg
from tegum.errors import InvalidInputError, Problems
from tegum.features import Features, Magnitude
from tegum.training.instances import grid_of


def _exported(package: Any, kind: type[Any]) -> dict[str, Any]:
    """What a package exports of one kind, by its name in small letters."""
    exported = (getattr(package, name) for name in package.__all__)
    return {
        one.__name__.lower(): one for one in exported if isinstance(one, type) and issubclass(one, kind) and one is not kind
    }


_FAMILIES, _DISTRIBUTIONS = _exported(tg.nets, tg.nets.Net), _exported(tg.features, Features)
_MAGNITUDES = _exported(tg.features, Magnitude)
_CURVES = {curve.__name__: curve for curve in (tg.features.geometric, tg.features.power_law, tg.features.one_odd)}
TABLES = ("net", "features", "recipe", "sweep")


@final
@dataclass(frozen=True, eq=False)
class Training:
    """What `tegum.train` takes."""

    net: tg.nets.Net
    features: Features
    recipe: tg.Recipe
    sweep: dict[str, Any]


def read_tables(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; an `InvalidInputError` where there is no such file, or it is not TOML."""
    try:
        return parsed(path.read_text(encoding="utf-8"))
    except OSError as error:
        advice = "check the name of the recipe file; several values of an option stand with commas, --density 0.1,0.2"
        raise InvalidInputError(f"{path} cannot be read ({error.strerror})", advice) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        advice = "write tables of values, [net], [features], [recipe] and [sweep], such as n_features = 5"
        raise InvalidInputError(f"{path} is not TOML ({error})", advice) from None


def parsed(text: str) -> dict[str, Any]:
    """The tables of a text in TOML.

    Raises:
        TOMLDecodeError: where it is none, or nested too deeply; an `InvalidInputError` for numbers of thousands of digits.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise tomllib.TOMLDecodeError("it is nested too deeply") from None
    except tomllib.TOMLDecodeError:
        raise
    except ValueError as error:
        raise InvalidInputError(f"a number cannot be read ({str(error).partition(':')[0]})", "write a shorter one") from None


def training_of(tables: dict[str, Any]) -> Training:
    """The net, features, recipe and sweep that the tables describe; an `InvalidInputError` names everything wrong in them."""
    problems = Problems()
    for name, table in tables.items():
        if name not in TABLES:
            problems.add(f"there is a table [{name}]", f"choose among {', '.join(f'[{t}]' for t in TABLES)}")
        elif not isinstance(table, dict):
            problems.add(f"{name} is {table!r}", f"write it as a table [{name}]")
    problems.raise_if_any()
    net_table, features_table, recipe_table, sweep_table = (tables.get(name, {}) for name in TABLES)
    size = net_table.get("n_features")
    net: tg.nets.Net | None = None
    features: Features | None = None
    recipe: tg.Recipe | None = None
    own = {"family": "ReluOutput"} | {name: value for name, value in net_table.items() if name != "target_map"}
    with problems.collecting():
        own |= {"target_map": _target_map(net_table["target_map"])} if "target_map" in net_table else {}
    with problems.collecting():
        net = _made("family", own, _FAMILIES)
    with problems.collecting():
        features = made_features(features_table, size if isinstance(size, int) and size > 0 else 1)
    with problems.collecting():
        recipe = tg.Recipe(**recipe_table)
    sweep = {}
    for name, value in sweep_table.items():
        with problems.collecting():
            sweep[name] = _axis(name, value, size if isinstance(size, int) and size > 0 else 1)
    if problems.found and features is not None:
        with problems.collecting():  # axes as well, with what is understood of the rest
            grid_of(net or tg.nets.ReluOutput(features.n_features, 1), features, tg.Recipe(), sweep)
    problems.raise_if_any()
    assert net is not None
    assert features is not None
    assert recipe is not None
    return Training(net, features, recipe, sweep)


def place_of(field: str) -> str | None:
    """The table and the field of that name, such as ``recipe.optimizer``; None where no table has it."""
    tables = {"net": [*_FAMILIES.values()], "features": [*_DISTRIBUTIONS.values()], "recipe": [tg.Recipe]}
    found = (table for table, made in tables.items() if any(field in signature(one).parameters for one in made))
    return next((f"{table}.{field}" for table in found), None)


def made_features(table: dict[str, Any], n_features: int) -> Features:
    """The feature distribution of a table, ``n_features`` where it does not say; an `InvalidInputError` names what is wrong."""
    table = {"distribution": "Independent"} | table
    problems = Problems()
    for name, read in (("importance", lambda value: _importance(value, n_features)), ("magnitude", _magnitude)):
        if name in table:
            value = table.pop(name)
            with problems.collecting():
                table[name] = read(value)
    for name in ("components", "parts"):
        if isinstance(table.get(name), list):
            with problems.collecting():
                table[name] = [made_features(one, n_features) if isinstance(one, dict) else one for one in table[name]]
    if isinstance(table.get("of"), dict):
        with problems.collecting():
            table["of"] = made_features(table["of"], n_features)
    with problems:
        features: Features = _made("distribution", table, _DISTRIBUTIONS, n_features=n_features)
    return features


def _made(kind: str, table: dict[str, Any], choices: dict[str, Any], **defaults: Any) -> Any:
    """What a table describes: which of the choices its entry ``kind`` names, made of its other entries.

    ``defaults`` stand in for entries that are not given and that the choice takes.
    """
    name, fields = table[kind], {field: value for field, value in table.items() if field != kind}
    wanted = str(name).lower().replace("-", "").replace("_", "")
    if wanted not in choices:
        known = ", ".join(choice.__name__ for choice in choices.values())
        raise InvalidInputError(f"{kind} is {name!r}", f"choose among {known}")
    make = choices[wanted]
    taken = signature(make).parameters
    return make(**{field: value for field, value in defaults.items() if field in taken} | fields)


def _target_map(value: Any) -> Any:
    """The target map of a table; the columns of its rows are words there."""
    if not isinstance(value, dict):
        raise InvalidInputError(f"target_map is {value!r}", "write a table, such as { A = [[0, 1], [1, 0]], relu = false }")
    rows = value.get("A")
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        value = value | {"A": [{int(i) if str(i).isdecimal() else i: entry for i, entry in row.items()} for row in rows]}
    return tg.nets.TargetMap(**value)


def _importance(value: Any, n_features: int) -> Any:
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (name := next(iter(value))) in _CURVES:
        return _CURVES[name](value[name], n_features)
    raise InvalidInputError(
        f"importance is {value!r}", f"give a number, a list, or one of {', '.join(_CURVES)} with its number"
    )


def _magnitude(value: Any) -> Magnitude:
    if isinstance(value, Magnitude):
        return value
    name, argument = next(iter(value.items())) if isinstance(value, dict) and len(value) == 1 else (value, None)
    law = _MAGNITUDES.get(str(name).lower())
    if law is None:
        advice = 'choose "uniform", "exponential" (mean 1), "constant" (value 1), or give one its number: { exponential = 0.5 }'
        raise InvalidInputError(f"magnitude is {value!r}", advice)
    magnitude: Magnitude = law() if argument is None else law(argument)
    return magnitude


def _axis(name: str, value: Any, n_features: int) -> Any:
    if not isinstance(value, dict):
        return _swept(name, value, n_features)
    if not isinstance(value.get("labels"), list):
        raise InvalidInputError(f"the axis {name!r} has no list of labels", "give labels = [...] and a list for each field")
    fields = {field: _swept(field, values, n_features) for field, values in value.items() if field != "labels"}
    return tg.Axis(value["labels"], **fields)


def _swept(field: str, values: Any, n_features: int) -> Any:
    """The values of a field along an axis, laws of magnitudes and curves of importance as they are written in [features]."""
    if field == "magnitude" and isinstance(values, list):
        return [_magnitude(one) for one in values]
    if field == "importance" and isinstance(values, list):
        return [_importance(one, n_features) for one in values]
    return values
