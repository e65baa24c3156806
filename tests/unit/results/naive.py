"""What a filter means, in plain Python over the lines of the TSV."""

import re
from urllib.parse import parse_qs

Cells = dict[str, str]


def wanted(lines: list[str], query: str) -> list[int]:
    """Return the numbers of the lines (from 0, without the header) that an address asks for."""
    header, *rest = (line.split("\t") for line in lines)
    rows = [dict(zip(header, cells, strict=True)) for cells in rest]
    asked = parse_qs(query)
    boxes = [_box_of(asked, prefix) for prefix in ("", "2-", "3-", "4-")]
    used = [box for box in boxes if box]
    return [at for at, row in enumerate(rows) if not used or any(_fits(row, box) for box in used)]


def _box_of(asked: dict[str, list[str]], prefix: str) -> dict[str, list[str]]:
    names: tuple[str, ...] = ("gene", "region", "id", "known", "impact", "consequence")
    names += ("af_min", "af_max", "unseen", "clinvar", "filter")
    return {name: asked[prefix + name] for name in names if prefix + name in asked}


def _fits(row: Cells, box: dict[str, list[str]]) -> bool:
    return all(
        _frequency(row["allele_frequency"], box)
        if name in ("af_min", "af_max", "unseen")
        else _holds(row, name, values)
        for name, values in box.items()
    )


def _holds(row: Cells, name: str, values: list[str]) -> bool:
    words = re.split(r"[\s,;]+", values[0])
    match name:
        case "gene":
            return row["gene"].lower() in [word.lower() for word in words]
        case "region":
            return any(_within(row, region) for region in values[0].split())
        case "id":
            ids = re.split("[,;]", row["id"]) + re.split("[,;]", row["known_id"])
            return bool({word.lower() for word in words} & {one.lower() for one in ids})
        case "known":
            return (row["known_id"] != ".") is (values[0] == "yes")
        case "clinvar":
            return bool({*re.split(r"[/|,;]", row["clinvar_significance"])} & {*values})
        case "filter":
            return bool({*row["filter"].split(";")} & {*values})
        case _:
            return row[name] in values


def _within(row: Cells, region: str) -> bool:
    contig, _, ends = region.replace(",", "").partition(":")
    same = contig.removeprefix("chr").lower() == row["contig"].removeprefix("chr").lower()
    if not ends or not same:
        return same
    start, _, end = ends.partition("-")
    return int(start) <= int(row["position"]) <= int(end or start)


def _frequency(cell: str, box: dict[str, list[str]]) -> bool:
    if cell == ".":
        return "unseen" in box
    if "af_min" not in box and "af_max" not in box:
        return False
    least, most = float(box.get("af_min", ["0"])[0]), float(box.get("af_max", ["2"])[0])
    return least <= float(cell) <= most
