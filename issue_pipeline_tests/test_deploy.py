"""What an operator is given to deploy: every file named is there, every command is a real one."""

import base64
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from issue_pipeline.local.pocketbase_server import MIGRATIONS, pocketbase_binary
from issue_pipeline.local.ports import ReservedPort
from issue_pipeline.local.processes import LocalServer, ManagedProcess

ROOT = Path(__file__).parent.parent
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
COMPOSE = ROOT / "deploy" / "docker" / "compose.yaml"
RAY = ROOT / "deploy" / "ray"
PROXY = ROOT / "deploy" / "proxy" / "dagster.nginx.conf"
BIN = Path(sys.executable).parent


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, with lines that go on put together."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in lines if line.strip()]


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load(COMPOSE.read_text()))


# --- Containers ---------------------------------------------------------------------------------


def test_everything_that_is_copied_into_an_image_is_there():
    copied = [
        source
        for name, rest in instructions()
        if name == "COPY" and "--from=" not in rest
        for source in [one for one in shlex.split(rest) if not one.startswith("--")][:-1]
    ]
    assert len(copied) > 5
    assert [one for one in copied if not (ROOT / one).exists()] == []


def test_what_is_copied_is_not_kept_out_of_the_build_and_secrets_are():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".env", "data", ".git"} <= set(ignored)
    assert not {"requirements", "issue_pipeline", "deploy", "README.md"} & set(ignored)


def test_images_install_by_hash_and_what_is_fetched_is_checked():
    text = DOCKERFILE.read_text()
    assert "--require-hashes -r requirements/production.txt" in text
    fetched = [rest for name, rest in instructions() if name == "ADD"]
    assert fetched
    assert all("--checksum=sha256:" in one for one in fetched)
    pinned = (ROOT / "constraints.txt").read_text()
    [torch] = re.findall(r"install .*torch==(\S+)", text)
    assert f"\ntorch=={torch}\n" in pinned
    [pocketbase] = re.findall(r"POCKETBASE_VERSION=(\S+)", text)
    assert f"\npocketbase-bin=={pocketbase}\n" in pinned


def test_every_image_runs_as_a_user_without_rights():
    stages = re.split(r"^FROM ", DOCKERFILE.read_text(), flags=re.MULTILINE)[1:]
    for stage in stages:
        if "\nCMD " in stage:
            assert "\nUSER 10001\n" in stage


def test_the_compose_file_names_files_targets_and_volumes_that_there_are():
    found = compose()
    stages = re.findall(r"^FROM \S+ AS (\w+)", DOCKERFILE.read_text(), re.MULTILINE)
    for name, service in found["services"].items():
        build = service["build"]
        context = (COMPOSE.parent / build["context"]).resolve()
        assert context == ROOT
        assert (context / build["dockerfile"]).is_file()
        assert build["target"] in stages, name
        for volume in service["volumes"]:
            assert volume.split(":")[0] in found["volumes"]
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), "both are for a proxy on this machine"
        assert set(service.get("depends_on") or ()) <= set(found["services"])


def commands_of_containers() -> list[str]:
    given = [
        service["command"] for service in compose()["services"].values() if "command" in service
    ]
    cmd = [" ".join(json.loads(rest)) for name, rest in instructions() if name == "CMD"]
    return [*given, *(one for one in cmd if not one.startswith("sh "))]


def commands_of_units() -> list[str]:
    """The commands of the systemd units, with the environment's programs by their names."""
    units = (ROOT / "deploy" / "systemd").glob("*.service")
    joined = [unit.read_text().replace("\\\n", " ") for unit in sorted(units)]
    found = [one for text in joined for one in re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)]
    return [one.replace("/opt/issue_pipeline/.venv/bin/", "") for one in found]


@pytest.mark.parametrize("command", [*commands_of_containers(), *commands_of_units()])
def test_every_command_is_one_that_there_is_with_options_it_has(command):
    program, *arguments = shlex.split(command)
    path = pocketbase_binary() if Path(program).name == "pocketbase" else BIN / Path(program).name
    words = [one for one in arguments if not one.startswith("-")]
    # Sub-commands come before the first option.
    before = [one for one in words if arguments.index(one) < first_option(arguments)]
    result = subprocess.run([path, *before, "--help"], capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    for option in (one.partition("=")[0] for one in arguments if one.startswith("-")):
        assert re.search(rf"(^|[\s,]){re.escape(option)}\b", result.stdout), option


def first_option(arguments: list[str]) -> int:
    return next((at for at, one in enumerate(arguments) if one.startswith("-")), len(arguments))


def test_the_units_name_files_of_the_project_that_there_are():
    for unit in (ROOT / "deploy" / "systemd").glob("*.service"):
        text = unit.read_text().replace("\\\n", " ")
        for path in re.findall(r"=(issue_pipeline/\S+)", text):
            assert (ROOT / path).exists(), path
    assert "workspace.yaml" in "".join(commands_of_units())


def test_pocketbase_in_production_is_the_operators_own_download():
    """And not the wheel of a third party; its hash is checked by what the page tells to run."""
    [command] = [one for one in commands_of_units() if "pocketbase" in one.split()[0]]
    assert command.startswith("/usr/local/bin/pocketbase serve ")
    page = (ROOT / "docs" / "operations.md").read_text()
    assert "sha256sum --check" in page
    assert "superuser upsert" not in page, "a password is no argument of a command"


@pytest.mark.slow
def test_the_script_of_the_pocketbase_container_runs_in_a_plain_shell(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pocketbase").symlink_to(pocketbase_binary())
    who = {"POCKETBASE_EMAIL": "a@b.example", "POCKETBASE_PASSWORD": "battery staple"}

    with LocalServer(
        "PocketBase's container",
        lambda port: [
            "env",
            f"LISTEN=127.0.0.1:{port}",
            "sh",
            str(COMPOSE.parent / "pocketbase.sh"),
        ],
        health_path="/api/health",
        log=tmp_path / "log",
        environment={
            **who,
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "DATA": str(tmp_path / "data"),
            "LIVE": str(MIGRATIONS.parent),
        },
    ) as server:
        login = {"identity": who["POCKETBASE_EMAIL"], "password": who["POCKETBASE_PASSWORD"]}
        with httpx.Client(base_url=server.url, trust_env=False) as client:
            path = "/api/collections/_superusers/auth-with-password"
            assert client.post(path, json=login).is_success
            assert client.get("/api/collections/issues/records").is_success
            assert "<html" in client.get("/").text
            assert client.get("/feeds/problems.atom").is_success


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not installed")
def test_the_dockerfile_passes_its_linter():
    result = subprocess.run(["hadolint", DOCKERFILE], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


# --- A Ray cluster ------------------------------------------------------------------------------


def ray_options() -> str:
    ray = BIN / "ray"
    if not ray.exists():
        pytest.skip("the extra ray is not installed")
    return subprocess.run(
        [ray, "start", "--help"], capture_output=True, text=True, check=True
    ).stdout


def kuberay() -> dict[str, Any]:
    return dict(yaml.safe_load((RAY / "kuberay.yaml").read_text()))


@pytest.mark.slow
def test_every_option_of_a_node_is_one_of_ray_start():
    options = ray_options()
    services = yaml.safe_load((RAY / "compose.yaml").read_text())["services"]
    commands = [shlex.split(services[name]["command"]) for name in ("head", "worker")]
    assert all(command[:2] == ["ray", "start"] for command in commands)
    spec = kuberay()["spec"]
    groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    named = [one.partition("=")[0] for command in commands for one in command[2:]]
    named += [f"--{name}" for group in groups for name in group["rayStartParams"]]
    page = (ROOT / "docs" / "scale.md").read_text()
    told = re.findall(r"^ray start (.*)$", page, re.MULTILINE)
    assert len(told) == 2
    named += [one.partition("=")[0] for line in told for one in line.split()]
    for option in named:
        assert re.search(rf"(^|[\s,]){re.escape(option)}\b", options), option


def test_the_services_of_the_cluster_go_with_those_of_the_pipeline():
    ours = yaml.safe_load((RAY / "compose.yaml").read_text())
    stages = re.findall(r"^FROM \S+ AS (\w+)", DOCKERFILE.read_text(), re.MULTILINE)
    assert set(ours["volumes"]) <= set(compose()["volumes"])
    for name, service in ours["services"].items():
        assert service["build"]["target"] in stages, name
        assert service["environment"]["RAY_AUTH_MODE"] == "token", "anybody could run code"
        assert "ports" not in service, "nobody else is to reach it"
        if name not in compose()["services"]:
            context = (RAY / service["build"]["context"]).resolve()
            assert (context / service["build"]["dockerfile"]) == DOCKERFILE
    addresses = {
        service["environment"]["RAY_ADDRESS"]
        for name, service in ours["services"].items()
        if name in compose()["services"]
    }
    head = ours["services"]["head"]["command"]
    assert addresses == {"ray://head:10001"}
    assert "--ray-client-server-port=10001" in head
    assert "--address=head:6379" in ours["services"]["worker"]["command"]
    assert ours["services"]["worker"]["deploy"]["replicas"] == 2


def test_the_manifest_is_a_raycluster_whose_nodes_are_alike_and_want_a_token():
    """Its fields were checked against the schema of KubeRay's RayCluster, ray.io/v1."""
    manifest = kuberay()
    assert (manifest["apiVersion"], manifest["kind"]) == ("ray.io/v1", "RayCluster")
    spec = manifest["spec"]
    pinned = (ROOT / "constraints.txt").read_text()
    assert f"\nray=={spec['rayVersion']}\n" in pinned
    groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    pods = [group["template"]["spec"] for group in groups]
    containers = [container for pod in pods for container in pod["containers"]]
    assert len({container["image"] for container in containers}) == 1
    for pod, container in zip(pods, containers, strict=True):
        assert {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN"} == {one["name"] for one in container["env"]}
        assert container["resources"]["limits"] == container["resources"]["requests"]
        mounts = {one["name"] for one in container["volumeMounts"]}
        assert mounts == {one["name"] for one in pod["volumes"]}
    for group in spec["workerGroupSpecs"]:
        assert 0 <= group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]


# --- The proxy before Dagster -------------------------------------------------------------------


@contextmanager
def backend() -> Iterator[int]:
    """Something that executes whatever it is sent, as Dagster's webserver does."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            body = b"executed"
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_HEAD = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory) -> Iterator[str]:
    """nginx with the example, but for its addresses and certificate."""
    nginx = shutil.which("nginx")
    if nginx is None:
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "passwords").write_text("joe:{PLAIN}hush\n")
    folder.chmod(0o755)
    with backend() as behind, ReservedPort() as port:
        text = PROXY.read_text()
        text = re.sub(r"^\s*ssl_certificate.*\n", "", text, flags=re.MULTILINE)
        for ours, theirs in (
            ("443 ssl", f"127.0.0.1:{port.number}"),
            ("http://127.0.0.1:3000", f"http://127.0.0.1:{behind}"),
            ("/etc/nginx/dagster.htpasswd", str(folder / "passwords")),
        ):
            assert ours in text
            text = text.replace(ours, theirs)
        (folder / "dagster.conf").write_text(text)
        temporary = "".join(
            f"{one}_temp_path {folder / one};\n"
            for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            # Its workers must be able to read the folder of this test.
            f"{'user root;' if os.getuid() == 0 else ''}\ndaemon off;\nevents {{}}\n"
            f"pid {folder / 'pid'};\nerror_log {folder / 'errors'};\n"
            f"http {{ access_log off;\n{temporary}include {folder / 'dagster.conf'};\n}}\n"
        )
        process = ManagedProcess(
            "nginx", [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")],
            log=folder / "log",
        )  # fmt: skip
        url = f"http://127.0.0.1:{port.number}"

        def is_up() -> bool:
            try:
                return httpx.get(url, trust_env=False).status_code == 401
            except httpx.TransportError:
                return False

        with process:
            process.wait_until_ready(is_up, 30)
            yield url


WEBSOCKET = {"connection": "upgrade", "upgrade": "websocket"}
STOPS_A_SCHEDULE = "mutation{stopRunningSchedule(id:%22x%22){__typename}}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/graphql", {}, 200),  # a program
        ("POST", "/graphql", {"origin": "{url}", "sec-fetch-site": "same-origin"}, 200),
        ("POST", "/graphql", {"origin": "{url}"}, 200),  # a browser of before 2023
        ("GET", "/", {"sec-fetch-site": "cross-site"}, 200),  # a link in a chat leads to the UI
        ("GET", "/runs/1", {}, 200),
        ("GET", "/graphql", {**WEBSOCKET, "origin": "{url}"}, 200),
        ("GET", f"/graphql?query={STOPS_A_SCHEDULE}", {}, 405),
        ("GET", f"/graphql?query={STOPS_A_SCHEDULE}", {"sec-fetch-site": "cross-site"}, 405),
        ("HEAD", "/graphql", {}, 405),
        ("GET", "/graphql", {"upgrade": "h2c", "connection": "upgrade"}, 405),
        ("POST", "/graphql", {"sec-fetch-site": "cross-site"}, 403),
        ("POST", "/graphql", {"sec-fetch-site": "same-site"}, 403),
        ("POST", "/graphql", {"origin": "https://evil.example"}, 403),
        ("POST", "/graphql", {"origin": "null"}, 403),
        ("GET", "/graphql", {**WEBSOCKET, "origin": "https://evil.example"}, 403),
    ],
)
def test_other_sites_cannot_use_dagsters_graphql(proxy, method, path, headers, status):
    login = base64.b64encode(b"joe:hush").decode()
    sent = {name: value.format(url=proxy) for name, value in headers.items()}
    sent["authorization"] = f"Basic {login}"
    reply = httpx.request(method, f"{proxy}{path}", headers=sent, trust_env=False)
    assert reply.status_code == status
    assert (reply.text == "executed") == (status == 200)


@pytest.mark.slow
def test_without_a_login_nothing_is_reached(proxy):
    assert httpx.post(f"{proxy}/graphql", trust_env=False).status_code == 401
