// What the modifier key is called here. Only words and shortcuts depend on it.

const isMac = typeof navigator !== "undefined" && /Mac/.test(navigator.userAgent);

/** "⌘F" on a Mac, "Ctrl F" elsewhere. */
export function modKey(key: string): string {
  return isMac ? `⌘${key}` : `Ctrl ${key}`;
}

/** Whether the event holds this platform's modifier key, and no other one. */
export function withMod(event: KeyboardEvent): boolean {
  return !event.altKey && !event.shiftKey && (isMac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey);
}
