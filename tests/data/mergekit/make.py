"""Make the fixtures of mergekit's answers: models/, expected/ and versions.json.

    make.py [FOLDER]

FOLDER (default: this script's) must hold recipes/*.yaml, which are written by
hand.  Each is given unchanged to mergekit's own command, `mergekit-yaml`, in
this process.  Recipes name models `../models/a.safetensors`; mergekit wants a
folder per model and takes paths from the working directory, so it runs in the
`recipes` folder of a scratch copy where `models/a.safetensors` is a folder with
config.json and model.safetensors.

Two things are watched or settled from outside, nothing else is changed:

- mergekit ranks magnitudes with an unstable sort, so which of equals survive a
  threshold is open.  Here the lower index ranks higher.  versions.json lists the
  tensors that had equals on both sides of a threshold as `equal_magnitudes`.
- For DARE, what each random mask kept goes to expected/NAME.masks.safetensors:
  uint8 tensors called `a/TENSOR`, 1 for a kept element.

Needs `pip install mergekit==0.1.5`; made with Python 3.11.7, torch 2.15.0 (CPU)
and what else versions.json says.  Half a minute; the same bytes every time.
"""

import json
import logging
import os
import pathlib
import platform
import shutil
import sys
import tempfile
import types
from importlib.metadata import version

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
from mergekit import sparsify
from mergekit.merge_methods import generalized_task_arithmetic as deltas
from mergekit.scripts import run_yaml
from safetensors.torch import save_file

LAYERS, HIDDEN, INNER, KEYS, VOCABULARY = 4, 8, 12, 4, 32
CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama",
    "num_hidden_layers": LAYERS, "hidden_size": HIDDEN, "intermediate_size": INNER,
    "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": VOCABULARY,
    "tie_word_embeddings": False,
}
RANDOM_SEED = "7"  # of mergekit, for DARE


# Models

def shapes():
    """{tensor name: shape} of the Llama that CONFIG describes."""
    found = {"model.embed_tokens.weight": (VOCABULARY, HIDDEN)}
    for layer in range(LAYERS):
        for name, shape in {
            "input_layernorm": (HIDDEN,),
            "self_attn.q_proj": (HIDDEN, HIDDEN), "self_attn.k_proj": (KEYS, HIDDEN),
            "self_attn.v_proj": (KEYS, HIDDEN), "self_attn.o_proj": (HIDDEN, HIDDEN),
            "post_attention_layernorm": (HIDDEN,),
            "mlp.up_proj": (INNER, HIDDEN), "mlp.gate_proj": (INNER, HIDDEN),
            "mlp.down_proj": (HIDDEN, INNER),
        }.items():
            found[f"model.layers.{layer}.{name}.weight"] = shape
    return found | {"model.norm.weight": (HIDDEN,),
                    "lm_head.weight": (VOCABULARY, HIDDEN)}


def spread(name):
    """Size of the changes: attention's take SLERP out of its linear branch."""
    return 0.5 if "self_attn" in name else 0.02


def ordinary(rng, name, shape):
    """Base and three changes that share a direction; a fifth of each is zero."""
    base = rng.standard_normal(shape)
    common = rng.standard_normal(shape)
    changes = spread(name) * (common + rng.standard_normal((3, *shape)))
    return base, changes * (rng.random((3, *shape)) > 0.2)


def grid(rng, shape, levels):
    """Base and changes that float32 adds exactly; changes of a few sizes."""
    base = rng.integers(-64, 64, shape) / 32
    sizes = rng.integers(1, levels + 1, (3, *shape)) / 64
    return base, sizes * rng.choice([-1, 1], (3, *shape))


def tensor(rng, name, shape):
    """Base and changes of one tensor, with the special cases."""
    base, changes = ordinary(rng, name, shape)
    match name.removeprefix("model.layers.").removesuffix(".weight"):
        case "0.self_attn.q_proj":  # models that disagree: negative cosines
            changes[1] = -0.5 * changes[0] + 0.3 * changes[1]
            changes[2] = -0.5 * changes[0] + 0.3 * changes[2]
        case "0.mlp.down_proj":  # a and b cancel exactly, c is in half of it
            base, changes = grid(rng, shape, 3)
            changes[1] = -changes[0]
            changes[2, : HIDDEN // 2] = 0
        case "1.input_layernorm":  # changes too small for Model Stock's guard
            changes *= 0.005
        case "1.mlp.up_proj":  # one magnitude everywhere
            base, changes = grid(rng, shape, 1)
        case "2.mlp.gate_proj":  # three magnitudes
            base, changes = grid(rng, shape, 3)
        case "2.self_attn.o_proj":  # the same in all models
            changes *= 0
        case "3.post_attention_layernorm":  # a did not move
            changes[0] = 0
        case "3.self_attn.v_proj":  # b is a
            changes[1] = changes[0]
    return base, changes


def models():
    """{model name: {tensor name: tensor}}."""
    rng = np.random.default_rng(14)
    made = {name: {} for name in ("base", "a", "b", "c")}
    for name, shape in shapes().items():
        base, changes = tensor(rng, name, shape)
        for model, values in zip(made.values(), [base, *(base + changes)]):
            model[name] = torch.tensor(values, dtype=torch.float32)
    for name in ("base", "a", "b"):
        made[f"{name}-bf16"] = {k: v.bfloat16() for k, v in made[name].items()}
    return made


# mergekit

class Watch:
    """Watches mergekit choose elements; settles the order of equal magnitudes."""

    def __init__(self):
        self.masks = {}  # of one recipe: {"a/tensor": mask}
        self.equal = set()  # of one recipe: names of tensors
        self.tensor, self.models, self.mask = None, [], None
        self.merge_group = deltas.GeneralizedTaskArithmeticMerge.merge_group
        self.sparsify = deltas.sparsify
        self.apply_mask = sparsify.rescaled_masked_tensor

    def install(self):
        watch = self

        def merge_group(method, group, /, **parameters):
            watch.tensor = group.metadata.name
            watch.models = [pathlib.Path(e.id.model.path).stem for e in group.non_base]
            return watch.merge_group(method, group, **parameters)

        def apply_mask(values, mask, *rest):
            watch.mask = mask
            return watch.apply_mask(values, mask, *rest)

        deltas.GeneralizedTaskArithmeticMerge.merge_group = merge_group
        deltas.sparsify = self.note
        sparsify.rescaled_masked_tensor = apply_mask
        sparsify.torch = ranking_torch()

    def note(self, delta, **options):
        """Call mergekit's sparsify; note the mask, and equals on both its sides."""
        self.mask = torch.ones_like(delta)
        result = self.sparsify(delta, **options)
        kept = self.mask.bool().reshape(delta.shape)
        if options["method"] == sparsify.SparsificationMethod.random:
            self.masks[f"{self.models.pop(0)}/{self.tensor}"] = kept.to(torch.uint8)
        else:
            sides = [set(delta[side].abs().tolist()) for side in (kept, ~kept)]
            if sides[0] & sides[1] - {0.0}:
                self.equal.add(self.tensor)
        return result


def ranking_torch():
    """torch, but among equal values the lower index ranks higher."""
    def ranked(values):
        return torch.argsort(values, descending=True, stable=True)

    class Ranking(types.ModuleType):
        def __getattr__(self, name):
            return getattr(torch, name)

    ranking = Ranking("torch")
    ranking.argsort = lambda values, descending: ranked(values)
    ranking.sort = lambda values, descending: types.SimpleNamespace(
        indices=ranked(values).flip(0))
    return ranking


def merge(recipe, out):
    """Run `mergekit-yaml RECIPE OUT` in the working directory."""
    options = ["--no-copy-tokenizer", "--no-write-model-card", "--quiet",
               "--random-seed", RANDOM_SEED]
    run_yaml.main([recipe, str(out), *options], standalone_mode=False)


# Files

def write_models(folder, scratch):
    """The committed files, and a folder for mergekit beside each."""
    for part in (folder, scratch):
        shutil.rmtree(part / "models", ignore_errors=True)
        (part / "models").mkdir(parents=True)
    config = json.dumps(CONFIG, indent=1) + "\n"
    (folder / "models" / "config.json").write_text(config)
    for name, tensors in models().items():
        file = folder / "models" / f"{name}.safetensors"
        save_file(tensors, file, metadata={"format": "pt"})
        inside = scratch / "models" / file.name
        inside.mkdir()
        (inside / "config.json").write_text(config)
        shutil.copy(file, inside / "model.safetensors")


def main(folder):
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    scratch = pathlib.Path(tempfile.mkdtemp())
    write_models(folder, scratch)
    shutil.copytree(folder / "recipes", scratch / "recipes")
    expected = folder / "expected"
    shutil.rmtree(expected, ignore_errors=True)
    expected.mkdir()
    os.chdir(scratch / "recipes")
    watch, equal = Watch(), {}
    watch.install()
    for recipe in sorted(pathlib.Path(".").glob("*.yaml")):
        watch.masks, watch.equal = {}, set()
        out = scratch / "out" / recipe.stem
        merge(recipe.name, out)
        shutil.copy(out / "model.safetensors", expected / f"{recipe.stem}.safetensors")
        if watch.masks:
            save_file(watch.masks, expected / f"{recipe.stem}.masks.safetensors")
        if watch.equal:
            equal[recipe.stem] = sorted(watch.equal)
    packages = ("mergekit", "torch", "transformers", "safetensors", "numpy")
    made_with = {"python": platform.python_version(),
                 **{name: version(name) for name in packages}}
    (folder / "versions.json").write_text(json.dumps(
        {**made_with, "random_seed": int(RANDOM_SEED), "equal_magnitudes": equal},
        indent=1) + "\n")
    shutil.rmtree(scratch)


if __name__ == "__main__":
    here = pathlib.Path(__file__).resolve().parent
    main(pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else here)
