"""The rate limiter of an API: shared by all processes, and freed by those that die."""

import subprocess
import sys
from pathlib import Path

import pytest

from issue_pipeline.errors import ConfigurationError, QuotaExhaustedError, TimeBudgetError
from issue_pipeline.resources.collectors.rate_limits import RateLimiter, TimeBudget


def a_limiter(
    folder: Path, client: str = "me", per_minute: float = 60, minutes: float = 60
) -> RateLimiter:
    return RateLimiter(folder, client, per_minute, TimeBudget(minutes))


def test_two_clients_of_one_api_keep_their_distance(tmp_path, clock):
    one, other = a_limiter(tmp_path), a_limiter(tmp_path)
    for limiter in (one, other, one):
        with limiter.permit("Chirper"):
            pass
    assert clock.sleeps == [pytest.approx(1, abs=0.01)] * 2
    assert one.waited_s + other.waited_s == pytest.approx(2, abs=0.01)


def test_another_credential_has_turns_of_its_own(tmp_path, clock):
    for client in ("me", "you"):
        with a_limiter(tmp_path, client).permit("Chirper"):
            pass
    assert clock.sleeps == []


def test_a_pause_asked_for_in_one_process_holds_all(tmp_path, clock):
    one, other = a_limiter(tmp_path), a_limiter(tmp_path)
    with one.permit("Chirper"):
        one.hold_for(90)
    with other.permit("Chirper"):
        pass
    assert clock.sleeps == [pytest.approx(90, abs=0.01)]


def test_a_pause_beyond_our_time_names_the_remedy(tmp_path, clock):
    one = a_limiter(tmp_path, minutes=10)
    with one.permit("Chirper"):
        one.hold_for(4_000)
    with (
        pytest.raises(QuotaExhaustedError, match=r"Chirper wants.*4000 s; 600 s.*Set THE_KEY"),
        one.permit("Chirper", " Set THE_KEY."),
    ):
        pass
    assert clock.sleeps == []


def test_no_time_left_is_said(tmp_path, clock):
    limiter = a_limiter(tmp_path, minutes=1)
    clock.now_s += 61
    with (
        pytest.raises(TimeBudgetError, match="COLLECT_TIME_BUDGET_MINUTES"),
        limiter.permit("Chirper"),
    ):
        pass


@pytest.mark.parametrize("written", ["", "soon", "nan nan", "1e300 0", "9e9 9e9"])
def test_a_broken_note_of_the_next_turn_is_ignored(tmp_path, clock, written):
    limiter = a_limiter(tmp_path)
    with limiter.permit("Chirper"):
        pass
    for path in tmp_path.glob("*.next"):
        path.write_text(written)
    with limiter.permit("Chirper"):
        pass
    assert clock.sleeps == []


def test_nothing_of_a_credential_is_written_down(tmp_path):
    with a_limiter(tmp_path, "https://a.example Bearer hush").permit("Chirper"):
        pass
    assert all("hush" not in path.name + path.read_text() for path in tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_to_names_its_setting(tmp_path):
    with pytest.raises(ConfigurationError, match="ISSUES_CACHE_DIR"):
        a_limiter(tmp_path / "not there")


ASK_FOR_TURNS = """
import sys, time
from pathlib import Path
from issue_pipeline.resources.collectors.rate_limits import RateLimiter, TimeBudget
limiter = RateLimiter(Path(sys.argv[1]), "me", 600, TimeBudget(5))
for _ in range(5):
    with limiter.permit("Chirper"):
        print(time.time(), flush=True)
"""


def test_processes_take_turns(tmp_path):
    command = [sys.executable, "-c", ASK_FOR_TURNS, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    moments = sorted(
        float(line) for one in processes for line in one.communicate(timeout=60)[0].split()
    )
    assert len(moments) == 15
    # Between a permit and its print some time passes; each by a limiter of its own, 0.4 s.
    assert moments[-1] - moments[0] >= 14 * 0.1 - 0.5


DIE_IN_TURN = """
import os, signal, sys
from pathlib import Path
from issue_pipeline.resources.collectors.rate_limits import RateLimiter, TimeBudget
with RateLimiter(Path(sys.argv[1]), "me", 6000, TimeBudget(5)).permit("Chirper"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_dies_in_its_turn_blocks_nobody(tmp_path):
    subprocess.run([sys.executable, "-c", DIE_IN_TURN, str(tmp_path)], check=False)
    # One second of budget: were the permit still taken, this would raise.
    with a_limiter(tmp_path, minutes=1 / 60).permit("Chirper"):
        pass
