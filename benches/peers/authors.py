"""The textbook formula and the difference form in PyTorch, on BERT-base's 72 linear layers.

    authors.py

Reads `authors` or `difference` from standard input, one a line; computes all layers in that way,
in float32 on two threads, and prints the seconds as JSON.  Written from the formula of RegMean
(Jin et al., arXiv 2212.09849, eq. 2); the authors' program inverts in the same way, in torch.

The matrices are made by the recipe of `benches/src/data.rs` (the same shapes, spectrum, offset and
outliers) but of other random numbers.  Shrinking the off-diagonal is done beforehand, untimed.
"""

import json
import sys
import time

import numpy as np
import torch

ALPHA, OFFSET, FLAT, OUTLIERS, OUTLIER, APART = 0.9, 0.12, 5.0, 6, 12.0, 0.01
BLOCKS = 12
LAYERS = [(768, 768)] * 4 + [(768, 3072), (3072, 768)]  # (in, out)
MODELS = 2


def spectrum(n):
    """Q diag(eigenvalues) Q^T with Q = (I - 2/m 1 1^T) x Hadamard, by lookup."""
    width = n & -n
    m = n // width
    k = np.arange(n)
    values = (1 - k / n) / (k + FLAT)
    values *= (1 - OFFSET) * n / values.sum() / width
    tables = np.stack([hadamard(values[c::m]) for c in range(m)])
    reflection = np.eye(m) - 2 / m
    pairs = np.einsum("ac,bc,cx->abx", reflection, reflection, tables)
    i = np.arange(n)
    block, inside = i // width, i % width
    return pairs[block[:, None], block[None, :], inside[:, None] ^ inside[None, :]].astype("f4")


def hadamard(values):
    half = 1
    while half < len(values):
        pairs = values.reshape(-1, 2, half)
        values = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], 1).reshape(-1)
        half *= 2
    return values


def layer(n, out, base, rng):
    """Gram matrices and weights of every model."""
    shared = 0.8 * rng.uniform(-1, 1, n)
    outliers = rng.choice(n, OUTLIERS)
    mean = rng.choice([-1, 1], n) * np.sqrt(OFFSET * (1 + 0.5 * rng.uniform(-1, 1, n)))
    first = rng.uniform(-1, 1, (out, n)) * np.sqrt(3 / n)
    grams, weights = [], []
    for _ in range(MODELS):
        scale = np.exp(shared + 0.1 * rng.uniform(-1, 1, n))
        scale[outliers] *= OUTLIER
        sign = rng.choice([-1, 1], n).astype("f4")
        gram = (base * sign * sign[:, None] + np.outer(mean, mean)) * scale * scale[:, None]
        gram = ALPHA * gram + (1 - ALPHA) * np.diag(np.diag(gram))
        own = APART * np.sqrt(1.5 / n) * rng.uniform(-1, 1, (out, n))
        grams.append(torch.from_numpy(gram.astype("f4")))
        weights.append(torch.from_numpy((first + own).astype("f4")))
    return grams, weights


def authors(grams, weights):
    total = sum(grams)
    return torch.inverse(total) @ sum(g @ w.T for g, w in zip(grams, weights))


def difference(grams, weights):
    first = weights[0]
    right = sum(g @ (w - first).T for g, w in zip(grams[1:], weights[1:]))
    factor = torch.linalg.cholesky(sum(grams))
    return first.T + torch.cholesky_solve(right, factor)


def main():
    torch.set_num_threads(2)
    rng = np.random.default_rng(0)
    bases = {n: spectrum(n) for n, _ in LAYERS}
    layers = [layer(n, out, bases[n], rng) for _ in range(BLOCKS) for n, out in LAYERS]
    about = {"torch": torch.__version__, "threads": torch.get_num_threads()}
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        solve = {"authors": authors, "difference": difference}[line.strip()]
        start = time.perf_counter()
        for grams, weights in layers:
            solve(grams, weights)
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)


if __name__ == "__main__":
    main()
