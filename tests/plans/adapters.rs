//! What is no checkpoint, and what is no matter: adapters are refused by what is in them, the state
//! of a training is passed over.

use gramerge::checkpoint::inventory::FileKind;
use gramerge::tensor::dtype::Dtype;

use super::heap::{file, grams, inventory, plan, weights};
use crate::common::Memory;

/// The factors' names as PEFT, kohya's scripts, LyCORIS and diffusers write them.
const FACTORS: [&str; 12] = [
    "base_model.model.layers.0.q.lora_A.weight",
    "base_model.model.layers.0.q.lora_B.default.weight",
    "base_model.model.embed.lora_embedding_A",
    "layers.0.q.lora_magnitude_vector",
    "lora_unet_down_blocks_0.lora_down.weight",
    "lora_unet_down_blocks_0.lora_up.weight",
    "unet.down.0.to_q.lora.up.weight",
    "unet.attn1.processor.to_q_lora.down.weight",
    "text_encoder.q_proj.lora_linear_layer.up.weight",
    "lora_te_mlp_fc1.hada_w1_a",
    "lora_te_mlp_fc1.lokr_w1",
    "diffusion_model.blocks.0.q.lora_A.weight",
];

#[test]
fn adapters_are_refused_by_content() {
    for factor in FACTORS {
        let other = "lora_unet_down_blocks_0.alpha";
        let adapter = |path: &str| {
            let tensors: [(&str, Dtype, &[u64], f64); 2] =
                [(factor, Dtype::F32, &[2, 3], 0.0), (other, Dtype::F32, &[], 0.0)];
            file(path, &tensors, &[])
        };
        let found = inventory(&[adapter("a.safetensors"), adapter("b.safetensors")]);
        assert!(found.suggestion.models.is_empty(), "{factor}");
        let error = found.files[0].error.as_ref().map(ToString::to_string).unwrap_or_default();
        assert_eq!(
            error,
            format!(
                "`a.safetensors`: it is a LoRA adapter (it has `{factor}`), and averaging its \
                 factors would be wrong; merge it into its base first"
            )
        );
        // Also where somebody chooses it all the same.
        let chosen = ["a", "b"].map(|name| {
            let gram = grams(&format!("{name}.gram.safetensors"), &["x"], &[]);
            (adapter(&format!("{name}.safetensors")), gram)
        });
        assert_eq!(plan(&chosen).unwrap_err().to_string(), error);
    }
}

/// Low-rank parts are also what some networks are made of.
#[test]
fn networks_with_such_names_are_not_adapters() {
    for name in ["blocks.0.attn.w_lora.lora.0.weight", "lora.weight", "upsample.down.up.weight"] {
        let found = inventory(&[weights("a.safetensors", &[name], 0.0)]);
        assert_eq!(found.files[0].kind, FileKind::Checkpoint, "{name}");
    }
}

#[test]
fn an_adapters_configuration_tells_of_other_kinds() {
    let config =
        |folder: &str| Memory::new(format!("{folder}/adapter_config.json"), b"{}".to_vec());
    let model = |path: &str| weights(path, &["prompt_embeddings"], 0.0);
    let files = [config("x"), model("x/adapter_model.safetensors"), model("y/model.safetensors")];
    let found = inventory(&files);
    assert_eq!(found.files[1].kind, FileKind::Bad);
    let error = found.files[1].error.as_ref().unwrap().to_string();
    assert!(error.contains("it is an adapter (`adapter_config.json` is beside it)"), "{error}");
    assert_eq!(found.files[2].kind, FileKind::Checkpoint);
}

#[test]
fn the_state_of_a_training_is_not_needed() {
    let pickle = |path: &str| Memory::new(path, b"\x80\x02}q\x00.".to_vec());
    let state = [
        "training_args.bin",
        "optimizer.pt",
        "optimizer.bin",
        "scheduler.pt",
        "scheduler.bin",
        "scaler.pt",
        "rng_state.pth",
        "rng_state_0.pth",
        "random_states_0.pkl",
        "global_step9/zero_pp_rank_0_mp_rank_00_optim_states.pt",
        "global_step9/mp_rank_00_model_states.pt",
    ];
    let copies = ["pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "tf_model.h5"];
    for folder in ["", "checkpoint-500/"] {
        let at = |name: &&str| pickle(&format!("{folder}{name}"));
        let model = || weights(&format!("{folder}model.safetensors"), &["x.weight"], 0.0);
        let beside: Vec<Memory> = state.iter().chain(&copies).map(at).chain([model()]).collect();
        let found = inventory(&beside);
        assert_eq!(found.warnings, Vec::<String>::new());
        let last = beside.len() - 1;
        assert!(found.files[..last].iter().all(|file| file.kind == FileKind::Other));
        assert_eq!(found.suggestion.models.len(), 1);

        // Without safetensors, weights in another format are what somebody wanted to merge.
        let alone: Vec<Memory> = state.iter().chain(&copies).map(at).collect();
        for file in inventory(&alone).files {
            let is_copy = copies.iter().any(|name| file.path.ends_with(name));
            assert_eq!(file.kind == FileKind::Bad, is_copy, "{}", file.path);
        }
    }
    let stranger = inventory(&[pickle("model.bin"), weights("a.safetensors", &["x"], 0.0)]);
    assert_eq!(stranger.files[0].kind, FileKind::Bad);
}

#[test]
fn a_gram_file_alone_says_what_to_add() {
    let found = inventory(&[grams("a.gram.safetensors", &["x.weight"], &[])]);
    let [warning] = &found.warnings[..] else { panic!("{:?}", found.warnings) };
    assert!(warning.contains("waits for its model: add the checkpoint"), "{warning}");
}
