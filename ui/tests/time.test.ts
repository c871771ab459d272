import { expect, test } from "vitest";

import { plain, sentence } from "../src/lib/text";
import { age, ahead, counted, eventSpan, moment, number, startWords } from "../src/lib/time";

const local = (year: number, month: number, day: number, hour = 0, minute = 0) => new Date(year, month - 1, day, hour, minute);
const NOW = local(2026, 11, 23, 14, 2).getTime();
const iso = (...parts: Parameters<typeof local>) => local(...parts).toISOString();

test("moments are a time today, yesterday with a time, then a day", () => {
  expect(moment(iso(2026, 11, 23, 11, 45), NOW)).toBe("11:45");
  expect(moment(iso(2026, 11, 22, 18, 40), NOW)).toBe("yesterday 18:40");
  expect(moment(iso(2026, 11, 21, 9, 0), NOW)).toBe("21 Nov");
  expect(moment(iso(2025, 11, 21, 9, 0), NOW)).toBe("21 Nov 2025");
  expect(moment("nonsense", NOW)).toBe("");
});

test("ages, countdowns and starts are short", () => {
  expect(age(iso(2026, 11, 23, 12, 0), NOW)).toBe("2 h ago");
  expect(ahead(iso(2026, 11, 23, 14, 4), NOW)).toBe("in 2 min");
  expect(ahead(iso(2026, 11, 23, 15, 0), NOW)).toBe("at 15:00");
  expect(startWords(iso(2026, 11, 23, 17, 0), null, NOW)).toBe("Starts in 3 h");
  expect(startWords(iso(2026, 11, 24, 10, 0), null, NOW)).toBe("Tomorrow 10:00");
  expect(startWords(iso(2026, 12, 5, 10, 0), null, NOW)).toBe("In 12 days");
  expect(startWords(iso(2026, 11, 23, 13, 0), iso(2026, 11, 23, 15, 0), NOW)).toBe("On now");
  expect(startWords(null, null, NOW)).toBe("");
});

test("counts have separators and the right form", () => {
  expect(number(1240)).toBe("1,240");
  expect(counted(1, "person", "people")).toBe("1 person");
  expect(counted(1240, "person", "people")).toBe("1,240 people");
});

test("an unknown time zone falls back to the local time", () => {
  expect(eventSpan("2026-11-24T18:00:00Z", "2026-11-24T22:00:00Z", "Moon/Tranquility")).toMatch(/\d\d:\d\d–\d\d:\d\d/);
});

test("marks that steer the reading direction are taken out of sentences", () => {
  expect(plain("\u202Eevil\u202C name\n\tnext")).toBe("evil name next");
  expect(sentence("a\u2066b\u2069c")).toBe("a b c");
  expect(plain("x".repeat(500))).toHaveLength(160);
});
