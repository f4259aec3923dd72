"""RegMean in float64: the answers that gramerge is tested against.

    reference.py merge OUT A B.. --gram GA GB.. [options]
        write the exact merge: solved and averaged tensors as F64
    reference.py compare OUT REF
        error per tensor, worst last; exit status 1 if out of bound
    reference.py check A B.. --gram GA GB.. [options]
        per layer: condition number, error of `merge` against refinement in
        longdouble, error of the textbook formula in float32 (PyTorch)

    options: --alpha 0.9   --coefficients 1,1   --orientation NAME=in_out ..
             --quick (check: without longdouble, which takes minutes)

With coefficients c_i and Gram matrices G_i [in, in],

    G~_i = c_i (alpha G_i + (1 - alpha) diag G_i)       S = sum G~_i
    M = sum c_i W_i / sum c_i  [out, in]
    S D = sum G~_i (W_i - M)^T                          W = M + D^T

Where S is singular, D is the limit for Lambda -> 0+ of (S + Lambda) D = ...
with Lambda proportional to diag S: the solution of least norm once S is scaled
to unit diagonal.  A feature that no Gram file saw keeps the mean.
"""

import argparse
import json
import sys

import numpy as np

from tensorfile import read, rounded, write

ZERO = 1e-12  # relative eigenvalues of the scaled S below this count as zero
BOUND = 1e-6  # allowed relative Frobenius error per tensor


# Files

def plain(name):
    """A weight's name without `module.`, `model.` and `.weight`."""
    for prefix in ("module.", "model."):
        name = name.removeprefix(prefix)
    return name.removesuffix(".weight")


def square(gram):
    """Symmetric [n, n] float64 from a full matrix or a packed triangle."""
    gram = gram.astype(np.float64)
    if gram.ndim == 2:
        return (gram + gram.T) / 2
    n = (int(np.sqrt(8 * gram.size + 1)) - 1) // 2
    full = np.zeros((n, n))
    full[np.triu_indices(n)] = gram
    return full + np.triu(full, 1).T


def read_grams(path):
    """Return {plain weight name: Gram per row [in, in], float64}."""
    tensors, _, metadata = read(path)
    grams = {plain(key): square(gram) for key, gram in tensors.items()
             if not key.endswith(".mean")}
    if metadata.get("normalization") == "sum":
        rows = {plain(k): n for k, n in json.loads(metadata["rows"]).items()}
        grams = {name: gram / rows[name] for name, gram in grams.items()}
    for name, other in json.loads(metadata.get("aliases", "{}")).items():
        grams[plain(name)] = grams[plain(other)]
    return grams


def is_in_out(name, weight, n, orientation):
    """Whether `weight`, with n inputs, is stored [in, out]."""
    if name in orientation:
        return orientation[name] == "in_out"
    return weight.shape[1] != n


def layers(models, grams, orientation):
    """Yield (name, weights [out, in] float64, Grams, stored [in, out]?) of
    every tensor that all Gram files know."""
    for name, weight in models[0].items():
        gs = [g.get(plain(name)) for g in grams]
        if weight.ndim == 2 and all(g is not None for g in gs):
            flip = is_in_out(name, weight, len(gs[0]), orientation)
            weights = [m[name].astype(np.float64) for m in models]
            yield name, [w.T if flip else w for w in weights], gs, flip


# Solution

def shrink(gram, alpha, coefficient):
    """G~ = c (alpha G + (1 - alpha) diag G)."""
    diagonal = np.diag(np.diag(gram))
    return coefficient * (alpha * gram + (1 - alpha) * diagonal)


def mean(weights, coefficients):
    """M = sum c_i W_i / sum c_i, float64."""
    parts = [c * w.astype(np.float64) for c, w in zip(coefficients, weights)]
    return sum(parts) / sum(coefficients)


def scaling(s):
    """Column t [in, 1] such that t S t^T has unit diagonal; 0 if dead."""
    d = np.diag(s)
    return np.divide(1, np.sqrt(d), out=np.zeros(len(s)), where=d > 0)[:, None]


def spectrum(s):
    """Eigenvalues (ascending) and eigenvectors of the scaled S."""
    t = scaling(s)
    return np.linalg.eigh(t * s * t.T)


def solve(s, rhs):
    """D [in, out] with S D = rhs, of least norm after scaling."""
    t = scaling(s)
    e, v = spectrum(s)
    kept = abs(e) > ZERO * e[-1]
    v = v[:, kept]
    return t * (v @ ((v.T @ (t * rhs)) / e[kept, None]))


def regress(weights, grams, alpha, coefficients):
    """W [out, in] from weights [out, in] and Grams [in, in]."""
    shrunk = [shrink(g, alpha, c) for g, c in zip(grams, coefficients)]
    m = mean(weights, coefficients)
    rhs = sum(g @ (w - m).T for g, w in zip(shrunk, weights))
    return m + solve(sum(shrunk), rhs).T


def merge(models, grams, alpha, coefficients, orientation):
    """{name: tensor}: regressed, else averaged; integers are copied."""
    merged = {}
    for name, tensor in models[0].items():
        if np.issubdtype(tensor.dtype, np.integer):
            merged[name] = tensor
        else:
            merged[name] = mean([m[name] for m in models], coefficients)
    for name, weights, gs, flip in layers(models, grams, orientation):
        w = regress(weights, gs, alpha, coefficients)
        merged[name] = w.T if flip else w
    return merged


# Checks of this file

def refined(w, weights, grams, alpha, coefficients, steps=3):
    """Solve W S = sum W_i G~_i by refinement from w: residuals of this plain
    formula in longdouble, corrections in float64."""
    wide = np.longdouble
    gs = [shrink(g.astype(wide), wide(alpha), c)
          for g, c in zip(grams, coefficients)]
    target = sum(x.astype(wide) @ g for x, g in zip(weights, gs))
    s, w = sum(gs), w.astype(wide)
    for _ in range(steps):
        residual = (target - w @ s).astype(np.float64)
        w = w + solve(s.astype(np.float64), residual.T).T
    return w


def textbook(weights, grams, alpha, coefficients):
    """(S^-1 sum G~_i W_i^T)^T as usually coded: float32 and an inverse."""
    import torch
    torch.set_num_threads(1)
    gs = [torch.tensor(g).float() for g in grams]
    ds = [torch.diag(torch.diag(g)) for g in gs]
    gs = [c * (alpha * g + (1 - alpha) * d)
          for g, d, c in zip(gs, ds, coefficients)]
    rhs = sum(g @ torch.tensor(w).float().T for g, w in zip(gs, weights))
    try:
        return (torch.inverse(sum(gs)) @ rhs).T.double().numpy()
    except RuntimeError:  # exactly singular
        return np.full_like(weights[0], np.nan)


def error(x, exact):
    """Relative Frobenius error."""
    norm = np.linalg.norm(exact.astype(np.float64))
    gap = np.linalg.norm((x - exact).astype(np.float64))
    return gap / norm if norm else gap


def check(name, weights, grams, alpha, coefficients, quick):
    """Print one layer's figures: condition of the scaled S, its zero and
    negative eigenvalues, distance from the mean, and the two errors."""
    shrunk = [shrink(g, alpha, c) for g, c in zip(grams, coefficients)]
    s = sum(shrunk)
    e, _ = spectrum(s)
    live = abs(e) > ZERO * e[-1]
    w = regress(weights, grams, alpha, coefficients)
    figures = {
        "cond": e[-1] / abs(e[live]).min(),
        "null": int((~live).sum()), "negative": int((e[live] < 0).sum()),
        "moved": error(mean(weights, coefficients), w),
        "textbook": error(textbook(weights, grams, alpha, coefficients), w),
    }
    if not quick:
        precise = refined(w, weights, grams, alpha, coefficients)
        figures["reference"] = error(w, precise)
    print(name, *(f"{k} {v:.2g}" for k, v in figures.items()), flush=True)


# Comparison

def ordered(x, dtype):
    """Integers in the order of the F16 or BF16 values x: neighbours differ
    by 1."""
    if dtype == "BF16":
        bits = np.ascontiguousarray(x, np.float32).view(np.int32) >> 16
    else:
        bits = np.ascontiguousarray(x, np.float16).view(np.int16)
    bits = bits.astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFF), bits)


def half_error(x, exact, dtype):
    """Worst distance in units in the last place from the rounded exact
    values, counting entries that are also off by more than BOUND times the
    tensor's root mean square."""
    near = rounded(exact, dtype)
    far = abs(x - near) > BOUND * np.sqrt(np.mean(exact ** 2))
    steps = abs(ordered(x, dtype) - ordered(near, dtype))
    return int(steps[far].max(initial=0))


def verdict(x, exact, dtype):
    """(within bound?, text) for one tensor."""
    if x.shape != exact.shape:
        return False, f"shape {x.shape}, expected {exact.shape}"
    if np.issubdtype(exact.dtype, np.integer):
        same = np.array_equal(x, exact)
        return same, "identical" if same else "differs"
    x = x.astype(np.float64)
    size = error(x, exact)
    if dtype in ("F16", "BF16"):
        steps = half_error(x, exact, dtype)
        return steps <= 1, f"{size:.2e} ({steps} ulp {dtype})"
    return size <= BOUND, f"{size:.2e}"


def compare(out, reference):
    """Print every tensor's verdict; return whether all are within bound."""
    (got, dtypes, _), (expected, _, _) = read(out), read(reference)
    good = got.keys() == expected.keys()
    if not good:
        print("names differ:", *sorted(got.keys() ^ expected.keys()))
    worst = (0.0, "none")
    for name in sorted(got.keys() & expected.keys()):
        fine, text = verdict(got[name], expected[name], dtypes[name])
        print(f"{'ok ' if fine else 'BAD'} {text:>12}  {name}")
        good = good and fine
        if got[name].shape == expected[name].shape:
            worst = max(worst, (error(got[name], expected[name]), name))
    print(f"worst relative error {worst[0]:.2e} ({worst[1]})")
    return good


# Command line

def arguments():
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("mode", choices=["merge", "compare", "check"])
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--gram", nargs="+", default=[])
    parser.add_argument("--alpha", type=float, default=0.9)
    parser.add_argument("--coefficients")
    parser.add_argument("--orientation", nargs="*", default=[])
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args()


def main():
    args = arguments()
    if args.mode == "compare":
        sys.exit(0 if compare(*args.paths) else 1)
    paths = args.paths[args.mode == "merge":]
    models = [read(p)[0] for p in paths]
    grams = [read_grams(p) for p in args.gram]
    shares = args.coefficients or ",".join("1" for _ in models)
    shares = [float(c) for c in shares.split(",")]
    orientation = dict(pair.split("=") for pair in args.orientation)
    if args.mode == "merge":
        write(args.paths[0],
              merge(models, grams, args.alpha, shares, orientation))
        return
    for name, weights, gs, _ in layers(models, grams, orientation):
        check(name, weights, gs, args.alpha, shares, args.quick)


if __name__ == "__main__":
    main()
