"""Acts on the rows of a table: each is confirmed on a page that says what will happen."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import BigIntegerField, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from gas.admin.forms import ReasonForm
from gas.admin.read_only import ReadOnlyAdmin
from gas.models import User
from gas.services.staff import acts
from gas.services.staff.acts import MOST_AT_ONCE, Outcome

#: The marks of the form of the confirmation, and of a press on the page of one row.
CONFIRMED, FROM_ROW = "confirmed", "from_row"


@dataclass(frozen=True)
class Act:
    """Something that staff may do to rows."""

    name: str
    label: str
    happens: str  # to each row, as the page of the confirmation says
    verb: Callable[..., str]  # takes the row, the actor, the reason and what the form asks
    form: type[ReasonForm] = ReasonForm
    is_final: bool = False  # nothing brings it back


class ActingAdmin(ReadOnlyAdmin):
    """A table whose rows can be acted upon, never edited."""

    acts: tuple[Act, ...] = ()

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer the acts to who may act."""
        if not acts.may_act(cast(User, request.user)):
            return {}
        return {act.name: (partial(_asked, act), act.name, act.label) for act in self.acts}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list; refuse an act of who may only look."""
        if request.method == "POST":
            acts.refuse_onlooker(cast(User, request.user))
        return super().changelist_view(request, extra_context)

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Take an act on rows whose keys make sense."""
        for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
            self._refuse_nonsense(key)
        return super().response_action(request, queryset)

    def _refuse_nonsense(self, key: str) -> None:
        try:
            value = self.opts.pk.to_python(key)
        except ValidationError as error:
            raise BadRequest("no key of a row") from error
        if isinstance(value, int) and abs(value) > BigIntegerField.MAX_BIGINT:
            raise BadRequest("no key of a row")

    def row_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Tell the page of a row, besides, what can be done to it."""
        offered = self.acts if acts.may_act(cast(User, request.user)) else ()
        return {
            **super().row_context(request, row),
            "acts": offered,
            "list_page": reverse(f"admin:gas_{self.opts.model_name}_changelist"),
        }

    def ask(self, act: Act, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask for the reason first, then act and tell what came of each row."""
        rows = list(queryset[: MOST_AT_ONCE + 1])
        if len(rows) > MOST_AT_ONCE:
            told = f"Please choose at most {MOST_AT_ONCE} rows."
            self.message_user(request, told, messages.ERROR)
            return None
        if not rows:
            self.message_user(request, "What you chose has gone.", messages.ERROR)
            return None
        is_confirmed = request.POST.get(CONFIRMED) == "yes"
        form = act.form(request.POST) if is_confirmed else act.form(initial=act.form.about(rows))
        if not (is_confirmed and form.is_valid()):
            return self._confirmation(act, request, rows, form)
        actor, reason = cast(User, request.user), form.cleaned_data["reason"]
        verb = partial(act.verb, actor=actor, reason=reason, **form.choices())
        self._tell(request, act, acts.perform(act.name, verb, rows, actor=actor, reason=reason))
        return self._back(request, rows)

    def _confirmation(
        self, act: Act, request: HttpRequest, rows: list[Any], form: ReasonForm
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": act.label,
            "act": act,
            "form": form,
            "rows": rows,
            "opts": self.opts,
            "list_page": reverse(f"admin:gas_{self.opts.model_name}_changelist"),
            "from_row": request.POST.get(FROM_ROW) == "yes",
        }
        status = 422 if form.is_bound else 200
        return TemplateResponse(request, "admin/confirm.html", context, status=status)

    def _tell(self, request: HttpRequest, act: Act, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            level = messages.SUCCESS if outcome.done else messages.WARNING
            told = f"{act.label}: {self.opts.verbose_name} {outcome.row_id}: {outcome.sentence}"
            self.message_user(request, told, level)

    def _back(self, request: HttpRequest, rows: list[Any]) -> HttpResponse | None:
        """Back to the page of the row that was acted upon, if it is still there, or to the list."""
        if request.POST.get(FROM_ROW) != "yes" or len(rows) != 1:
            return None
        if not self.get_queryset(request).filter(pk=rows[0].pk).exists():
            return None
        return redirect(f"admin:gas_{self.opts.model_name}_change", rows[0].pk)


def _asked(
    act: Act, admin: ActingAdmin, request: HttpRequest, queryset: QuerySet[Any]
) -> HttpResponse | None:
    return admin.ask(act, request, queryset)
