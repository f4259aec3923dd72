"""Make the small merge problems in golden/, each with its exact answer.

    golden.py [FOLDER]

A case is a folder: models a, b (and c), their Gram files, case.json and
expected.safetensors.  The expected weights are solved in exact rational
arithmetic from the stored numbers and rounded once, to F64; the script prints
how far reference.py is from them.  Needs numpy alone; takes ten seconds.
"""

import json
import pathlib
import sys
from fractions import Fraction

import numpy as np

import reference
from tensorfile import read, write

ROWS = 256  # of X, unless a case says otherwise
FLOOR = Fraction(1, 2**80)  # Lambda = FLOOR diag S stands for its limit 0+


# Ingredients

def correlated(rng, n):
    """Inputs X [ROWS, n]: correlated features of unequal size."""
    mix = np.eye(n) + 0.5 * rng.standard_normal((n, n)) / np.sqrt(n)
    size = 4 ** rng.uniform(-1, 1, n)
    return rng.standard_normal((ROWS, n)) @ mix * size


def gram(x):
    """G = X^T X / rows, float32."""
    return (x.T @ x / len(x)).astype(np.float32)


def linear(rng, name, n_in, n_out):
    """Base weight [out, in] and bias [out] of one layer."""
    return {f"{name}.weight": rng.standard_normal((n_out, n_in)) / n_in**0.5,
            f"{name}.bias": 0.1 * rng.standard_normal(n_out)}


def sizes(base):
    """{weight name: in} of all 2-D weights but embeddings."""
    return {k: v.shape[1] for k, v in base.items()
            if v.ndim == 2 and v.dtype == float and "embed" not in k}


def tuned(rng, base, spread):
    """A fine-tuned copy: base + spread noise, float32; integers as is."""
    return {k: v if v.dtype == int else
            (v + spread * rng.standard_normal(v.shape)).astype(np.float32)
            for k, v in base.items()}


def problem(rng, base, inputs=correlated, count=2, spread=0.2):
    """`count` models and their Grams {weight name: [in, in]}."""
    models = [tuned(rng, base, spread) for _ in range(count)]
    grams = [{k: gram(inputs(rng, n)) for k, n in sizes(base).items()}
             for _ in models]
    return {"models": models, "grams": grams}


# Cases: models and Grams, and whatever differs from the defaults in `save`

def mlp(alpha):
    """An embedding, three layers with biases, a norm, an integer buffer."""
    rng = np.random.default_rng(1)
    base = {"embed.weight": rng.standard_normal((11, 7)),
            "embed.position_ids": np.arange(11)[None],
            **linear(rng, "fc1", 7, 16), **linear(rng, "fc2", 16, 9),
            "norm.weight": np.ones(9), "norm.bias": np.zeros(9),
            **linear(rng, "fc3", 9, 3)}
    return {**problem(rng, base), "alpha": alpha}


def dead_features(alpha):
    """Features 0, 5 and 11 are zero in both Gram files, feature 3 in one.
    Gram file a has no metadata and no `.weight` in its keys, Gram file b has
    the prefix `module.`."""
    rng = np.random.default_rng(2)
    case = problem(rng, linear(rng, "fc", 12, 8))
    first, second = (g["fc.weight"] for g in case["grams"])
    for g, dead in (first, [0, 5, 11]), (second, [0, 3, 5, 11]):
        g[dead], g[:, dead] = 0, 0
    case["grams"] = [{"fc": first}, {"module.fc.weight": second}]
    return {**case, "alpha": alpha, "metadata": [None, {}]}


def rank_deficient_signs():
    """Each model saw 8 rows of +-1 for 20 features: S has rank 16, the
    weighted mean fills the rest.  All diagonals are equal, so the answer does
    not depend on how the floor is scaled."""
    rng = np.random.default_rng(3)
    base = linear(rng, "fc", 20, 10)
    case = problem(rng, base, lambda rng, n: rng.choice([-1.0, 1.0], (8, n)))
    return {**case, "alpha": 1}


def rank_deficient_integers():
    """Each model saw 8 rows of integers for 20 features of unequal size; the
    floor is proportional to diag S.  Coefficients 1 and 3."""
    rng = np.random.default_rng(4)
    size = 2.0 ** rng.integers(0, 3, 20)
    case = problem(rng, linear(rng, "fc", 20, 10),
                   lambda rng, n: rng.integers(-3, 4, (8, n)) * size)
    return {**case, "alpha": 1, "coefficients": [1, 3]}


def repeated_feature():
    """Feature 1 repeats feature 0 in both models: the sum of their weights is
    determined, the difference takes the mean."""
    rng = np.random.default_rng(5)

    def repeated(rng, n):
        x = rng.integers(-4, 5, (ROWS, n)).astype(float)
        x[:, 1] = x[:, 0]
        return x
    return {**problem(rng, linear(rng, "fc", 10, 6), repeated), "alpha": 1}


def three_halves():
    """Three models, coefficients 1, 2, 0.5; weights F16, BF16 and F32; Gram
    files F32, F64 and BF16."""
    rng = np.random.default_rng(6)
    base = {**linear(rng, "half", 14, 17), **linear(rng, "brain", 17, 13),
            **linear(rng, "single", 13, 5)}
    kinds = {"half": "F16", "brain": "BF16", "single": "F32"}
    return {**problem(rng, base, count=3), "coefficients": [1, 2, 0.5],
            "dtypes": {k: kinds[k.split(".")[0]] for k in base},
            "gram_dtypes": ["F32", "F64", "BF16"]}


def packed_aliases():
    """Packed triangles and aliases for key and value in Gram file a; full
    matrices without aliases in b.  Both hold sums over equally many rows."""
    rng = np.random.default_rng(7)
    base = {k: v for part in ("query", "key", "value")
            for k, v in linear(rng, f"self.{part}", 13, 13).items()}
    case = problem(rng, base | linear(rng, "dense", 13, 9))
    names = list(case["grams"][0])
    rows = json.dumps(dict.fromkeys(names, ROWS))
    note = {"normalization": "sum", "rows": rows}
    for grams in case["grams"]:
        for k in names:
            grams[k] *= ROWS
        grams[names[1]] = grams[names[2]] = grams[names[0]]
    first = {k: case["grams"][0][k] for k in (names[0], names[3])}
    case["grams"][0] = {k: g[np.triu_indices(13)] for k, g in first.items()}
    aliases = json.dumps({names[1]: names[0], names[2]: names[0]})
    return {**case, "metadata": [{**note, "aliases": aliases}, note]}


def conv1d(square):
    """GPT-2 block: weights stored [in, out].  Rectangular ones show it by
    their shape; conv1d-square adds one that only its siblings explain."""
    rng = np.random.default_rng(8)
    shapes = {"attn.c_attn": (10, 30), "mlp.c_fc": (10, 40),
              "mlp.c_proj": (40, 10)}
    if square:
        shapes["attn.c_proj"] = (10, 10)
    base = {k: v.T for name, (n, m) in shapes.items()
            for k, v in linear(rng, f"h.0.{name}", n, m).items()}
    models = [tuned(rng, base, 0.2) for _ in range(2)]
    grams = [{f"h.0.{name}.weight": gram(correlated(rng, n))
              for name, (n, _) in shapes.items()} for _ in models]
    return {"models": models, "grams": grams,
            "orientation": dict.fromkeys(grams[0], "in_out")}


def ill_conditioned(alpha):
    """Both models' inputs fade along the same directions and differ in size
    by 10^4: a float32 factorisation at alpha = 1 is useless."""
    rng = np.random.default_rng(9)
    n = 24
    basis, _ = np.linalg.qr(rng.standard_normal((n, n)))
    fade = basis * np.logspace(0, -3.4, n) @ basis.T
    size = 10 ** rng.uniform(-2, 2, n)
    case = problem(rng, linear(rng, "fc", n, 16), spread=0.01,
                   inputs=lambda rng, n:
                   rng.standard_normal((ROWS, n)) @ fade * size)
    return {**case, "alpha": alpha}


def cases():
    """Yield (folder name, function, its arguments)."""
    for alpha in (1, 0.9, 0.1, 0):
        yield f"mlp-alpha-{alpha}", mlp, (alpha,)
    for alpha in (1, 0.9):
        yield f"dead-features-alpha-{alpha}", dead_features, (alpha,)
        yield f"ill-conditioned-alpha-{alpha}", ill_conditioned, (alpha,)
    for make in (rank_deficient_signs, rank_deficient_integers,
                 repeated_feature, three_halves, packed_aliases):
        yield make.__name__.replace("_", "-"), make, ()
    yield "conv1d", conv1d, (False,)
    yield "conv1d-square", conv1d, (True,)


# Exact solution

def rational(a):
    """Nested lists of Fractions."""
    return [[Fraction(float(x)) for x in row] for row in a]


def exact(weights, grams, alpha, coefficients):
    """W [out, in] by Gauss elimination in rationals of
        (S + Lambda) W^T = sum G~_i W_i^T + Lambda M^T,
    Lambda = FLOOR diag S, or 1 where S has a zero row."""
    n = len(grams[0])
    alpha, cs = Fraction(alpha), [Fraction(c) for c in coefficients]
    rows = [[Fraction(0)] * (n + len(weights[0])) for _ in range(n)]
    means = [[sum(c * x for c, x in zip(cs, xs)) / sum(cs) for xs in zip(*ws)]
             for ws in zip(*(rational(w.T) for w in weights))]
    for c, g, w in zip(cs, grams, weights):
        g, w = rational(g), rational(w.T)
        for i, row in enumerate(rows):
            shrunk = [c * x * (1 if i == j else alpha)
                      for j, x in enumerate(g[i])]
            sides = [sum(s * x for s, x in zip(shrunk, column))
                     for column in zip(*w)]
            rows[i] = [r + x for r, x in zip(row, shrunk + sides)]
    for i, row in enumerate(rows):
        floor = FLOOR * row[i] if row[i] else Fraction(1)
        row[i] += floor
        row[n:] = [x + floor * m for x, m in zip(row[n:], means[i])]
    return np.array(eliminate(rows), float).T


def eliminate(rows):
    """Solve [A | B] with A positive definite; returns X."""
    n = len(rows)
    for i in range(n):
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for k in range(n):
            if k != i and rows[k][i]:
                factor = rows[k][i]
                rows[k] = [x - factor * y for x, y in zip(rows[k], rows[i])]
    return [row[n:] for row in rows]


# Output

def as_dtype(tensors, dtype):
    """Float arrays ready for `write` as dtype."""
    wide = np.float64 if dtype == "F64" else np.float32
    return {k: v.astype(wide) for k, v in tensors.items()}


def save(folder, name, models, grams, alpha=0.9, coefficients=None,
         metadata=None, dtypes=None, gram_dtypes=None, orientation=None,
         description=""):
    """Write models and Gram files; return the content of case.json."""
    letters = "abc"[:len(models)]
    for i, letter in enumerate(letters):
        write(folder / f"{letter}.safetensors", models[i],
              {"format": "pt"}, dtypes)
        kind = (gram_dtypes or ["F32"] * 3)[i]
        note = (metadata or [{}] * 3)[i]
        if note is not None:
            note = {"gram_format": "1", "normalization": "mean",
                    "source": f"golden case {name}, model {letter}", **note}
        write(folder / f"{letter}.gram.safetensors",
              as_dtype(grams[i], kind), note, dict.fromkeys(grams[i], kind))
    return {
        "description": description, "method": "regmean", "alpha": alpha,
        "coefficients": coefficients or [1] * len(models),
        "models": [f"{x}.safetensors" for x in letters],
        "grams": [f"{x}.gram.safetensors" for x in letters],
        "expected": "expected.safetensors",
        "tolerances": {"relative": 1e-6, "ulp": 1},
        "orientation": orientation or {},
    }


def condition(grams, alpha, coefficients):
    """Of the scaled S, without its zero eigenvalues."""
    shrunk = [reference.shrink(g, alpha, c)
              for g, c in zip(grams, coefficients)]
    e, _ = reference.spectrum(sum(shrunk))
    return e[-1] / e[e > reference.ZERO * e[-1]].min()


def expect(folder, case):
    """Write the exact answer, complete `case`; return the worst relative
    error of reference.py."""
    models = [read(folder / name)[0] for name in case["models"]]
    grams = [reference.read_grams(folder / name) for name in case["grams"]]
    settings = case["alpha"], case["coefficients"]
    sideways = case["orientation"]
    merged = reference.merge(models, grams, *settings, sideways)
    solved, errors, conditions = {}, [], []
    for name, weights, gs, flip in reference.layers(models, grams, sideways):
        w = exact(weights, gs, *settings)
        solved[name] = w.T if flip else w
        errors.append(reference.error(merged[name], solved[name]))
        conditions.append(condition(gs, *settings))
    case["regressed"] = list(solved)
    case["condition"] = float(f"{max(conditions):.1e}")
    write(folder / case["expected"], {**merged, **solved})
    return max(errors)


def main(folder):
    for name, make, args in cases():
        (folder / name).mkdir(parents=True, exist_ok=True)
        text = " ".join(make.__doc__.split())
        case = save(folder / name, name, description=text, **make(*args))
        error = expect(folder / name, case)
        text = json.dumps(case, indent=2) + "\n"
        (folder / name / "case.json").write_text(text)
        print(f"{name}: condition {case['condition']:.1e}, "
              f"error of reference.py {error:.1e}", flush=True)


if __name__ == "__main__":
    here = pathlib.Path(__file__).parent
    main(pathlib.Path(sys.argv[1]) if sys.argv[1:] else here / "golden")
