//! Whole flows over real HTTP: provider page to stored rows to what a person sees.

mod import;
