"""What a developer's machine has in place of the services around us."""

import os

from dev.children import HOST

# A proxy that leads out, to the package registries say, knows nothing of this machine's servers.
_DIRECT = [os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), HOST, "localhost"]
os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(filter(None, _DIRECT))
