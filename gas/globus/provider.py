"""The provider that allauth knows as `globus`."""

from dataclasses import asdict
from typing import Any

from allauth.socialaccount.providers.base.provider import Provider, ProviderAccount
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from gas.globus import auth, step_up
from gas.globus.claims import Claims


class GlobusProvider(Provider):
    """OAuth 2 with PKCE; client, addresses and scopes come from the settings alone.

    allauth never hears of mail addresses, so it cannot link accounts by them.
    """

    id = "globus"
    name = "Globus"
    account_class = ProviderAccount
    uses_apps = False
    supports_redirect = True

    def get_login_url(self, request: HttpRequest, **kwargs: Any) -> str:
        """Return where the sign-in button posts to."""
        return reverse("globus_login")

    def redirect(
        self,
        request: HttpRequest,
        process: str,
        next_url: str | None = None,
        data: Any = None,
        **kwargs: Any,
    ) -> HttpResponseRedirect:
        """Remember a one-time state and verifier in the session, and send the browser to Globus."""
        pkce = generate_code_challenge()
        second_factor = step_up.is_wanted(next_url)
        state = self.stash_redirect_state(
            request,
            process,
            next_url,
            data,
            verifier=pkce["code_verifier"],
            second_factor=second_factor,
        )
        return HttpResponseRedirect(
            auth.authorize_url(
                state=state,
                challenge=pkce["code_challenge"].decode(),
                redirect_uri=self.callback_url(request),
                second_factor=second_factor,
            )
        )

    def callback_url(self, request: HttpRequest) -> str:
        """Return our end of the journey on the host that was asked, one of ALLOWED_HOSTS."""
        return request.build_absolute_uri(reverse("globus_callback"))

    def extract_uid(self, data: Claims) -> str:
        """Return the identity that signs in."""
        return data.sub

    def extract_extra_data(self, data: Claims) -> dict[str, Any]:
        """Return what is kept beside the identity."""
        return asdict(data)

    def extract_common_fields(self, data: Claims) -> dict[str, Any]:
        """Return what a new account starts with; the rest is set at every sign-in alike."""
        return {"username": data.sub}


provider_classes = [GlobusProvider]
