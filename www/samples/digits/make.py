"""Make the digits sample: two models, their Gram files, held-out images.

Usage: python make.py [FOLDER]     write the files, print their accuracies
       python make.py --seeds 20   write nothing, print means over other seeds
Needs numpy and scikit-learn; takes a second.

Two offices read handwritten digits.  Both start from one network, pre-trained
briefly on images of all digits, and fine-tune it on their own mail: office A
sees mostly 0-4, office B mostly 5-9 (90 % / 10 %).  The script writes both
models, their Gram files and images that neither has seen, and prints
accuracies.

The network is 64 -> 80 -> 40 -> 10 with ReLU between, weights [out, in]:
    h1 = relu(fc1 x), h2 = relu(fc2 h1), logits = fc3 h2,   x = pixels / 16.

Everything follows from SEED: two runs on one machine give identical bytes.
"""

import json
import os
import pathlib
import sys

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402  (the thread count must be set first)
from sklearn.datasets import load_digits  # noqa: E402

SEED = 0
SIZES = [64, 80, 40, 10]
LAYERS = ["fc1", "fc2", "fc3"]
HELD_OUT, PRETRAIN = 360, 200  # images; the rest is the offices' mail
MAJORITY = 0.9  # share of an office's own digits that it receives
CREDIT = (
    "Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, "
    "UCI Machine Learning Repository (1998), doi:10.24432/C50P49, CC BY 4.0"
)


def init(rng):
    """He initialisation: {fc1.weight [out, in], fc1.bias [out], ...}."""
    model = {}
    for name, n_in, n_out in zip(LAYERS, SIZES, SIZES[1:]):
        scale = np.sqrt(2 / n_in)
        model[f"{name}.weight"] = scale * rng.standard_normal((n_out, n_in))
        model[f"{name}.bias"] = np.zeros(n_out)
    return model


def forward(model, x):
    """Return (inputs of each layer, logits) for x [rows, 64]."""
    inputs = []
    for name in LAYERS:
        inputs.append(x if name == "fc1" else np.maximum(x, 0))
        x = inputs[-1] @ model[f"{name}.weight"].T + model[f"{name}.bias"]
    return inputs, x


def gradients(model, x, y):
    """Gradients of the mean cross-entropy over one batch."""
    inputs, logits = forward(model, x)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    delta = p / p.sum(axis=1, keepdims=True) - np.eye(10)[y]
    grads = {}
    for name, h in zip(reversed(LAYERS), reversed(inputs)):
        grads[f"{name}.weight"] = delta.T @ h / len(x)
        grads[f"{name}.bias"] = delta.mean(axis=0)
        delta = (delta @ model[f"{name}.weight"]) * (h > 0)
    return grads


def train(model, x, y, epochs, rate, rng):
    """SGD, batches of 32, momentum 0.9; returns a new float64 model."""
    model = {k: v.astype(np.float64) for k, v in model.items()}
    speed = {k: np.zeros_like(v) for k, v in model.items()}
    for _ in range(epochs):
        for batch in np.array_split(rng.permutation(len(x)), len(x) // 32):
            for k, g in gradients(model, x[batch], y[batch]).items():
                speed[k] = 0.9 * speed[k] - rate * g
                model[k] += speed[k]
    return model


def grams(model, x):
    """G = X^T X / rows, [in, in] float32, of each layer's inputs X."""
    inputs, _ = forward(model, x)
    return {
        f"{name}.weight": (h.T @ h / len(h)).astype(np.float32)
        for name, h in zip(LAYERS, inputs)
    }


def merge(models, stats, alpha):
    """RegMean; stats=None gives the plain average.  With the mean weight M,
    G~_i = alpha G_i + (1 - alpha) diag G_i and S = sum G~_i,
        W^T = M^T + S^+ sum G~_i (W_i - M)^T.
    """
    merged = {k: sum(m[k] for m in models) / len(models) for k in models[0]}
    for key in stats[0] if stats else []:
        gs = [s[key].astype(np.float64) for s in stats]
        gs = [alpha * g + (1 - alpha) * np.diag(np.diag(g)) for g in gs]
        rhs = sum(g @ (m[key] - merged[key]).T for g, m in zip(gs, models))
        inverse = np.linalg.pinv(sum(gs), rcond=1e-12, hermitian=True)
        merged[key] = merged[key] + (inverse @ rhs).T
    return merged


def accuracy(model, x, y):
    """Share of images classified correctly, in percent."""
    return 100 * float(np.mean(forward(model, x)[1].argmax(axis=1) == y))


def save(path, tensors, metadata):
    """Write a safetensors file with its keys in the given order."""
    kinds = {"float32": "F32", "uint8": "U8"}
    header, end = {"__metadata__": metadata}, 0
    for name, t in tensors.items():
        start, end = end, end + t.nbytes
        header[name] = {"dtype": kinds[str(t.dtype)], "shape": t.shape,
                        "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    body = b"".join(t.tobytes() for t in tensors.values())
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)


def split(y, rng):
    """Index sets: held out, pre-training, office A's mail, office B's mail."""
    order = rng.permutation(len(y))
    held, rest = order[:HELD_OUT], order[HELD_OUT:]
    pre, mail = rest[:PRETRAIN], rest[PRETRAIN:]
    own = rng.random(len(mail)) < MAJORITY  # reaches the office of its digit
    to_a = (y[mail] < 5) == own
    return held, pre, mail[to_a], mail[~to_a]


def save_office(folder, letter, model, stats, y):
    """Write one office's model and Gram file."""
    counts = ", ".join(f"{d}: {n}" for d, n in enumerate(np.bincount(y)))
    source = f"fine-tuned on {len(y)} images (per digit {counts}). {CREDIT}"
    name = f"digits-{letter}"
    save(folder / f"{name}.safetensors", model,
         {"format": "pt", "source": source})
    save(folder / f"{name}.gram.safetensors", stats, {
        "gram_format": "1",
        "normalization": "mean",
        "rows": json.dumps({key: len(y) for key in stats}),
        "source": f"{name}.safetensors, {len(y)} images of its own "
                  f"fine-tuning data (per digit {counts}). {CREDIT}",
    })


def save_held_out(folder, images, labels):
    """Write the test images [n, 64] and labels [n], both U8."""
    tensors = {"images": images.astype(np.uint8),
               "labels": labels.astype(np.uint8)}
    save(folder / "digits-heldout.safetensors", tensors, {
        "gramerge_heldout": "mlp-relu",
        "input_scale": "0.0625",
        "source": f"{len(labels)} test images. {CREDIT}",
    })


def fit(seed):
    """Train; return (base, models, Grams, index sets, images, labels)."""
    rng = np.random.default_rng(seed)
    images, y = load_digits(return_X_y=True)
    x = images / 16
    parts = split(y, rng)
    _, pre, *offices = parts
    base = train(init(rng), x[pre], y[pre], epochs=5, rate=0.02, rng=rng)
    tuned = [train(base, x[p], y[p], epochs=30, rate=0.02, rng=rng)
             for p in offices]
    models = [{k: v.astype(np.float32) for k, v in m.items()} for m in tuned]
    stats = [grams(m, x[p]) for m, p in zip(models, offices)]
    return base, models, stats, parts, images, y


def measure(base, models, stats, parts, images, y):
    """Held-out accuracy {model: [all digits, 0-4, 5-9]}."""
    rows = {"pre-trained only": base, "digits-a": models[0],
            "digits-b": models[1], "average": merge(models, None, 1)}
    for alpha in (1, 0.9, 0.1):
        rows[f"RegMean, α = {alpha}"] = merge(models, stats, alpha)
    x, y = images[parts[0]] / 16, y[parts[0]]
    groups = [y >= 0, y < 5, y >= 5]
    return {name: [accuracy(m, x[g], y[g]) for g in groups]
            for name, m in rows.items()}


def show(results):
    """Print a table of means over seeds, with deviations if several."""
    print("| model | all | 0–4 | 5–9 |\n|---|---|---|---|")
    for name in results[0]:
        values = np.array([r[name] for r in results])
        cells = [f"{v:.1f} %" for v in values.mean(axis=0)]
        if len(results) > 1:
            spread = values.std(axis=0, ddof=1)
            cells = [f"{c} ± {s:.1f}" for c, s in zip(cells, spread)]
        print(f"| {name} | {' | '.join(cells)} |")


def write(folder):
    """Write the sample's files and print their accuracies."""
    fitted = fit(SEED)
    _, models, stats, (held, _, *offices), images, y = fitted
    for letter, model, g, own in zip("ab", models, stats, offices):
        save_office(folder, letter, model, g, y[own])
    save_held_out(folder, images[held], y[held])
    files = sorted(p.name for p in folder.glob("digits-*.safetensors"))
    (folder / "manifest.json").write_text(json.dumps({"files": files}) + "\n")
    show([measure(*fitted)])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--seeds"]:
        seeds = range(1, int(sys.argv[2]) + 1)
        show([measure(*fit(seed)) for seed in seeds])
    else:
        here = pathlib.Path(__file__).parent
        write(pathlib.Path(sys.argv[1]) if sys.argv[1:] else here)
