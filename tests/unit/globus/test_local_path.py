"""Where one may be sent after sign-in."""

import pytest

from gas.globus.views import local_path


@pytest.mark.parametrize("path", ["/", "/jobs/", "/jobs/?status=failed&page=2", "/jobs/7/#log"])
def test_a_path_of_this_site_is_taken(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "jobs/",
        "https://evil.example.org/",
        "http:/jobs/",
        "//evil.example.org/",
        "///evil.example.org/",
        "/\\evil.example.org/",
        "\\\\evil.example.org/",
        "/\t/evil.example.org/",
        "\n//evil.example.org/",
        " //evil.example.org/",
        "javascript:alert(1)",
        "data:text/html,x",
    ],
)
def test_anything_else_is_left_aside(address: str | None) -> None:
    assert local_path(address) is None
