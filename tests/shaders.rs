//! Every shader is valid, and lays its parameters out as Rust does.

use std::mem::offset_of;

use gramerge::backend::gpu::Params;
use gramerge::backend::gpu::shaders::{Kernel, Tile, source};
use naga::front::wgsl;
use naga::valid::{Capabilities, ValidationFlags, Validator};

/// What WebGPU lets every shader have.
const MAX_WORKGROUP_BYTES: u32 = 16384;

/// Each kernel, with each register tile if it has one.
fn texts() -> Vec<(String, String)> {
    let tiles = |kernel: Kernel| if kernel.is_tiled() { &Tile::ALL[..] } else { &Tile::ALL[..1] };
    let text = |kernel: Kernel, tile: Tile| (format!("{kernel:?}, {tile:?}"), source(kernel, tile));
    let of = |kernel: Kernel| tiles(kernel).iter().map(move |tile| text(kernel, *tile));
    Kernel::ALL.into_iter().flat_map(of).collect()
}

fn check(text: &str) -> Result<naga::Module, String> {
    let module = wgsl::parse_str(text).map_err(|error| error.emit_to_string(text))?;
    // No capability beyond what every browser has.
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
    validator.validate(&module).map_err(|error| error.emit_to_string(text))?;
    Ok(module)
}

#[test]
fn every_shader_is_valid() {
    let texts = texts();
    assert!(texts.len() >= Kernel::ALL.len(), "only {} shaders", texts.len());
    for (name, text) in texts {
        let module = check(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let entries: Vec<&str> = module.entry_points.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(entries, ["main"], "{name}");
        assert!(workgroup_bytes(&module) <= MAX_WORKGROUP_BYTES, "{name}");
    }
}

#[test]
fn a_planted_error_is_seen() {
    let text = source(Kernel::Multiply, Tile::ALL[0]);
    assert!(check(&text.replace("vec4f()", "vec3f()")).is_err());
}

fn workgroup_bytes(module: &naga::Module) -> u32 {
    let own = module.global_variables.iter().map(|(_, variable)| variable);
    let own = own.filter(|variable| variable.space == naga::AddressSpace::WorkGroup);
    own.map(|variable| module.types[variable.ty].inner.size(module.to_ctx())).sum()
}

/// Name and offset of each field of `Params`, in order.
fn fields() -> Vec<(String, u32)> {
    macro_rules! fields {
        ($($field:ident),+) => {
            vec![$((stringify!($field).to_string(), offset_of!(Params, $field) as u32)),+]
        };
    }
    fields!(
        depth, triangle, alpha, beta, a_first, a_stride, a_step, b_first, b_stride, b_step,
        c_first, c_stride, c_step, n, first, row_first
    )
}

fn fields_of_shader(text: &str) -> (Vec<(String, u32)>, u32) {
    let module = check(text).unwrap_or_else(|error| panic!("{error}"));
    let named = module.types.iter().find(|(_, own)| own.name.as_deref() == Some("Params"));
    let (_, own) = named.unwrap_or_else(|| panic!("no Params in the shader"));
    let naga::TypeInner::Struct { members, span } = &own.inner else { panic!("no struct") };
    let field =
        |member: &naga::StructMember| (member.name.clone().unwrap_or_default(), member.offset);
    (members.iter().map(field).collect(), *span)
}

#[test]
fn parameters_lie_where_rust_puts_them() {
    for (name, text) in texts() {
        assert_eq!(fields_of_shader(&text), (fields(), size_of::<Params>() as u32), "{name}");
    }
    let moved =
        source(Kernel::FactorBlock, Tile::ALL[0]).replace("depth: u32", "_x: f32, depth: u32");
    assert_ne!(fields_of_shader(&moved).0, fields(), "a planted field went unseen");
}
