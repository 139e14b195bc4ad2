/// Adds the command `pocketbase superuser-from-environment`: makes the superuser that POCKETBASE_EMAIL
/// and POCKETBASE_PASSWORD name, or sets its password. PocketBase's own command takes the password as an
/// argument, which every user of the machine can read while it runs.

$app.rootCmd.addCommand(
  new Command({
    use: "superuser-from-environment",
    short: "Make the superuser of POCKETBASE_EMAIL and POCKETBASE_PASSWORD, or set its password",
    run: () => {
      try {
        const email = $os.getenv("POCKETBASE_EMAIL")
        const password = $os.getenv("POCKETBASE_PASSWORD")
        if (!email || !password) throw new Error("Set POCKETBASE_EMAIL and POCKETBASE_PASSWORD.")
        let superuser
        try {
          superuser = $app.findAuthRecordByEmail("_superusers", email)
        } catch {
          superuser = new Record($app.findCollectionByNameOrId("_superusers"))
          superuser.setEmail(email)
        }
        superuser.setPassword(password)
        $app.save(superuser)
        console.log(`The superuser ${email} is set.`)
      } catch (error) {
        console.error(`The superuser was not set: ${error}`)
        $os.exit(1)
      }
    },
  }),
)
