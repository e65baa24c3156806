"""Every variable of the environment: its default, its kind and what it is, declared once.

`gas/env.py` reads them, `python -m dev.settings_table` writes docs/settings.md from this table, and
`manage.py check` names what is set and not in it.
"""

from gas.variables.declaring import Kind, Section, Variable
from gas.variables.site import GLOBUS, LOGS, MAIL, SITE, STRIPE, WEBHOOKS
from gas.variables.work import AWS, PIPELINE

SECTIONS = (SITE, LOGS, GLOBUS, STRIPE, AWS, PIPELINE, WEBHOOKS, MAIL)
VARIABLES = {each.name: each for section in SECTIONS for each in section.variables}

#: Variables of the client, which may be set on the same machine.
OF_THE_CLIENT = frozenset({"GAS_PROFILE", "GAS_TOKEN", "GAS_URL"})

__all__ = ["OF_THE_CLIENT", "SECTIONS", "VARIABLES", "Kind", "Section", "Variable"]
