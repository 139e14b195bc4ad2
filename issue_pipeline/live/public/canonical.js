// Records as text, for telling whether anything about them is new.

/** JSON whose keys are in order: the server sends the fields of a record in any. */
export const canonical = (value) =>
  JSON.stringify(value, (_, part) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
