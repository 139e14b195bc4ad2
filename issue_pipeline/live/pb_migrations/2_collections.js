/// Makes the collections that collections.json states, and adds fields and indexes that those of an
/// earlier version lack. The pipeline reads the same file at login (resources/pocketbase/schema.py)
/// and does the same on a server that was started without these migrations; a test compares the two.

migrate(
  (app) => {
    // A migration is not told where it lies: the folder is the one that the server was started with.
    const flag = /^--?migrationsDir(=|$)/
    const at = $os.args.findIndex((argument) => flag.test(argument))
    const given = at < 0 ? "" : $os.args[at].replace(flag, "") || $os.args[at + 1]
    const folder = given || `${app.dataDir()}/../pb_migrations`
    const { collections, rules, times, added } = JSON.parse(toString($os.readFile(`${folder}/collections.json`)))

    for (const { name, type, fields, indexes } of collections) {
      const there = app.findAllCollections().find((collection) => collection.name === name)
      const collection = there ?? new Collection({ type, name, ...rules })
      const known = there ? there.fields.fieldNames() : []
      for (const { collection: related, ...field } of [...fields, ...times]) {
        if (known.includes(field.name)) continue
        if (related) field.collectionId = app.findCollectionByNameOrId(related).id
        collection.fields.add(new Field(field))
      }
      if (!there) collection.indexes = indexes
      app.save(collection)
      // What records from before hold in a field that was added, where that is not the empty value.
      for (const [field, value] of Object.entries(added[name] ?? {})) {
        if (!there || known.includes(field) || !value) continue
        app.db().newQuery(`UPDATE {{${name}}} SET [[${field}]] = {:value}`).bind({ value }).execute()
      }
    }
  },
  (app) => {
    for (const name of ["issue_evidence", "issues", "problem_aliases", "problems"]) app.delete(app.findCollectionByNameOrId(name))
  },
)
