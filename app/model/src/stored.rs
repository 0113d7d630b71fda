//! Enums that are stored as words or as integer codes.

/// Declares enums whose variants are words: in the database (a `TEXT` column), in JSON and in addresses.
///
/// ```
/// model::word_enum! {
///     /// How a day ended.
///     pub enum Weather {
///         Sunny = "sunny",
///         VeryWet = "very_wet",
///     }
/// }
/// assert_eq!(Weather::VeryWet.as_str(), "very_wet");
/// assert_eq!(Weather::parse("sunny"), Some(Weather::Sunny));
/// assert_eq!(Weather::ALL.len(), 2);
/// ```
#[macro_export]
macro_rules! word_enum {
    ($($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)? })+) =>
        {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, $crate::serde::Serialize, $crate::serde::Deserialize)]
        #[serde(crate = "::model::serde")]
        $vis enum $name {$(
            $(#[$variant_meta])*
            #[serde(rename = $word)]
            $variant,
        )+}

        impl $name {
            /// All variants, in the order of their declaration.
            pub const ALL: [Self; [$(stringify!($variant)),+].len()] = [$(Self::$variant),+];

            /// The stored word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// From the stored word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        $crate::__stored_as_text!($name);
    )+};
}

/// Declares enums that are stored as integer codes (a `BIGINT` column); in JSON they are the name of the variant.
///
/// ```
/// model::code_enum! {
///     /// A corner.
///     pub enum Corner {
///         Top = 0,
///         Bottom = 1,
///     }
/// }
/// assert_eq!(Corner::Bottom.code(), 1);
/// assert_eq!(Corner::from_code(0), Some(Corner::Top));
/// assert_eq!(Corner::from_code(2), None);
/// ```
#[macro_export]
macro_rules! code_enum {
    ($($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $code:literal),+ $(,)? })+) =>
        {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, $crate::serde::Serialize, $crate::serde::Deserialize)]
        #[serde(crate = "::model::serde")]
        $vis enum $name {$(
            $(#[$variant_meta])*
            $variant = $code,
        )+}

        impl $name {
            /// The stored code.
            #[must_use]
            pub const fn code(self) -> i64 {
                match self { $(Self::$variant => $code),+ }
            }

            /// From the stored code.
            #[must_use]
            pub const fn from_code(code: i64) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }

        $crate::__stored_as_integer!($name);
    )+};
}

/// A column that holds a code that its type does not know: written by a newer version, or by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code} is not a code of {of}")]
pub struct UnknownCode {
    pub of: &'static str,
    /// The stored code.
    pub code: i64,
}

/// A column that holds a word that its type does not know: written by a newer version, or by hand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not a word of {of}")]
pub struct UnknownWord {
    pub of: &'static str,
    /// The stored word.
    pub word: String,
}

/// The sqlx side of [`word_enum!`]; nothing without the feature `sqlx`.
#[cfg(not(feature = "sqlx"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __stored_as_text {
    ($name:ident) => {};
}

/// The sqlx side of [`word_enum!`]: the same word on either engine.
#[cfg(feature = "sqlx")]
#[doc(hidden)]
#[macro_export]
macro_rules! __stored_as_text {
    ($name:ident) => {
        impl<DB: $crate::sqlx::Database> $crate::sqlx::Type<DB> for $name
        where
            str: $crate::sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <str as $crate::sqlx::Type<DB>>::type_info()
            }

            fn compatible(ty: &DB::TypeInfo) -> bool {
                <str as $crate::sqlx::Type<DB>>::compatible(ty)
            }
        }

        impl<'q, DB: $crate::sqlx::Database> $crate::sqlx::Encode<'q, DB> for $name
        where
            &'q str: $crate::sqlx::Encode<'q, DB>,
        {
            fn encode_by_ref(
                &self,
                buffer: &mut <DB as $crate::sqlx::Database>::ArgumentBuffer,
            ) -> ::std::result::Result<$crate::sqlx::encode::IsNull, $crate::sqlx::error::BoxDynError> {
                self.as_str().encode(buffer)
            }
        }

        impl<'r, DB: $crate::sqlx::Database> $crate::sqlx::Decode<'r, DB> for $name
        where
            &'r str: $crate::sqlx::Decode<'r, DB>,
        {
            fn decode(
                value: <DB as $crate::sqlx::Database>::ValueRef<'r>,
            ) -> ::std::result::Result<Self, $crate::sqlx::error::BoxDynError> {
                let word = <&str as $crate::sqlx::Decode<'r, DB>>::decode(value)?;
                let unknown = || $crate::stored::UnknownWord { of: stringify!($name), word: word.to_owned() };
                Ok(Self::parse(word).ok_or_else(unknown)?)
            }
        }
    };
}

/// The sqlx side of [`code_enum!`]; nothing without the feature `sqlx`.
#[cfg(not(feature = "sqlx"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __stored_as_integer {
    ($name:ident) => {};
}

/// The sqlx side of [`code_enum!`]: the same integer on either engine.
#[cfg(feature = "sqlx")]
#[doc(hidden)]
#[macro_export]
macro_rules! __stored_as_integer {
    ($name:ident) => {
        impl<DB: $crate::sqlx::Database> $crate::sqlx::Type<DB> for $name
        where
            i64: $crate::sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <i64 as $crate::sqlx::Type<DB>>::type_info()
            }

            fn compatible(ty: &DB::TypeInfo) -> bool {
                <i64 as $crate::sqlx::Type<DB>>::compatible(ty)
            }
        }

        impl<'q, DB: $crate::sqlx::Database> $crate::sqlx::Encode<'q, DB> for $name
        where
            i64: $crate::sqlx::Encode<'q, DB>,
        {
            fn encode_by_ref(
                &self,
                buffer: &mut <DB as $crate::sqlx::Database>::ArgumentBuffer,
            ) -> Result<$crate::sqlx::encode::IsNull, $crate::sqlx::error::BoxDynError> {
                self.code().encode(buffer)
            }
        }

        impl<'r, DB: $crate::sqlx::Database> $crate::sqlx::Decode<'r, DB> for $name
        where
            i64: $crate::sqlx::Decode<'r, DB>,
        {
            fn decode(value: <DB as $crate::sqlx::Database>::ValueRef<'r>) -> Result<Self, $crate::sqlx::error::BoxDynError> {
                let code = <i64 as $crate::sqlx::Decode<'r, DB>>::decode(value)?;
                Ok(Self::from_code(code).ok_or($crate::stored::UnknownCode { of: stringify!($name), code })?)
            }
        }
    };
}
