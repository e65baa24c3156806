"""Which browsers are signed in; noted as they come, without their addresses."""

from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest

from gas.models import SignIn, User

#: What a browser's own description holds, the telling word first: most claim to be all of them.
_BROWSERS = {
    "Edg/": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
_SYSTEMS = {
    "Windows": "Windows",
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Mac OS": "macOS",
    "Linux": "Linux",
}


def note(request: HttpRequest, user: User) -> None:
    """Note a browser that signs in, and forget those whose sessions are over."""
    SignIn.objects.filter(user=user).exclude(session_key__in=_living()).delete()
    SignIn.objects.update_or_create(
        session_key=request.session.session_key,
        defaults={"user": user, "browser": browser_name(request.headers.get("User-Agent", ""))},
    )


def browser_name(description: str) -> str:
    """Name a browser the way its owner would: `Firefox on Linux`."""
    browser = _first(_BROWSERS, description) or "A program"
    system = _first(_SYSTEMS, description)
    return f"{browser} on {system}" if system else browser


def living(user: User) -> QuerySet[SignIn]:
    """The browsers of an account whose sessions are not over, newest first."""
    return user.sign_ins.filter(session_key__in=_living()).order_by("-pk")


def end(sign_ins: QuerySet[SignIn]) -> int:
    """Sign these browsers out at once; returns how many."""
    keys = list(sign_ins.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    SignIn.objects.filter(session_key__in=keys).delete()
    return len(keys)


def _living() -> QuerySet[Session, str]:
    return Session.objects.filter(expire_date__gt=Now()).values_list("session_key", flat=True)


def _first(names: dict[str, str], description: str) -> str:
    return next((name for sign, name in names.items() if sign in description), "")
