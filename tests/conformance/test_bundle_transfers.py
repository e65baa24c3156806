"""Files fetched from a server that breaks off, lies, stalls and changes its mind."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from annotator import download
from tests.conformance.installing import SEQUENCE, failure, installed, pinned
from tests.conformance.shelf import FASTA, Shelf


def test_a_transfer_that_breaks_off_goes_on_where_it_was(shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners[SEQUENCE] = "breaks"
    installed(shelf, tmp_path)
    half = len(shelf.files[SEQUENCE]) // 2
    assert shelf.ranges(SEQUENCE) == [None, f"bytes={half}-"]
    assert shelf.resumed == [half]


@pytest.mark.parametrize("after", [0, 1, 17, -1])
def test_a_transfer_goes_on_from_any_byte(shelf: Shelf, tmp_path: Path, after: int) -> None:
    content = shelf.files[SEQUENCE]
    kept = after % len(content)
    shelf.manners[SEQUENCE] = f"breaks after {kept}"
    installed(shelf, tmp_path, fasta=pinned(shelf, hashlib.sha256(content).hexdigest()))
    assert shelf.resumed == ([kept] if kept else [])


def test_a_transfer_that_breaks_off_often_is_not_given_up_while_bytes_come(
    shelf: Shelf, tmp_path: Path
) -> None:
    content = shelf.files[SEQUENCE]
    shelf.manners[SEQUENCE] = f"trickles {len(content) // 10}"
    installed(shelf, tmp_path, fasta=pinned(shelf, hashlib.sha256(content).hexdigest()))
    assert len(shelf.ranges(SEQUENCE)) > 3 * download.ATTEMPTS


def test_a_transfer_that_was_whole_but_not_yet_named_is_not_repeated(
    shelf: Shelf, tmp_path: Path
) -> None:
    part = tmp_path / "bundles" / ".small.installing" / f"sequence-{SEQUENCE}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(shelf.files[SEQUENCE])
    part.with_name(f"sequence-{SEQUENCE}.validator").write_text('"same"')
    installed(shelf, tmp_path)
    assert shelf.ranges(SEQUENCE) == [f"bytes={len(shelf.files[SEQUENCE])}-"]


@pytest.mark.parametrize("manner", ["changes", "no ranges"])
def test_parts_of_different_files_are_never_joined(
    shelf: Shelf, tmp_path: Path, manner: str
) -> None:
    shelf.manners[SEQUENCE] = manner
    sha256 = hashlib.sha256(shelf.files[SEQUENCE]).hexdigest()
    installed(shelf, tmp_path, fasta=pinned(shelf, sha256))
    assert len(shelf.ranges(SEQUENCE)) == 2
    assert shelf.resumed == []


def test_a_length_that_promises_more_than_comes_is_not_believed(
    shelf: Shelf, tmp_path: Path
) -> None:
    shelf.manners[SEQUENCE] = "longer"
    assert SEQUENCE in failure(shelf, tmp_path)


def test_a_length_that_hides_the_end_is_found_by_the_checksum(shelf: Shelf, tmp_path: Path) -> None:
    sha256 = hashlib.sha256(shelf.files[SEQUENCE]).hexdigest()
    shelf.manners[SEQUENCE] = "shorter"
    assert "another sha256" in failure(shelf, tmp_path, fasta=pinned(shelf, sha256))
    shelf.manners.clear()
    installed(shelf, tmp_path, fasta=pinned(shelf, sha256))


def test_a_truncated_sequence_without_a_checksum_is_found_by_its_gzip(
    shelf: Shelf, tmp_path: Path
) -> None:
    shelf.manners[SEQUENCE] = "shorter"
    assert "is damaged" in failure(shelf, tmp_path)


def test_a_wrong_checksum_stops_and_the_next_try_fetches_anew(shelf: Shelf, tmp_path: Path) -> None:
    assert "another sha256" in failure(shelf, tmp_path, fasta=pinned(shelf, "0" * 64))
    installed(shelf, tmp_path)
    assert shelf.ranges(SEQUENCE) == [None, None]


def test_the_checksum_that_a_server_publishes_is_compared(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["known.vcf.md5"] = b"0" * 32 + b"  known.vcf\n"
    assert "another md5" in failure(shelf, tmp_path)
    shelf.files["known.vcf.md5"] = b"0" * 32 + b"  other.vcf\n"
    assert "do not name known.vcf" in failure(shelf, tmp_path)


def test_ensembls_sums_are_compared(shelf: Shelf, tmp_path: Path) -> None:
    published = {"url": "CHECKSUMS", "algorithm": "bsd"}
    fasta = {"url": f"{shelf.url}/genome.fa", "published": published}
    shelf.files["genome.fa"] = FASTA
    told = subprocess.run(["sum", "-r"], input=FASTA, capture_output=True, check=True).stdout
    shelf.files["CHECKSUMS"] = b"00001 5 other.fa\n" + told.strip() + b" genome.fa\n"
    installed(shelf, tmp_path, fasta=fasta)
    shelf.files["CHECKSUMS"] = b"00001 5 genome.fa\n"
    (tmp_path / "again").mkdir()
    assert "another bsd" in failure(shelf, tmp_path / "again", fasta=fasta)


def test_a_redirect_is_followed_and_a_missing_file_named(shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners["moved.fa.gz"] = f"redirect {shelf.url}/{SEQUENCE}"
    installed(shelf, tmp_path, fasta={"url": f"{shelf.url}/moved.fa.gz"})
    (tmp_path / "again").mkdir()
    gone = {"url": f"{shelf.url}/gone.fa.gz"}
    assert failure(shelf, tmp_path / "again", fasta=gone) == f"{gone['url']} answered 404"
    assert len(shelf.ranges("gone.fa.gz")) == 1


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://127.0.0.1/genome.fa.gz"])
def test_a_redirect_to_anything_but_http_is_not_followed(
    shelf: Shelf, tmp_path: Path, place: str
) -> None:
    shelf.manners[SEQUENCE] = f"redirect {place}"
    said = failure(shelf, tmp_path)
    assert SEQUENCE in said
    assert "root:" not in said


def test_a_server_that_is_busy_is_asked_again(shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners[SEQUENCE] = "busy once"
    installed(shelf, tmp_path)
    assert len(shelf.ranges(SEQUENCE)) == 2
