// Building the page. Foreign text goes in as text nodes and foreign addresses through `postLink`;
// there is no other way in.

// Control characters, and the marks that reorder text regardless of its letters. Right-to-left
// text needs none of them: `dir="auto"` reads its direction off the letters.
const UNWANTED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Make an element; children are elements or text, and what is null or undefined is left out. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** An element for text that others wrote. */
export function foreign(tag, className, text) {
  return el(tag, { class: className, dir: "auto" }, plain(text));
}

/** What is there for the eye only. */
export function aside(element) {
  element.setAttribute("aria-hidden", "true");
  return element;
}

/** Foreign text without characters that are not text. */
export function plain(text) {
  return String(text ?? "").replace(UNWANTED, "");
}

/** Replace an element's text, but only when it differs: live regions then speak only of news. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A link to a post, or its bare title if the address is not one of the web. */
export function postLink(url, title) {
  const text = plain(title).trim() || "(untitled)";
  const href = webAddress(url);
  if (href === null) return foreign("span", "post-title", text);
  const link = foreign("a", "post-title", text);
  link.href = href;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  link.append(el("span", { class: "visually-hidden" }, " (opens in a new tab)"));
  return link;
}

/** The address if it is an absolute http(s) one without credentials, else null. */
function webAddress(text) {
  if (!/^https?:\/\//i.test(text ?? "")) return null;
  try {
    const url = new URL(text);
    return url.username || url.password ? null : url.href;
  } catch {
    return null;
  }
}

/** Make the children of a list these, in this order, moving as few as possible: focus stays. */
export function arrange(list, elements) {
  const wanted = new Set(elements);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  let next = list.firstElementChild;
  for (const element of elements) {
    if (element === next) next = next.nextElementSibling;
    else list.insertBefore(element, next);
  }
}
