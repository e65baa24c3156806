"""The reference for people: everything of the document, and commands that are right."""

import json
import re
import shlex

import pytest
from django.test import Client
from django.urls import resolve

from gas import problems
from gas.api import document


@pytest.fixture
def page(db: None, client: Client) -> str:
    """The page, as everybody sees it."""
    return client.get("/help/api/").content.decode()


def test_every_operation_and_every_schema_is_on_the_page(page: str) -> None:
    told = document.described()
    for path, methods in told["paths"].items():
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in page
            assert path in page
    for name, schema in told["components"]["schemas"].items():
        assert (f'id="schema-{name}"' in page) == ("properties" in schema)


def test_every_link_of_the_page_leads_to_a_place_on_it_or_on_the_help(page: str) -> None:
    ids = set(re.findall(r'id="([^"]+)"', page))
    assert len(re.findall(r'id="', page)) == len(ids)
    links = set(re.findall(r'href="([^"]+)"', page))
    assert {link[1:] for link in links if link.startswith("#")} <= ids | {"main"}
    kinds = {link.partition("#")[2] for link in links if link.startswith("/help/problems/#")}
    assert kinds <= {kind.name for kind in problems.KINDS}
    assert len(kinds) > 10


def test_every_command_names_an_operation_and_sends_its_example(page: str) -> None:
    commands = re.findall(r': command"><code>(.*?)</code>', page, re.DOTALL)
    assert len(commands) == sum(len(each) for each in document.described()["paths"].values())
    for command in commands:
        plain = command.replace("&quot;", '"').replace("&#x27;", "'").replace("\\\n", "")
        words = shlex.split(plain)
        address = next(word for word in words if "://" in word)
        assert resolve("/" + address.split("/", 3)[3]).namespace == "api"
        if "-d" in words:
            assert json.loads(words[words.index("-d") + 1])
