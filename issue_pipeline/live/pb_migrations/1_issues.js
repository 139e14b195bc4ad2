/// The collections of the live store: issues and the posts that prove them. Everybody may read,
/// only superusers may write (a rule of `null`), and anonymous clients see nothing else.
/// The pipeline itself makes the same ones on a server that was started without this migration
/// (resources/pocketbase_schema.py); a test compares the two.

migrate(
  (app) => {
    const names = app.findAllCollections().map((collection) => collection.name)
    // Made over the API before; the pipeline checks at every run whether they fit.
    if (names.includes("issues") && names.includes("issue_evidence")) return

    const EVERYBODY = ""
    const SUPERUSERS_ONLY = null
    const rules = {
      listRule: EVERYBODY,
      viewRule: EVERYBODY,
      createRule: SUPERUSERS_ONLY,
      updateRule: SUPERUSERS_ONLY,
      deleteRule: SUPERUSERS_ONLY,
    }
    const times = [
      { name: "created", type: "autodate", onCreate: true },
      { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
    ]
    // For numbers and booleans "required" would forbid 0 and false.
    const count = (name) => ({ name: name, type: "number", onlyInt: true, min: 0 })

    // PocketBase brings a collection of users with which anybody may register. Nobody logs in here:
    // it goes while it is empty; where accounts exist, they stay, and no more can be made.
    const users = app.findAllCollections("auth").find((collection) => collection.name === "users")
    if (users && app.countRecords("users") === 0) {
      app.delete(users)
    } else if (users) {
      users.createRule = SUPERUSERS_ONLY
      app.save(users)
    }

    const issues = new Collection({
      type: "base",
      name: "issues",
      ...rules,
      fields: [
        // A calendar day without a time zone: as text it filters by equality and sorts by time.
        { name: "issue_date", type: "text", required: true, max: 10, pattern: "^\\d{4}-\\d{2}-\\d{2}$" },
        count("cluster_id"),
        { name: "fingerprint", type: "text", required: true, max: 64, pattern: "^[0-9a-f]{64}$" },
        { name: "title", type: "text", required: true, max: 1000 },
        {
          name: "category",
          type: "select",
          required: true,
          maxSelect: 1,
          values: [
            "ai", "finance", "compliance", "logistics", "healthtech", "devtools", "ecommerce", "other",
          ],
        },
        { name: "description", type: "text", max: 2000 },
        { name: "would_pay", type: "bool" },
        { name: "impact", type: "select", required: true, maxSelect: 1, values: ["low", "medium", "high"] },
        count("size"),
        { name: "sources", type: "json", maxSize: 2000 },
        { name: "complete", type: "bool" },
        ...times,
      ],
      indexes: [
        "CREATE INDEX idx_issues_date_size ON issues (issue_date, size)"
      ],
    })
    app.save(issues)

    const evidence = new Collection({
      type: "base",
      name: "issue_evidence",
      ...rules,
      fields: [
        {
          name: "issue",
          type: "relation",
          required: true,
          collectionId: issues.id,
          maxSelect: 1,
          cascadeDelete: true,
        },
        {
          name: "source",
          type: "select",
          required: true,
          maxSelect: 1,
          values: ["github", "stackoverflow", "reddit", "hackernews"],
        },
        // Not PocketBase's own "url" type, which refuses some addresses that work, and a refusal
        // undoes the whole batch. Only the web: never javascript: or data:.
        { name: "url", type: "text", required: true, max: 5000, pattern: "^https?://" },
        { name: "title", type: "text", max: 1000 },
        { name: "snippet", type: "text", max: 500 },
        { name: "posted_at", type: "date" },
        count("comments"),
        // Reddit and Stack Overflow count below zero.
        { name: "votes", type: "number", onlyInt: true },
        ...times,
      ],
      indexes: ["CREATE INDEX idx_issue_evidence_issue ON issue_evidence (issue)"],
    })
    app.save(evidence)

    const settings = app.settings()
    settings.batch.enabled = true
    settings.batch.maxRequests = 500
    settings.batch.timeout = 30
    app.save(settings)
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("issue_evidence"))
    app.delete(app.findCollectionByNameOrId("issues"))
    const settings = app.settings()
    settings.batch.enabled = false
    app.save(settings)
  },
)
