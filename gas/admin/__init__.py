"""The staff pages: what there is, to look at; what staff may do goes through the services."""

from gas.admin import access, accounts, jobs, plans, records, upkeep
from gas.admin.site import staff_site

__all__ = ["access", "accounts", "jobs", "plans", "records", "staff_site", "upkeep"]
