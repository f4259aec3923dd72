//! Methods and their parameters, as mergekit has them.

use gramerge::recipe::{BaseModel, KnownMethod, KnownParameter};

const fn model(name: &str) -> KnownParameter<'_> {
    KnownParameter { name, is_per_model: true, is_switch: false }
}

const fn shared(name: &str) -> KnownParameter<'_> {
    KnownParameter { name, is_per_model: false, is_switch: false }
}

const fn switch(name: &str) -> KnownParameter<'_> {
    KnownParameter { name, is_per_model: false, is_switch: true }
}

const DELTA: [KnownParameter<'_>; 7] = [
    model("weight"),
    model("density"),
    model("gamma"),
    switch("normalize"),
    switch("rescale"),
    switch("int8_mask"),
    shared("lambda"),
];

const fn delta(name: &str) -> KnownMethod<'_> {
    KnownMethod { name, aliases: &[], base: BaseModel::Apart, parameters: &DELTA }
}

pub(crate) const METHODS: [KnownMethod<'_>; 9] = [
    KnownMethod {
        name: "average",
        aliases: &["linear"],
        base: BaseModel::Joins,
        parameters: &[model("weight"), switch("normalize")],
    },
    KnownMethod {
        name: "regmean",
        aliases: &[],
        base: BaseModel::None,
        parameters: &[model("weight"), shared("alpha")],
    },
    delta("task_arithmetic"),
    delta("ties"),
    delta("dare_linear"),
    delta("dare_ties"),
    delta("breadcrumbs"),
    KnownMethod { name: "slerp", aliases: &[], base: BaseModel::Apart, parameters: &[shared("t")] },
    KnownMethod {
        name: "model_stock",
        aliases: &[],
        base: BaseModel::Apart,
        parameters: &[switch("filter_wise")],
    },
];
