// How values read on the page: names, numbers, dates.

const DATE_FORMAT = { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" };
const DAY_FORMAT = { ...DATE_FORMAT, weekday: "short" };
const LONG_DAY_FORMAT = { ...DAY_FORMAT, month: "long" };
const TIME_FORMAT = { ...DATE_FORMAT, hour: "2-digit", minute: "2-digit" };
// The page is in English, whatever the browser's own language.
const LOCALE = "en-GB";

const MAX_NAMED_DAYS = 3;

const numbers = new Intl.NumberFormat(LOCALE);
const days = new Intl.DateTimeFormat(LOCALE, DAY_FORMAT);
const longDays = new Intl.DateTimeFormat(LOCALE, LONG_DAY_FORMAT);
const shortDays = new Intl.DateTimeFormat(LOCALE, {
  day: "numeric",
  month: "short",
  timeZone: "UTC",
});
const dates = new Intl.DateTimeFormat(LOCALE, DATE_FORMAT);
const times = new Intl.DateTimeFormat(LOCALE, TIME_FORMAT);

export const SOURCES = {
  github: "GitHub",
  stackoverflow: "Stack Overflow",
  reddit: "Reddit",
  hackernews: "Hacker News",
};
export const CATEGORIES = {
  ai: "AI",
  finance: "Finance",
  compliance: "Compliance",
  logistics: "Logistics",
  healthtech: "Healthtech",
  devtools: "Devtools",
  ecommerce: "E-commerce",
  other: "Other",
};
export const IMPACTS = { high: "High", medium: "Medium", low: "Low" };

const named = (names, key) => (Object.hasOwn(names, key) ? names[key] : key);
export const sourceName = (source) => named(SOURCES, source);
export const categoryName = (category) => named(CATEGORIES, category);
export const number = (value) => numbers.format(value);

/** "1 report", "1,204 reports". */
export function count(value, noun) {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** A day written YYYY-MM-DD as people write it. */
export function dayName(day, { long = false } = {}) {
  return (long ? longDays : days).format(new Date(`${day}T00:00:00Z`));
}

/** A day without its year, for lists whose heading names the years. */
export const shortDayName = (day) => shortDays.format(new Date(`${day}T00:00:00Z`));

/** "4 to 10 Mar 2026", "28 Feb to 6 Mar 2026", "10 Mar 2026". */
export function daysName(from, to) {
  const [first, last] = [from, to].map((day) => dates.formatToParts(new Date(`${day}T00:00:00Z`)));
  if (from === to) return textOf(last);
  const [a, b] = [first, last].map((parts) =>
    Object.fromEntries(parts.map((p) => [p.type, p.value])),
  );
  let begin = textOf(first);
  if (a.year === b.year) begin = a.month === b.month ? a.day : `${a.day} ${a.month}`;
  return `${begin} to ${textOf(last)}`;
}

const textOf = (parts) => parts.map((part) => part.value).join("");

/** " on Thu, 5 Mar 2026 and Fri, 6 Mar 2026", " on 12 days of these". */
export function someDaysInWords(days) {
  if (days.length > MAX_NAMED_DAYS) return ` on ${count(days.length, "day")} of these`;
  return ` on ${days.map((day) => dayName(day)).join(" and ")}`;
}

/** "Seen 4 to 10 Mar 2026", without the year where it is that of a given day. */
export function seenInWords(first, last, today = "") {
  if (!isDay(first) || !isDay(last)) return "";
  const year = today.slice(0, 4);
  const name = daysName(first, last);
  return `Seen ${year && last.startsWith(year) ? name.replace(` ${year}`, "") : name}`;
}

/** Whether text is a day of the calendar, written YYYY-MM-DD. */
export function isDay(text) {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text ?? "")) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** PocketBase's "2026-03-10 12:00:00.000Z" as a Date, or null if it is none. */
export function parseTime(text) {
  const date = new Date(String(text ?? "").replace(" ", "T"));
  return Number.isNaN(date.getTime()) ? null : date;
}

export const timeName = (date) => `${times.format(date)} UTC`;
