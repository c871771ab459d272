// The shapes that cross the wire, as generated from the shell's Rust types.

export type * from "./generated/index";
