// Text that came from a provider is shown as text. Inside <bdi> that is enough; where it becomes part of a sentence,
// a label or the window's title, marks that turn the reading direction would turn the rest of the sentence as well.

// Bidirectional embeddings, overrides and isolates; control characters; zero-width joiners of lines.
const STEERING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\u0000-\u001f\u007f-\u009f]+/g;
const LONGEST = 160;

/** A sentence of ours that may quote a provider: every character may stay, but none may steer. */
export function sentence(text: string): string {
  return text.replace(STEERING, " ").replace(/\s{2,}/g, " ").trim();
}

/** A provider's name for something, short enough to stand inside a sentence. */
export function plain(text: string): string {
  const calm = sentence(text);
  return calm.length <= LONGEST ? calm : `${Array.from(calm).slice(0, LONGEST - 1).join("")}…`;
}

// Spaces, control and format characters, and the letters that are drawn as nothing.
const UNSEEN = /[\s\p{C}\u034f\u115f\u1160\u2800\u3164\uffa0]/gu;

/** A provider's name for something, or our words for it where there is nothing to be seen. */
export function named(text: string, otherwise: string): string {
  return text.replace(UNSEEN, "") === "" ? otherwise : text;
}
