"""The operators' page: how the service stands, and what can be done about it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from gas.forms import MaintenanceForm, ReasonForm
from gas.models import Job, Usage, User
from gas.prices import PRICES
from gas.services import costs, maintenance, operations
from gas.services.operations import QueueLine, Snapshot
from gas.services.staff import acts, queues
from gas.services.staff.acts import ActRefused
from gas.storage.errors import StorageError
from gas.views import charts, series


@dataclass(frozen=True)
class Act:
    """Something that operators do to a queue: what the button says, and what happens then."""

    verb: Callable[..., str]
    label: str
    happens: str
    of_letters: bool = False  # of its dead letters, and not of the queue


ACTS = {
    "pause": Act(
        queues.pause,
        "Pause",
        "Workers stop taking from the queue within seconds. What they are at goes on; messages "
        "stay in the queue, lose no try, and wait until it is resumed.",
    ),
    "resume": Act(queues.resume, "Resume", "Workers take from the queue again within seconds."),
    "redrive": Act(
        queues.redrive,
        "Redrive",
        "Each dead letter goes back into the queue and is tried anew. No job is changed by that: "
        "a message of a job that has failed is dropped when it arrives.",
        of_letters=True,
    ),
    "purge": Act(
        queues.purge,
        "Purge",
        "Each dead letter is destroyed. A job that still waits for one is FAILED, and its owner "
        "is mailed why; one that has results rests until it is mended. This cannot be undone.",
        of_letters=True,
    ),
}

#: Jobs of one account whose costs are shown.
MOST_JOBS = 25

NO_SQS = "SQS does not answer. What was done by then is done, and trying again goes on."


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show how everything stands."""
    return render(request, "pages/operations.html", _shown(request))


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Return how everything stands; nothing when that is what was seen."""
    shown = _shown(request)
    if request.GET.get("seen") == shown["version"]:
        return HttpResponse(status=204)
    return render(request, "components/operations.html", shown)


def _shown(request: HttpRequest) -> dict[str, Any]:
    seen = operations.snapshot()
    history, people = seen.history, _pausers(seen)
    return {
        "seen": seen,
        "version": version_of(seen),
        "may_act": acts.may_act(cast(User, request.user)),
        "charts": [
            series.ended(history.hours),
            series.waits(history.hours),
            series.runs(history.hours),
        ],
        "queues": [
            (
                line,
                series.depth(line.name, history.minutes, seen.taken_at),
                people.get(line.paused_by, line.paused_by),
            )
            for line in seen.queues
        ],
        "reasons": charts.chart(
            "reasons",
            "Why jobs failed",
            "Jobs of the last day, the newest thousand that failed",
            {reason.words or "no reason": reason.jobs for reason in history.reasons},
        ),
        "last_sweep": history.minutes[-1] if history.minutes else None,
    }


def _pausers(seen: Snapshot) -> dict[str, str]:
    """The names of those who paused a queue, by their identity."""
    identities = [line.paused_by for line in seen.queues if line.paused_at]
    found = User.objects.filter(username__in=identities)
    return {each.username: each.display_name for each in found}


def version_of(seen: Snapshot) -> str:
    """Name what the page shows, but for what changes with every breath."""
    told = (
        [_calm(line) for line in seen.queues],
        [replace(worker, memory_mb=0, seen_at=worker.started_at) for worker in seen.workers],
        seen.rows,
        seen.history.last_hour,
        seen.history.last_day,
        seen.history.reasons,
        seen.maintenance,
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _calm(line: QueueLine) -> QueueLine:
    return replace(line, read_at=None, oldest_seconds=(line.oldest_seconds or 0) // 60)


@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest) -> HttpResponse:
    """Ask why before something is done to a queue, then do it."""
    acts.refuse_onlooker(cast(User, request.user))
    asked = request.POST if request.method == "POST" else request.GET
    name, on = asked.get("act", ""), asked.get("queue", "")
    if name not in ACTS:
        raise BadRequest("no act")
    form = ReasonForm(request.POST or None)
    try:
        queue = queues.queue_named(on)
        if request.method == "POST" and form.is_valid():
            done = ACTS[name].verb(
                queue=queue,
                actor=request.user.get_username(),
                reason=form.cleaned_data["reason"],
            )
            messages.success(request, done)
            return redirect("operations")
    except ActRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("operations")
    except StorageError:
        messages.error(request, NO_SQS)
        return redirect("operations")
    context = {"act": ACTS[name], "name": name, "queue": on, "form": form}
    status = 422 if request.method == "POST" else 200
    return render(request, "pages/operations_act.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def maintain(request: HttpRequest) -> HttpResponse:
    """Begin, announce or end a maintenance."""
    acts.refuse_onlooker(cast(User, request.user))
    form = MaintenanceForm(request.POST or None)
    if request.method == "POST":
        actor = request.user.get_username()
        if request.POST.get("switch") == "off":
            ended = maintenance.end(actor=actor)
            messages.success(request, "Everything is taken." if ended else "There was none.")
            return redirect("operations")
        if form.is_valid():
            try:
                maintenance.begin(actor=actor, **form.cleaned_data)
            except maintenance.MaintenanceRefused as refusal:
                form.add_error("ends_at", str(refusal))
            else:
                messages.success(request, "It is told at the top of every page.")
                return redirect("operations")
    context = {"form": form, "notice": maintenance.notice()}
    status = 422 if form.is_bound else 200
    return render(request, "pages/operations_maintenance.html", context, status=status)


@require_safe
def account_costs(request: HttpRequest, account_id: int) -> HttpResponse:
    """Show what an account keeps, and what each of its newest jobs costs."""
    user = get_object_or_404(User, pk=account_id)
    newest = Job.objects.filter(owner=user).order_by("-pk")[:MOST_JOBS]
    usage = Usage.objects.filter(pk=user.pk).first()
    context = {"account": user, "usage": usage, "jobs": costs.of_jobs(newest)}
    return render(request, "pages/operations_costs.html", {**context, "prices": PRICES})


@require_safe
def job_costs(request: HttpRequest, job_id: int) -> HttpResponse:
    """Show what one job has cost, by what stands on the bill."""
    priced = costs.of_jobs(Job.objects.filter(pk=job_id))
    if not priced:
        raise Http404
    context = {"account": priced[0][0].owner, "jobs": priced, "prices": PRICES}
    return render(request, "pages/operations_costs.html", context)
