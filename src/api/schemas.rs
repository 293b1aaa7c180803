//! Schemas as generators of clients understand them. What serde flattens, utoipa writes as `allOf` of things that need not be
//! objects, and most generators drop that without a word. Written out, each is an object, or one of several.

use std::collections::{BTreeMap, BTreeSet};

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{AllOf, Array, ArrayItems, Object, OneOf, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{KnownFormat, OpenApi, RefOr, Schema};

type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Writes out what is put together in the components of a document.
pub(super) fn write_out(document: &mut OpenApi) {
    let Some(components) = &mut document.components else { return };
    let known = components.schemas.clone();
    for schema in components.schemas.values_mut() {
        plain(schema, &known);
    }
    while forget_unused(document) {}
}

/// Takes out what nothing refers to any more, and whether there was anything.
fn forget_unused(document: &mut OpenApi) -> bool {
    let text = document.to_json().unwrap_or_default();
    let behind = text.split("\"#/components/schemas/").skip(1);
    let used: BTreeSet<&str> = behind.filter_map(|rest| rest.split('"').next()).collect();
    let Some(components) = &mut document.components else { return false };
    let before = components.schemas.len();
    components.schemas.retain(|name, _| used.contains(name.as_str()));
    components.schemas.len() < before
}

/// Bodies of bytes are no arrays of numbers.
pub(super) fn bytes_are_bytes(operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        for content in response.content.values_mut() {
            if matches!(&content.schema, Some(RefOr::T(Schema::Array(_)))) {
                let mut bytes = Object::with_type(Type::String);
                bytes.format = Some(SchemaFormat::KnownFormat(KnownFormat::Binary));
                content.schema = Some(bytes.into());
            }
        }
    }
}

fn plain(schema: &mut RefOr<Schema>, known: &Schemas) {
    let RefOr::T(inner) = schema else { return };
    match inner {
        Schema::AllOf(all) => *schema = together(all, known).into(),
        Schema::OneOf(one) => {
            // What it is without it is said where it is absent.
            one.default = None;
            one.items.iter_mut().for_each(|item| plain(item, known));
            one.items = std::mem::take(&mut one.items).into_iter().flat_map(opened).collect();
        }
        Schema::Object(object) => object.properties.values_mut().for_each(|property| plain(property, known)),
        Schema::Array(Array { items: ArrayItems::RefOrSchema(items), .. }) => plain(items, known),
        Schema::Array(_) | Schema::AnyOf(_) | _ => {}
    }
}

/// The alternatives of one that is itself an alternative.
fn opened(item: RefOr<Schema>) -> Vec<RefOr<Schema>> {
    match item {
        RefOr::T(Schema::OneOf(one)) => one.items,
        item @ (RefOr::Ref(_) | RefOr::T(_)) => vec![item],
    }
}

/// What has the properties of all parts.
fn together(all: &AllOf, known: &Schemas) -> Schema {
    let mut objects = alternatives(&Schema::AllOf(all.clone()), known);
    if objects.len() == 1
        && let Some(mut object) = objects.pop()
    {
        object.description = all.description.clone().or(object.description);
        return Schema::Object(object);
    }
    let mut one = OneOf::new();
    one.items = objects.into_iter().map(RefOr::from).collect();
    one.description.clone_from(&all.description);
    Schema::OneOf(one)
}

/// Every object that something can be.
fn alternatives(schema: &Schema, known: &Schemas) -> Vec<Object> {
    let of = |item: &RefOr<Schema>| match item {
        RefOr::T(schema) => alternatives(schema, known),
        RefOr::Ref(reference) => {
            match reference.ref_location.rsplit('/').next().and_then(|name| known.get(name)) {
                Some(RefOr::T(schema)) => alternatives(schema, known),
                Some(RefOr::Ref(_)) | None => Vec::new(),
            }
        }
    };
    match schema {
        Schema::Object(object) => {
            let mut object = object.clone();
            object.properties.values_mut().for_each(|property| plain(property, known));
            vec![object]
        }
        Schema::OneOf(one) => one.items.iter().flat_map(of).collect(),
        Schema::AllOf(all) => all.items.iter().map(of).fold(vec![nothing()], |before, part| {
            before.iter().flat_map(|one| part.iter().map(|other| merged(one, other))).collect()
        }),
        Schema::Array(_) | Schema::AnyOf(_) | _ => Vec::new(),
    }
}

/// An object of which nothing is known.
fn nothing() -> Object {
    Object::with_type(SchemaType::new(Type::Object))
}

fn merged(one: &Object, other: &Object) -> Object {
    let mut both = one.clone();
    both.description = one.description.clone().or_else(|| other.description.clone());
    both.required.extend(other.required.iter().cloned());
    both.properties.extend(other.properties.clone());
    both
}
