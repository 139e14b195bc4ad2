// Filters that a narrow screen folds behind a button.

import { number } from "./format.js";

/**
 * Let a button open and close its filters; the style hides both where there is room.
 *
 * @returns `draw(count)`, which says how many filters are set.
 */
export function foldFilters(buttonId, panelId) {
  const button = document.getElementById(buttonId);
  const panel = document.getElementById(panelId);
  button.addEventListener("click", () => {
    const isOpen = panel.classList.toggle("is-open");
    button.setAttribute("aria-expanded", String(isOpen));
  });
  return {
    draw(count) {
      button.textContent = count ? `Filters (${number(count)})` : "Filters";
      button.classList.toggle("is-set", count > 0);
    },
  };
}
