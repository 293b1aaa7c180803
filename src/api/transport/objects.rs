//! JSON in which an object is written as an object. What serde derives for a struct takes an array of its fields in their
//! order as well, at any depth: `["ring"]` would begin a scan.

use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected,
    Visitor,
};

/// Reads a whole text.
///
/// # Errors
/// It is no JSON, or not of this type. The message says where.
pub(super) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Mistake> {
    let mut text = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(Strict(&mut text)).map_err(|error| {
        let message = error.to_string();
        Mistake { message, is_json: error.inner().is_data() }
    })?;
    text.end().map_err(|error| Mistake { message: error.to_string(), is_json: false })?;
    Ok(value)
}

/// What is wrong with a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    /// What it is, and where: the key, or line and column.
    pub(super) message: String,
    /// Whether it is JSON, but of something else.
    pub(super) is_json: bool,
}

/// A deserializer, and everything that it hands out, with structs from maps alone.
struct Strict<T>(T);

/// A visitor that hands on strict deserializers; `object` tells that no sequence is wanted.
struct Visiting<V> {
    visitor: V,
    object: bool,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(Visiting { visitor, object: false })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct(name, fields, Visiting { visitor, object: true })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(Visiting { visitor, object: false })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        // Ours are words here.
        self.0.deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

/// Hands on what is no container.
macro_rules! pass_on {
    ($($visit:ident($type:ty);)+) => {$(
        fn $visit<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.visitor.$visit(value)
        }
    )+};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Visiting<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    pass_on! {
        visit_bool(bool);
        visit_i64(i64);
        visit_u64(u64);
        visit_f64(f64);
        visit_str(&str);
        visit_borrowed_str(&'de str);
        visit_string(String);
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Strict(inner))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<V::Value, A::Error> {
        if self.object {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Err(A::Error::invalid_type(Unexpected::Seq, &"an object"));
        }
        self.visitor.visit_seq(Strict(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Strict(entries))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        self.0.next_element_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.0.next_value_seed(Strict(seed))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Strict(deserializer))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        name: String,
        inner: Option<Inner>,
        all: Vec<Inner>,
        pair: [f64; 2],
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        number: u32,
    }

    #[test]
    fn objects_are_read_as_ever_and_arrays_are_none_at_any_depth() {
        let right = br#"{"name": "a", "inner": {"number": 1}, "all": [{"number": 2}], "pair": [1, 2.5]}"#;
        let outer = Outer {
            name: "a".into(),
            inner: Some(Inner { number: 1 }),
            all: vec![Inner { number: 2 }],
            pair: [1.0, 2.5],
        };
        assert_eq!(read::<Outer>(right), Ok(outer));
        assert_eq!(
            serde_json::from_str::<Outer>(r#"["a", null, [], [1, 2]]"#).unwrap().name,
            "a",
            "or else: why?"
        );
        for (wrong, place) in [
            (r#"["a", null, [], [1, 2]]"#, "expected an object"),
            (r#"{"name": "a", "inner": [1], "all": [], "pair": [1, 2]}"#, "inner: invalid type: sequence"),
            (
                r#"{"name": "a", "inner": null, "all": [[1]], "pair": [1, 2]}"#,
                "all[0]: invalid type: sequence",
            ),
            (r#"{"name": "a", "name": "b", "all": [], "pair": [1, 2]}"#, "duplicate field"),
            (r#"{"name": "a", "all": [], "pair": [1, 2]} {}"#, "trailing"),
            (r#""a""#, "invalid type"),
            ("", "EOF"),
        ] {
            let message = read::<Outer>(wrong.as_bytes()).unwrap_err().message;
            assert!(message.contains(place), "{wrong}: {message}");
        }
    }
}
