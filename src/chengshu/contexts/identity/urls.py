"""Pages of the context `identity`."""

from django.urls import path

from chengshu.contexts.identity import acting_views, security_views, views

app_name = "identity"
urlpatterns = [
    path("sign-in", views.sign_in, name="sign_in"),
    path("sign-in/second", security_views.second_step, name="second_step"),
    path("sign-in/passkey", security_views.passkey_sign_in, name="passkey_sign_in"),
    path("sign-in/again", security_views.prove, name="prove"),
    path("sign-out", views.sign_out, name="sign_out"),
    path("account/security", security_views.security, name="security"),
    path("account/security/authenticator", security_views.authenticator, name="authenticator"),
    path(
        "account/security/authenticator/remove",
        security_views.remove_authenticator,
        name="remove_authenticator",
    ),
    path("account/security/recovery-codes", security_views.recovery_codes, name="recovery_codes"),
    path("account/security/passkeys", security_views.add_passkey, name="add_passkey"),
    path(
        "account/security/passkeys/<int:passkey_id>/remove",
        security_views.remove_passkey,
        name="remove_passkey",
    ),
    path("account/security/sessions/<int:sign_in_id>/end", security_views.end_session, name="end_session"),
    path(
        "account/security/sessions/end-others", security_views.end_other_sessions, name="end_other_sessions"
    ),
    path("acting/leave", acting_views.leave, name="leave_acting"),
    path("account", views.account_page, name="account"),
    path("account/password", views.password, name="password"),
    path("account/tokens", views.tokens, name="tokens"),
    path("account/tokens/<int:token_id>/revoke", views.revoke_token, name="revoke_token"),
]
