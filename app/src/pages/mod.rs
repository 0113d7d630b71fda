//! One page a file: `<who>/<noun>.rs`.
