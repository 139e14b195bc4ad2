// Which issues are shown, and in what order.

const IMPACT_WEIGHT = { high: 3, medium: 2, low: 1 };
const WOULD_PAY_FACTOR = 1.5;

export const ORDERS = {
  important: (a, b) => importance(b) - importance(a) || b.size - a.size || byId(a, b),
  reports: (a, b) => b.size - a.size || importance(b) - importance(a) || byId(a, b),
};

/** How much an issue matters; the footer of the page says the same in words. */
function importance(issue) {
  return issue.size * (IMPACT_WEIGHT[issue.impact] ?? 1) * (issue.would_pay ? WOULD_PAY_FACTOR : 1);
}

// Ties keep their places from one reading to the next.
const byId = (a, b) => (a.id < b.id ? -1 : 1);

/** Whether every word of a query occurs in the title or the description. */
export function matcher(query) {
  const words = folded(query).split(/\s+/).filter(Boolean);
  return (issue) => {
    const text = folded(`${issue.title} ${issue.description}`);
    return words.every((word) => text.includes(word));
  };
}

// "cafe" finds "Café".
const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
