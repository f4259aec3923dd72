//! Every shader is valid, and lays its parameters out as Rust does.

use std::mem::offset_of;

use gramerge::backend::gpu::shaders::{Kernel, Tile, source};
use gramerge::backend::gpu::{AssemblyParams, Params};
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
    // No capability beyond what every browser has: to unpack halves is all.
    let unpacks = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    let mut validator = Validator::new(ValidationFlags::all(), unpacks);
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

/// Names and offsets of a struct's fields, in order, and its size.
type Layout = (Vec<(String, u32)>, u32);

macro_rules! layout {
    ($own:ty: $($field:ident),+) => {{
        let fields = [$((stringify!($field), offset_of!($own, $field))),+];
        let fields = fields.map(|(name, offset)| (name.to_string(), offset as u32));
        (Vec::from(fields), size_of::<$own>() as u32)
    }};
}

fn params() -> Layout {
    layout!(
        Params: depth, triangle, alpha, beta, a_first, a_stride, a_step, b_first, b_stride, b_step,
        c_first, c_stride, c_step, n, first, row_first
    )
}

fn assembly() -> Layout {
    layout!(
        AssemblyParams: dtype, anchor_dtype, rows, row_end, cols, stride, row_first, col_first,
        row_in_whole, out_stride, factor, adds, unused0, unused1, unused2, unused3
    )
}

/// The layout of the shader's uniform buffer, if it has this name.
fn layout_in_shader(text: &str, name: &str) -> Option<Layout> {
    let module = check(text).unwrap_or_else(|error| panic!("{error}"));
    let (_, own) = module.types.iter().find(|(_, own)| own.name.as_deref() == Some(name))?;
    let naga::TypeInner::Struct { members, span } = &own.inner else { return None };
    let field = |member: &naga::StructMember| (member.name.clone(), member.offset);
    let fields = members.iter().map(field).map(|(name, at)| (name.unwrap_or_default(), at));
    Some((fields.collect(), *span))
}

#[test]
fn parameters_lie_where_rust_puts_them() {
    for (name, text) in texts() {
        let found = [("Params", params()), ("Assembly", assembly())].map(|(own, wanted)| {
            layout_in_shader(&text, own).map(|found| assert_eq!(found, wanted))
        });
        assert_eq!(found.into_iter().flatten().count(), 1, "{name} has not one of the two");
    }
    let text = source(Kernel::FactorBlock, Tile::ALL[0]);
    let moved = text.replace("depth: u32", "planted: f32, depth: u32");
    assert_ne!(layout_in_shader(&moved, "Params"), Some(params()));
}
