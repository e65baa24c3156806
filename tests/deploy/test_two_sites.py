"""How real: two processes of the site, as behind a balancer that sends each request anywhere."""

import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dev.children import HOST, end, free_port, is_free, spawn
from dev.demo import SAMPLE
from dev.stack import Ports, Stack
from dev.visitor import Visitor
from dev.waiting import until
from tests.deploy.templates import resources
from tests.pipeline.conftest import QUICK


def test_no_visitor_is_bound_to_a_machine() -> None:
    [group] = resources("AWS::ElasticLoadBalancingV2::TargetGroup")
    attributes = {each["Key"] for each in group.properties["TargetGroupAttributes"]}
    assert not {name for name in attributes if name.startswith("stickiness")}


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[list[str]]:
    """The addresses of two sites of one service; the first is the one that it is known by."""
    with Stack(tmp_path, Ports.free(), QUICK | {"GAS_FREE_RETENTION": "1h"}) as stack:
        port = free_port()
        command = ["gunicorn", "gas.wsgi", f"--bind={HOST}:{port}", "--threads=8"]
        environment = stack.environment_of("site")
        second = spawn([sys.executable, "-m", *command], environment, tmp_path / "second.log")
        try:
            until(lambda: not is_free(port), "the second site", seconds=100)
            yield [stack.site_url, f"http://{HOST}:{port}"]
        finally:
            end(second)


@pytest.mark.deploy
@pytest.mark.timeout(600)
def test_a_visitor_may_be_answered_by_another_machine_each_time(sites: list[str]) -> None:
    first, second = sites
    visitor = Visitor(first)
    visitor.sign_in("Free researcher")
    visitor.site = second  # its cookie goes along, whoever answers
    chosen = visitor.submit(visitor.open("/jobs/new/").form(to="/uploads/"), filename=SAMPLE.name)
    assert chosen.url.startswith(second)
    ready = visitor.submit(chosen.form(with_file=True), upload=SAMPLE)
    visitor.site = first
    submitted = visitor.submit(visitor.open(urlsplit(ready.url).path).form(to="/submit/"))
    assert submitted.url.startswith(first)
    place = urlsplit(submitted.url).path

    def done(site: str) -> bool:
        visitor.site = site
        return visitor.open(place).facts["data-status"] == "completed"

    until(lambda: done(second) and done(first), "the results at both", seconds=200)
    visitor.submit(visitor.open(place).form(to="/delete/"))  # at the first
    assert [visitor.open(site + place).status for site in sites] == [404, 404]
