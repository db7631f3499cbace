"""The account's addresses. What allauth brings is wrapped where it needs a guard; the first that fits is taken."""

from allauth.account import views as account
from allauth.mfa.totp.views import activate_totp
from allauth.mfa.webauthn.views import add_webauthn
from django.urls import include, path

from crossdock.web.signin import data, pages
from crossdock.web.signin.again import fresh
from crossdock.web.signin.factor import setting_up
from crossdock.web.signin.identity import pages as identity

urlpatterns = [
    path("2fa/", pages.security, name="account_security"),
    path("2fa/totp/activate/", setting_up(activate_totp), name="mfa_activate_totp"),
    path("2fa/webauthn/add/", setting_up(add_webauthn), name="mfa_add_webauthn"),
    path("sessions/<int:pk>/end/", pages.end_one, name="account_session_end"),
    path("sessions/end/", pages.end_others, name="account_sessions_end"),
    path("data/", data.page, name="account_data"),
    path("data/copy/", data.ask, name="account_data_copy"),
    path("data/leave/", data.leave, name="account_data_leave"),
    path("data/keep/", data.keep, name="account_data_keep"),
    path("data/<slug:public_id>/file/", data.file, name="account_data_file"),
    path("identity/", identity.begin, name="account_identity"),
    path("identity/back/", identity.back, name="account_identity_back"),
    path("email/", fresh(account.email), name="account_email"),
    path("2fa/", include("allauth.mfa.urls")),
    path("", include("allauth.account.urls")),
]
