"""Anyone's weights as a dataset: which array of a file is W, which b, and how their axes lie.

    W  (..., m, n)    the only matrix, or a matrix and its transpose; `array` names it where there are several
    G  (..., n, n)    the map of an untied model, y = ReLU(G x + b): an array called G, or a product that `array` spells out
    b  (..., n)       an array called b, bias, b_final, decoder.bias, ... with a number for each feature; `bias` names it
    c  (..., m)       a bias of the hidden values, called b_enc, encoder.bias, linear1.bias, ...; `encoder_bias` names it

Without an activation behind it a bias of hidden values acts on the outputs, so it becomes part of b:

    W^T (W x + c) + b = W^T W x + (b + W^T c)          D (E x + c) + b = D E x + (b + D c)

Programs whose inputs are rows, y = (x E + c) D + b, write the same model with both matrices transposed; `rows` says so.  Shapes
alone cannot tell the two apart where matrices are square, or the product of a map is spelt out: then names of an encoder and a
decoder must agree with what was said, or it is asked.

No array is ignored in silence.  What training keeps beside the weights (losses, steps, an optimizer's state, settings, words)
is said to be not used; any other array is a mistake unless W was named.  Leading axes are instances, and each bias belongs to
the weights of the same instance.  What was understood stands in the attributes.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tegum.checking import as_path, checked
from tegum.datasets import dataset, instance_dims
from tegum.errors import InvalidInputError, Problems
from tegum.runs.arrays import arrays_in
from tegum.runs.files import failures_told, is_dataset, read_dataset
from tegum.runs.own_models import NO_BIAS, NONE, explained, models_of_dataset
from tegum.spoken import spoken

Arrays = Mapping[str, NDArray[Any]]
_BIAS = re.compile(r"(^|\.|(?<!w)_)b(ias(es)?)?\d*(_\w*)?$", re.IGNORECASE)
_LIKELY = re.compile(r"(^|[._])(w(eights?)?|w_?enc|w_?1|enc(oder)?|embed\w*|linear1)([._]|$)", re.IGNORECASE)
_INSIDE = re.compile(
    r"(^|[._])(b(ias(es)?)?_?(enc(oder)?|hid(den)?|in)|b_?h|(enc(oder)?|hid(den)?|in|embed\w*|linear1|ini\w*)[._]b(ias(es)?)?)$",
    re.IGNORECASE,
)
_ENCODER = re.compile(r"(^|[._])(w_?(enc|in|1)|enc(oder)?|embed\w*|(linear|fc|layer)_?1)([._]|$)", re.IGNORECASE)
_DECODER = re.compile(r"(^|[._])(w_?(dec|out|2)|dec(oder)?|unembed\w*|(linear|fc|layer)_?2)([._]|$)", re.IGNORECASE)
_OF_A_LAYER = re.compile(r"(^|[._])weights?$", re.IGNORECASE)
"""What PyTorch calls the matrix of y = A x: a column for each input."""
_BESIDE = re.compile(
    r"(^|[._])(optimi[sz]er\w*|opt_state|param_groups|\w*sched(uler)?)\."
    r"|(^|\.)(\w*exp_avg\w*|momentum_buffer|steps?|epochs?|seeds?|\w*loss(es)?|\w*history)$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(\.\d+)+$")
"""What the name of something in a list ends with."""

_MOST_NAMES = 12


@checked
def read_weights(
    path: Path | str,
    *,
    array: str | None = None,
    bias: str | None = None,
    encoder_bias: str | None = None,
    rows: bool | None = None,
) -> xr.Dataset:
    """The models in a file: npz, npy, safetensors, a PyTorch state dict, a pickle of NumPy arrays, or a dataset of tegum.

    >>> import numpy as np, tegum as tg
    >>> np.savez("weights.npz", W=np.ones((3, 2, 5)), b_final=np.zeros((3, 1, 5)))
    >>> data = tg.read_weights("weights.npz")
    >>> data.W.dims, data.b.dims
    (('instance', 'hidden', 'feature'), ('instance', 'feature'))
    >>> data.understood
    'npz: W (3, 2, 5), a column for each feature, n = 5, m = 2, 3 instances; b from b_final (3, 1, 5), one for each instance'

    Args:
        path: the file; what it begins with says what it is, not its name.
        array: the name of the weights, where the file holds several matrices or anything that is not understood; of an untied
            model without an activation in between the product that is its map, such as ``"decoder.weight @ encoder.weight"``,
            or with ``rows=True`` ``"W_enc @ W_dec"`` of a model x @ W_enc @ W_dec.
        bias: the name of the output bias; ``"none"`` for b = 0.  What is named as a bias of hidden values is none unless it is
            named here.
        encoder_bias: the name of a bias of the hidden values, which becomes part of b as if no activation lay between;
            ``"none"`` for none.
        rows: whether a row of the array is a feature, (..., n, m), as in a decoder of PyTorch; of a product whether inputs are
            rows that it multiplies from the right.  By default a column is; fewer features than dimensions, a square decoder
            alone, and a product that begins with an encoder are mistakes then.

    Returns:
        A dataset in double precision with ``W`` (..., hidden, feature), or ``G`` (..., output, feature) where an array of this
        name, or a product, is the map of an untied model, and ``b`` (feature) or (..., feature), 0 where there is none.  A
        dataset of tegum may hold weights whose bias it does not hold: they come without ``b``, if it is not said to be 0.
        Leading axes are ``instance``, or ``instance_0``, ...; a dataset of tegum keeps its axes, coordinates, other variables
        and attributes, and one of untied nets its ``W1`` (..., hidden, feature) and ``W2`` (..., feature, hidden).

        The attributes ``file_format``, ``weights``, ``bias``, ``layout``, ``n_features``, ``n_hidden``, ``instances``,
        ``unused`` and, all in one line, ``understood`` say what was understood.

    Raises:
        InvalidInputError: where the file cannot be read, is damaged, or is not understood, with what it holds.
    """
    path = as_path(path)
    with failures_told(path):
        if is_dataset(path):
            return models_of_dataset(read_dataset(path), path, array, bias, encoder_bias, rows)
    return _of_arrays(*arrays_in(path), path, array, bias, encoder_bias, rows)


def _of_arrays(
    kind: str, arrays: Arrays, path: Path, array: str | None, bias: str | None, inside: str | None, rows: bool | None
) -> xr.Dataset:
    """Plain arrays: W and b found among them, and a word about each of the others."""
    unwanted = [name for name in arrays if bias == NONE and _BIAS.search(name)]
    unwanted += [name for name in arrays if inside == NONE and _INSIDE.search(name)]
    factors = _factors(array, arrays, path)
    if array is not None and factors:
        arrays = {**arrays, array: _product(factors, arrays)}
    beside = {name: values for name, values in arrays.items() if _is_beside(name, values) or name in unwanted}
    beside = {name: values for name, values in beside.items() if name not in (array, bias, inside, *factors)}
    others = {name: values for name, values in arrays.items() if name not in (*beside, *factors)}
    matrices = {name: others[name] for name in others if name not in (bias, inside)}
    name, twin = _weights_among(matrices, array, rows, path, arrays)
    W = others.pop(name)
    others.pop(twin, None)
    kept = "G" if factors or name.rpartition(".")[2] == "G" else "W"
    rows = _rows(name, W, rows, factors, square=kept == "G")
    W = W.swapaxes(-1, -2) if rows else W
    b, said = np.zeros(W.shape[-1]), list[str]()
    with Problems() as problems:
        with problems.collecting():
            W = _numbers(name, W)
        no_hidden = kept == "G" and not factors
        places = {} if no_hidden else _places(name, twin, factors, rows, arrays, W.shape[-2])
        hidden = _hidden_biases(others, inside, places, path)
        found = _bias_among({one: others[one] for one in others if one not in hidden}, bias, W.shape[-1], path)
        if found is not None:
            b, words = _with_instances(found, others.pop(found), W)
            said.append(f"b{'' if found == 'b' else f' from {found}'} {words}")
        for one, behind in hidden.items():
            decoder = _decoder(behind, rows, arrays) if behind else W.swapaxes(-1, -2)
            c, words = _with_instances(one, others.pop(one), decoder)
            b = b + np.einsum("...nm,...m->...n", decoder, c)
            factor = f"({' @ '.join(behind)})ᵀ" if rows and behind else " @ ".join(behind) or "Wᵀ"
            said.append(f"{'' if said else 'b from '}{factor} {one} {words}")
        if others and array is None:
            advice = _advice(others, name, W, rows, found is not None, bool(hidden) or kept == "G")
            raise InvalidInputError(f"{path} also holds {_shown(others)}", advice)
    lead = instance_dims(W.ndim - 2)
    axes = {kept: (*lead, "output" if kept == "G" else "hidden", "feature"), "b": (*lead, "feature")[-b.ndim :]}
    source = f"{kept}{'' if name in ('', kept) else f' from {name}'} {arrays[name].shape}"
    source += f", whose transpose is {twin}" if twin else ""
    data = dataset({kept: (axes[kept], W), "b": (axes["b"], b)})
    words = (" + ".join(said) or NO_BIAS) + (", as if no activation lay between" if hidden else "")
    return explained(data, kind, source, words, rows, _counted({**others, **beside}))


def _advice(others: Arrays, name: str, W: NDArray[Any], rows: bool, has_bias: bool, has_encoder_bias: bool) -> str:
    """What may be done about arrays that are not understood."""
    ways = [f"{spoken('array', name)} if that does not matter"]
    fitting = [other for other, values in others.items() if values.shape[-1:] == W.shape[-1:]]
    if fitting and not has_bias:
        ways.append(f"{spoken('bias', fitting[0])} if it is the bias of the outputs")
    inner = [other for other, values in others.items() if values.shape[-1:] == W.shape[-2:-1]]
    if inner and not has_encoder_bias:
        ways.append(f"{spoken('encoder_bias', inner[0])} if it is added to hidden values without an activation")
    if W.shape[-1] != W.shape[-2] and any(
        values.shape[-1:] == (W.shape[-1:] if _INSIDE.search(other) else W.shape[-2:-1])
        for other, values in others.items()
        if _BIAS.search(other)
    ):
        way = f"leave {spoken('rows')} out" if rows else spoken("rows", True)
        ways.append(f"{way} if a {'column' if rows else 'row'} of {name} is a feature")
    wrong = [
        one for one, values in others.items() if _BIAS.search(one) and values.shape[-1:] not in (W.shape[-1:], W.shape[-2:-1])
    ]
    first = f"check {wrong[0]}, a bias of these outputs has {W.shape[-1]} numbers; or " if wrong and not has_bias else ""
    return f"{first}add {', '.join(ways)}"


def _is_beside(name: str, values: NDArray[Any]) -> bool:
    """Whether this is no part of a model: what training keeps beside it, words, and settings."""
    if values.ndim == 0:
        return values.dtype == bool or not _BIAS.search(_NUMBERED.sub("", name))
    return bool(_BESIDE.search(name)) or (values.dtype.kind in "US" and not (_BIAS.search(name) or _LIKELY.search(name)))


def _shown(arrays: Arrays) -> str:
    names = [f"{name} {values.shape}".strip() for name, values in arrays.items()]
    return ", ".join(names[:_MOST_NAMES]) + (f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else "")


def _counted(arrays: Arrays) -> str:
    """Names and shapes; the arrays of a container with many are counted."""
    holders = {name: name.partition(".")[0] for name in arrays}
    count = Counter(holders.values())
    words = [_shown({name: arrays[name]}) if count[top] <= 3 else f"{count[top]} in {top}" for name, top in holders.items()]
    return ", ".join(dict.fromkeys(words))


def _numbers(name: str, values: NDArray[Any]) -> NDArray[np.float64]:
    what = name or "the array"
    if values.dtype.kind not in "fiu":
        raise InvalidInputError(f"{what} holds {values.dtype} values", "give real numbers, such as 32- or 64-bit floats")
    if values.size == 0:
        raise InvalidInputError(f"{what} has shape {values.shape}", "give at least one number along each axis")
    return values.astype(np.float64)


def _required(arrays: Arrays, name: str, path: Path) -> str:
    if name in arrays:
        return name
    advice = f"choose among {_shown(arrays)}" if any(arrays) else "leave the option out"
    raise InvalidInputError(f"{path} has no array {name!r} to choose", advice)


def _factors(array: str | None, arrays: Arrays, path: Path) -> list[str]:
    """The names in a product such as ``decoder.weight @ encoder.weight``; none where a single array is named."""
    if array is None or array in arrays or "@" not in array:
        return []
    return [_required(arrays, factor.strip(), path) for factor in array.split("@")]


def _product(names: list[str], arrays: Arrays) -> NDArray[np.float64]:
    """The matrix product of arrays, each instance with its own."""
    first, *others = [_numbers(name, arrays[name]) for name in names]
    for name, factor in zip(names[1:], others, strict=True):
        fitting = min(first.ndim, factor.ndim) >= 2 and first.shape[:-2] == factor.shape[:-2]
        if not fitting or first.shape[-1] != factor.shape[-2]:
            what = f"{first.shape} @ {factor.shape}, the product at {name}, has shapes that do not fit"
            way = f"write the factors as they are applied: y = A @ B @ x, or x @ A @ B with {spoken('rows', True)}"
            raise InvalidInputError(what, way)
        first = first @ factor
    return first


def _weights_among(arrays: Arrays, name: str | None, rows: bool | None, path: Path, everything: Arrays) -> tuple[str, str]:
    """The name of the weights, and of the array that holds the same transposed, as files of tied models do."""
    if name is not None:
        return _required(arrays, name, path), ""
    matrices = [name for name, values in arrays.items() if values.ndim >= 2 and not _BIAS.search(name)]
    matrices.sort(key=lambda name: (not _LIKELY.search(name), arrays[name].shape[-2] > arrays[name].shape[-1]))
    if len(matrices) == 1:
        return matrices[0], ""
    if len(matrices) == 2:
        pair = _wide_and_tall(matrices, arrays, rows)
        if pair is not None and np.array_equal(arrays[pair[0]], arrays[pair[1]].swapaxes(-1, -2)):
            return pair
    if matrices:
        held = _shown({name: arrays[name] for name in matrices})
        advice = f"say which is W, such as {spoken('array', matrices[0])}"
        if len(matrices) == 2 and arrays[matrices[0]].shape == arrays[matrices[1]].swapaxes(-1, -2).shape:
            advice += f", or the map of x if nothing lies between them, such as {_products(matrices, arrays)}"
        raise InvalidInputError(f"{path} holds {held}", advice)
    held = f", but {_shown(everything)}" if everything else ""
    raise InvalidInputError(f"{path} holds no matrix{held}", "give weights W (..., m, n), a column for each feature")


def _coded(names: Sequence[str]) -> tuple[str, str] | None:
    """The encoder and the decoder of two matrices, by their names; None where these do not tell."""
    first, second = names
    for encoder, decoder in ((first, second), (second, first)):
        said = (_ENCODER.search(encoder), _DECODER.search(decoder))
        if any(said) and not (_DECODER.search(encoder) or _ENCODER.search(decoder)):
            return encoder, decoder
    return None


def _wide_and_tall(names: Sequence[str], arrays: Arrays, rows: bool | None) -> tuple[str, str] | None:
    """Of a matrix and its transpose the one that is W with these ``rows``, and the other; None where nothing tells.

    Square ones have names: of two layers of PyTorch, y = A x + a, the encoder has a column for each feature, the decoder a row.
    """
    wide, tall = sorted(names, key=lambda name: arrays[name].shape[-2] > arrays[name].shape[-1])
    if arrays[wide].shape[-1] == arrays[wide].shape[-2]:
        coded = _coded(names)
        if coded is None or not all(_OF_A_LAYER.search(name) for name in names):
            return None
        wide, tall = coded
    return (tall, wide) if rows else (wide, tall)


def _products(names: Sequence[str], arrays: Arrays) -> str:
    """How the map of two matrices may be named, with inputs as columns and as rows."""
    coded = _coded(names)
    if coded is None:
        wide, tall = sorted(names, key=lambda name: arrays[name].shape[-2] > arrays[name].shape[-1])
        product = f"{tall} @ {wide}"
        return f"{spoken('array', product)}, with {spoken('rows', True)} if inputs are rows, x @ {product}"
    encoder, decoder = coded
    columns, of_rows = f"{decoder} @ {encoder}", f"{encoder} @ {decoder}"
    ways = [
        f"{spoken('array', columns)} for {columns} @ x",
        f"{spoken('array', of_rows)} with {spoken('rows', True)} for x @ {of_rows}",
    ]
    tall = arrays[encoder].shape[-2] > arrays[encoder].shape[-1]
    return ", or ".join(ways[::-1] if tall else ways)


def _rows(name: str, W: NDArray[Any], rows: bool | None, factors: Sequence[str], square: bool) -> bool:
    """Whether rows are features; a mistake where it was not said and the shape makes it likely."""
    what, yes, no = f"{name or 'the array'} has shape {W.shape}", spoken("rows", True), spoken("rows", False)
    if W.ndim < 2 or (square and W.shape[-1] != W.shape[-2]):
        raise InvalidInputError(what, "give weights W (..., m, n), or a map G (..., n, n)")
    if rows is None and W.shape[-1] < W.shape[-2]:
        advice = f"add {yes} if a row is a feature, {no} if a column is"
        raise InvalidInputError(f"{what}, fewer columns than rows", advice)
    if rows is None and not square and W.shape[-1] == W.shape[-2] and _DECODER.search(name):
        advice = f"add {yes} if a row is a feature, as in PyTorch, {no} if a column is"
        raise InvalidInputError(f"{what}, and in a decoder rows may be features", advice)
    if rows is None and factors and _coded((factors[0], factors[-1])) == (factors[0], factors[-1]):
        advice = f"add {yes} if inputs are rows, x @ {name}; or write the one next to x last, {no} if it is"
        raise InvalidInputError(f"{name} begins with the encoder", advice)
    return bool(rows)


def _bias_among(arrays: Arrays, name: str | None, n: int, path: Path) -> str | None:
    """The name of b."""
    if name == NONE:
        return None
    if name is not None and arrays[_required(arrays, name, path)].shape[-1:] != (n,):
        raise InvalidInputError(f"{name} has shape {arrays[name].shape}", f"choose a bias (..., {n})")
    if name is not None:
        return name
    outer = {name: values for name, values in arrays.items() if _BIAS.search(name) and not _INSIDE.search(name)}
    fitting = [name for name, values in outer.items() if values.shape[-1:] == (n,)]
    if len(fitting) > 1:
        held = _shown({name: arrays[name] for name in fitting})
        raise InvalidInputError(f"{path} holds {held}", f"say which is b, such as {spoken('bias', fitting[0])}")
    return fitting[0] if fitting else None


def _places(name: str, twin: str, factors: list[str], rows: bool, arrays: Arrays, m: int) -> dict[str, tuple[int, list[str]]]:
    """Where hidden values are: the name that their bias would have, how many they are, and the factors behind (none: W^T).

    The one next to x is last.
    """
    if not factors:
        encoder, _ = (twin and _coded((name, twin))) or ((twin, name) if rows else (name, twin))
        return {_bias_of(encoder) if twin else "": (m, [])}
    if rows:
        inner = range(len(factors) - 2, -1, -1)
        return {_bias_of(factors[k]): (arrays[factors[k]].shape[-1], factors[k + 1 :]) for k in inner}
    return {_bias_of(factors[k]): (arrays[factors[k]].shape[-2], factors[:k]) for k in range(1, len(factors))}


def _decoder(behind: list[str], rows: bool, arrays: Arrays) -> NDArray[np.float64]:
    """What lies between hidden values and the outputs, (..., n, m)."""
    whole = _product(behind, arrays)
    return whole.swapaxes(-1, -2) if rows else whole


def _bias_of(weights: str) -> str:
    """What the bias beside weights is called: ``fc1.bias`` beside ``fc1.weight``, ``b1`` beside ``W1``."""
    changed = re.sub(r"weights?$", "bias", weights, flags=re.IGNORECASE)
    return changed if changed != weights else re.sub(r"(^|[._])w(?![a-z])", r"\1b", weights, flags=re.IGNORECASE)


def _hidden_biases(
    arrays: Arrays, name: str | None, places: Mapping[str, tuple[int, list[str]]], path: Path
) -> dict[str, list[str]]:
    """The names of biases of hidden values, each with the factors that lie behind it."""
    if name == NONE:
        return {}
    length, behind = list(places.values())[-1] if places else (0, [])
    if name is not None:
        shape = arrays[_required(arrays, name, path)].shape
        if shape[-1:] != (length,):
            out = f"leave {spoken('encoder_bias')} out: the map G has no hidden values"
            wanted = f"choose a bias (..., {length})" if places else out
            raise InvalidInputError(f"{name} has shape {shape}", wanted)
        return {name: behind}
    found = {one: behind for one, (size, behind) in places.items() if one in arrays and arrays[one].shape[-1:] == (size,)}
    named = [
        one for one, values in arrays.items() if _INSIDE.search(one) and values.shape[-1:] == (length,) and one not in found
    ]
    if named and behind not in found.values():
        if len(named) > 1:
            held = _shown({one: arrays[one] for one in named})
            raise InvalidInputError(
                f"{path} holds {held}", f"say which is added to hidden values, such as {spoken('encoder_bias', named[0])}"
            )
        found[named[0]] = behind
    return found


def _with_instances(name: str, values: NDArray[Any], W: NDArray[Any]) -> tuple[NDArray[np.float64], str]:
    """The bias as (n,), or (..., n) for the leading axes of W, and in words which instance has which."""
    b, given, lead, n = _numbers(name, values), values.shape[:-1], W.shape[:-2], W.shape[-1]
    source = str(values.shape)
    if math.prod(given) == 1:
        return b.reshape(n), source + (", the same for all" if math.prod(lead) > 1 else "")
    if [k for k in given if k > 1] == [k for k in lead if k > 1]:
        return b.reshape(*lead, n), f"{source}, one for each instance"
    advice = f"give b {(*lead, n)}, one for each instance, or ({n},), the same for all" if lead else f"give b ({n},)"
    raise InvalidInputError(f"the weights have leading axes {lead} and {name} {given}", advice)
