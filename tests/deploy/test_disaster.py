"""How real: the runbook's own commands, a PostgreSQL that is put back, every process."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from celeryconfig import QUEUES
from dev import postgres
from dev.children import is_free
from dev.database import Database
from dev.demo import SAMPLE
from dev.stack import ROOT, Ports, Stack
from dev.visitor import Page, Visitor
from dev.waiting import until
from tests.pipeline.conftest import QUICK

PAGE = ROOT / "docs/disaster.md"
BLOCK = re.compile(r"^ *```sh(?: (?P<step>\w+))?\n(?P<commands>.*?)^ *```$", re.M | re.S)
ORDER = ("restore", "migrate", "restored", "reconcile", "reconcile", "status")

NOW_DUE = "UPDATE gas_job SET wake_at = now(), sent_at = NULL WHERE id = {}"
ASKED_BACK = NOW_DUE.replace("SET", "SET thaw_tier = 'Expedited',")
TO_DESTROY = "SELECT count(*) FROM gas_discard WHERE try_at <= now()"

#: A job that never was: messages are about it, too.
OF_NOBODY = 424_242


def blocks(step: str | None = None) -> list[str]:
    """The commands of the runbook in their order: those of one step, or those without a name."""
    found = BLOCK.finditer(PAGE.read_text())
    return [each["commands"] for each in found if each["step"] == step]


@dataclass
class Town:
    """The service, its database, and the people who use it."""

    stack: Stack
    folder: Path

    @property
    def database(self) -> Database:
        return Database(self.stack.environment["DATABASE_URL"])

    def person(self, name: str) -> Visitor:
        visitor = Visitor(self.stack.site_url)
        visitor.sign_in(name)
        return visitor

    def follow(self, commands: str) -> str:
        """Run a block of the runbook as it stands there; what it says."""
        programs = f"{Path(sys.executable).parent}:{self.folder}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=ROOT,
            env=self.stack.environment | {"PATH": programs},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def states(self) -> dict[int, str]:
        found = self.database.rows("SELECT id, status FROM gas_job")
        return {int(job): str(status) for job, status in found}

    def until_it_is(self, job: int, state: str) -> None:
        until(lambda: self.states().get(job) == state, f"job {job} {state}", seconds=120)

    def stop_all_but_aws(self) -> None:
        aws, self.stack.aws = self.stack.aws, None
        self.stack.stop()
        self.stack.aws = aws

    def start_again(self) -> None:
        for name in ("globus", "stripe", "worker", "courier", "site", "beat"):
            self.stack.launch(name)
        ports = self.stack.ports
        until(lambda: not any(map(is_free, (ports.site, ports.globus, ports.stripe))), "the site")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """The service on a PostgreSQL of its own; dumps lie in a folder of the test."""
    with postgres.running() as server:
        settings = QUICK | {"GAS_FREE_RETENTION": "1h", "DATABASE_URL": server.url}
        with Stack(tmp_path / "stack", Ports.free(), settings) as stack:
            yield Town(stack, Path(postgres.binary("pg_dump")).parent)


def number_of(job: Page) -> int:
    return int(job.url.rstrip("/").rpartition("/")[2])


def test_the_runbook_has_a_block_for_each_step_in_this_order() -> None:
    found = [*blocks("restore"), *blocks()]
    assert len(blocks("backup")) == 1
    assert len(found) == len(ORDER)
    for commands, word in zip(found, ORDER, strict=True):
        assert word in commands


@pytest.mark.deploy
@pytest.mark.timeout(900)
def test_the_runbook_brings_the_service_back_and_nothing_that_was_deleted(
    town: Town, tmp_path: Path
) -> None:
    researcher, second = town.person("Free researcher"), town.person("Second researcher")
    moved, back, gone = (number_of(researcher.annotate(SAMPLE)) for _ in range(3))
    left = number_of(second.annotate(SAMPLE))
    for job in (moved, back, gone, left):
        town.until_it_is(job, "completed")
    researcher.download(f"/jobs/{back}/files/vcf/", town.stack.folder / "before.vcf.gz")
    town.database.change(NOW_DUE.format(back))
    town.until_it_is(back, "archived")

    [backup], dump = blocks("backup"), tmp_path / "gas.dump"
    town.follow(backup.replace("gas.dump", str(dump)))

    town.database.change(NOW_DUE.format(moved))
    town.until_it_is(moved, "archived")
    town.database.change(ASKED_BACK.format(back))
    town.until_it_is(back, "completed")
    delete(researcher, gone)
    leave(second)
    lost = number_of(researcher.annotate(SAMPLE))
    town.until_it_is(lost, "completed")
    until(lambda: town.database.number(TO_DESTROY) == 0, "what was deleted is destroyed")
    town.stop_all_but_aws()
    for task in ("annotate", "notify", "archive", "thaw", "restore"):
        for job in (lost, OF_NOBODY):
            town.stack.run("celery", "-A", "tasks", "call", task, f"--args=[{job}]")

    [restore] = blocks("restore")
    town.follow(restore.replace("gas.dump", str(dump)))
    assert town.states() == {
        moved: "completed",
        back: "archived",
        gone: "completed",
        left: "completed",
    }
    told = [town.follow(commands) for commands in blocks()[:-1]]
    assert "jobs that their owners deleted" in told[2]
    assert town.states() == {moved: "archived", back: "completed"}

    town.start_again()
    town.follow(blocks()[-1])
    check_what_people_see(town, moved=moved, back=back, gone=gone, lost=lost)
    until(lambda: town.database.number("SELECT count(*) FROM gas_user") == 1, "who left is gone")
    until(lambda: set(waiting(town)) == {0}, "no message is left", seconds=120)


def delete(visitor: Visitor, job: int) -> None:
    page = visitor.open(f"/jobs/{job}/")
    visitor.submit(page.form(to="/delete/"))
    assert visitor.open(f"/jobs/{job}/").status == 404


def leave(visitor: Visitor) -> None:
    page = visitor.open("/account/leave/")
    visitor.submit(page.form(to="/account/leave/"), words="delete everything")


def check_what_people_see(town: Town, *, moved: int, back: int, gone: int, lost: int) -> None:
    """Old results are at hand or in the archive, what was deleted is not, and work goes on."""
    researcher = town.person("Free researcher")
    shown = {job: researcher.open(f"/jobs/{job}/") for job in (moved, back, gone, lost)}
    assert shown[moved].facts["data-status"] == "archived"
    assert shown[back].facts["data-status"] == "completed"
    assert (shown[gone].status, shown[lost].status) == (404, 404)
    downloaded = town.stack.folder / "again.vcf.gz"
    researcher.download(f"/jobs/{back}/files/vcf/", downloaded)
    assert downloaded.read_bytes() == (town.stack.folder / "before.vcf.gz").read_bytes()
    new = number_of(researcher.annotate(SAMPLE))
    assert new > lost + 1000
    town.until_it_is(new, "completed")


def waiting(town: Town) -> list[int]:
    """Messages of each queue and of its dead letters that anybody could receive."""
    code = (
        "from celeryconfig import QUEUES; from gas.storage import queues; "
        "print(*(queues.depth(u) for q in QUEUES.values() for u in (q.url, q.dead_letter_url)))"
    )
    answer = town.follow(f"python manage.py shell --verbosity=0 -c '{code}'")
    found = [int(word) for word in answer.split()]
    assert len(found) == 2 * len(QUEUES)
    return found
