//! What crosses between the window and Rust: arguments, answers, errors and notices. Owns the wire types; everything
//! that comes in is checked here before a use case sees it.

pub(crate) mod arguments;
pub mod dto;
pub mod error;
pub mod history;
pub mod notices;
pub mod removals;
pub mod sign_in;
pub mod words;
