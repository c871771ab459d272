// Times and numbers as a person reads them: "14:02" today, "yesterday 18:40", then "21 Nov".

const LOCALE = "en-GB";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const two = (value: number) => String(value).padStart(2, "0");

// Written out: the first of the engine's own formatters costs more than a screenful of rows.
const clockTime = (at: Date) => `${two(at.getHours())}:${two(at.getMinutes())}`;
const dayMonth = (at: Date) => `${at.getDate()} ${MONTHS[at.getMonth()]}`;
const dayMonthYear = (at: Date) => `${dayMonth(at)} ${at.getFullYear()}`;
const weekday = (at: Date) => WEEKDAYS[at.getDay()] ?? "";

/** 1240 → "1,240". */
export function number(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "1 person", "1,240 people": the right form for the count. */
export function counted(value: number, one: string, many: string): string {
  return `${number(value)} ${value === 1 ? one : many}`;
}

/** Whole days from one local calendar day to another. */
function daysBetween(earlier: Date, later: Date): number {
  const start = Date.UTC(earlier.getFullYear(), earlier.getMonth(), earlier.getDate());
  const end = Date.UTC(later.getFullYear(), later.getMonth(), later.getDate());
  return Math.round((end - start) / DAY);
}

/** "14:02" today, "yesterday 18:40", then "21 Nov", with the year when it is another. */
export function moment(time: string, now: number): string {
  const then = new Date(time);
  if (Number.isNaN(then.getTime())) {
    return "";
  }
  const today = new Date(now);
  const days = daysBetween(then, today);
  if (days === 0) {
    return clockTime(then);
  }
  if (days === 1) {
    return `yesterday ${clockTime(then)}`;
  }
  return (then.getFullYear() === today.getFullYear() ? dayMonth : dayMonthYear)(then);
}

/** Like `moment`, and the time of day too once the day alone would stand there. */
export function momentWithTime(time: string, now: number): string {
  const then = new Date(time);
  const day = moment(time, now);
  return day.includes(":") || day === "" ? day : `${day}, ${clockTime(then)}`;
}

/** The same inside a sentence: "at 14:02", "yesterday 18:40", "on 21 Nov". */
export function momentSaid(time: string, now: number): string {
  const said = moment(time, now);
  return said === "" || said.startsWith("yesterday") ? said : said.includes(":") ? `at ${said}` : `on ${said}`;
}

/** "just now", "12 min ago", "2 h ago", "3 days ago". */
export function age(time: string, now: number): string {
  const passed = now - Date.parse(time);
  if (passed < MINUTE) {
    return "just now";
  }
  if (passed < HOUR) {
    return `${Math.floor(passed / MINUTE)} min ago`;
  }
  if (passed < 2 * DAY) {
    return `${Math.floor(passed / HOUR)} h ago`;
  }
  return `${Math.floor(passed / DAY)} days ago`;
}

/** "in a moment", "in 2 min", "at 15:00": when something goes on by itself. */
export function ahead(time: string, now: number): string {
  const left = Date.parse(time) - now;
  if (left <= 30_000) {
    return "in a moment";
  }
  if (left <= 10 * MINUTE) {
    return `in ${Math.ceil(left / MINUTE)} min`;
  }
  const days = daysBetween(new Date(now), new Date(time));
  const day = days === 0 ? "" : days === 1 ? "tomorrow " : `${dayMonth(new Date(time))}, `;
  return days <= 1 ? `at ${day}${clockTime(new Date(time))}` : `on ${day}${clockTime(new Date(time))}`;
}

/** When an event takes place, seen from now: "Starts in 3 h", "Tomorrow 10:00", "in 12 days", "Now", "Over". */
export function startWords(startsAt: string | null, endsAt: string | null, now: number): string {
  if (startsAt === null) {
    return "";
  }
  const start = Date.parse(startsAt);
  const end = endsAt === null ? start + DAY : Date.parse(endsAt);
  if (now >= end) {
    const days = daysBetween(new Date(end), new Date(now));
    return days === 0 ? "Ended today" : days === 1 ? "Ended yesterday" : `Ended ${moment(new Date(end).toISOString(), now)}`;
  }
  if (now >= start) {
    return "On now";
  }
  const left = start - now;
  if (left < HOUR) {
    return `Starts in ${Math.max(1, Math.round(left / MINUTE))} min`;
  }
  const days = daysBetween(new Date(now), new Date(start));
  if (days === 0 || left < 10 * HOUR) {
    return `Starts in ${Math.round(left / HOUR)} h`;
  }
  const at = clockTime(new Date(start));
  if (days === 1) {
    return `Tomorrow ${at}`;
  }
  if (days < 7) {
    return `${weekday(new Date(start))} ${at}`;
  }
  if (days < 60) {
    return `In ${days} days`;
  }
  return moment(startsAt, now);
}

/** The hour as a screen reader should hear it: "starts in 3 hours". */
export function spoken(words: string): string {
  return words
    .replace(/\b1 h\b/, "1 hour")
    .replace(/\b(\d+) h\b/, "$1 hours")
    .replace(/\b1 min\b/, "1 minute")
    .replace(/\b(\d+) min\b/, "$1 minutes");
}

/** "Tue 24 Nov 18:00–22:00 GMT (19:00 here)": in the event's own zone, and here where that differs. */
export function eventSpan(startsAt: string | null, endsAt: string | null, timezone: string | null): string {
  if (startsAt === null) {
    return "";
  }
  const start = new Date(startsAt);
  const here = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  let zone = here;
  try {
    zone = timezone === null ? here : new Intl.DateTimeFormat(LOCALE, { timeZone: timezone }).resolvedOptions().timeZone;
  } catch {
    // A zone this computer does not know: the local time is still right.
  }
  const day = new Intl.DateTimeFormat(LOCALE, { weekday: "short", day: "numeric", month: "short", timeZone: zone });
  const time = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
  const zoneName = (at: Date) =>
    new Intl.DateTimeFormat(LOCALE, { timeZone: zone, timeZoneName: "short" })
      .formatToParts(at)
      .find((part) => part.type === "timeZoneName")?.value ?? "";
  const dayWords = (at: Date) => day.format(at).replace(",", "");
  let words = `${dayWords(start)} ${time.format(start)}`;
  if (endsAt !== null) {
    const end = new Date(endsAt);
    words += dayWords(end) === dayWords(start) ? `–${time.format(end)}` : ` – ${dayWords(end)} ${time.format(end)}`;
  }
  const startHere = clockTime(start);
  if (time.format(start) !== startHere) {
    words += ` ${zoneName(start)} (${startHere} here)`;
  } else if (zone !== here) {
    words += ` ${zoneName(start)}`;
  }
  return words;
}
