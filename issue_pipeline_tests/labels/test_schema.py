import random

import pytest
from pydantic import ValidationError

from issue_pipeline.labels.schema import (
    CATEGORIES,
    CATEGORY_MEANINGS,
    IMPACT_LEVELS,
    IMPACT_MEANINGS,
    MIN_GROUNDING,
    IssueLabel,
    copied_problem,
    grounding_problem,
    label_schema,
    length_problem,
    plain_text_problem,
    tidy_text,
    tidy_title,
)
from issue_pipeline_tests.support.runaway import LONG_TEXT_CHARS, stopped_if_it_runs_away
from issue_pipeline_tests.support.scripted_model import GOOD_LABEL


def problem_with(**changes: object) -> str:
    """The field and message that a label with these changes is refused for."""
    fields = {**GOOD_LABEL, **changes}
    with pytest.raises(ValidationError) as caught:
        IssueLabel.model_validate({key: value for key, value in fields.items() if value is not ...})
    [error] = caught.value.errors()
    return f"{error['loc'][0]}: {error['msg']}"


def test_a_good_label_is_taken_as_it_is():
    assert IssueLabel.model_validate(GOOD_LABEL).model_dump() == GOOD_LABEL


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("impact", IMPACT_LEVELS)
def test_every_category_and_impact_is_valid_and_explained(category: str, impact: str):
    label = IssueLabel.model_validate({**GOOD_LABEL, "category": category, "impact_level": impact})
    assert (label.category, label.impact_level) == (category, impact)
    assert list(CATEGORY_MEANINGS) == list(CATEGORIES)
    assert list(IMPACT_MEANINGS) == list(IMPACT_LEVELS)


@pytest.mark.parametrize("field", GOOD_LABEL)
def test_every_field_is_required(field: str):
    assert problem_with(**{field: ...}).startswith(f"{field}: Field required")


def test_an_unknown_field_is_refused():
    assert problem_with(confidence=0.9).startswith("confidence: Extra inputs")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("category", "Devtools"),
        ("category", "gaming"),
        ("impact_level", "critical"),
        ("would_pay_signal", "perhaps"),
        ("would_pay_signal", None),
        ("canonical_title", ["Exports time out"]),
        ("canonical_title", "x" * 121),
        ("canonical_title", "  ab  "),
        ("description", "x" * 601),
    ],
)
def test_a_value_outside_its_range_is_refused(field: str, value: object):
    assert problem_with(**{field: value}).startswith(f"{field}: ")


def test_a_title_of_exactly_120_characters_is_fine():
    assert IssueLabel.model_validate({**GOOD_LABEL, "canonical_title": "x" * 120})


def test_spaces_around_text_are_taken_off():
    label = IssueLabel.model_validate({**GOOD_LABEL, "canonical_title": "  Exports fail\n"})
    assert label.canonical_title == "Exports fail"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("See https://evil.example", "contains a URL"),
        ("See WWW.evil.example", "contains a URL"),
        ("Write to joe@shop.example", "contains an e-mail address"),
        ("A <b>bold</b> claim", "contains markup"),
        ("<script>alert(1)", "contains markup"),
        ("Tom &amp; Jerry", "contains markup"),
        ("`rm` deletes", "contains markup"),
        ("read [this](there)", "contains markup"),
        ("{{template}}", "contains markup"),
        ("A **bold** claim", "contains markup"),
        ("An *important* claim", "contains markup"),
        ("An _important_ claim", "contains markup"),
        ("~~Struck~~ out", "contains markup"),
        ("# Heading", "contains markup"),
        ("- item", "contains markup"),
        ("Visit evil.com now", "contains a URL"),
        ("See t.me/joinus", "contains a URL"),
        ("Open ftp://host", "contains a URL"),
        ("Click javascript:alert(1)", "contains a URL"),
        ("two\nlines", "contains control characters"),
        ("evil \u202etxt.exe", "contains control characters"),
        ("zero\u200bwidth", "contains control characters"),
        ("two\u2028lines", "contains control characters"),
        ("two\u2029paragraphs", "contains control characters"),
        ("tag\U000e0041characters", "contains control characters"),
        ("See evil.info/x", "contains a URL"),
        ("See bit.ly/abc", "contains a URL"),
        ("See evil.net/x", "contains a URL"),
        ("Mail joe@163.com", "contains an e-mail address"),
        ("x<script>alert(1)</script>", "contains markup"),
        ("x<img src=x onerror=alert(1)>", "contains markup"),
        ("x<svg onload", "contains markup"),
        ("List<b> is bold", "contains markup"),
        ("x<foo onclick=evil>", "contains markup"),
        ("<T> is a tag", "contains markup"),
        ("An __important claim__", "contains markup"),
        ("a\u200db", "contains control characters"),
        ("a\u200cb", "contains control characters"),
        ("می\u200c\u200cشود", "contains control characters"),
        ("a<b>c</b>", "contains markup"),
        ("see Evil.com now", "contains a URL"),
        ("pills at evil.com", "contains a URL"),
        ("evil.com/x", "contains a URL"),
        ("buy pills on evil.org today", "contains a URL"),
        ("?!… 123", "has no words"),
    ],
)
@pytest.mark.parametrize("field", ["canonical_title", "description"])
def test_text_that_is_not_plain_is_refused_with_the_reason(field: str, text: str, problem: str):
    assert problem in problem_with(**{field: text})


@pytest.mark.parametrize(
    "text",
    [
        "a < b and b > c",
        "R&D costs 5 %",
        "C++ & C#",
        "Größe läuft über",
        "文字化けする",
        "@home",
        "my_long_name and other_name fail",
        "2 * 3 * 4 overflows",
        "Node.js and ASP.NET 4.5 crash",
        "and/or is missing in v1.2/3",
        "Note: data: none",
        "Node.js/Express servers crash",
        "ASP.NET/IIS deployments fail",
        "logger.info prints nothing",
        "button.click handler fires twice",
        "Upgrading to react@18.2 breaks tests",
        "Circular import in __init__",
        "List<String> cannot be cast",
        "std::vector<int> overflows",
        "Map<K, List<vector<int>>> is slow",
        "Passing **kwargs fails",
        "*args and **kwargs are lost",
        "Half-open sockets - a leak",
        "Booking.com refunds never arrive",
        "booking.com refunds never arrive",
        "Amazon.com's checkout fails",
        "Refunds from Booking.com never arrive",
        "README.md/docs links are dead",
        "main.rs/lib.rs are ignored",
        "VB.NET/C# projects fail",
        "a<b",
        "if a<b and c>d nothing happens",
        "len(a)<len(b) is wrong",
        "می\u200cشود",
        "ක්\u200dෂේත්\u200dරය",
        "क्\u200dया",
        "അവന്\u200d പറഞ്ഞു",
        "👩\u200d💻 breaks the layout",
    ],
)
def test_ordinary_text_is_plain(text: str):
    assert plain_text_problem(text) is None


def test_a_description_has_one_or_two_sentences():
    assert length_problem("One. Two") is None
    assert length_problem("One! Two?") is None
    assert length_problem("Version 1.2.3 fails on host a.b.example.") is None
    assert length_problem("Dates, e.g. of orders, i.e. all of them, fail, etc. It is bad.") is None
    assert length_problem("It fails vs. Python approx. 3 times... Why?!") is None
    assert length_problem("Users of Acme Inc. cannot log in. It fails.") is None
    assert length_problem("Exports of […] and of […] hang. Always.") is None
    assert length_problem("Exports fail for U.S. customers. The amount is empty.") is None
    assert length_problem("It fails at 2 a.m. every night. Nobody knows why.") is None
    assert length_problem("Since Jan. 5 Mr. X cannot log in. It is bad.") is None
    assert length_problem("一。二。三。") == "has 3 sentences; expected one or two"
    assert length_problem("One. Two. Three.") == "has 3 sentences; expected one or two"
    assert "has 3 sentences" in problem_with(description="One. Two. Three.")


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("Plain already", "Plain already"),
        ("  much \t space\n here ", "much space here"),
        ("See https://a.example/x?y for more", "See for more"),
        ("joe@shop.example cannot log in", "cannot log in"),
        ("<b>Bold</b> &amp; `code` {x}", "Bold code x"),
        ("[docs](there) are wrong", "[docs are wrong"),
        ("zero\u200bwidth", "zerowidth"),
        ("A **bold** and _soft_ claim", "A bold and soft claim"),
        ("# Heading of evil.com/x", "Heading of"),
        ("- > item", "item"),
        ("می\u200cشود", "می\u200cشود"),
        ("a<b and List<int> < 5", "a<b and List<int> < 5"),
        ("ab", ""),
        ("?!…", ""),
        ("", ""),
    ],
)
def test_tidying_leaves_plain_words(text: str, tidied: str):
    assert tidy_text(text, 120) == tidied


@pytest.mark.parametrize(
    ("title", "tidied"),
    [
        ("Exports fail for large workspaces", "Exports fail for large workspaces"),
        ("Show HN: Ask HN: why do exports fail?", "why do exports fail?"),
        ("[Bug]: Exports fail!!", "Exports fail"),
        ("[cron] [prod] Exports fail", "Exports fail"),
        ("Re: fwd: Exports fail [part 4]", "Exports fail"),
        ("Exports fail (2)", "Exports fail"),
        ("Exports fail (on 9.9.9)...", "Exports fail"),
        ("Exports fail (SOLVED) [closed]", "Exports fail"),
        ("Exports fail #1234", "Exports fail"),
        ("Exports fail (October)", "Exports fail"),
        ("Exports fail - December update", "Exports fail"),
        ("Exports fail | part two", "Exports fail"),
        ("Exports fail, any ideas?", "Exports fail"),
        ("Exports fail. Anyone else?", "Exports fail"),
        ("Exports fail (please help!)", "Exports fail"),
        ("Anyone else? Exports fail", "Exports fail"),
        ("More on: Exports fail", "Exports fail"),
        ("Update 3: Exports fail", "Exports fail"),
        ("Out of ideas: Exports fail", "Exports fail"),
        ("Ask r/vim: how to export", "how to export"),
        ("Exports fail in May", ...),
        ("Why is there no help?", ...),
        ("Exports fail (again, but only for large workspaces)", ...),
        ("Help me export 2 files", ...),
        ("dtype of tensors is lost", ...),
        ("[Bug]", "[Bug]"),
        ("Alternatives to […]", ...),
        ("[…] stalls", ...),
        ("!!!", ""),
        ("", ""),
    ],
)
def test_a_title_loses_its_tags_and_keeps_its_message(title: str, tidied: object):
    assert tidy_title(title) == (title if tidied is ... else tidied)


def test_a_tidied_title_is_plain_and_short_enough():
    parts = ["[", "]", "(", ")", "Show HN:", "#1", "!", "…", ".", " ", "x", "Word", "<b>", "`", "{"]
    dice = random.Random(20260310)
    for _ in range(3_000):
        title = "".join(dice.choices(parts, k=dice.randint(0, 25)))
        tidied = tidy_title(title, 20)
        assert len(tidied) <= 20
        assert tidied == "" or plain_text_problem(tidied) is None, title


def test_tidying_cuts_at_a_word():
    assert tidy_text("Exports fail, always", 13) == "Exports fail"
    assert tidy_text("Exports fail", 12) == "Exports fail"
    assert tidy_text("Exports fail", 11) == "Exports"
    assert tidy_text("x" * 50, 20) == "x" * 20


def test_whatever_comes_in_the_tidied_text_is_plain_and_short_enough():
    parts = ["http", "s://", "www.", "@", ".", "<", ">", "&", "amp", ";", "`", "{", "](", ")"]
    parts += [" ", "\n", "\u200b", "\u202e", "x", "Word", "!", "…", "é", "\x00"]
    parts += ["*", "**", "_", "~~", "# ", "- ", ".com", "/", ":"]
    dice = random.Random(20260310)
    for _ in range(5_000):
        text = "".join(dice.choices(parts, k=dice.randint(0, 20)))
        tidied = tidy_text(text, dice.choice([5, 20, 120]))
        assert tidied == "" or (len(tidied) >= 3 and plain_text_problem(tidied) is None), text


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "a@",
        "a@.",
        "<",
        "](",
        "&",
        "www.",
        "https://",
        "a ",
        "{",
        "[",
        "[a]",
        "(",
        "(1)",
        "!",
        ":",
        "*a",
        "_a ",
        "**",
        "# ",
        "a.",
        "a.com",
        "a://",
        "e.g. ",
    ],
)
def test_hostile_text_is_tidied_in_linear_work(unit: str):
    with stopped_if_it_runs_away():
        tidy_text(unit * LONG_TEXT_CHARS, 120)
        tidy_title(unit * LONG_TEXT_CHARS, 120)
        plain_text_problem(unit * LONG_TEXT_CHARS)
        length_problem(unit * LONG_TEXT_CHARS)


def test_the_schema_names_every_field_and_leaves_no_room_for_others():
    schema = label_schema()
    assert schema["required"] == list(GOOD_LABEL) == list(IssueLabel.model_fields)
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    assert isinstance(properties, dict)
    assert properties["canonical_title"] == {"type": "string"}
    assert properties["category"]["enum"] == list(CATEGORIES)
    assert properties["impact_level"]["enum"] == ["low", "medium", "high"]
    assert properties["would_pay_signal"] == {"type": "boolean"}


def test_the_schema_can_offer_titles_and_descriptions_to_choose_from():
    properties = label_schema(titles=["A title"], descriptions=["A cause."])["properties"]
    assert isinstance(properties, dict)
    assert properties["canonical_title"] == {"type": "string", "enum": ["A title"]}
    assert properties["description"] == {"type": "string", "enum": ["A cause."]}


def test_that_there_is_no_problem_may_be_said_in_the_words_of_the_instructions():
    told = "description says that these posts report no common problem"
    fields = {**GOOD_LABEL, "description": "These posts report no common problem."}
    for is_problem, refused in ((True, True), (False, False)):
        label = IssueLabel.model_validate({**fields, "is_problem": is_problem})
        assert (copied_problem(label, told) is not None) is refused


@pytest.mark.parametrize("field", ["canonical_title", "description"])
@pytest.mark.parametrize(
    ("text", "copied"),
    [
        ("State the ONE problem!", True),
        ("The chatbot invents order numbers.", True),
        ("The problem", False),  # too short to tell
        ("State the one issue that the posts share", False),
    ],
)
def test_a_label_that_repeats_its_instructions_is_told_from_one_that_does_not(
    field: str, text: str, copied: bool
):
    told = "State the one problem that posts share (example: the chatbot invents order numbers)."
    label = IssueLabel.model_validate({**GOOD_LABEL, field: text})
    problem = copied_problem(label, told)
    assert (problem is not None and problem.startswith(field)) is copied


@pytest.mark.parametrize("field", MIN_GROUNDING)
def test_a_text_is_grounded_from_the_least_similarity_on(field: str):
    least = MIN_GROUNDING[field]
    assert grounding_problem(field, least) is None
    assert grounding_problem(field, least - 0.001) == (
        f"{field}: is not about these posts; expected the problem that they share"
    )
