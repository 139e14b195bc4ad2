// What is shown, as a file.

import { SOURCES } from "./format.js";

// How a spreadsheet recognises a formula, which text of strangers must not become.
const FORMULA = /^[=+\-@\t\r]/;

/** The issues as CSV (RFC 4180, UTF-8 with a mark, for spreadsheets' sake). */
export function asCsv(issues) {
  const sources = Object.keys(SOURCES);
  const columns = ["issue_date", "title", "category", "impact", "would_pay", "size"];
  const rows = [
    [...columns, ...sources, "complete", "description", "id"],
    ...issues.map((issue) => [
      ...columns.map((name) => issue[name]),
      ...sources.map((source) => issue.sources?.[source] ?? 0),
      issue.complete,
      issue.description,
      issue.id,
    ]),
  ];
  return `\ufeff${rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("")}`;
}

/** The issues as JSON, with the view that they are of. */
export function asJson(issues, view) {
  const own = issues.map(({ collectionId, collectionName, ...issue }) => issue);
  return `${JSON.stringify({ view, issues: own }, null, 2)}\n`;
}

function cell(value) {
  const text = String(value ?? "");
  const safe = typeof value === "string" && FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Hand a text to the browser as a file to save. */
export function save(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The download has begun with the click; the text need not stay in memory for it.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
