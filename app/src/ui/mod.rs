//! Small components, one a file, each with its CSS in `style/`.
