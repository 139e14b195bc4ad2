// Whether the server has another version of the page than the one that runs.

const VERSION = /<meta name="version" content="([0-9a-f]+)">/;

/** Look at the server's page; this also renews the browser's own copy of it. */
export async function isOutdated() {
  const own = document.querySelector("meta[name=version]").content;
  try {
    const reply = await fetch(location.pathname, { cache: "no-cache" });
    const [, current = own] = VERSION.exec(await reply.text()) ?? [];
    return current !== own;
  } catch {
    return false; // out of reach: that is told elsewhere
  }
}
