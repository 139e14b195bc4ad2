"""What a post says around the telling: a bot's titles, asides, oddities, links."""

import random

from issue_pipeline.sandbox.world.content import shipped_content
from issue_pipeline.sandbox.world.oddities import BROKEN_TEXT, CARELESS, HOSTILE, odd_sentences
from issue_pipeline.sandbox.world.slots import slots_of
from issue_pipeline.sandbox.world.writing import write_chatter, write_notice, write_report


def test_a_report_says_all_it_was_told_under_its_title() -> None:
    problem = shipped_content().problems[0]
    told = ("It broke in {city}.", "Nobody answers.")
    for seed in range(50):
        post = write_report(problem, told, "Help in {city}", "reddit", random.Random(seed))
        city = post.title.split(" in ")[1] if " in " in post.title else ""
        assert post.body is not None
        assert f"It broke in {city}." in post.body or post.title.islower()
        assert "Nobody answers." in post.body
        assert not slots_of(post.title)


def test_ask_hn_posts_always_have_a_text() -> None:
    topic = shipped_content().topics[0]
    posts = [write_chatter(topic, "Kites", "hackernews", random.Random(i)) for i in range(300)]
    assert all(post.body for post in posts if post.channel == "ask_hn")
    assert any(post.body is None and post.link for post in posts if post.channel == "story")


def test_a_bot_goes_through_its_titles_in_turn() -> None:
    bot = shipped_content().bots[0]
    titles = [write_notice(bot, i, "github", random.Random(i)).title for i in range(10)]
    assert titles == [*bot.titles, *bot.titles][:10]


def test_oddities_are_rare_but_all_of_them_occur() -> None:
    rng = random.Random(1)
    found = [odd_sentences(rng) for _ in range(20_000)]
    assert 0.02 < sum(bool(odd) for odd in found) / len(found) < 0.12
    assert {text for odd in found for text in odd} == {*CARELESS, *HOSTILE, *BROKEN_TEXT}
