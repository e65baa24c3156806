"""Where else to read about a variant."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from gas.results.conditions import plain_contig

_RS = re.compile(r"rs[0-9]{1,12}")
_GENE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}")
#: ClinVar's names for the positions of an assembly.
_CLINVAR_FIELDS = {"GRCh38": "chrpos38", "GRCh37": "chrpos37"}
_ENSEMBL = {"GRCh37": "https://grch37.ensembl.org"}


@dataclass(frozen=True)
class Link:
    """A place elsewhere, and what it is called."""

    title: str
    address: str


def of(row: Mapping[str, Any], assembly: str) -> list[Link]:
    """Return links to dbSNP, ClinVar and Ensembl, as far as the row says enough for them."""
    gene = row.get("gene") or ""
    found = [
        Link(f"dbSNP {rs}", f"https://www.ncbi.nlm.nih.gov/snp/{rs}")
        for rs in dict.fromkeys(_RS.findall(f"{row.get('id') or ''} {row.get('known_id') or ''}"))
    ]
    if row.get("clinvar_significance") and assembly in _CLINVAR_FIELDS:
        place = f"{plain_contig(row['contig']).upper()}[chr] AND {row['position']}"
        term = urlencode({"term": f"{place}[{_CLINVAR_FIELDS[assembly]}]"})
        found.append(Link("ClinVar", f"https://www.ncbi.nlm.nih.gov/clinvar/?{term}"))
    if _GENE.fullmatch(gene):
        host = _ENSEMBL.get(assembly, "https://www.ensembl.org")
        address = f"{host}/Homo_sapiens/Gene/Summary?g={quote(gene)}"
        found.append(Link(f"{gene} at Ensembl", address))
    return found
