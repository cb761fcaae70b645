"""The losses of a batch of models, arrays in and arrays out: in compiled code, or by the laws of `tegum.exact.laws`."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.checking import checked, real_numbers
from tegum.errors import InvalidInputError, Problems
from tegum.exact.batches import evaluated
from tegum.exact.distributions import Distributions, distributions_of, is_native
from tegum.exact.kernel.model import LARGEST_BIAS, LARGEST_WEIGHT, Batch, Settings
from tegum.exact.kernel.records import MOST_TERMS, require_terms
from tegum.exact.laws import Answer, Asked, Laws, laws_for, laws_of_net
from tegum.exact.parameters import is_neuron, outputs_of, shapes_of
from tegum.features import Features
from tegum.nets import ACTIVATIONS, Activation, Net, TargetMap, require_same_features
from tegum.nets.net import paired_parameters, parameter
from tegum.threads import in_pieces

_FIRST_TERMS, _FIRST_OF_LAWS, _FEW = 8, 16, 50
_RELU, _IDENTITY = ACTIVATIONS["relu"], ACTIVATIONS["identity"]


@checked
def losses(
    W: ArrayLike,
    b: ArrayLike,
    features: Features,
    tol: float,
    gradient: bool,
    net: Net | None = None,
    tied: bool = True,
    terms: int | None = None,
    threads: int | None = None,
) -> Batch:
    """What `tegum.exact.evaluate` returns, as arrays with the leading axes; without gradient ``dW`` and ``db`` hold nothing."""
    problems = Problems()
    W, b, (output, target) = _checked(W, b, features, net, tied, problems)
    _check_effort(tol, terms, threads, problems)
    problems.raise_if_any()
    require_finite("W", W, 2, LARGEST_WEIGHT)
    require_finite("b", b, 1, LARGEST_BIAS)
    leads = W.shape[:-2], b.shape[:-1]
    try:
        batch = np.broadcast_shapes(*leads, features.batch_shape)
    except ValueError:
        shapes = f"W {leads[0]}, b {leads[1]} and the features {features.batch_shape}"
        raise InvalidInputError(f"the leading axes do not fit: {shapes}", "give axes that broadcast") from None
    crossed = np.prod(leads[0]) == np.prod(leads[1]) < np.prod(np.broadcast_shapes(*leads))
    if crossed and len(leads[0]) != len(leads[1]):
        what = f"W has leading axes {leads[0]} and b {leads[1]}, which pairs every W with every b"
        raise InvalidInputError(what, f"give b as {(*leads[0], W.shape[-1])}; or, to ask for all pairs, as many axes to both")
    which, known = _owners(features, batch), known_by(features, output, target)
    if isinstance(known, Laws):
        asked = Asked(float(tol), *_least_and_most(terms, _FIRST_OF_LAWS), gradient)
        return _by_laws(W, b, which, known, asked, tied, threads)
    settings = Settings(int(tied), int(output is _IDENTITY), int(gradient), *_least_and_most(terms), float(tol))
    return evaluated(W, b, which, known, settings, threads)


def known_by(features: Features, output: Activation = _RELU, target: TargetMap | None = None) -> Distributions | Laws:
    """What computes the losses of a distribution: tables for compiled code where it takes it as it is, or else its laws."""
    native = is_native(features) and output in (_RELU, _IDENTITY) and target is None
    return distributions_of(features) if native else laws_for(features, output, target)


def gradients_of_maps(
    known: Distributions | Laws, G: NDArray[np.float64], b: NDArray[np.float64], tol: float, terms: int
) -> Batch:
    """Losses of ReLU(G x + b) with derivatives, G (k, n, n): compiled code takes so many terms, laws what ``tol`` asks for."""
    which = np.zeros(len(G), np.int64)
    if isinstance(known, Laws):
        return _by_laws(
            G, b, which, known, Asked(tol, *_least_and_most(None, _FIRST_OF_LAWS), gradient=True), tied=False, threads=1
        )
    return evaluated(G, b, which, known, Settings(0, 0, 1, terms, terms, tol), threads=1)


def _by_laws(
    W: NDArray[np.float64],
    b: NDArray[np.float64],
    which: NDArray[np.int64],
    laws: Laws,
    asked: Asked,
    tied: bool,
    threads: int | None,
) -> Batch:
    """What `evaluated` returns, of distributions that compiled code does not take as they are."""
    batch, (rows, n) = which.shape, W.shape[-2:]
    W, b = np.broadcast_to(W, (*batch, rows, n)), np.broadcast_to(b, (*batch, n))
    each_W, each_b = W.reshape(-1, rows, n), b.reshape(-1, n)

    by_W = dict[int, NDArray[np.float64]]()
    through_W = tied and all(laws.knows_weights(owner) for owner in np.unique(which).tolist())

    def answer(k: int, owner: int) -> Answer:
        if through_W:
            found, by_W[k], _ = laws.answer_of_weights(owner, each_W[k], each_b[k], asked)
            return found
        return laws.answer(owner, each_W[k].T @ each_W[k] if tied else each_W[k], each_b[k], asked)

    found = _each(which, answer, threads, n > _FEW)
    if through_W:
        dW, db = (
            np.array(one).reshape(shape)
            for one, shape in (([by_W[k] for k in range(which.size)], W.shape), ([one.db for one in found], b.shape))
        )
        return _gathered(found, W, b, which, laws, dW, db)
    dG = np.array([one.dG for one in found]).reshape(*batch, n, n)
    db = np.array([one.db for one in found]).reshape(*batch, n)
    return _gathered(found, W, b, which, laws, W @ (dG + dG.swapaxes(-1, -2)) if tied else dG, db)


def losses_of_neurons(
    net: Net,
    parameters: list[NDArray[np.float64]],
    features: Features,
    tol: float,
    gradient: bool,
    terms: int | None,
    threads: int | None,
) -> tuple[Batch, list[NDArray[np.float64]]]:
    """The same of nets with one hidden ReLU by their parameters, leading axes broadcast, and the derivatives by these."""
    with Problems() as problems:
        _check_effort(tol, terms, threads, problems)
        with problems.collecting():
            require_same_features(net, features.n_features)
    lead = parameters[-1].shape[:-1]
    try:
        batch = np.broadcast_shapes(lead, features.batch_shape)
    except ValueError:
        shapes = f"the parameters {lead} and the features {features.batch_shape}"
        raise InvalidInputError(f"the leading axes do not fit: {shapes}", "give axes that broadcast") from None
    which = _owners(features, batch)
    own = [array.shape[len(lead) :] for array in parameters]
    whole = [np.broadcast_to(array, (*batch, *shape)) for array, shape in zip(parameters, own, strict=True)]
    rows = [array.reshape(-1, *shape) for array, shape in zip(whole, own, strict=True)]
    laws = laws_of_net(net, features)
    asked = Asked(float(tol), *_least_and_most(terms, _FIRST_OF_LAWS), gradient)
    slopes = dict[int, tuple[NDArray[np.float64], ...]]()

    def answer(k: int, owner: int) -> Answer:
        found, slopes[k] = laws.answer_of(owner, net, [array[k] for array in rows], asked)
        return found

    found = _each(which, answer, threads, features.n_features > _FEW)
    by = [np.array([slopes[k][at] for k in range(which.size)]).reshape(*batch, *shape) for at, shape in enumerate(own)]
    b = whole[list(shapes_of(net)).index("b")]
    return _gathered(found, whole[0], b, which, laws, np.zeros(0), np.zeros(0)), by


def _check_effort(tol: float, terms: int | None, threads: int | None, problems: Problems) -> None:
    """Notes what is wrong with how exactly, and on how many threads, is asked."""
    problems.check_fraction("tol", tol)
    problems.check_least("threads", threads)
    with problems.collecting():
        require_terms(MOST_TERMS if terms is None else terms)


def _least_and_most(terms: int | None, first: int = _FIRST_TERMS) -> tuple[int, int]:
    """The least and the most terms of a series."""
    return (first, MOST_TERMS) if terms is None else (terms, terms)


def _owners(features: Features, batch: tuple[int, ...]) -> NDArray[np.int64]:
    """Which of the distributions each model of a batch has."""
    return np.broadcast_to(np.arange(math.prod(features.batch_shape)).reshape(features.batch_shape), batch)


def _each(which: NDArray[np.int64], answer: Callable[[int, int], Answer], threads: int | None, slow: bool) -> list[Answer]:
    """The answers for all models of a batch, of which each has its distribution."""
    each, owner, n = dict[int, Answer](), which.reshape(-1), which.size

    def work(_: None, first: int, end: int) -> None:
        for k in range(first, end):
            each[k] = answer(k, int(owner[k]))

    in_pieces(n, 1, lambda _: None, work, threads=threads, progress=None if slow else False, title="exact loss")
    return [each[k] for k in range(n)]


def _gathered(
    found: list[Answer],
    W: NDArray[np.float64],
    b: NDArray[np.float64],
    which: NDArray[np.int64],
    laws: Laws,
    dW: NDArray[np.float64],
    db: NDArray[np.float64],
) -> Batch:
    """Answers as a batch."""
    batch, n = which.shape, laws.importance.shape[-1]
    squares = np.array([one.squared_error for one in found]).reshape(*batch, n)
    importance = laws.importance[which.reshape(-1)].reshape(*batch, n)
    return Batch(
        W=W,
        b=b,
        distribution_of=which,
        weight=np.zeros((0, 0)),
        importance=laws.importance,
        loss=(squares * importance).sum(axis=-1),
        error=np.array([one.error for one in found]).reshape(batch),
        gradient_error=np.array([one.gradient_error for one in found]).reshape(batch),
        terms=np.array([one.terms for one in found], dtype=np.int64).reshape(batch),
        squared_error=squares,
        dW=dW,
        db=db,
    )


def _checked(
    W: ArrayLike, b: ArrayLike, features: Features, net: Net | None, tied: bool, problems: Problems
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[Activation, TargetMap | None]]:
    """W and b as numbers, and what outputs pass through and are compared with; notes what is wrong with shapes and the net."""
    given: dict[str, NDArray[np.float64]] = {}
    for name, array in (("W", W), ("b", b)):
        with problems.collecting():
            given[name] = real_numbers(name, array)
    if not isinstance(features, Features):
        problems.add(
            f"the features are {features!r}", "give a distribution, such as tegum.features.Independent(5, density=0.1)"
        )
    problems.raise_if_any()
    W, b, n = given["W"], given["b"], features.n_features
    if W.ndim < 2 or W.shape[-1] != n or (not tied and W.shape[-2] != n):
        problems.add(f"W has shape {W.shape}", f"give (..., m, {n})" if tied else f"give the map as (..., {n}, {n})")
    if b.ndim < 1 or b.shape[-1] != n:
        problems.add(f"b has shape {b.shape}", f"give (..., {n})")
    output: tuple[Activation, TargetMap | None] = _RELU, None
    if net is not None:
        with problems.collecting():
            require_same_features(net, n)
            output = output if tied and is_neuron(net) else outputs_of(net)
        if not net.bias and (tied or not net.has_hidden_bias) and b.any():
            problems.add("b is given to a net without bias", "give zeros, or a net with bias=True")
        if tied and (not net.tied or is_neuron(net)):
            problems.add(
                f"W is given, and the net is {net!r}", f"give its parameters by name: {', '.join(net.parameter_shapes())}"
            )
        elif tied and W.ndim >= 2 and W.shape[-2] != net.n_hidden:
            problems.add(f"W has {W.shape[-2]} hidden dimensions and the net {net.n_hidden}", "give the net that W belongs to")
    return W, b, output


def parameters_given(net: Net, params: Mapping[str, ArrayLike]) -> list[NDArray[np.float64]]:
    """The parameters of a net in the order of `shapes_of`, all with the leading axes that they have together.

    Raises:
        InvalidInputError: naming what is missing, unknown, of the wrong shape or not finite.
    """
    shapes = shapes_of(net)
    given = {name: parameter(name, one).astype(np.float64) for name, one in paired_parameters(params).items()}
    if not net.bias and given.pop("b", np.zeros(1)).any():  # zeros are its place in flat vectors
        raise InvalidInputError("b is given to a net without bias", "give zeros, or a net with bias=True")
    net.check_parameters(given)
    given.setdefault("b", np.zeros(net.n_features))
    arrays = [given[name] for name in shapes]
    lead = common_lead([array.shape[: array.ndim - len(own)] for array, own in zip(arrays, shapes.values(), strict=True)])
    arrays = [np.broadcast_to(array, (*lead, *own)) for array, own in zip(arrays, shapes.values(), strict=True)]
    for name, array in zip(shapes, arrays, strict=True):
        require_finite(name, array, len(shapes[name]), LARGEST_WEIGHT)
    return arrays


def common_lead(leads: list[tuple[int, ...]]) -> tuple[int, ...]:
    """The leading axes that parameters have together."""
    try:
        return np.broadcast_shapes(*leads)
    except ValueError:
        raise InvalidInputError(f"the parameters have leading axes {leads}", "give axes that broadcast") from None


def require_finite(name: str, array: NDArray[np.float64], own: int, limit: float) -> None:
    """Refuses numbers that are not finite, or so large that their squares would not be."""
    bad = ~(np.abs(array) < limit)
    if not bad.any():
        return
    place = tuple(int(i) for i in np.argwhere(bad)[0])
    instance = place[: array.ndim - own]
    where = f" in instance {instance[0] if len(instance) == 1 else instance}" if instance else ""
    raise InvalidInputError(
        f"{name}{where} is {array[place]} at {place[array.ndim - own :]}",
        f"give finite numbers below {limit:g}; a model that diverged has no loss",
    )
