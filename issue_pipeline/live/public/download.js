// What is shown, as a file.

import { SOURCES } from "./format.js";
import { isProblem } from "./ranking.js";

// Where a spreadsheet would see a formula, which text of strangers must not become: at the beginning
// of a cell, and where one that separates by semicolons or tabs, and so does not see our quotes, would
// begin another cell or row.
const FORMULA = /(^|[;\t\r\n])([\s"]*)(?=[=+\-@＝＋－＠])/g;
// What a spreadsheet may leave out before it looks.
const BLANK_START = /^(?=[\t\r\n])/;

/**
 * The issues as CSV (RFC 4180, UTF-8 with a mark, for spreadsheets' sake).
 *
 * An apostrophe stands before whatever would begin a formula.
 */
export function asCsv(issues) {
  const sources = Object.keys(SOURCES);
  const columns = ["issue_date", "title", "category", "impact", "would_pay", "size"];
  const rows = [
    [...columns, "is_problem", ...sources, "complete", "description", "id"],
    ...issues.map((issue) => [
      ...columns.map((name) => issue[name]),
      isProblem(issue),
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
  // Only what the page counts itself is a number; a record may hold anything where one should be.
  const raw = String(value ?? "");
  const text = Number.isFinite(value)
    ? raw
    : raw.replace(FORMULA, "$1$2'").replace(BLANK_START, "'");
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
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
