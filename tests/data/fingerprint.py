"""Make fingerprint/: three small models and their Gram files, by the README's own Python.

    fingerprint.py

Cuts the snippet out of README.md and runs it with PyTorch, once per model, so that the
Rust test of fingerprints has an oracle that knows nothing of the Rust code.  The models
have weights longer and shorter than 256 elements, with values that lie in the middle of two
bf16 numbers and just beside it; two layers that are one weight (so the checkpoint lacks a
name); an output layer tied to the embedding; F32, F16, BF16 and F64.  Model b is sharded.

Made with the versions in fingerprint/versions.json; needs torch and safetensors.
"""

import json
import os
import pathlib
import re

import safetensors
import torch
from safetensors.torch import load_file, save_file, save_model

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = HERE / "fingerprint"
README = (HERE.parent.parent / "README.md").read_text(encoding="utf8")
CUT = re.compile(r"^# … run .*$", re.MULTILINE)
SIZE, VOCABULARY = 20, 9


class Model(torch.nn.Module):
    def __init__(self, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.embed = torch.nn.Embedding(VOCABULARY, SIZE)
        self.q = torch.nn.Linear(SIZE, SIZE)
        self.k = torch.nn.Linear(SIZE, SIZE)
        self.wide = torch.nn.Linear(SIZE, 24)
        self.narrow = torch.nn.Linear(24, SIZE, bias=False)
        self.twice = torch.nn.Linear(SIZE, SIZE, bias=False)
        self.again = torch.nn.Linear(SIZE, SIZE, bias=False)
        self.small = torch.nn.Linear(SIZE, 3)
        self.head = torch.nn.Linear(SIZE, VOCABULARY, bias=False)
        self.again.weight = self.twice.weight
        self.head.weight = self.embed.weight
        with torch.no_grad():
            for name, weight in sorted(self.named_parameters()):
                plant_middles(weight, seed)

    def forward(self, tokens):
        x = self.embed(tokens)
        x = torch.tanh(self.q(x) + self.k(x))
        x = torch.tanh(self.narrow(torch.tanh(self.wide(x))))
        return self.small(self.again(self.twice(x))), self.head(x)


def plant_middles(weight, seed):
    """Every fifth element in the middle of two bf16 numbers, those behind it a bit beside."""
    flat = weight.view(-1)
    near = flat.to(torch.bfloat16).float()
    bits = near.view(torch.int32)
    for offset, low in ((0, 0x8000), (1, 0x8001), (2, 0x7FFF)):
        place = slice(seed + offset, None, 5)
        flat[place] = (bits[place] | low).view(torch.float32)


def run(model, paths, name):
    snippet = re.search(r"```python\n(.*?)```", README, re.DOTALL).group(1)
    before, after = CUT.split(snippet)
    before = before.replace('["model.safetensors"]', repr(paths))
    after = after.replace("model.gram.safetensors", name)
    scope = {"model": model.eval()}
    exec(before, scope)
    with torch.no_grad():
        for _ in range(4):
            model(torch.randint(VOCABULARY, (2, 25)))
    exec(after, scope)


def convert(path, new, dtypes):
    """The same checkpoint with other dtypes, in the order of names."""
    tensors = load_file(path)
    tensors = {n: tensors[n].to(dtypes[i % len(dtypes)]) for i, n in enumerate(sorted(tensors))}
    save_file(tensors, new)


def shard(path, new):
    tensors = load_file(path)
    for part in (0, 1):
        names = sorted(tensors)[part::2]
        save_file({n: tensors[n] for n in names}, new.format(part + 1))


def main():
    FOLDER.mkdir(exist_ok=True)
    os.chdir(FOLDER)
    a, b, c = Model(0), Model(1), Model(2)
    save_model(a, "a.safetensors")
    run(a, ["a.safetensors"], "a.gram.safetensors")
    # The same model in bf16, whose fingerprint must not differ.
    convert("a.safetensors", "a-bf16.safetensors", [torch.bfloat16])
    run(a, ["a-bf16.safetensors"], "a-bf16.gram.safetensors")
    save_model(b, "b.safetensors")
    shard("b.safetensors", "b-0000{}-of-00002.safetensors")
    os.remove("b.safetensors")
    run(b, [f"b-0000{part}-of-00002.safetensors" for part in (1, 2)], "b.gram.safetensors")
    save_model(c, "c-f32.safetensors")
    convert("c-f32.safetensors", "c.safetensors", [torch.float16, torch.float64, torch.float32])
    os.remove("c-f32.safetensors")
    run(c, ["c.safetensors"], "c.gram.safetensors")
    alias("c.gram.safetensors", c)
    versions = {"torch": torch.__version__.split("+")[0], "safetensors": safetensors.__version__}
    pathlib.Path("versions.json").write_text(json.dumps(versions) + "\n")


def alias(path, model):
    """As for layers that read the same input: k shares the matrix of q, and has none of its own."""
    model.k = torch.nn.Sequential()  # no Linear any more, so the snippet passes it over
    model.forward = lambda tokens: Model.forward(model, tokens)
    run(model, ["c.safetensors"], path)
    with safetensors.safe_open(path, "pt") as file:
        metadata = file.metadata()
    metadata["aliases"] = json.dumps({"k.weight": "q.weight"})
    save_file(load_file(path), path, metadata)


if __name__ == "__main__":
    main()
