"""What jobs can be annotated against."""

from typing import Annotated

from django.http import Http404
from ninja import Path, Router

from annotator.bundles import Bundle, Source
from gas.api.requests import ApiRequest
from gas.api.routing import ANY, serves
from gas.api.schemas import account as schemas
from gas.services import reference

routes = Router(tags=["references"])


@routes.get("/bundles", **serves(ANY, schemas.BundleList))
def list_bundles(request: ApiRequest) -> schemas.BundleList:
    """List the installed references with the releases of their sources, the usual one first."""
    return schemas.BundleList(items=[_bundle(each) for each in reference.installed()])


@routes.get("/bundles/{name}", **serves(ANY, schemas.Bundle))
def get_bundle(
    request: ApiRequest, name: Annotated[str, Path(max_length=100, description="Its name.")]
) -> schemas.Bundle:
    """Tell of one installed reference."""
    for each in reference.installed():
        if reference.name_of(each) == name:
            return _bundle(each)
    raise Http404


def _bundle(bundle: Bundle) -> schemas.Bundle:
    return schemas.Bundle(
        name=reference.name_of(bundle),
        id=bundle.id,
        assembly=bundle.assembly,
        genes=bundle.genes,
        contigs=len(bundle.contigs),
        is_default=bundle == reference.in_use(),
        vep_cache=bundle.vep.version if bundle.vep else None,
        sources=[_source(source) for source in bundle.sources],
    )


def _source(source: Source) -> schemas.Source:
    return schemas.Source(name=source.name, release=source.release, columns=list(source.columns))
