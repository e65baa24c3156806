"""How times are written where a template names no format."""

from datetime import UTC, datetime

from django.template import Context, Template


def test_times_are_written_to_the_second_by_24_hours() -> None:
    written = Template("{{ at }}").render(
        Context({"at": datetime(2026, 3, 9, 18, 4, 5, tzinfo=UTC)})
    )
    assert written == "9 Mar 2026, 18:04:05"
