// Which view an address opens.

import { isDay } from "./format.js";
import { namesDays } from "./view.js";

/**
 * `{name, ...}`: `problems` with its `query`, `problem` with its `id`, or `days` with its `search`.
 *
 * Problems are in the fragment, days in the query, as they were before there were problems.
 */
export function readRoute({ hash, search }) {
  const [, name, argument = "", query = ""] =
    /^#\/(problems|problem|day)(?:\/([^?]*))?(?:\?(.*))?$/.exec(hash) ?? [];
  switch (name) {
    case "problem":
      return { name, id: argument };
    case "day":
      return { name: "days", search: isDay(argument) ? `?day=${argument}` : "" };
    case "problems":
      return { name, query, isChosen: true };
    default:
      return namesDays(search) ? { name: "days", search } : { name: "problems", query: "" };
  }
}
