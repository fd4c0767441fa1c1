//! Makes of the rows of a section the type that the section is parsed into.
//!
//! A key is written once, as a row: the field that holds its value, the list of the keys that a file gives, and the texts
//! in which `${NAME}` is replaced come from that row, so that none of them can lack a key. The types that the expansion
//! names are those that the list of keys imports.

/// The name of a key: that of its field, unless the row gives another one because the name is a keyword of Rust.
macro_rules! name_of {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $name:literal) => {
        $name
    };
}

/// Makes the type that a `[section]` is parsed into, and its rows. A field has the name of its key. `groups of` lists
/// fields whose rows are kept elsewhere, and the function that returns these rows: such groups are removed from the
/// text before the rest is parsed.
macro_rules! section {
    (
        $(#[$doc:meta])*
        $Struct:ident, $SECTION:ident, $heading:literal;
        $($field:ident $(as $name:literal)?: $Type:ty = $key:expr;)*
        $([groups of $more:path: $($other:ident)*])?
    ) => {
        $(#[$doc])*
        #[derive(Deserialize, Default)]
        #[serde(default, deny_unknown_fields)]
        pub(super) struct $Struct {
            $($(#[serde(rename = $name)])? pub $field: $Type,)*
            $($(#[serde(skip)] pub $other: Vec<GroupSection>,)*)?
        }

        #[allow(non_upper_case_globals, reason = "a row has the name of its field")]
        impl $Struct {
            $(pub(super) const $field: Key = $key.named(name_of!($field $($name)?));)*

            /// The keys that are given in the file, in the order of their rows.
            #[allow(dead_code, reason = "not every section asks")]
            pub(super) fn given(&self) -> Vec<Given> {
                let all = [$((Self::$field.name, self.$field.place()),)*];
                let given = all.into_iter().filter_map(|(key, place)| Some(Given { key, place: place? }));
                $($(
                    let groups = self.$other.iter();
                    let given = given.chain(groups.map(|group| Given { key: group.name, place: group.place.clone() }));
                )*)?
                given.collect()
            }

            /// The texts in which `${NAME}` stands for an environment variable.
            #[allow(dead_code, reason = "not every section asks")]
            pub(super) fn texts_with_variables(&mut self) -> Vec<(&'static str, Part<'_>)> {
                let all = [$((Self::$field, self.$field.parts()),)*];
                let wanted = all.into_iter().filter(|(key, _)| key.takes_variables);
                wanted.flat_map(|(key, parts)| parts.into_iter().map(move |part| (key.name, part))).collect()
            }
        }

        impl Parts for Option<Spanned<$Struct>> {}

        static $SECTION: Section = Section {
            heading: $heading,
            rows: &[$($Struct::$field),*],
            more: section!(@more $($more)?),
        };
    };
    (@more) => { no_more };
    (@more $more:path) => { $more };
}

pub(super) use {name_of, section};
