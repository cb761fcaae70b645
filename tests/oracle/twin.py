"""The slow obvious twin of the training engine: plain float64 NumPy, one model, one formula after the other."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tegum.nets import Net

Arrays = dict[str, np.ndarray]


def penalised_loss(net: Net, params: Mapping[str, np.ndarray], x: np.ndarray, importance: np.ndarray, l1: float) -> float:
    """Mean over samples of sum_i I_i (target_i - y_i)^2 + l1 sum_k |h_k|."""
    error = net.target(x) - net.forward(params, x)
    return float((error**2 @ importance + l1 * np.abs(net.hidden(params, x)).sum(axis=1)).mean())


def pushed(net: Net, params: Mapping[str, np.ndarray], x: np.ndarray, size: float, chosen: np.ndarray) -> np.ndarray:
    """Each sample moved by ``size`` along row ``chosen`` of W^T W, whichever way leaves that output further from the truth."""
    G = params["W"].T @ params["W"]
    out = []
    for sample, i in zip(x, chosen, strict=True):
        norm = np.linalg.norm(G[i])
        step = size * G[i] / norm if norm > 0 else np.zeros_like(sample)
        both = np.stack([sample + step, sample - step])
        errors = abs(sample[i] - net.forward(params, both)[:, i])
        out.append(both[0] if errors[0] >= errors[1] else both[1])
    return np.array(out)


def loss_and_gradient(
    net: Net,
    params: Mapping[str, np.ndarray],
    x: np.ndarray,
    importance: np.ndarray,
    l1: float,
    truth: np.ndarray | None = None,
    kept: np.ndarray | float = 1.0,
    active_only: bool = False,
) -> tuple[float, Arrays]:
    """The reconstruction loss alone, and the gradient of the penalised loss, by the chain rule; x is the truth by default.

    ``kept`` (samples, m) multiplies hidden values; errors of inactive features may count nothing.
    """
    params = {name: np.asarray(value, dtype=np.float64) for name, value in params.items()}
    encoder = params["W"] if net.tied else params["W1"]
    decoder = params["W"].T if net.tied else params["W2"]
    h = net.hidden(params, x) * kept
    before = h @ decoder.T + params.get("b", 0)
    y = np.asarray(net.output_activation(before))
    error = y - net.target(x if truth is None else truth)
    error = error * (x != 0) if active_only else error
    loss = float((error**2 @ importance).mean())
    d = 2 * error * importance / len(x)
    d = d * np.vectorize(net.output_activation.slope)(before)
    e = (d @ decoder + l1 * np.sign(h) / len(x)) * kept
    if net.hidden_relu:
        e = e * (h > 0)
    by_encoder, by_decoder = e.T @ x, d.T @ h
    assert encoder.shape == by_encoder.shape
    gradient = {"W": by_encoder + by_decoder.T} if net.tied else {"W1": by_encoder, "W2": by_decoder}
    if net.bias:
        gradient["b"] = d.sum(axis=0)
    if net.has_hidden_bias:
        gradient["b_hidden"] = e.sum(axis=0)
    return loss, gradient


def central_differences(function: Callable[[Arrays], float], params: Arrays, step: float = 1e-6) -> Arrays:
    """The gradient of a function of parameters, two evaluations a number."""
    gradient = {name: np.zeros_like(value) for name, value in params.items()}
    for name, value in params.items():
        for place in np.ndindex(value.shape):
            up = {**params, name: value.copy()}
            down = {**params, name: value.copy()}
            up[name][place] += step
            down[name][place] -= step
            gradient[name][place] = (function(up) - function(down)) / (2 * step)
    return gradient


def learning_rate(recipe: Any, t: int) -> float:
    """The rate at step t, written as the recipe's documentation says it."""
    if t < recipe.warmup_steps:
        return recipe.learning_rate * (t + 1) / recipe.warmup_steps
    q = (t - recipe.warmup_steps) / max(recipe.steps - recipe.warmup_steps, 1)
    f = recipe.final_fraction
    shape = {"constant": 1.0, "linear": 1 - (1 - f) * q, "cosine": f + (1 - f) * (1 + np.cos(np.pi * q)) / 2}
    shape["quarter_cosine"] = f + (1 - f) * np.cos(np.pi / 2 * q)
    return recipe.learning_rate * shape[recipe.schedule]


def train(net: Net, params: Arrays, x: np.ndarray, importance: np.ndarray, recipe: Any) -> Arrays:
    """Full-batch training on fixed samples, every step written out."""
    params = {name: value.astype(np.float64) for name, value in params.items()}
    m = {name: np.zeros_like(value) for name, value in params.items()}
    v = {name: np.zeros_like(value) for name, value in params.items()}
    for t in range(recipe.steps):
        rate = learning_rate(recipe, t)
        _, gradient = loss_and_gradient(net, params, x, importance, recipe.l1, active_only=recipe.loss_on == "active")
        encoder = "W" if "W" in params else "W1"
        lengths = np.linalg.norm(params[encoder], axis=0)
        params[encoder] = params[encoder] * (1 + rate * recipe.unit_norms * (1 / lengths - 1))
        for name, g in gradient.items():
            decay = recipe.decay_of(name)
            decoupled = recipe.optimizer == "adamw" if recipe.decoupled_decay is None else recipe.decoupled_decay
            if decoupled:
                params[name] = params[name] * (1 - rate * decay)
            else:
                g = g + decay * params[name]  # noqa: PLW2901
            if recipe.optimizer == "rmsprop":  # torch.optim.RMSprop, alpha = smoothing
                v[name] = recipe.smoothing * v[name] + (1 - recipe.smoothing) * g**2
                params[name] = params[name] - rate * g / (np.sqrt(v[name]) + recipe.epsilon)
                continue
            if recipe.optimizer == "sgd":
                m[name] = recipe.momentum * m[name] + g
                params[name] = params[name] - rate * m[name]
                continue
            m[name] = recipe.beta1 * m[name] + (1 - recipe.beta1) * g
            v[name] = recipe.beta2 * v[name] + (1 - recipe.beta2) * g**2
            m_hat = m[name] / (1 - recipe.beta1 ** (t + 1))
            v_hat = v[name] / (1 - recipe.beta2 ** (t + 1))
            params[name] = params[name] - rate * m_hat / (np.sqrt(v_hat) + recipe.epsilon)
    return params
