"""The columns of a VEP cache, as `vepyr build-cache` writes them for release 115."""

import pyarrow as pa


def _record(**kinds: pa.DataType) -> pa.DataType:
    return pa.struct([pa.field(name, kind, nullable=False) for name, kind in kinds.items()])


_LONG, _SHORT = pa.int64(), pa.int8()
_INTERVAL = {"start": _LONG, "end": _LONG}
_ENDS = dict.fromkeys(("genomic_start", "genomic_end", "cdna_start", "cdna_end"), _LONG)
_TYPES = {
    "text": pa.string(),
    "long": _LONG,
    "int": pa.int32(),
    "short": _SHORT,
    "flag": pa.bool_(),
    "unsigned": pa.uint32(),
    "double": pa.float64(),
    "texts": pa.list_(pa.string()),
    "floats": pa.list_(pa.float32()),
    "exons": pa.list_(_record(**_INTERVAL, phase=_SHORT)),
    "segments": pa.list_(_record(**_ENDS, ori=_SHORT)),
    "regions": pa.list_(_record(**_INTERVAL)),
    "features": pa.list_(pa.struct({"analysis": pa.string(), "hseqname": pa.string()} | _INTERVAL)),
    "edits": pa.list_(
        pa.struct(_INTERVAL | {"replacement_len": _LONG, "skip_refseq_offset": pa.bool_()})
    ),
}
_COLUMNS = {
    "transcript": """
text chrom stable_id biotype source gene_stable_id gene_symbol gene_symbol_source gene_hgnc_id
text gene_hgnc_id_native refseq_id display_xref_id source_cache refseq_match translation_stable_id
text cdna_seq peptide_seq appris mane_select mane_plus_clinical ccds swissprot trembl uniparc
text uniprot_isoform ncrna_structure translateable_seq three_prime_utr_seq five_prime_utr_seq
text bam_edit_status spliced_seq flags_str species assembly cache_version
long start end db_id cds_start cds_end cdna_coding_start cdna_coding_end translation_start
long translation_end
int version exon_count codon_table tsl
short strand
flag is_canonical is_gencode_basic is_gencode_primary gene_phenotype cds_start_nf cds_end_nf
flag has_non_polya_rna_edit
unsigned transcript_uid
edits refseq_edits
exons exons
regions mature_mirna_regions
segments cdna_mapper_segments
""",
    "exon": """
text chrom stable_id transcript_id gene_stable_id species assembly cache_version
long start end
int version exon_number
short strand phase end_phase
flag is_current is_constitutive
""",
    "translation_core": """
text transcript_id stable_id translation_seq cds_sequence translation_seq_canonical
text cds_sequence_canonical
int version
long cds_len protein_len
features protein_features
""",
    "variation": """
text chrom allele_string variation_name clin_sig clin_sig_allele clinical_impact pubmed
text minor_allele clinvar_ids cosmic_ids dbsnp_ids
unsigned start end
short strand tier
flag failed phenotype_or_disease somatic
double minor_allele_freq
texts af_global_alleles af_gnomade_alleles af_gnomadg_alleles
floats af_global_freqs af_gnomade_freqs af_gnomadg_freqs
""",
}
KINDS = {
    kind: {name: _TYPES[first] for first, *names in map(str.split, lines) for name in names}
    for kind, lines in ((kind, text.strip().split("\n")) for kind, text in _COLUMNS.items())
}
