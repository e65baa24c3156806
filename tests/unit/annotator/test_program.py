"""The command line, in a process of its own, as an operator or the worker starts it."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from annotator.__main__ import main
from annotator.run import RESULTS
from dev.waiting import until
from tests.unit.annotator.samples import row, write

ROOT = Path(__file__).parents[3]


def program(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "annotator", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_good_file_ends_with_zero_and_silence(tmp_path: Path) -> None:
    flagged = row("MT", 0, "N", "A"), row("MT", 9, "G", "<DEL>", "END=5")
    source = write(tmp_path, *flagged, row("MT", 10, "T", "A"))
    done = program("run", str(source), str(tmp_path / "out"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_refusal_ends_with_two_and_one_sentence(tmp_path: Path) -> None:
    source = write(tmp_path, "MT\tabc\t.\tG\tA\t.\t.\t.\n")
    done = program("run", str(source), str(tmp_path / "out"))
    assert (done.returncode, done.stderr) == (2, "line 3: POS 'abc' is not a number.\n")


def test_too_little_memory_is_told_in_one_sentence(tmp_path: Path) -> None:
    source = write(tmp_path, row("MT", 1, "G", "A"))
    done = program("run", str(source), str(tmp_path / "out"), "--memory-mb", "40")
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (70, 1, "")
    assert "memory" in done.stderr
    assert list(tmp_path.iterdir()) == [source]


def test_control_characters_of_the_input_do_not_reach_the_terminal(tmp_path: Path) -> None:
    source = write(tmp_path, "MT\t\x1b[31mred\t.\tG\tA\t.\t.\t.\n")
    done = program("run", str(source), str(tmp_path / "out"))
    assert done.stderr == "line 3: POS '?[31mred' is not a number.\n"


@pytest.mark.parametrize("arguments", [(), ("run",), ("run", "a", "b", "--memory-mb", "much")])
def test_a_wrong_command_line_is_not_the_inputs_fault(arguments: tuple[str, ...]) -> None:
    assert program(*arguments).returncode == 64


@pytest.mark.parametrize(
    "command",
    [
        "",
        "run",
        "bundle",
        "bundle install",
        "bundle verify",
        "bundle list",
        "bundle use-vep",
        "bundle use-csq",
        "verify-provenance",
        "sign-provenance",
    ],
)
def test_every_command_shows_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    assert f"  python -m annotator {command}" in capsys.readouterr().out.partition("example")[2]


def test_the_version_names_the_engine_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert re.fullmatch(
        r"annotator \S+ \(\S+\), bcftools \S+, htslib \S+\n", capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("source", "outdir", "sentence"),
    [
        ("absent.vcf", "out", "absent.vcf is not there"),
        (".", "out", ". is a folder"),
        ("input.vcf", "full", "full is not empty; the results need a folder of their own"),
        ("input.vcf", "input.vcf", "input.vcf is a file; the results need a folder of their own"),
        ("input.vcf", "input.vcf/out", "input.vcf/out cannot be made"),
    ],
)
def test_places_that_do_not_fit_are_told_in_one_line_and_nothing_is_made(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    source: str,
    outdir: str,
    sentence: str,
) -> None:
    write(tmp_path, row("MT", 1, "G", "A"))
    (tmp_path / "full" / "kept").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["run", source, outdir])
    assert ended.value.code == 64
    told = capsys.readouterr().err
    assert told.startswith(sentence)
    assert told.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"input.vcf", "full"}


def test_a_vcf_comes_from_stdin_in_any_folder(tmp_path: Path) -> None:
    write(tmp_path, row("MT", 1, "G", "A"))
    done = subprocess.run(
        [sys.executable, "-m", "annotator", "run", "-", "out"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=(tmp_path / "input.vcf").read_bytes(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert {path.name for path in tmp_path.iterdir()} == {"input.vcf", "out"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(RESULTS)


def test_a_vcf_comes_from_a_pipe_with_a_name(tmp_path: Path) -> None:
    content = write(tmp_path, row("MT", 1, "G", "A")).read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "annotator", "run", str(pipe), str(tmp_path / "out")]
    with subprocess.Popen(command, cwd=ROOT) as process:
        pipe.write_bytes(content)
        assert process.wait(60) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(RESULTS)


@pytest.mark.parametrize(
    ("sent", "code", "said"), [(signal.SIGINT, 130, b"stopped\n"), (signal.SIGTERM, 143, b"")]
)
def test_stopped_it_leaves_nothing(
    tmp_path: Path, sent: signal.Signals, code: int, said: bytes
) -> None:
    command = [sys.executable, "-m", "annotator", "run", "-", str(tmp_path / "out")]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        until((tmp_path / ".out.partial" / "piped").exists, "the file", seconds=60)
        process.send_signal(sent)
        assert process.wait(60) == code
        assert process.stderr is not None
        assert process.stderr.read() == said
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_into_the_same_folder_leaves_the_first_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path, row("MT", 1, "G", "A"))
    outdir = str(tmp_path / "out")
    command = [sys.executable, "-m", "annotator", "run", "-", outdir]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) as process:
        until((tmp_path / ".out.partial" / "piped").exists, "the file", seconds=60)
        with pytest.raises(SystemExit):
            main(["run", str(source), outdir])
        assert f"another run is about to make {outdir}" in capsys.readouterr().err
        process.communicate(source.read_bytes(), timeout=60)
        assert process.returncode == 0


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "annotator", "bundle", "list"]
    with os.fdopen(writer, "wb") as gone:
        done = subprocess.run(
            command, cwd=ROOT, stdout=gone, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_missing_bundle_is_ours(tmp_path: Path) -> None:
    source = write(tmp_path, row("MT", 1, "G", "A"))
    done = program("run", str(source), str(tmp_path / "out"), "--bundle", str(tmp_path))
    assert done.returncode == 70
    assert not (tmp_path / "out").exists()


def test_a_parent_that_is_not_there_any_more_ends_the_program_at_once(tmp_path: Path) -> None:
    source = write(tmp_path, row("MT", 1, "G", "A"))
    done = program("run", str(source), str(tmp_path / "out"), "--parent", str(os.getpid() + 1))
    assert done.returncode == -9
    assert not (tmp_path / "out").exists()


LIMITED = """
import subprocess, sys
from pathlib import Path
from annotator.sandbox import Limits, Places, Sandbox, enter
limits = Limits(memory_mb=512, cpu_seconds=60, file_mb=5, open_files=50)
enter(limits, places=Places((), Path.cwd()), sandbox=Sandbox.OFF)
forked = "import resource as r; print(*(r.getrlimit(getattr(r, name))[1] for name in sys.argv[1:]))"
names = ["RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE"]
subprocess.run([sys.executable, "-c", "import sys; " + forked, *names], check=True)
print(Path("/proc/self/status").read_text().split("NoNewPrivs:")[1].split()[0])
"""


def test_the_limits_hold_for_the_process_and_what_it_forks() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == [str(512 << 20), "60", str(5 << 20), "50", "0", "1"]
    assert resource.getrlimit(resource.RLIMIT_AS)[1] != 512 << 20


def test_asked_for_json_the_stages_are_told_on_stdout(tmp_path: Path) -> None:
    source = write(tmp_path, row("MT", 1, "G", "A"))
    done = program("run", str(source), str(tmp_path / "out"), "--json")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [report["stage"] for report in told] == ["annotate", "write", "done"]
    assert told[-1]["fraction"] == 1.0


@pytest.mark.parametrize("workers", ["0", "65", "two"])
def test_a_wrong_number_of_workers_is_a_wrong_command_line(tmp_path: Path, workers: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "a", str(tmp_path / "out"), "--workers", workers])
    assert ended.value.code == 64
