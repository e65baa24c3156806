"""What the documents promise is what the code reads."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"\b(?:GAS_[A-Z0-9_]+|DATABASE_URL)\b")


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    read = set()
    for file in ("gas/settings.py", "celeryconfig.py"):
        code = (ROOT / file).read_text()
        read |= {name for name in NAME.findall(code) if f'"{name}"' in code}
    assert set(NAME.findall((ROOT / "docs/settings.md").read_text())) == read
