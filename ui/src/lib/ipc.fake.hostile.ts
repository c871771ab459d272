// What somebody could type into an event's name, a ticket's name or their own name at a provider. All of it is text. The
// same list is shown in the real window by the end-to-end tests.

import payloads from "../../../tests/payloads/hostile.json";

const CANARY = "https://canary.invalid";
const long = (word: string) => word.repeat(Math.ceil(payloads.repeatedTo / word.length)).slice(0, payloads.repeatedTo);

/** Lengths. */
export const ENDLESS: readonly string[] = payloads.repeated.map(long);

export const HOSTILE: readonly string[] = [
  ...payloads.texts.map((text) => text.replaceAll("%C", CANARY)),
  // No provider's JSON can bring it, and no file of ours can hold it.
  "\uD800 half a pair \uDFFF",
  ...ENDLESS,
];
