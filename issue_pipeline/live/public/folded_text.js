// Texts as a search compares them.

/** A text without case and accents: "cafe" finds "Café". */
export const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
