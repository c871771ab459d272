//! The OAuth servers: consent, codes, the four dialects' tokens, and what goes wrong on demand.

mod consent;
mod dialects;
pub(crate) mod flow;
mod trouble;
