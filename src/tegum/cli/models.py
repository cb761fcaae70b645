"""What commands about models in a file are told: which arrays to read, and of which features the models are.

Each group of options is a dataclass, which the commands share.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, final

import numpy as np
import xarray as xr
from cyclopts import Parameter

from tegum.cli.problem import made_features
from tegum.cli.values import Text, curve, number, numbers
from tegum.errors import InvalidInputError, Problems
from tegum.features import Features
from tegum.nets import ACTIVATIONS, ActivationOutput, Linear, Net, ReluOutput, Untied, UntiedNeurons
from tegum.recorded import features_of, finite_part, leading, net_of
from tegum.runs import open as opened
from tegum.runs import read_weights
from tegum.runs.manifest import MANIFEST
from tegum.runs.opening import result_file


@Parameter(name="*")
@final
@dataclass(frozen=True)
class Reading:
    """How to read a file of weights.

    Attributes:
        array: The name of the weights, where the file holds several arrays that could be.
        bias: The name of the output bias, or none for b = 0.
        encoder_bias: The name of a bias of the hidden values, which becomes part of b, or none.
        rows: A row of the array is a feature: (..., n, m).
    """

    array: str | None = None
    bias: str | None = None
    encoder_bias: str | None = None
    rows: bool | None = None

    def read(self, file: Path) -> xr.Dataset:
        """The models in a file, or in the folder of a result, as `read_weights` understands them."""
        file = result_file(file)
        if file.suffix == MANIFEST:
            if self != AS_IT_IS:
                raise InvalidInputError(f"{file} is a sweep of tegum, whose arrays are known", "leave out how to read it")
            return opened(file)
        return read_weights(file, array=self.array, bias=self.bias, encoder_bias=self.encoder_bias, rows=self.rows)

    def read_finite(self, file: Path) -> xr.Dataset:
        """The same; an `InvalidInputError` where all models diverged."""
        data = self.read(file)
        if not finite_part(data)[0].any():
            advice = "there is no loss of models that diverged; train them anew, such as with a smaller learning rate"
            raise InvalidInputError(f"no model in {file} has finite weights", advice)
        return data


AS_IT_IS = Reading()


@Parameter(name="*")
@final
@dataclass(frozen=True)
class Wanted:
    """The features and the output that models are judged on; by default those that the file says.

    Attributes:
        density: Probability that a feature is active (--sparsity is 1 minus it), or one for each feature (each correlated set)
            with commas.
        importance: A number, one for each feature with commas, or geometric:0.9, power_law:1, one_odd:0.1.
        sets: independent, correlated:SIZE or anticorrelated:SIZE; neighbouring features make a set.
        magnitudes: uniform or exponential:MEAN.
        activation: relu or linear output; by default that of the file, or relu.
        mean: Losses are means over features, as of MSELoss; by default sums.
    """

    density: Text | None = None
    importance: Text | None = None
    sets: str | None = None
    magnitudes: str | None = None
    activation: Literal["relu", "linear"] | None = None
    mean: Annotated[bool, Parameter(negative="")] = False

    def net(self, data: xr.Dataset) -> Net:
        """The net of the models; an `InvalidInputError` for one without an exact loss."""
        return self.with_activation(net_of(data))

    def with_activation(self, net: Net) -> Net:
        """The net with the output that was asked for and all else as it is; an `InvalidInputError` where it has no other."""
        if self.activation is None:
            return net
        wanted = ACTIVATIONS["identity" if self.activation == "linear" else "relu"]
        if isinstance(net, ActivationOutput | Untied | UntiedNeurons):
            return replace(net, activation=wanted)
        if isinstance(net, Linear | ReluOutput):
            return (Linear if self.activation == "linear" else ReluOutput)(net.n_features, net.n_hidden, net.bias)
        if net.output_activation != wanted:
            what = f"--activation is {self.activation} and the models are of {type(net).__name__}"
            raise InvalidInputError(what, f"leave --activation out: their output is {net.output_activation.name}")
        return net

    def features(self, data: xr.Dataset | None, problems: Problems) -> Features | None:
        """The distribution of the file, changed by the options; None where nothing is changed, or anything is wrong.

        Without a dataset, which could not be read, the options alone are checked.
        """
        options = {"density": self.density, "importance": self.importance, "sets": self.sets, "magnitudes": self.magnitudes}
        given = {name: text for name, text in options.items() if text is not None}
        own = None
        if data is not None and "features" in data.attrs:
            if not given:
                return None
            with problems.collecting():
                own = features_of(data)
        return self._changed(given, data, own, problems)

    def _changed(
        self, given: dict[str, str], data: xr.Dataset | None, own: Features | None, problems: Problems
    ) -> Features | None:
        n = 0 if data is None else data.sizes["feature"]
        table: dict[str, Any] = {} if own is None else {name: getattr(own, name) for name in own.field_names()}
        table |= {} if own is None else {"distribution": type(own).__name__}
        if "sets" in given:
            table = {name: table[name] for name in ("importance", "magnitude", "signed") if name in table}
            table |= {} if own is None else {"density": own.feature_density}
            with problems.collecting():
                table |= _sets(given["sets"], n)
        with problems.collecting():
            table |= _magnitude(given["magnitudes"]) if "magnitudes" in given else {}
        correlated = table.get("distribution", "").lower() == "correlatedsets"
        for name, each in (("density", "set" if correlated else "feature"), ("importance", "feature")):
            if name in given:
                table[name] = 0.0  # where it cannot be read, everything else is checked
                axes = {each: table["n_sets"] if each == "set" else n}
                axes |= {} if data is None else {axis: data.sizes[axis] for axis in leading(data)}
                with problems.collecting():
                    table[name] = _placed(name, given[name], axes)
        if data is None or ("sets" in given and "distribution" not in table):
            return None
        if "density" not in table and "n_active" not in table:
            problems.add("the density is not known", "say how often a feature is active, such as --density 0.1")
            table["density"] = 0.0
        elif correlated and "density" not in given and own is not None and "sets" in given:
            each_set = table["density"][..., :: table["set_size"]]
            if (table["density"] != np.repeat(each_set, table["set_size"], axis=-1)).any():
                problems.add("the file's densities differ within a correlated set", "give --density, one for each set")
            table["density"] = each_set
        with problems.collecting():
            return made_features(table, n)
        return None


FILES_OWN = Wanted()


def _placed(option: str, text: str, axes: dict[str, int]) -> Any:
    """A number, a named curve, or numbers along one of the axes, of which the first is the distribution's own.

    ``instance:0.1,0.2`` names another; numbers without a name that could be meant for another are a mistake.
    """
    name, colon, rest = text.partition(":")
    if name not in axes and colon and option == "importance":
        return curve(text)
    others = list(axes)[1:]
    values = numbers(rest if colon and name in axes else text)
    if len(values) == 1:
        return values[0]
    if name not in axes and len(values) in (axes[other] for other in others):
        fitting = [axis for axis in axes if axes[axis] == len(values)]
        what = f"--{option} has {len(values)} values, as many as there are along {' and '.join(fitting)}"
        raise InvalidInputError(what, f"say which: {' or '.join(f'--{option} {axis}:{text}' for axis in fitting)}")
    if name in axes and len(values) != axes[name]:
        raise InvalidInputError(f"--{option} has {len(values)} values for {name}", f"give one, or {axes[name]}")
    return np.reshape(values, [-1 if axis == name else 1 for axis in others] + [1]) if name in others else values


def _magnitude(text: str) -> dict[str, Any]:
    name, colon, mean = text.partition(":")
    if text == "uniform":
        return {"magnitude": text}
    if name == "exponential" and colon:
        return {"magnitude": {name: number(mean)}}
    raise InvalidInputError(f"--magnitudes is {text!r}", "choose uniform or exponential:MEAN, such as exponential:0.5")


def _sets(text: str, n: int) -> dict[str, Any]:
    """The fields of a distribution of sets."""
    name, _, size = text.partition(":")
    if text == "independent":
        return {"distribution": "Independent"}
    if name not in ("correlated", "anticorrelated") or not size.isdecimal() or int(size) == 0:
        advice = "choose independent, correlated:SIZE or anticorrelated:SIZE, such as correlated:2"
        raise InvalidInputError(f"--sets is {text!r}", advice)
    if n % int(size):
        raise InvalidInputError(f"--sets has {size} in a set and n is {n}", f"choose a size that divides {n}")
    return {"distribution": f"{name}Sets", "set_size": int(size), "n_sets": n // int(size)}
