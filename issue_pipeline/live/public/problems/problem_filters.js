// The fields that narrow the list of problems down.

import { el, plain } from "../dom.js";
import { CATEGORIES, IMPACTS, SOURCES, number } from "../format.js";
import { foldFilters } from "../fold.js";
import { ORDERS, SINCE_YESTERDAY, foldedFilters } from "./address.js";
import { STATES } from "./states.js";

const SELECTS = {
  state: { [SINCE_YESTERDAY]: "New since yesterday", ...STATES },
  category: CATEGORIES,
  impact: Object.fromEntries(Object.entries(IMPACTS).map(([key, name]) => [key, `${name} impact`])),
  source: SOURCES,
  order: ORDERS,
};
// What is at a glance above the list, and filters it.
export const AT_A_GLANCE = {
  [SINCE_YESTERDAY]: "new since yesterday",
  growing: "growing",
  returned: "returned",
};
// A search asks the server: not at every letter.
const TYPING_MS = 250;

const root = document.getElementById("problems-view"); // in the document or not
const part = (name) => root.querySelector(`#problems-${name}`);

export class ProblemFilters {
  #fold = foldFilters("problems-fold", "problems-filters");
  #glance = new Map();
  #typing = 0;

  /** @param changed Called with what somebody changed, such as `{impact: "high"}`. */
  constructor(changed) {
    for (const [name, options] of Object.entries(SELECTS)) {
      const select = part(name);
      for (const [value, text] of Object.entries(options))
        select.append(el("option", { value }, text));
      select.addEventListener("change", () => changed({ [name]: select.value }));
    }
    part("pay").addEventListener("change", (event) => changed({ pay: event.target.checked }));
    part("spans").addEventListener("change", (event) => changed({ span: event.target.value }));
    part("search").addEventListener("input", (event) => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => changed({ query: event.target.value }), TYPING_MS);
    });
    part("glance").append(
      ...Object.entries(AT_A_GLANCE).map(([state, words]) => {
        const tally = el("b", {}, "\u2013");
        const button = el("button", { type: "button", class: "pill" }, tally, ` ${words}`);
        button.addEventListener("click", () => {
          const isOn = button.getAttribute("aria-pressed") === "true";
          changed({ state: isOn ? "" : state });
        });
        this.#glance.set(state, { button, tally });
        return button;
      }),
    );
  }

  /** Put a view into the fields. */
  show(view) {
    clearTimeout(this.#typing);
    if (part("search").value.trim() !== view.query.trim()) part("search").value = view.query;
    part("pay").checked = view.pay;
    part("pay").parentElement.classList.toggle("is-set", view.pay);
    for (const radio of part("spans").querySelectorAll("input")) {
      radio.checked = radio.value === view.span;
      radio.parentElement.classList.toggle("is-set", radio.checked);
    }
    for (const name of Object.keys(SELECTS)) {
      const select = part(name);
      select.value = view[name];
      // An address may name what we do not know: then nothing matches, and the field says why.
      if (select.value !== view[name]) {
        select.append(el("option", { value: view[name] }, plain(view[name])));
        select.value = view[name];
      }
      if (name !== "order") select.parentElement.classList.toggle("is-set", view[name] !== "");
    }
    for (const [state, { button }] of this.#glance) {
      button.setAttribute("aria-pressed", String(view.state === state));
      button.classList.toggle("is-set", view.state === state);
    }
    this.#fold.draw(foldedFilters(view));
  }

  /** Say how many problems are in the states at a glance. */
  drawGlance(byState) {
    for (const [state, { tally }] of this.#glance) {
      const text = byState ? number(byState.get(state)) : "\u2013";
      if (tally.textContent !== text) tally.textContent = text;
    }
  }
}
