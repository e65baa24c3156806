"""The default engine: `bcftools csq`, one contig at a time with that contig's genes and code."""

from collections.abc import Iterator
from pathlib import Path

from pysam.version import __bcftools_version__, __htslib_version__

from annotator.bundles import Bundle, Contig
from annotator.consequence import effects_of
from annotator.engines import InfoField, Unit
from annotator.engines.text import text_of
from annotator.stages import bare

# Every allele by itself, whoever carries it: nothing depends on phase or on other records.
LOCAL = ("--local-csq", "--samples", "-", "--trim-protein-seq", "20")
_QUIET = ("--force", "-v", "0")
# All others pass through untouched: what has a flag, and alleles that csq would misread. To exclude
# what is no base would let a byte pass that is no UTF-8, which matches nothing.
_INCLUDE = 'INFO/GAS_SKIP="." && ALT~"^[ACGTacgt]*$"'
_BCSQ = InfoField(
    "BCSQ",
    b"##INFO=<ID=BCSQ,Number=.,Type=String,"
    b'Description="Local consequence annotation from BCFtools/csq">',
    effects_of,
)


class CsqEngine:
    """Runs csq over the records of one contig; contigs without genes only pass through."""

    def __init__(self, bundle: Bundle, work: Path, calling: tuple[str, ...] = LOCAL) -> None:
        self._bundle, self._work, self._calling = bundle, work, calling
        self.commands: list[list[str]] = []

    @property
    def info_field(self) -> InfoField:
        """Consequences stand in BCSQ."""
        return _BCSQ

    @property
    def name(self) -> str:
        """Name bcftools and htslib with their versions."""
        return f"bcftools csq {__bcftools_version__} (htslib {__htslib_version__})"

    def annotate(self, records: Path, unit: Unit) -> Iterator[bytes]:
        """Yield the unit's records as VCF text."""
        where = ["--no-version", "-Ov", "-o", "-", str(records)]
        if unit.contig is None or unit.contig.genes is None:
            return self._run(["view", *where])
        reference = self._reference_for(unit.contig, unit.names)
        genes = self._genes_for(unit.contig, unit.contig.genes, unit.names)
        code = ["--genetic-code", str(unit.contig.genetic_code)]
        code += [] if unit.plain else ["--include", _INCLUDE]
        inputs = ["-f", str(reference), "-g", str(genes)]
        return self._run(["csq", *self._calling, *_QUIET, *code, *inputs, *where])

    def _run(self, arguments: list[str]) -> Iterator[bytes]:
        self.commands.append(list(map(bare, arguments)))
        return text_of(arguments, self._work / "engine.log")

    def _reference_for(self, contig: Contig, names: tuple[str, ...]) -> Path:
        """Give the FASTA the file's own contig names: a link, and an index that says them."""
        fasta, link = self._bundle.fasta, self._work / "reference.fa.gz"
        for suffix in ("", ".gzi"):
            target = link.with_name(link.name + suffix)
            target.unlink(missing_ok=True)
            target.symlink_to(fasta.with_name(fasta.name + suffix))
        index = fasta.with_name(fasta.name + ".fai").read_text()
        row = next(line for line in index.splitlines() if line.split("\t")[0] == contig.name)
        rows = (row.replace(contig.name, name, 1) + "\n" for name in names)
        link.with_name(link.name + ".fai").write_text("".join(rows))
        return link

    def _genes_for(self, contig: Contig, genes: Path, names: tuple[str, ...]) -> Path:
        if names == (contig.name,):
            return genes
        renamed = self._work / "genes.gff3"
        with renamed.open("w") as file:
            for name in names:
                for line in genes.read_text().splitlines(keepends=True):
                    first, tab, rest = line.partition("\t")
                    file.write(f"{name}\t{rest}" if tab and first == contig.name else line)
        return renamed
