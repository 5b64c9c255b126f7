//! Values of ours inside the template engine: filters get them as they are, templates see what serde would show.
//!
//! Turning every cell of a report into the engine's own values and back is most of the time that rendering takes; so
//! cells, prose and numbers stay what they are, and are only turned when a template looks inside.

use minijinja::value::{Enumerator, Object, ObjectRepr, Serde, Value, ValueKind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// What a filter can be given.
pub(super) trait Given: Clone + fmt::Debug + Send + Sync + Serialize + DeserializeOwned + 'static {}
impl<T: Clone + fmt::Debug + Send + Sync + Serialize + DeserializeOwned + 'static> Given for T {}

/// A value of ours in a template.
#[derive(Debug)]
struct Held<T> {
    inner: T,
    /// What an `if` makes of it.
    filled: bool,
    /// The same as the engine's own value, once a template asked.
    seen: OnceLock<Value>,
}

impl<T: Given> Held<T> {
    fn seen(&self) -> &Value {
        self.seen.get_or_init(|| Value::from(Serde(&self.inner)))
    }
}

impl<T: Given> Object for Held<T> {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.seen().kind() {
            ValueKind::Map => ObjectRepr::Map,
            ValueKind::Seq | ValueKind::Iterable => ObjectRepr::Seq,
            _ => ObjectRepr::Plain,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.seen().get_item(key).ok().filter(|v| !v.is_undefined())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.seen().kind() {
            ValueKind::Map => match self.seen().try_iter() {
                Ok(keys) => Enumerator::Iter(Box::new(keys.collect::<Vec<_>>().into_iter())),
                Err(_) => Enumerator::Empty,
            },
            ValueKind::Seq | ValueKind::Iterable => Enumerator::Seq(self.seen().len().unwrap_or_default()),
            _ => Enumerator::NonEnumerable,
        }
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.filled
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seen())
    }
}

/// A value of ours for a template; `filled` is what an `if` makes of it.
pub(super) fn held<T: Given>(inner: &T, filled: bool) -> Value {
    Value::from_object(Held { inner: inner.clone(), filled, seen: OnceLock::new() })
}

/// What a filter was given: ours as it is, what a template made by way of serde.
pub(super) fn given<T: Given>(value: &Value) -> Result<Cow<'_, T>, minijinja::Error> {
    match value.downcast_object_ref::<Held<T>>() {
        Some(held) => Ok(Cow::Borrowed(&held.inner)),
        None => T::deserialize(value).map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Text;
    use crate::unit::{Quantity, Unit};
    use minijinja::{Environment, context};

    #[test]
    fn templates_see_what_serde_shows() {
        let text = Text::new().t("words").name("a");
        let number = Quantity::int(7, Unit::Bytes);
        let env = Environment::new();
        let of = |value: Value, source: &str| env.render_str(source, context! { v => value }).unwrap();
        for source in ["{{ v }}", "{{ v[1].name }}", "{{ v|length }}", "{% for s in v %}{{ s }};{% endfor %}"] {
            assert_eq!(of(held(&text, true), source), of(Value::from(Serde(&text)), source), "{source}");
        }
        for source in ["{{ v }}", "{{ v.unit }}", "{% for k in v %}{{ k }}{% endfor %}"] {
            assert_eq!(of(held(&number, true), source), of(Value::from(Serde(&number)), source), "{source}");
        }
        assert_eq!(of(held(&Text::new(), false), "{% if v %}filled{% else %}empty{% endif %}"), "empty");
    }

    #[test]
    fn filters_take_ours_and_a_templates_own() {
        let text = Text::new().t("words");
        assert!(matches!(given::<Text>(&held(&text, true)), Ok(Cow::Borrowed(t)) if *t == text));
        assert!(matches!(given::<Text>(&Value::from(Serde(&text))), Ok(Cow::Owned(t)) if t == text));
        assert!(given::<Text>(&Value::from(1)).is_err());
    }
}
