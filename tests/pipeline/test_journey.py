"""From the upload to the archive and back, as a researcher goes."""

from pathlib import Path

import pytest

from dev.demo import Demo
from dev.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]


def test_a_free_researchers_results_are_mailed_archived_and_restored_on_subscribing(
    archiving_stack: Stack, tmp_path: Path
) -> None:
    demo = Demo(archiving_stack, tmp_path / "results")
    try:
        demo.run()
        done, restored = demo.mails()
    finally:
        archiving_stack.stop()
    assert done.to == restored.to == ["free@example.org"]
    assert done.text
    assert done.html
