"""Every address of the site."""

from django.urls import URLPattern, URLResolver, include, path

from gas.admin import staff_site
from gas.api import reference
from gas.views import chosen, jobs, operations, public, results, subscription, uploads
from gas.views.help import pages as help_pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("", public.home, name="home"),
    path("help/", help_pages.index, name="help"),
    path("help/api/", reference.page, name="api_reference"),
    path("help/<slug:name>/", help_pages.topic, name="help_topic"),
    path("terms/", public.terms, name="terms"),
    path("robots.txt", public.robots, name="robots"),
    path("provenance-key.pem", public.provenance_key, name="provenance_key"),
    path("", include("gas.globus.urls")),
    path("", include("gas.views.account_urls")),
    path("uploads/", uploads.begin_upload, name="begin_upload"),
    path("uploads/<uuid:upload_id>/", uploads.upload, name="upload"),
    path("uploads/<uuid:upload_id>/parts/", uploads.sign_part, name="sign_part"),
    path("uploads/<uuid:upload_id>/submit/", uploads.submit_upload, name="submit_upload"),
    path("uploads/<uuid:upload_id>/cancel/", uploads.cancel_upload, name="cancel_upload"),
    path("jobs/", jobs.job_list, name="jobs"),
    path("jobs/new/", uploads.new_job, name="new_job"),
    path("jobs/example/", uploads.submit_example, name="submit_example"),
    path("jobs/chosen/", chosen.chosen_jobs, name="chosen_jobs"),
    path("jobs/<int:job_id>/", jobs.job_page, name="job"),
    path("jobs/<int:job_id>/live/", jobs.job_live, name="job_live"),
    path("jobs/<int:job_id>/log/", jobs.job_log, name="job_log"),
    path("jobs/<int:job_id>/cancel/", jobs.cancel_job, name="cancel_job"),
    path("jobs/<int:job_id>/again/", jobs.run_again, name="run_again"),
    path("jobs/<int:job_id>/delete/", jobs.delete_job, name="delete_job"),
    path("jobs/<int:job_id>/files/<slug:kind>/", jobs.download, name="download"),
    path("jobs/<int:job_id>/results/", results.charts, name="results"),
    path("jobs/<int:job_id>/variants/", results.variants, name="variants"),
    path("jobs/<int:job_id>/variants/<int:row>/", results.transcripts, name="transcripts"),
    path("jobs/<int:job_id>/variants/<slug:kind>/", results.filtered_file, name="filtered_file"),
    path("subscription/", subscription.subscription, name="subscription"),
    path("subscription/checkout/", subscription.checkout, name="checkout"),
    path("subscription/portal/", subscription.portal, name="portal"),
    path("billing/webhook/", subscription.billing_webhook, name="billing_webhook"),
    path("api/v1/", include("gas.api.urls")),
    *(
        path(f"admin/operations/{place}", staff_site.admin_view(view), name=name)
        for place, view, name in (
            ("", operations.page, "operations"),
            ("live/", operations.live, "operations_live"),
            ("act/", operations.act, "operations_act"),
            ("maintenance/", operations.maintain, "operations_maintenance"),
            ("costs/<int:account_id>/", operations.account_costs, "account_costs"),
            ("costs/job/<int:job_id>/", operations.job_costs, "job_costs"),
        )
    ),
    path("admin/", staff_site.urls),
]

handler400 = "gas.views.errors.bad_request"
handler403 = "gas.views.errors.forbidden"
handler404 = "gas.views.errors.not_found"
handler500 = "gas.views.errors.server_error"
