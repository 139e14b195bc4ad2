"""The same subjects told twice: as a problem, and as anything else that people post about.

Each pair shares its subject, so that the mean difference between the two sides points from "people
talk about this" to "this is wrong" and the subject itself cancels out. The pairs are written by
hand and on no data set: everyday life and work, so that no side belongs to one trade.
"""

# (reports a problem, does not)
PAIRS: tuple[tuple[str, str], ...] = (
    (
        "The build fails with an error after the update.",
        "We released a new version of our build tool.",
    ),
    ("The app crashes as soon as I open it.", "I made a small app, have a look."),
    (
        "My query returns the wrong rows. How do I fix it?",
        "An introduction to databases, with pictures.",
    ),
    (
        "The invoice was booked twice and nobody refunds us.",
        "What the history of accounting can teach us.",
    ),
    (
        "The parcel never arrived and support does not answer.",
        "A visit to the largest parcel centre of the country.",
    ),
    ("Customers cannot pay at the checkout.", "Online shops grew by a fifth last year."),
    ("The sensor loses its connection every night.", "A new sensor was announced today."),
    (
        "The clinic's appointment system shows the wrong time.",
        "A doctor tells of her first year at the hospital.",
    ),
    (
        "There is no option to export the data. Please add one.",
        "Here is my collection of data sets.",
    ),
    (
        "My car does not start in the cold. What can I do?",
        "My grandfather's car, sixty years old and still shining.",
    ),
    ("The dishwasher leaks and the vendor refuses the repair.", "What we cooked this weekend."),
    ("We lose hours each week copying numbers by hand.", "How I organise my week."),
    (
        "The model makes up numbers and gives wrong answers.",
        "A paper about language models, and what I think of it.",
    ),
    ("Training runs out of memory.", "My favourite courses about machine learning."),
    (
        "I cannot log in, and the password reset never arrives.",
        "Which password manager do you like best?",
    ),
    (
        "The documentation does not say how to configure this.",
        "A collection of good writing about documentation.",
    ),
    ("The page is slow and times out.", "Look at the page that I designed."),
    (
        "The bank froze our account without a reason.",
        "The bank reports its earnings for the quarter.",
    ),
    (
        "The authority rejected our form again and does not say why.",
        "The parliament votes on a new law today.",
    ),
    (
        "The train is late every day and we miss our connection.",
        "Photos from a journey by train.",
    ),
    ("The school portal lost my child's marks.", "Our school won the football match."),
    (
        "The landlord does not repair the heating.",
        "We moved into our new flat, here are pictures.",
    ),
    ("The game freezes in the second level.", "I finished the game. What a great story."),
    (
        "The plugin breaks the editor since the last update.",
        "My editor setup, with screenshots.",
    ),
    (
        "I get a null pointer exception in this function.",
        "Why I like this programming language.",
    ),
    ("We need this feature, it is missing.", "What do you think of this idea?"),
    (
        "The contract renews by itself and cannot be cancelled.",
        "We won a big customer and celebrate.",
    ),
    ("The wages were paid too late again.", "Who is hiring this month?"),
    ("The container is stuck at customs for weeks.", "A short history of the harbour."),
    ("The translation is wrong in several places.", "A poem that I translated."),
    ("The medicine was mixed up, that is dangerous.", "Scientists study a new medicine."),
    (
        "The backup is damaged and our files are gone.",
        "How we store our files, a talk from the conference.",
    ),
    ("Why does this test fail on one machine only?", "A joke about testers."),
    ("The upload stops at ninety per cent.", "I uploaded the recording of my concert."),
    ("Notifications come twice or not at all.", "Today's newsletter with the best links."),
    (
        "I do not understand how to install this, nothing works.",
        "A beginner's story: what I learned in six seasons.",
    ),
    ("The battery is empty after an hour.", "Which phone do you carry? Show yours."),
    ("The report shows wrong figures for last month.", "Interesting figures about cities."),
    ("My tomatoes die and I do not know how to stop it.", "My garden in spring."),
    ("The shop refuses the return and keeps our money.", "Today's best offers."),
    (
        "The meeting tool drops calls and throws people out.",
        "Our club meets next Saturday, everybody is welcome.",
    ),
    ("The quiz does not accept the right answer.", "Can you solve this riddle?"),
    ("The screen reader cannot read this form.", "A book that I am reading."),
    (
        "Settings are not saved and come back as they were.",
        "How our team works, an interview with the founder.",
    ),
    ("It does something else than it should.", "It is beautiful to look at."),
    ("It picks the wrong one every time.", "Which one do you like best?"),
    ("It keeps doing this although I switched it off.", "It is fun to play with."),
    (
        "The recognition mistakes one thing for another.",
        "How recognition works, explained for everybody.",
    ),
    (
        "The search finds nothing although the entry is there.",
        "I found this by chance and had to share it.",
    ),
    (
        "The formula gives a wrong result for negative numbers.",
        "A beautiful formula, just for the joy of it.",
    ),
    (
        "The printer cuts off the edge of the drawing.",
        "Drawing a pattern with a few lines of code.",
    ),
    ("The star map shows the wrong position.", "Watching the moon with my telescope."),
    ("The puzzle app loses my progress.", "A puzzle with numbers for the weekend."),
    ("The music program plays the notes too late.", "A little melody that I made."),
    ("The calendar puts meetings on the wrong day.", "Curious facts about the calendar."),
    ("The map sends drivers down the wrong road.", "A walk through the old town."),
    ("The dictionary app knows none of these words.", "Where does this word come from?"),
    (
        "Sensor values jump up and down although nothing changes.",
        "Measuring the weather as a hobby.",
    ),
    ("The photo app deletes pictures without asking.", "My best pictures of the year."),
    ("The scheduler books two groups into one room.", "Our group met in a lovely room."),
    ("The invoice program rounds cents the wrong way.", "How the cent got its name."),
    ("The label printer leaves out letters with accents.", "Beautiful letters of old printers."),
    ("Too many false alarms wake us every night.", "Night shift stories."),
    (
        "The chatbot agrees with everything, even when I am wrong.",
        "A funny talk with a chatbot.",
    ),
    (
        "The size table is wrong and customers send everything back.",
        "The fashion of this summer.",
    ),
    ("Records of two people are mixed up.", "The record collection of two friends."),
    ("The audit wants evidence that we cannot produce.", "What I learned from a good auditor."),
    (
        "The certificate expired and all clients are refused.",
        "I passed the exam and have the certificate.",
    ),
    (
        "The rule has changed and nobody tells us what is allowed now.",
        "A debate about whether rules help.",
    ),
    (
        "We pay twice for the same thing and cannot find out why.",
        "What would you do with a million?",
    ),
    (
        "Stock levels are wrong and we sell what we do not have.",
        "How a warehouse works, a visit.",
    ),
    (
        "The driver waits for hours because the slot was lost.",
        "Thirty years as a driver, my memories.",
    ),
    ("The vaccine fridge failed and the alarm stayed silent.", "A history of vaccines."),
    ("Patients get reminders for appointments that were cancelled.", "Thank you to the nurses."),
    (
        "The import drops rows without a warning.",
        "A visualisation of all imports of the country.",
    ),
    ("The tests pass on my machine but fail on the server.", "Why I write tests."),
    ("Memory grows until the process is killed.", "How memory works inside a computer."),
    (
        "The type checker complains about correct code.",
        "Types are a matter of taste, what is yours?",
    ),
    ("After the upgrade all settings are gone.", "I upgraded my old computer, look."),
    (
        "I have tried everything and it still does not work.",
        "I tried something new and enjoyed it.",
    ),
    ("How can I stop it from doing that?", "How did you come to this hobby?"),
    ("Is there a way to turn this off?", "Is there life on other planets?"),
    ("What am I doing wrong here?", "What are you reading this week?"),
    ("Why is there no way to undo this?", "Why do people like this so much?"),
    ("How do I convert this column into rows?", "How should I start to learn programming?"),
    ("Please support this format, we cannot use it otherwise.", "Please support our campaign."),
    (
        "It would save us hours if this could be automated.",
        "It would be a dream to travel there.",
    ),
    ("The tool cannot handle large files.", "The tools that I use every day."),
    ("My account was hacked and support does not react.", "How hackers think, an interview."),
    ("Fees rise and there is no way out of the plan.", "Money cannot buy happiness, discuss."),
)
