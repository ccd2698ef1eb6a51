//! Templates against KDG: the vectors, and laws over any text.
use super::*;
use proptest::prelude::*;
