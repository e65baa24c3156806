"""Make what the landing page shows of the example: one gene, and the counts.

    python -m dev.make_specimen

Every figure is the annotator's own. The same file and annotator give the same pages each time.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from annotator.bundles import DEMO

ROOT = Path(__file__).resolve().parent.parent
COMPONENTS = ROOT / "templates/components"
GENE, CONTIG, GENES = "PDIA2", "chr16", DEMO / "genes/16.gff3"
SHOWN = (283274, 284492, 285335)  # positions whose first finding stands in the table
SEVERITY = ("HIGH", "MODERATE", "LOW", "MODIFIER")
LEFT, RIGHT = 24.0, 536.0  # of the drawing, in which the gene lies
MARKS = {  # the end of the stem, and what stands on it
    "HIGH": (49, '<path class="track-high" d="M{x} 35l8 8-8 8-8-8z"/>'),
    "MODERATE": (79, '<circle class="track-moderate" cx="{x}" cy="73" r="6.5"/>'),
    "LOW": (107, '<rect class="track-low" x="{corner}" y="96" width="10" height="10" rx="2"/>'),
}


@dataclass(frozen=True)
class Result:
    """What the annotator made of the example."""

    rows: list[dict[str, Any]]
    summary: dict[str, Any]


def annotated() -> Result:
    """Run the annotator over the example."""
    with TemporaryDirectory() as folder:
        command = ["annotator", "run", str(DEMO / "example.vcf"), folder, "--bundle", str(DEMO)]
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True)
        table = pq.read_table(Path(folder) / "annotated.parquet")
        summary = json.loads((Path(folder) / "summary.json").read_text())
    rows = [row for row in table.to_pylist() if row["gene"] == GENE]
    return Result(sorted(rows, key=lambda row: row["position"]), summary)


def components(result: Result) -> dict[str, str]:
    """Return each component of the landing page by the name of its file."""
    features = [line.split("\t") for line in GENES.read_text().splitlines() if "\t" in line]
    (gene,) = [one for one in features if one[2] == "gene" and f"Name={GENE};" in one[8]]
    (transcript,) = [one for one in features if f"Parent=gene:{GENE};" in one[8]]
    parent = transcript[8].split(";")[0].replace("ID=", "Parent=")
    exons = [one for one in features if one[2] == "exon" and parent in one[8].split(";")]
    span = int(gene[3]), int(gene[4])
    bounds = [(int(one[3]), int(one[4])) for one in exons]
    return {
        "gene_track.html": "\n".join(_track(span, bounds, _worst(result.rows))) + "\n",
        "specimen.html": "\n".join(_specimen(span, result)) + "\n",
        "specimen_counts.html": "\n".join(_counts(result.summary)) + "\n",
    }


def _worst(rows: list[dict[str, Any]]) -> dict[int, str]:
    """Return the most severe impact at each position, but for MODIFIER."""
    found: dict[int, str] = {}
    for row in rows:
        impacts = (row["impact"], found.get(row["position"], row["impact"]))
        found[row["position"]] = min(impacts, key=SEVERITY.index)
    return {position: impact for position, impact in found.items() if impact in MARKS}


def _track(
    span: tuple[int, int], exons: list[tuple[int, int]], worst: dict[int, str]
) -> Iterator[str]:
    def x(position: int) -> float:
        return LEFT + (position - span[0]) / (span[1] - span[0]) * (RIGHT - LEFT)

    high = list(worst.values()).count("HIGH")
    yield '<svg class="track" viewBox="0 0 560 190" role="img" aria-labelledby="track-title">'
    yield (
        f'<title id="track-title">The gene {GENE} with its {len(exons)} exons, and {len(worst)}'
        f" places of the example file that change them, {high} of them of high impact</title>"
    )
    yield '<path class="track-intron" d="M24 150H536"/>'
    arrows = " ".join(f"M{at} 146l4 4-4 4" for at in (82, 106, 130, 154, 386, 398, 410))
    yield f'<path class="track-strand" d="{arrows}"/>'
    for first, last in exons:
        width = x(last) - x(first)
        yield (
            f'<rect class="track-exon" x="{x(first):.1f}" y="139" width="{width:.1f}" height="22"'
            ' rx="3"/>'
        )
    for position, impact in worst.items():
        yield from _mark(x(position), impact)
    yield (
        '<g class="track-scale"><path d="M24 172H536M24 169v6M536 169v6"/>'
        f'<text x="24" y="188">{span[0]:,}</text>'
        f'<text x="536" y="188" text-anchor="end">{span[1]:,}</text></g>'
    )
    yield "</svg>"


def _mark(x: float, impact: str) -> Iterator[str]:
    top, shape = MARKS[impact]
    yield f'<path class="track-stem" d="M{x:.1f} 139V{top}"/>'
    yield shape.format(x=f"{x:.1f}", corner=f"{x - 5:.1f}")


def _specimen(span: tuple[int, int], result: Result) -> Iterator[str]:
    yield '<figure class="specimen">'
    yield (
        f'<div class="specimen-head"><strong>{GENE}</strong>'
        f' <span class="mono">{CONTIG}:{span[0]:,}-{span[1]:,}</span></div>'
    )
    yield '{% include "components/gene_track.html" %}'
    yield '{% include "components/legend.html" %}'
    yield '<table class="specimen-table">'
    yield '<caption class="visually-hidden">Three alleles as GAS annotates them</caption>'
    headings = ("Position and change", "Consequence", "Impact")
    cells = "".join(f'<th scope="col">{heading}</th>' for heading in headings)
    yield f'<thead class="visually-hidden"><tr>{cells}</tr></thead>'
    yield "<tbody>"
    for position in SHOWN:
        yield _row(next(row for row in result.rows if row["position"] == position))
    yield "</tbody>"
    yield "</table>"
    yield "<figcaption>From the example file, as GAS annotates it.</figcaption>"
    yield "</figure>"


def _row(row: dict[str, Any]) -> str:
    change = row["amino_acid_change"].replace(">", "&gt;")
    short = f' <span class="mono soft">{change}</span>' if len(change) < 16 else ""
    return (
        f'<tr><td class="mono">{row["position"]:,} {row["ref"]}&gt;{row["alt"]}</td>'
        f"<td>{_linked(row['consequence'])}{short}</td>"
        f'<td>{{% include "components/impact.html" with impact="{row["impact"]}" %}}</td></tr>'
    )


def _linked(term: str) -> str:
    words = term.replace("_", " ")
    return f"<a href=\"{{% url 'help_topic' 'consequences' %}}#{term}\">{words}</a>"


def _counts(summary: dict[str, Any]) -> Iterator[str]:
    left = {reason: count for reason, count in summary["flagged"].items() if count}
    yield '<dl class="tiles">'
    for name, figure in (
        ("Variants in the file", f"{summary['records_in']:,}"),
        ("Alleles", f"{summary['alleles']:,}"),
        ("Annotated", f"{summary['annotated']:,}"),
        ("Left unannotated", f"{sum(left.values()):,}"),
        ("High impact", f"{summary['impacts']['HIGH']:,}"),
        ("Ti/Tv", f"{summary['ti'] / summary['tv']:.2f}"),
    ):
        yield f"<div><dt>{name}</dt><dd>{figure}</dd></div>"
    yield "</dl>"
    yield '<table class="bars">'
    yield "<caption>Most severe consequence of each allele</caption>"
    headings = ("Consequence", "Alleles", "Bar")
    cells = "".join(f'<th scope="col">{heading}</th>' for heading in headings)
    yield f'<thead class="visually-hidden"><tr>{cells}</tr></thead>'
    yield "<tbody>"
    most = max(summary["consequences"].values())
    for term, count in summary["consequences"].items():
        yield (
            f'<tr><th scope="row">{_linked(term)}</th><td class="num">{count:,}</td>'
            '<td class="bar" aria-hidden="true"><svg width="100%" height="8">'
            '<rect class="bar-ground" width="100%" height="8" rx="4"/>'
            f'<rect class="bar-fill" width="{100 * count / most:.1f}%" height="8" rx="4"/>'
            "</svg></td></tr>"
        )
    yield "</tbody>"
    yield "</table>"


if __name__ == "__main__":
    for name, text in components(annotated()).items():
        (COMPONENTS / name).write_text(text)
        print(f"wrote {name}")
