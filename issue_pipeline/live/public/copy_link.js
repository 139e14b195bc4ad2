// A button that puts an address on the clipboard, and says whether it did.

import { setText } from "./dom.js";

const COPIED_MS = 2_000;

export async function copyLink(button, link) {
  const text = button.textContent;
  button.textContent = (await copied(link)) ? "Copied" : "Not copied: take the address above";
  setText(document.getElementById("announcer"), button.textContent);
  button.disabled = true;
  setTimeout(() => {
    button.textContent = text;
    button.disabled = false;
  }, COPIED_MS);
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // not on https or localhost, or forbidden
  }
}
