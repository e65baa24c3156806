"""What people see when a request cannot be served."""

from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token

#: A title and a sentence for each status that may reach a person.
SENTENCES = {
    400: ("That request made no sense to us", "Please go back and try once more."),
    403: ("That is not open to you", "Your account may not see this page."),
    404: (
        "There is nothing here",
        "The address is mistyped, or it belongs to somebody else's account.",
    ),
    405: (
        "This address only takes a button",
        "Nothing was changed. Please go back to the page with the button and press it there.",
    ),
    409: ("Not possible right now", "Please go back and look at how things stand."),
    413: ("That was too much at once", "The request was larger than this page takes."),
    429: ("Too many requests", "Please wait a minute, then try again."),
    500: (
        "Something broke on our side",
        "It was not your fault. Your jobs and files are safe; please try again in a few minutes.",
    ),
    503: (
        "A part of the service does not answer",
        "Your jobs and files are safe. Please try again in a minute.",
    ),
}

#: Failures of our own, whose page must need neither the database nor the session.
_OURS = {500, 503}


def page(request: HttpRequest, status: int, sentence: str = "") -> HttpResponse:
    """Render the page of a status, with its own sentence or a better one."""
    title, usual = SENTENCES[status]
    context = {"status": HTTPStatus(status), "title": title, "sentence": sentence or usual}
    if status in _OURS:
        return HttpResponse(render_to_string("pages/error.html", context), status=status)
    return render(request, "pages/error.html", context, status=status)


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
