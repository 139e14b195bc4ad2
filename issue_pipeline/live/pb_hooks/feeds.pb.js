/// Feeds of problems: GET /feeds/problems.atom and /feeds/problems.json, each with the filters that
/// feeds.js reads. PocketBase runs every handler in a scope of its own, so the rest is a module.

routerAdd("GET", "/feeds/problems.atom", (e) => require(`${__hooks}/feeds.js`).serveAtom(e))
routerAdd("GET", "/feeds/problems.json", (e) => require(`${__hooks}/feeds.js`).serveJson(e))
