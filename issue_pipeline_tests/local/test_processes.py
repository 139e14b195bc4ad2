import os
import signal
import socket
import subprocess
import sys

import httpx
import psutil
import pytest

from issue_pipeline.local.errors import ServiceError
from issue_pipeline.local.ports import LOOPBACK
from issue_pipeline.local.processes import LocalServer, ManagedProcess, answers
from issue_pipeline_tests.support.process_watching import (
    LIMIT_S,
    is_gone,
    python_parent,
    wait_until_gone,
)

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
# Says the ids of itself and of its own child on its output; neither minds SIGTERM.
STUBBORN_FAMILY = [
    sys.executable,
    "-c",
    "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); other = os.fork();"
    " print(other, flush=True) if other else None; time.sleep(600)",
]
# Answers /health with 503 twice before it says 200, and tells how often it was asked.
WARMING_UP = """
import http.server, sys
asked = 0
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global asked
        asked += self.path == "/health"
        self.send_response(200 if asked > 2 else 503)
        self.end_headers()
        self.wfile.write(str(asked).encode())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
# Starts a child, says the ids of the child and its guard, and then does what `ending` says.
PARENT = """
import os, sys, time
from pathlib import Path
from issue_pipeline.local.processes import ManagedProcess
def tell(child):
    print(child.pid, child.guard_pid, flush=True)
with ManagedProcess("child", [sys.executable, "-c", "import time; time.sleep(600)"],
                    log=Path(sys.argv[1])) as child:
{ending}
"""


def parent(tmp_path, *endings):
    code = PARENT.format(ending="\n".join("    " + line for line in endings))
    return python_parent(code, str(tmp_path / "child.log"))


def told_pids(process: "subprocess.Popen[str]") -> list[int]:
    return [int(word) for word in process.stdout.readline().split()]


def warming_up(log, **options):
    return LocalServer(
        "The server",
        lambda port: [sys.executable, "-c", WARMING_UP, str(port)],
        health_path="/health",
        log=log,
        **options,
    )


def test_ready_means_that_the_server_said_so(tmp_path):
    with warming_up(tmp_path / "log") as server:
        assert httpx.get(server.url + "/", trust_env=False).text == "3"
        pids = [server.process.pid, server.process.guard_pid]
    assert all(is_gone(pid) for pid in pids)
    with pytest.raises(ServiceError, match="not started"):
        _ = server.url


def test_nothing_is_left_after_an_exception(tmp_path):
    pids = []
    with (
        pytest.raises(ZeroDivisionError),
        ManagedProcess("x", SLEEPER, log=tmp_path / "l") as child,
    ):
        pids += [child.pid, child.guard_pid]
        assert not any(is_gone(pid) for pid in pids)
        _ = 1 / 0
    assert all(is_gone(pid) for pid in pids)


def test_a_stubborn_child_and_its_own_children_are_gone_after_the_grace_time(tmp_path):
    log = tmp_path / "log"
    with ManagedProcess("x", STUBBORN_FAMILY, log=log, stop_grace_s=0.1) as child:
        child.wait_until_ready(lambda: log.read_text().endswith("\n"), LIMIT_S)
        pids = [child.pid, int(log.read_text())]
    wait_until_gone(pids)


def test_what_a_child_that_ended_left_behind_is_gone(tmp_path):
    log = tmp_path / "log"
    command = ["sh", "-c", "sleep 600 & echo $!"]
    with ManagedProcess("x", command, log=log) as child:
        with pytest.raises(ServiceError, match="ended with status 0"):
            child.wait_until_ready(lambda: False, LIMIT_S)
        wait_until_gone([int(log.read_text())])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_when_the_parent_gets_a_signal(tmp_path, number):
    with parent(tmp_path, "tell(child)", "time.sleep(600)") as process:
        pids = told_pids(process)
        assert not any(is_gone(pid) for pid in pids)
        process.send_signal(number)
        wait_until_gone(pids)
        assert process.wait(LIMIT_S) in (-number, 1)


def test_nothing_is_left_when_the_parent_is_killed_while_the_child_is_starting(tmp_path):
    endings = ["tell(child)", "child.wait_until_ready(lambda: False, 600)"]
    with parent(tmp_path, *endings) as process:
        pids = told_pids(process)
        process.kill()
        wait_until_gone(pids)


def test_nothing_is_left_when_the_parent_is_killed_but_a_fork_of_it_lives_on(tmp_path):
    endings = ["stray = os.fork()", "if stray: tell(child); print(stray, flush=True)"]
    with parent(tmp_path, *endings, "time.sleep(600)") as process:
        pids = told_pids(process)
        (stray,) = told_pids(process)
        try:
            process.kill()
            wait_until_gone(pids)
            assert not is_gone(stray)
        finally:
            os.kill(stray, signal.SIGKILL)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent's death")
def test_the_child_is_gone_when_its_guard_is_killed(tmp_path):
    with ManagedProcess("x", SLEEPER, log=tmp_path / "log") as child:
        pid = child.pid
        os.kill(child.guard_pid, signal.SIGKILL)
        wait_until_gone([pid])
        with pytest.raises(ServiceError, match="ended with status -9"):
            child.require_running()


def test_stopping_ends_the_group_of_a_child_whose_guard_was_killed(tmp_path):
    log = tmp_path / "log"
    with ManagedProcess("x", STUBBORN_FAMILY, log=log) as child:
        child.wait_until_ready(lambda: log.read_text().endswith("\n"), LIMIT_S)
        grandchild = int(log.read_text())
        os.kill(child.guard_pid, signal.SIGKILL)
        wait_until_gone([child.pid])
        assert not is_gone(grandchild)
    wait_until_gone([grandchild])


def test_a_child_does_not_get_signals_of_the_terminal(tmp_path):
    with ManagedProcess("x", SLEEPER, log=tmp_path / "log") as child:
        groups = {os.getpgid(pid) for pid in (os.getpid(), child.pid, child.guard_pid)}
        assert len(groups) == 3
        assert os.getsid(child.guard_pid) != os.getsid(0)


def test_a_child_starts_with_the_default_signal_handlers(tmp_path):
    with ManagedProcess("x", SLEEPER, log=tmp_path / "log") as child:
        os.kill(child.pid, signal.SIGTERM)
        with pytest.raises(ServiceError, match=f"ended with status {128 + signal.SIGTERM}"):
            child.wait_until_ready(lambda: False, LIMIT_S)


def test_a_child_that_dies_at_start_is_reported_with_its_last_words(tmp_path):
    code = "import sys; print('\\n'.join(map(str, range(99)))); sys.exit('no such planet')"
    server = LocalServer(
        "The planet",
        lambda _port: [sys.executable, "-c", code],
        health_path="/health",
        log=tmp_path / "log",
        advice="Choose another.",
    )
    with pytest.raises(ServiceError) as failed:
        server.__enter__()
    message = str(failed.value)
    assert message.startswith("The planet ended with status 1. Choose another.\n")
    assert "no such planet" in message
    assert "98" in message
    assert "\n50\n" not in message


def test_a_command_that_does_not_exist_is_reported(tmp_path):
    with pytest.raises(ServiceError, match=r"could not be started.*No such file.*no-such-program"):
        ManagedProcess("x", ["/no-such-program"], log=tmp_path / "log").start()


def test_a_child_that_never_gets_ready_is_stopped_and_reported(tmp_path):
    child = ManagedProcess("The snail", SLEEPER, log=tmp_path / "log")
    child.start()
    pids = [child.pid, child.guard_pid]
    with pytest.raises(ServiceError, match=r"The snail was not ready after 0.2 s.*Be patient"):
        child.wait_until_ready(lambda: False, 0.2, advice="Be patient.")
    assert all(is_gone(pid) for pid in pids)


def test_a_server_whose_port_was_snatched_gets_another(tmp_path):
    ports, squatters = [], []

    def command(port):
        ports.append(port)
        if not squatters:  # somebody takes the first one just before the server does
            squatters.append(socket.create_server((LOOPBACK, port)))
        return [sys.executable, "-c", WARMING_UP, str(port)]

    server = LocalServer("x", command, health_path="/health", log=tmp_path / "log")
    try:
        with server:
            assert len(set(ports)) == 2
            assert server.url.endswith(f":{ports[1]}")
    finally:
        squatters[0].close()


def test_a_server_that_fails_for_another_reason_is_started_only_once(tmp_path):
    ports = []

    def command(port):
        ports.append(port)
        return [sys.executable, "-c", "raise SystemExit(3)"]

    with pytest.raises(ServiceError, match="ended with status 3"):
        LocalServer("x", command, health_path="/", log=tmp_path / "log").__enter__()
    assert len(ports) == 1


def test_a_server_can_be_stopped_again_and_started_again(tmp_path):
    server = warming_up(tmp_path / "log")
    with server:
        first = server.process.pid
        with pytest.raises(ServiceError, match="started already"):
            server.start()
    server.stop()
    with server:
        assert answers(server.url + "/health")
        assert psutil.Process(server.process.pid).is_running()
        assert server.process.pid != first


def test_a_server_that_died_is_noticed(tmp_path):
    with warming_up(tmp_path / "log", advice="Look there.") as server:
        server.require_running()
        os.kill(server.process.pid, signal.SIGKILL)
        wait_until_gone([server.process.guard_pid])
        with pytest.raises(ServiceError, match=r"ended with status 137. Look there"):
            server.require_running()


def test_a_proxy_of_the_environment_is_not_asked_for_a_server_here(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with warming_up(tmp_path / "log") as server:
        assert answers(server.url + "/health")
