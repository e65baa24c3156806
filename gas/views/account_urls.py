"""Every address of an account."""

from django.urls import path

from gas.views import account, tokens

urlpatterns = [
    path("account/", account.account, name="account"),
    path("account/mails/", account.choose_mails, name="choose_mails"),
    path("account/browsers/", account.end_sign_ins, name="end_sign_ins"),
    path("account/export/", account.export, name="export"),
    path("account/leave/", account.leave, name="leave"),
    path("account/left/", account.left, name="left"),
    path("account/tokens/", tokens.tokens, name="tokens"),
    path("account/tokens/<int:token_id>/revoke/", tokens.revoke_token, name="revoke_token"),
    path("mails/decline/<str:signed>/", account.decline_mails, name="decline_mails"),
]
