/// Feeds of problems, as Atom (RFC 4287) and JSON Feed 1.1. docs/design/0002-feeds.md says why they
/// are served by PocketBase. Titles and descriptions are foreign text: they leave here as plain text
/// only, escaped and without characters that XML forbids or that a reader does not see.

const AUTHOR = "Issue pipeline"
const DEFAULT_ENTRIES = 50
const MAX_ENTRIES = 200
const MAX_QUERY_CHARS = 2000
const MAX_WORDS = 10
const WORDS_PAGE_ROWS = 1000
const MAX_SPAN_DAYS = 3660
// What PocketBase's settings hold until somebody sets the address ("Application URL").
const NO_ADDRESS = "http://localhost:8090"
const COLUMNS = {
  id: "", title: "", description: "", category: "", impact: "", would_pay: false, state: "",
  state_since: "", first_seen: "", last_seen: "", days_seen: 0, posts: 0, posts_7d: 0,
  posts_week_before: 0, comparable: false, reach: 0, sources: "", updated: "",
}
// Controls, marks of no width or of writing direction, half surrogate pairs, non-characters, tags:
// as issue_pipeline/utils/printable.py has them, what XML 1.0 does not allow, and U+FFFD, which
// validators take for a sign of broken encoding.
const UNSEEN =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ud800-\udfff\u{e0000}-\u{e007f}]/gu

module.exports = {
  serveAtom: (e) => serve(e, "atom", "application/atom+xml; charset=utf-8", atomFeed),
  serveJson: (e) => serve(e, "json", "application/feed+json; charset=utf-8", jsonFeed),
}

/** Answer with the feed, or with 304 if the client has it already. */
function serve(e, format, contentType, write) {
  const names = $app.findAllCollections().map((one) => one.name)
  if (!names.includes("problems") || !names.includes("issue_evidence")) {
    throw new NotFoundError("This server has no problems; their collections are made at the first publication.")
  }
  const collection = $app.findCollectionByNameOrId("problems")
  // Its JSON, since a rule is a pointer in Go, and never equal to a text.
  const described = JSON.parse(JSON.stringify(collection))
  if (described.listRule !== "") {
    throw new ForbiddenError("The problems of this server are not public, so it has no feeds of them.")
  }
  const filter = readFilter(e.request.url.rawQuery, collection)
  const base = baseAddress(e)
  const query = queryOf(filter)
  const problems = matching(filter).map((row) => problemOf(row, base))
  const feed = {
    address: `${base}/feeds/problems.${format}${query && `?${query}`}`,
    page: `${base}/`,
    id: stableId(`feed ${base} ${query}`),
    title: titleOf(filter),
    updated: lastChange(problems, described),
    problems,
  }
  const body = write(feed)
  const tag = `"${$security.sha256(body)}"`
  const headers = e.response.header()
  headers.set("ETag", tag)
  headers.set("Cache-Control", "no-cache") // ask again each time; 304 costs nothing
  headers.set("X-Content-Type-Options", "nosniff")
  if (isKnown(e.request.header.values("If-None-Match"), tag)) return e.noContent(304)
  return e.blob(200, contentType, body)
}

function isKnown(sent, tag) {
  const tags = Array.from(sent).join(",").split(",").map((one) => one.trim().replace(/^W\//, ""))
  return tags.includes(tag) || tags.includes("*")
}

// --- The filter ---------------------------------------------------------------------------------

/** Read the filter of an address; whatever it does not understand is a 400 that says so. */
function readFilter(rawQuery, collection) {
  const given = parameters(rawQuery)
  const values = (name, of, field = name) => of.fields.getByName(field).values.slice()
  const evidence = $app.findCollectionByNameOrId("issue_evidence")
  const choices = {
    state: values("state", collection),
    category: values("category", collection),
    impact: values("impact", collection),
    source: values("source", evidence),
  }
  const filter = { would_pay: null, words: [], span: null, limit: DEFAULT_ENTRIES }
  for (const name of Object.keys(choices)) filter[name] = []
  const once = ["would_pay", "q", "span", "limit"]
  for (const name of once) if (given.filter(([one]) => one === name).length > 1) refuse(`${name} is given twice`)
  for (const [name, text] of given) {
    if (text === "") continue // as a form sends what is not chosen
    if (Object.hasOwn(choices, name)) filter[name].push(...oneOf(name, text, choices[name]))
    else if (name === "would_pay") filter.would_pay = yesOrNo(name, text)
    else if (name === "q") filter.words.push(...words(text))
    else if (name === "span") filter.span = text === "all" ? null : number(name, text, MAX_SPAN_DAYS, ", or all")
    else if (name === "limit") filter.limit = number(name, text, MAX_ENTRIES, "")
    else {
      refuse(`Unknown parameter ${shown(name)}; expected ${[...Object.keys(choices), ...once].join(", ")}`)
    }
  }
  if (filter.words.length > MAX_WORDS) refuse(`q has more than ${MAX_WORDS} words`)
  for (const name of Object.keys(choices)) filter[name] = unique(filter[name]).sort()
  filter.words = unique(filter.words)
  return filter
}

function parameters(rawQuery) {
  if (rawQuery.length > MAX_QUERY_CHARS) refuse(`The query is longer than ${MAX_QUERY_CHARS} characters`)
  return rawQuery.split("&").filter(Boolean).map((pair) => {
    const at = pair.indexOf("=")
    return at < 0 ? [decoded(pair), ""] : [decoded(pair.slice(0, at)), decoded(pair.slice(at + 1)).trim()]
  })
}

function decoded(text) {
  try {
    return decodeURIComponent(text.replace(/\+/g, " "))
  } catch {
    return refuse(`${shown(text)} is not percent-encoded UTF-8`)
  }
}

function oneOf(name, text, choices) {
  return text.split(",").map((one) => {
    if (!choices.includes(one.trim())) refuse(`${name} is ${shown(one)}; expected ${choices.join(", ")}`)
    return one.trim()
  })
}

/** Read a yes as the page writes it, or as PocketBase's own filters do. */
function yesOrNo(name, text) {
  if (text.includes(",")) refuse(`${name} is ${shown(text)}; expected one of yes, no, true, false`)
  return ["yes", "true"].includes(oneOf(name, text, ["yes", "no", "true", "false"])[0])
}

function number(name, text, most, also) {
  const read = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (read < 1 || read > most) {
    refuse(`${name} is ${shown(text)}; expected a whole number from 1 to ${most}${also}`)
  }
  return read
}

const words = (text) => clean(text).split(" ").filter(Boolean)
const unique = (list) => Array.from(new Set(list))
const shown = (text) => `"${clean(text).slice(0, 60).toWellFormed()}"`

function refuse(message) {
  throw new BadRequestError(message)
}

/** The filter's one spelling, so that equal filters have equal addresses. */
function queryOf(filter) {
  const parts = []
  const add = (name, value) => parts.push(`${name}=${encodeURIComponent(value).replace(/%2C/g, ",")}`)
  for (const name of ["state", "category", "impact", "source"]) {
    if (filter[name].length) add(name, filter[name].join(","))
  }
  if (filter.would_pay !== null) add("would_pay", filter.would_pay ? "yes" : "no")
  if (filter.words.length) add("q", filter.words.join(" "))
  if (filter.span !== null) add("span", filter.span)
  if (filter.limit !== DEFAULT_ENTRIES) add("limit", filter.limit)
  return parts.join("&")
}

function titleOf(filter) {
  const said = [...filter.state, ...filter.category, ...filter.impact.map((one) => `${one} impact`)]
  said.push(...filter.source)
  if (filter.would_pay !== null) said.push(filter.would_pay ? "would pay" : "would not pay")
  if (filter.words.length) said.push(`“${filter.words.join(" ")}”`)
  if (filter.span !== null) said.push(filter.span === 1 ? "the latest day" : `the last ${filter.span} days`)
  return `Reported problems${said.length ? `: ${said.join(", ")}` : ""}`
}

// --- The problems -------------------------------------------------------------------------------

/** Read the problems that pass the filter: those that changed their state last come first. */
function matching(filter) {
  const conditions = ["1 = 1"]
  const bound = {}
  const bind = (value) => {
    const name = `p${Object.keys(bound).length}`
    bound[name] = value
    return `{:${name}}`
  }
  for (const name of ["state", "category", "impact"]) {
    if (filter[name].length) conditions.push(`[[${name}]] IN (${filter[name].map(bind).join(", ")})`)
  }
  if (filter.source.length) {
    // Names that the schema allows, in a path that is bound all the same.
    const counts = filter.source.map((one) => `json_extract([[sources]], ${bind(`$."${one}"`)}) > 0`)
    conditions.push(`(${counts.join(" OR ")})`)
  }
  if (filter.would_pay !== null) conditions.push(`[[would_pay]] = ${filter.would_pay ? 1 : 0}`)
  if (filter.span !== null) {
    const back = bind(`-${filter.span - 1} days`)
    conditions.push(`[[last_seen]] >= date((SELECT max([[last_seen]]) FROM {{problems}}), ${back})`)
  }
  const columns = Object.keys(COLUMNS).map((name) => `coalesce([[${name}]], '') AS [[${name}]]`).join(", ")
  const found = []
  // Words are compared here, in pages, since SQLite folds the case of ASCII letters only.
  const page = filter.words.length ? WORDS_PAGE_ROWS : filter.limit
  for (let offset = 0; ; offset += page) {
    const rows = arrayOf(new DynamicModel(COLUMNS))
    $app
      .db()
      .newQuery(
        `SELECT ${columns} FROM {{problems}} WHERE ${conditions.join(" AND ")}`
          + ` ORDER BY [[state_since]] DESC, [[posts_7d]] DESC, [[id]] LIMIT ${page} OFFSET ${offset}`,
      )
      .bind(bound)
      .all(rows)
    for (const row of rows) {
      if (found.length < filter.limit && holdsAll(row, filter.words)) found.push(row)
    }
    if (rows.length < page || found.length >= filter.limit) return found
  }
}

/** Whether every word stands in title or description, whatever its case and accents. */
function holdsAll(row, words) {
  if (!words.length) return true
  const text = folded(`${row.title} ${row.description}`)
  return words.every((word) => text.includes(folded(word)))
}

// As live/public does.
const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()

function problemOf(row, base) {
  const counts = Object.entries(JSON.parse(row.sources || "{}") ?? {})
    .filter(([, count]) => Number.isInteger(count) && count > 0)
    .sort(([one, many], [other, more]) => more - many || (one < other ? -1 : 1))
  return {
    id: stableId(`problem ${row.id}`),
    address: `${base}/#/problem/${row.id}`,
    title: clean(row.title) || "Untitled",
    text: textOf(row, counts),
    published: moment(row.first_seen),
    // A problem is news when its state changes; a count that grows by one is none. A fraction of
    // the second keeps the entries of a day apart: readers sort by it, and validators ask for it.
    updated: moment(row.state_since, `.${fraction(row.id)}`),
    stored: row.updated.replace(" ", "T"),
    tags: [row.category, row.state, `${row.impact} impact`, ...(row.would_pay ? ["would pay"] : [])],
    record: {
      problem: row.id,
      state: row.state,
      state_since: row.state_since,
      first_seen: row.first_seen,
      last_seen: row.last_seen,
      days_seen: row.days_seen,
      category: row.category,
      impact: row.impact,
      would_pay: row.would_pay,
      posts: row.posts,
      posts_7d: row.posts_7d,
      posts_week_before: row.posts_week_before,
      comparable: row.comparable,
      reach: row.reach,
      sources: Object.fromEntries(counts),
    },
  }
}

function textOf(row, counts) {
  const change = row.posts_7d - row.posts_week_before
  const compared = row.comparable
    ? `, ${change < 0 ? "−" : "+"}${Math.abs(change)} since last week`
    : ", not compared with last week: days are missing"
  // Where all reports are of this week there is nothing to compare.
  const lines = [
    clean(row.description),
    `${row.state[0].toUpperCase()}${row.state.slice(1)} since ${row.state_since}:`
      + ` ${reports(row.posts_7d)} in 7 days${row.posts === row.posts_7d ? "" : compared};`
      + ` ${reports(row.posts)} by ${row.reach === 1 ? "1 person" : `${row.reach} people`}`
      + ` on ${row.days_seen === 1 ? "1 day" : `${row.days_seen} days`} since ${row.first_seen},`
      + ` last on ${row.last_seen}.`,
    `Category ${row.category}, ${row.impact} impact${row.would_pay ? "; people would pay for a fix" : ""}.`,
  ]
  if (counts.length) lines.push(`Sources: ${counts.map(([name, count]) => `${name} ${count}`).join(", ")}.`)
  return lines.filter(Boolean).join("\n")
}

const reports = (count) => (count === 1 ? "1 report" : `${count} reports`)

const moment = (day, part = "") => `${day}T00:00:00${part}Z`
const fraction = (id) => String(parseInt($security.sha256(id).slice(0, 12), 16) % 1e6).padStart(6, "0")

// --- The formats --------------------------------------------------------------------------------

function atomFeed(feed) {
  const entries = feed.problems.map(
    (one) => `  <entry>
    <id>${one.id}</id>
    <title type="text">${escaped(one.title)}</title>
    <link rel="alternate" type="text/html" href="${escaped(one.address)}"/>
    <published>${one.published}</published>
    <updated>${one.updated}</updated>
${one.tags.map((tag) => `    <category term="${escaped(tag)}"/>\n`).join("")}    <content type="text">${escaped(one.text)}</content>
  </entry>
`,
  )
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
  <id>${feed.id}</id>
  <title type="text">${escaped(feed.title)}</title>
  <updated>${feed.updated}</updated>
  <author><name>${AUTHOR}</name></author>
  <link rel="self" type="application/atom+xml" href="${escaped(feed.address)}"/>
  <link rel="alternate" type="text/html" href="${escaped(feed.page)}"/>
${entries.join("")}</feed>
`
}

function jsonFeed(feed) {
  return JSON.stringify({
    version: "https://jsonfeed.org/version/1.1",
    title: feed.title,
    home_page_url: feed.page,
    feed_url: feed.address,
    language: "en",
    authors: [{ name: AUTHOR }],
    items: feed.problems.map((one) => ({
      id: one.id,
      url: one.address,
      title: one.title,
      content_text: one.text,
      date_published: one.published,
      date_modified: one.updated,
      tags: one.tags,
      _issue_pipeline: one.record,
    })),
  })
}

/** When anything of the feed was last written; of an empty one, when its collection was. */
function lastChange(problems, collection) {
  return problems.map((one) => one.stored).sort().pop() ?? collection.updated.replace(" ", "T")
}

function escaped(text) {
  const names = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }
  return text.replace(/[&<>"]/g, (sign) => names[sign])
}

/** One line of foreign text, without what nobody sees. */
function clean(text) {
  return text.replace(UNSEEN, " ").replace(/\s+/g, " ").trim()
}

/** A URN that is the same at whatever address the server is reached: a UUID of version 8. */
function stableId(name) {
  const hex = $security.sha256(`issue_pipeline ${name}`)
  const variant = "89ab"[parseInt(hex[16], 16) % 4]
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, variant + hex.slice(17, 20), hex.slice(20, 32)]
  return `urn:uuid:${parts.join("-")}`
}

// --- Addresses ----------------------------------------------------------------------------------

/** Where readers find this server: as its settings say, else as this request found it. */
function baseAddress(e) {
  const set = ($app.settings().meta.appURL || "").replace(/\/+$/, "")
  if (set && set !== NO_ADDRESS) return set
  const host = e.request.host
  if (!/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/.test(host)) refuse("The Host header is no host")
  const forwarded = e.request.header.get("X-Forwarded-Proto")
  const scheme = forwarded === "https" || forwarded === "http" ? forwarded : e.isTLS() ? "https" : "http"
  return `${scheme}://${host}`
}
