"""Every address of an account."""

from django.urls import path

from gas.views import account, tokens, webhooks

urlpatterns = [
    path("account/", account.account, name="account"),
    path("account/mails/", account.choose_mails, name="choose_mails"),
    path("account/browsers/", account.end_sign_ins, name="end_sign_ins"),
    path("account/export/", account.export, name="export"),
    path("account/leave/", account.leave, name="leave"),
    path("account/left/", account.left, name="left"),
    path("account/tokens/", tokens.tokens, name="tokens"),
    path("account/tokens/<int:token_id>/revoke/", tokens.revoke_token, name="revoke_token"),
    path("account/webhooks/", webhooks.webhooks, name="webhooks"),
    path("account/webhooks/<int:webhook_id>/", webhooks.webhook, name="webhook"),
    path(
        "account/webhooks/<int:webhook_id>/rotate/", webhooks.rotate_webhook, name="rotate_webhook"
    ),
    path("account/webhooks/<int:webhook_id>/pause/", webhooks.pause_webhook, name="pause_webhook"),
    path(
        "account/webhooks/<int:webhook_id>/resume/", webhooks.resume_webhook, name="resume_webhook"
    ),
    path("account/webhooks/<int:webhook_id>/test/", webhooks.test_webhook, name="test_webhook"),
    path(
        "account/webhooks/<int:webhook_id>/delete/", webhooks.delete_webhook, name="delete_webhook"
    ),
    path("account/deliveries/<uuid:message_id>/send/", webhooks.redeliver, name="redeliver"),
    path("mails/decline/<str:signed>/", account.decline_mails, name="decline_mails"),
]
