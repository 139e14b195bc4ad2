// What of the page's scripts and styles a supported browser lacks: `node browser_support.mjs FOLDER`.
//
// Syntax is checked by parsing as of the year that all of them know; calls, properties and selectors
// against MDN's compatibility data, by name. Of a name that several interfaces have, the interface counts
// where the code shows it (`Map.groupBy`, or a constant that is made by `new URLSearchParams`); else it is
// enough that one of them has it.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import bcd from "@mdn/browser-compat-data" with { type: "json" };
import { parse } from "acorn";
import { simple } from "acorn-walk";

const BROWSERS = { chrome: 109, edge: 109, firefox: 115, safari: 15.4, safari_ios: 15.4 };
const ECMA_VERSION = 2022;
// What the page does without where it is missing, and how.
const DISPENSABLE = {
  "content-visibility": "long lists are laid out at once",
  "contain-intrinsic-size": "goes with content-visibility",
  "field-sizing": "a select is as wide as its longest choice",
  "line-clamp": "-webkit-line-clamp stands before it",
  "scrollbar-gutter": "the page moves by a scrollbar's width when it grows long",
  "text-size-adjust": "-webkit-text-size-adjust stands before it",
  "forced-color-adjust": "marks have the colours of the contrast theme",
  "print-color-adjust": "-webkit-print-color-adjust stands before it",
  "text-decoration-thickness": "a thinner line",
  "overflow: clip": "overflow: hidden stands before it",
  "overflow-x: clip": "overflow-x: hidden stands before it",
  "-webkit-text-size-adjust": "of Safari alone",
  "scrollbar-width": "a scrollbar shows",
  "accent-color": "boxes are blue, or their tick is hard to see in a dark colour",
  "break-after": "a heading may stand at the foot of a sheet",
  cursor: "phones have no pointer",
  outline: "it does not follow round corners",
};

const folder = process.argv[2];
const findings = [];

/** The browsers that lack a feature, such as ["safari 17.4"]. */
function lackedBy(feature) {
  const support = feature?.__compat?.support;
  if (!support) return [];
  return Object.entries(BROWSERS).flatMap(([browser, version]) => {
    const entries = [support[browser] ?? []].flat();
    const has = entries.some((entry) => {
      if (entry.flags || entry.partial_implementation || entry.prefix || entry.alternative_name)
        return false;
      if (entry.version_removed) return false;
      const added = entry.version_added;
      return typeof added === "string" && parseFloat(added.replace("≤", "")) <= version;
    });
    return has || entries.length === 0
      ? []
      : [`${browser} (${entries[0].version_added || "never"})`];
  });
}

const interfaces = { ...bcd.api, ...bcd.javascript.builtins, ...bcd.javascript.builtins.Intl };
const byMember = new Map();
for (const one of Object.values(interfaces))
  for (const [name, feature] of Object.entries(one)) {
    if (!feature?.__compat) continue;
    const key = name.replace(/_(static|event)$/, "");
    byMember.set(key, [...(byMember.get(key) ?? []), feature]);
  }

const memberOf = (type, name) => interfaces[type]?.[name] ?? interfaces[type]?.[`${name}_static`];

function parsed(name, code) {
  try {
    return parse(code, { ecmaVersion: ECMA_VERSION, sourceType: "module", locations: true });
  } catch (error) {
    findings.push(`${name} is not ECMAScript ${ECMA_VERSION}: ${error.message}`);
    return null;
  }
}

/** Add the names of properties and methods that a script defines itself. */
function collectOwn(tree, own) {
  simple(tree, {
    Property: (node) => own.add(node.key.name),
    MethodDefinition: (node) => own.add(node.key.name),
    PropertyDefinition: (node) => own.add(node.key.name),
    AssignmentExpression(node) {
      if (node.left.object?.type === "ThisExpression") own.add(node.left.property.name);
    },
  });
}

function checkScript(name, tree, own) {
  const report = (node, what, browsers) => {
    if (browsers.length)
      findings.push(`${name}:${node.loc.start.line} ${what}: ${browsers.join(", ")}`);
  };
  const types = new Map(); // of constants
  simple(tree, {
    VariableDeclarator(node) {
      if (node.init?.type === "NewExpression" && node.init.callee.type === "Identifier")
        types.set(node.id.name, node.init.callee.name);
    },
  });
  simple(tree, {
    StaticBlock: (node) => report(node, "static block", ["safari (16.4)"]),
    Literal(node) {
      if (node.regex && /\(\?<[=!]/.test(node.regex.pattern))
        report(node, "lookbehind", ["safari (16.4)"]);
    },
    Identifier(node) {
      if (interfaces[node.name]) report(node, node.name, lackedBy(interfaces[node.name]));
    },
    MemberExpression(node) {
      if (node.computed || node.property.type !== "Identifier") return;
      const member = node.property.name;
      const object = node.object.type === "Identifier" ? node.object.name : "";
      const type = interfaces[object] ? object : types.get(object);
      const exact = type && memberOf(type, member);
      if (exact) report(node, `${type}.${member}`, lackedBy(exact));
      else if (!own.has(member)) {
        const lacking = (byMember.get(member) ?? []).map(lackedBy);
        if (lacking.length && lacking.every((one) => one.length))
          report(node, `.${member}`, lacking[0]);
      }
    },
  });
}

function checkStyle(name, code) {
  const report = (what, feature) => {
    const browsers = lackedBy(feature);
    if (browsers.length && !DISPENSABLE[what] && !DISPENSABLE[what.split(":")[0]])
      findings.push(`${name} ${what}: ${browsers.join(", ")}`);
  };
  const text = code.replace(/\/\*.*?\*\//gs, "").replace(/"[^"]*"/g, '""');
  for (const [, property, value] of text.matchAll(/(?<=[{;]\s*)([a-z-]+)\s*:\s*([^;{}]+);/g)) {
    if (property.startsWith("--")) continue;
    const feature = bcd.css.properties[property];
    report(property, feature);
    if (feature?.[value.trim()]) report(`${property}: ${value.trim()}`, feature[value.trim()]);
    for (const [, call] of value.matchAll(/([a-z-]+)\(/g)) {
      const known = bcd.css.types[call] ?? bcd.css.types.color?.[call];
      report(`${call}()`, known);
    }
  }
  for (const [selector] of text.matchAll(/[^{};]+(?=\{)/g))
    for (const [, pseudo] of selector.matchAll(/::?([a-z-]+)/g))
      if (!selector.trim().startsWith("@")) report(`:${pseudo}`, bcd.css.selectors[pseudo]);
}

const own = new Set();
const trees = new Map();
for (const file of readdirSync(folder, { recursive: true })) {
  const read = () => readFileSync(join(folder, file), "utf-8");
  if (file.endsWith(".css")) checkStyle(file, read());
  if (!file.endsWith(".js")) continue;
  const tree = parsed(file, read());
  if (tree === null) continue;
  trees.set(file, tree);
  collectOwn(tree, own);
}
for (const [file, tree] of trees) checkScript(file, tree, own);
console.log(JSON.stringify(findings));
