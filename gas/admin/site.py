"""The site of the staff pages: it knows our own tables alone, and no passwords."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from gas.globus import step_up

View = Callable[..., HttpResponseBase]


class StaffSite(AdminSite):
    """Shows itself to staff who showed a second factor not long ago.

    Whoever else is signed in is told that there is no such page.
    """

    site_header = "GAS staff pages"
    site_title = "GAS staff"
    index_title = "What there is"
    index_template = "admin/staff_index.html"
    enable_nav_sidebar = False  # a few tables; the lists need the width

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Guard a page of the site."""
        guarded: View = super().admin_view(view, cacheable)

        def for_staff(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.is_authenticated and not self.has_permission(request):
                raise Http404
            if request.user.is_authenticated and not step_up.is_recent(request):
                return redirect_to_login(request.get_full_path(), "/admin/login/")
            return guarded(request, *args, **kwargs)

        return update_wrapper(for_staff, guarded)

    def password_change(self, *_: Any, **__: Any) -> Any:
        """Nobody has a password here: the way in is Globus."""
        raise Http404

    password_change_done = password_change


staff_site = StaffSite(name="admin")
