"""What a developer's commands do on machines that are not like ours."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dev.children import DidNotStart, alone_in
from dev.stack import Ports, Stack

ROOT = Path(__file__).resolve().parents[2]

BYPASSES = """
import dev, requests.utils, urllib.request
for host in ("127.0.0.1", "localhost", "intranet.example.org"):
    assert urllib.request.proxy_bypass(host)
    assert requests.utils.should_bypass_proxies(f"http://{host}:1/", None)
assert not urllib.request.proxy_bypass("registry.example.org")
"""

WAITS = """
import time
from dev.children import end_in_order
end_in_order()
try:
    print("ready", flush=True)
    time.sleep(60)
finally:
    print("stopped", flush=True)
"""


def test_a_proxy_that_leads_out_is_not_asked_for_this_machine() -> None:
    proxy = "http://127.0.0.1:9"
    environment = {"http_proxy": proxy, "HTTP_PROXY": proxy, "no_proxy": "intranet.example.org"}
    subprocess.run([sys.executable, "-c", BYPASSES], cwd=ROOT, env=environment, check=True)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_told_to_end_stops_what_it_started(told: signal.Signals) -> None:
    command = [sys.executable, "-c", WAITS]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        running.send_signal(told)
        assert running.stdout.read() == "stopped\n"
    assert running.returncode == 128 + told


def test_a_second_command_leaves_the_folder_of_the_first_alone(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "demo"
    with alone_in(folder):
        with pytest.raises(DidNotStart, match="in use"), alone_in(folder):
            pass
        with alone_in(tmp_path / "var" / "run"):
            pass
    with alone_in(folder):
        pass


def test_two_stacks_at_once_share_no_file(tmp_path: Path) -> None:
    stacks = [Stack(tmp_path / name, Ports(1, 2, 3, 4)) for name in ("one", "two")]
    written = ("DATABASE_URL", "GAS_STATIC_ROOT", "HOME")
    for name in written:
        one, two = (stack.environment[name] for stack in stacks)
        assert one != two
        assert str(tmp_path / "one") in one


def test_a_command_that_nobody_reads_to_its_end_ends_without_a_trace() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "manage.py", "help"],
            cwd=ROOT,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")
