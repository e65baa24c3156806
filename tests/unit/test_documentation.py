"""What the documents promise is what the code reads."""

import re
from pathlib import Path

from dev import client_manual, settings_table
from dev.take_pictures import MOST_BYTES, PICTURES
from gas.variables import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"\b(?:GAS_[A-Z0-9_]+|DATABASE_URL)\b")


def test_every_setting_is_declared_and_every_declared_setting_is_read() -> None:
    read = set()
    for file in ("gas/settings.py", "gas/secret_store.py", "celeryconfig.py"):
        code = (ROOT / file).read_text()
        read |= {name for name in NAME.findall(code) if f'"{name}"' in code}
    assert {name for name in VARIABLES if NAME.fullmatch(name)} == read


def test_the_table_of_settings_is_made_of_what_is_declared() -> None:
    assert settings_table.PAGE.read_text() == settings_table.text()


def test_every_variable_says_what_it_is_and_what_holds_without_it() -> None:
    for each in VARIABLES.values():
        assert each.what, each.name
        assert each.default or each.shown, each.name


def test_every_picture_of_the_guide_is_there_small_and_taken_by_the_command() -> None:
    guide = (ROOT / "docs/user-guide.md").read_text()
    shown = re.findall(r"!\[[^\]]+\]\(images/([\w-]+)\.png\)", guide)
    assert sorted(shown) == sorted(PICTURES)
    for name in shown:
        content = (ROOT / f"docs/images/{name}.png").read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) <= MOST_BYTES


def test_every_link_of_the_documents_leads_to_a_file() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text()):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_page_of_the_client_is_what_its_help_says() -> None:
    assert client_manual.PAGE.read_text() == client_manual.text()
