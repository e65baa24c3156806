"""The one address that mails need, for tests that do not care about pages."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def page(_request: HttpRequest, job_id: int) -> HttpResponse:
    """Stand where the page of a job stands."""
    return HttpResponse(str(job_id))


urlpatterns = [path("jobs/<int:job_id>/", page, name="job")]
