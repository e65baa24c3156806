"""What the sentences mean with which a file is refused, and what to do; ... stands for a value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusals:
    """Sentences of one kind, what to do about them, and a command that helps."""

    kind: str
    advice: str
    sentences: tuple[str, ...]
    command: str = ""


REFUSALS = (
    Refusals(
        "It is no VCF",
        "Choose the file that your variant caller wrote. An archive has to be unpacked first, and a"
        " page saved from a browser is not the file that it shows.",
        (
            "The file is empty.",
            "The file is compressed, but holds nothing.",
            "The file is not a VCF: it does not start with ##fileformat=VCFv4.",
            "The first line is not ##fileformat=VCFv4.x.",
            "The file is a BAM alignment, not a VCF.",
            "The file is a CRAM alignment, not a VCF.",
            "The file is a SAM alignment, not a VCF.",
            "The file is a PDF document, not a VCF.",
            "The file is JSON, not a VCF.",
            "The file is a web page or XML, not a VCF.",
            "The file is a zip archive; upload the VCF inside it.",
        ),
    ),
    Refusals(
        "It is written in a way that is not read here",
        "Write it anew. Text that went through an editor is saved as plain UTF-8 with line feeds.",
        (
            "The VCF version is not supported; versions 4.0 to 4.5 are.",
            "The BCF version is not supported; version 2.2 is.",
            "The file is compressed with bzip2; use gzip or bgzip.",
            "The file is compressed with xz; use gzip or bgzip.",
            "The file is compressed with zstd; use gzip or bgzip.",
            "The file starts with a byte-order mark; save it without one.",
            "The file is written in UTF-16; save it as plain text (UTF-8).",
            "The file begins with spaces or an empty line before ##fileformat.",
            "The lines end with carriage returns alone; save them with line feeds.",
        ),
        command="bcftools view -Oz -o new.vcf.gz old.vcf",
    ),
    Refusals(
        "It came incomplete or broken",
        "Compare its size or checksum with that of the original, and copy it again. Where the"
        " original is broken too, it has to be written anew.",
        (
            "The gzip data ends too early, after byte ...: it is truncated.",
            "The file ends at byte ... without the BGZF end-of-file block: it is truncated.",
            "The gzip data is corrupt before byte ....",
            "The gzip data is corrupt at its very start.",
            "The BCF is truncated or corrupt, behind line ... of its text.",
        ),
        command="gzip -t trio.vcf.gz && echo whole",
    ),
    Refusals(
        "Its header is wrong",
        "Mend the line that is named. Columns are parted by tabs, which an editor may have made"
        " into spaces, and each sample has a name of its own.",
        (
            "The file has no #CHROM line.",
            "The header cannot be read: ....",
            "line ...: a record stands before the #CHROM line.",
            (
                "line ...: the column line must be #CHROM POS ID REF ALT QUAL FILTER INFO,"
                " separated by tabs, then FORMAT and samples."
            ),
            "line ...: FORMAT stands there, but no sample.",
            "line ...: a sample has no name.",
            "line ...: a sample name stands there twice.",
            "line ...: the header holds a NUL byte.",
        ),
    ),
    Refusals(
        "One of its records is wrong",
        "Mend or take out the line that is named; lines are counted from the top of the"
        " decompressed file.",
        (
            "line ...: ... columns, where the header has ....",
            "line ...: POS '...' is not a number.",
            "line ...: POS lies beyond any contig.",
            "line ...: QUAL '...' is not a number.",
            "line ...: CHROM '...' is not the name of a contig.",
            "line ...: GT '...' names an allele that is not in ALT.",
            "line ...: FORMAT '' is not a name that a header could declare.",
            "line ...: ... reaches beyond any contig.",
            "line ...: a header line among the records.",
            "line ...: holds a NUL byte.",
            "line ...: holds a carriage return in its middle.",
        ),
        command="zcat trio.vcf.gz | sed -n 1234p",
    ),
    Refusals(
        "It is on another assembly",
        "Choose the reference that the sentence names, if this server has it. Otherwise lift the"
        " file over, or call the variants anew, on an assembly that it has.",
        (
            "The file looks like ... by its contig lengths; the chosen reference is ....",
            "The header says that contig ... is ... long; in ... it is ....",
            "... of ... REF alleles are not those of ...: the file ....",
        ),
    ),
    Refusals(
        "It is beyond what is read here",
        "No file that came up in practice was. If yours is what it should be, split it by contig,"
        " or write to those who run this server.",
        (
            "The header is longer than ... MiB.",
            "The file grows more than ... times when decompressed.",
            "line ...: longer than ... MiB.",
            "line ...: more than ... ALT alleles.",
            "line ...: more than ... records at one position.",
            "More than ... records at one position, ....",
            "The records use more than ... names that the header lacks.",
        ),
    ),
)
