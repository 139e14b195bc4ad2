// The fields that narrow the list down.

import { el, plain } from "./dom.js";
import { CATEGORIES, IMPACTS, SOURCES, categoryName, number } from "./format.js";

const SELECTS = ["impact", "source", "order"];

export class FilterBar {
  #parts = Object.fromEntries(
    ["filters", "search", "pay", "others", "categories", ...SELECTS].map((id) => [
      id,
      document.getElementById(id),
    ]),
  );
  #drawn = "";

  /** @param changed Called with the fields that somebody changed, such as `{impact: "high"}`. */
  constructor(changed) {
    const { search, pay, others, categories, impact, source } = this.#parts;
    for (const [select, names] of [
      [impact, IMPACTS],
      [source, SOURCES],
    ])
      for (const [value, name] of Object.entries(names))
        select.append(el("option", { value }, select === impact ? `${name} impact` : name));
    search.addEventListener("input", () => changed({ query: search.value }));
    pay.addEventListener("change", () => changed({ pay: pay.checked }));
    others.addEventListener("change", () => changed({ others: others.checked }));
    for (const name of SELECTS) {
      const select = this.#parts[name];
      select.addEventListener("change", () => changed({ [name]: select.value }));
    }
    categories.addEventListener("change", (event) => changed({ category: event.target.value }));
  }

  /** Put a view's filters into their fields. */
  show(view) {
    this.#parts.search.value = view.query;
    this.#parts.pay.checked = view.pay;
    this.#parts.others.checked = view.others;
    for (const name of SELECTS) {
      const select = this.#parts[name];
      select.value = view[name];
      // An address may name what we do not know: then nothing matches, and the field says why.
      if (select.value !== view[name]) {
        select.append(el("option", { value: view[name] }, plain(view[name])));
        select.value = view[name];
      }
    }
  }

  /** Draw the categories with the number of issues in each, and mark the fields that are set. */
  draw({ issues, found, view }) {
    const { filters, categories } = this.#parts;
    filters.hidden = issues.size === 0;
    for (const name of ["impact", "source"])
      this.#parts[name].parentElement.classList.toggle("is-set", view[name] !== "");
    const chosen = view.category;
    this.#parts.others.checked = view.others;
    for (const name of ["pay", "others"])
      this.#parts[name].parentElement.classList.toggle("is-set", view[name]);
    const names = new Set(Object.keys(CATEGORIES));
    for (const issue of issues.values()) names.add(issue.category);
    if (chosen) names.add(chosen);
    const counts = new Map();
    for (const { category } of found) counts.set(category, (counts.get(category) ?? 0) + 1);
    const pills = [["", "All", found.length]];
    for (const name of names) pills.push([name, plain(categoryName(name)), counts.get(name) ?? 0]);
    const drawn = JSON.stringify([pills, chosen]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const focused = categories.contains(document.activeElement);
    categories.replaceChildren(
      ...pills
        .filter(([name, , issues]) => issues > 0 || name === "" || name === chosen)
        .map(([name, text, issues]) => {
          const radio = el("input", { type: "radio", name: "category", value: name });
          radio.checked = name === chosen;
          const tally = el("b", {}, number(issues));
          const look = `pill${radio.checked ? " is-set" : ""}`;
          return el("label", { class: look, dir: "auto" }, radio, text, " ", tally);
        }),
    );
    if (focused) categories.querySelector(":checked")?.focus();
  }
}
