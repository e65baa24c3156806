"""What people see when a request cannot be served."""

from dataclasses import dataclass
from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.csrf import requires_csrf_token

from gas.logs import context as trail
from gas.services.maintenance import UnderMaintenance


@dataclass(frozen=True)
class Next:
    """Something to do next, with a link where there is a page for it."""

    text: str
    link: str = ""
    route: str = ""
    topic: str = ""

    @property
    def address(self) -> str:
        """Where the link leads."""
        return reverse(self.route, args=[self.topic] if self.topic else [])


_AGAIN = Next("Go back, reload the page, and try once more: it may have been open for too long.")
_LATER = Next("Reload this page in a minute. What you had sent is there, or can be sent again.")
_JOBS = Next("See how your jobs stand on the", "list of jobs", "jobs")
_HELP = Next("Read what the service does in the", "help", "help")

#: A title, a sentence, and what to do next, for each status that may reach a person.
SENTENCES: dict[int, tuple[str, str, tuple[Next, ...]]] = {
    400: (
        "That request made no sense to us",
        "Nothing was changed.",
        (
            _AGAIN,
            Next("If you followed a link, ask for it anew: it may have been cut off."),
        ),
    ),
    403: (
        "That is not open to you",
        "Your account may not see this page, and nothing was changed.",
        (
            Next("Look on your", "account page", "account"),
            Next("If you have several accounts, sign out, and sign in with another."),
        ),
    ),
    404: (
        "There is nothing here",
        "The address is mistyped, what was here is deleted, or it belongs to somebody else.",
        (
            _JOBS,
            Next("If it belongs to another of your accounts, sign out, and sign in with that one."),
            _HELP,
        ),
    ),
    405: (
        "This address only takes a button",
        "Nothing was changed.",
        (Next("Go back to the page with the button, and press it there."),),
    ),
    409: (
        "Not possible right now",
        "Things have changed since you opened the page, and nothing was done.",
        (Next("Go back and reload the page to see how they stand."), _JOBS),
    ),
    413: (
        "That was too much at once",
        "The request was larger than this page takes, and nothing of it was kept.",
        (
            Next("Send variants as a file, by", "a new job", "new_job"),
            Next("See", "how large files may be", "help_topic", "input"),
        ),
    ),
    429: (
        "Too many requests",
        "More came from you than one person sends, so that some are turned away.",
        (Next("Wait a minute, then reload this page. Jobs go on meanwhile."),),
    ),
    500: (
        "Something broke on our side",
        "It was not your fault, and it is written down for us. Your jobs and files are safe.",
        (
            _LATER,
            Next("If it happens again, tell those who run this server what you did, and when."),
        ),
    ),
    503: (
        "A part of the service does not answer",
        "Your jobs and files are safe, and jobs go on as soon as it is back.",
        (_LATER,),
    ),
}

#: What to do while nothing new is taken.
_WHILE_CLOSED = (
    Next("Your jobs and results are where they were: see the", "list of jobs", "jobs"),
    Next("Send it again when the notice at the top of the pages has gone; nothing was kept of it."),
)

#: Failures of our own, whose page must need neither the database nor the session.
_OURS = {500, 503}


def page(request: HttpRequest, status: int, sentence: str = "") -> HttpResponse:
    """Render the page of a status, with its own sentence or a better one."""
    title, usual, steps = SENTENCES[status]
    context = {
        "status": HTTPStatus(status),
        "title": title,
        "sentence": sentence or usual,
        "steps": steps,
        "correlation": trail.correlation(),
    }
    if status in _OURS:
        return HttpResponse(render_to_string("pages/error.html", context), status=status)
    return render(request, "pages/error.html", context, status=status)


def closed(request: HttpRequest, refusal: UnderMaintenance) -> HttpResponse:
    """Say that nothing new is taken for a while: a page for people, one sentence for scripts."""
    if request.accepts("text/html"):
        context = {
            "status": HTTPStatus.SERVICE_UNAVAILABLE,
            "title": "Nothing new is taken for a while",
            "sentence": str(refusal),
            "steps": _WHILE_CLOSED,
            "correlation": trail.correlation(),
        }
        response = render(request, "pages/error.html", context, status=503)
    else:
        response = JsonResponse({"problem": str(refusal)}, status=503)
    response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what cannot be read, or is too large."""
    return page(request, 413 if isinstance(exception, RequestDataTooBig) else 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what this account may not do."""
    return page(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what does not exist, as far as this account may know."""
    return page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when we failed."""
    return page(request, 500)


@requires_csrf_token
@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that was not ours, or was open for too long."""
    sentence = "The form was open for too long, or cookies are off. Reload the page and try again."
    return page(request, 403, sentence)
