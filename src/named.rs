//! Closed sets that have names in settings: one macro, so that a set can't be read and written differently.

/// Declares an enum whose values are written and read by name, and the error for any other text.
macro_rules! named {
    (
        $(#[$doc:meta])* $name:ident, $(#[$error_doc:meta])* $error:ident = $rule:literal;
        $($(#[$value_doc:meta])* $value:ident = $text:literal,)+
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$value_doc])* $value,)+ }

        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$value,)+];

            /// The name in settings.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$value => $text,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        $(#[$error_doc])*
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        #[error($rule)]
        pub struct $error;

        impl std::str::FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                Self::ALL.into_iter().find(|value| value.name() == text).ok_or($error)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    named! {
        /// A set.
        Colour,
        /// Not of the set.
        ColourError = "a colour is one of red, green";
        /// Red.
        Red = "red",
        /// Green.
        Green = "green",
    }

    #[test]
    fn a_value_is_read_as_it_is_written_and_nothing_else_is() {
        for colour in Colour::ALL {
            assert_eq!(colour.to_string().parse(), Ok(colour));
        }
        for wrong in ["", "Red", "red ", "blue"] {
            assert_eq!(wrong.parse::<Colour>(), Err(ColourError), "{wrong}");
        }
    }
}
