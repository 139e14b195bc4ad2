/// What a server needs besides its collections (2_collections.js): batches, and no accounts.
/// Everybody may read, only superusers may write, and anonymous clients see nothing else.

migrate(
  (app) => {
    // PocketBase brings a collection of users with which anybody may register. Nobody logs in here:
    // it goes while it is empty; where accounts exist, they stay, and no more can be made.
    const names = app.findAllCollections().map((collection) => collection.name)
    const users = app.findAllCollections("auth").find((collection) => collection.name === "users")
    // Where the collections were made over the API before, the server is somebody's own.
    if (names.includes("issues") && names.includes("issue_evidence")) return
    if (users && app.countRecords("users") === 0) {
      app.delete(users)
    } else if (users) {
      users.createRule = null
      app.save(users)
    }
    const settings = app.settings()
    settings.batch.enabled = true
    settings.batch.maxRequests = 500
    settings.batch.timeout = 30
    app.save(settings)
  },
  (app) => {
    const settings = app.settings()
    settings.batch.enabled = false
    app.save(settings)
  },
)
