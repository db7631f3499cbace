"""Django's settings, computed from `Config`.

Importing them starts nothing: the embedded database's socket is known before its server runs.
"""

import sys
from importlib.util import find_spec
from urllib.parse import unquote, urlsplit

import dj_database_url

from crossdock.config import Config, WrongSetting, load


def _config() -> Config:
    try:
        loaded = load()
        _ = loaded.secret_key, loaded.vault_keys
    except WrongSetting as wrong:
        sys.exit(f"crossdock: {wrong}")
    return loaded


CONFIG = _config()

DEBUG = CONFIG.debug
DEMO = CONFIG.demo
SITE_NAME = CONFIG.site_name
SECRET_KEY = CONFIG.secret_key
VAULT_KEYS = list(CONFIG.vault_keys)
PUBLIC_URL = CONFIG.public_url
# Where people find this server: the public address, or the loopback one that no shop could reach.
BASE_URL = PUBLIC_URL or CONFIG.local_url
ALLOW_LOCAL_SHOPS = CONFIG.local_shops
# Where shops send webhooks. Simulated shops on this machine reach the loopback address; real ones need a public one,
# or are polled.
HOOK_URL = PUBLIC_URL or (CONFIG.local_url if ALLOW_LOCAL_SHOPS else "")
STALE_AFTER_MINUTES = CONFIG.stale_after_minutes
# At checkout the shop itself is asked for lines of which so few are left, or whose count is older than so many seconds.
ASK_BELOW, ASK_OLDER_SECONDS = CONFIG.ask_below, CONFIG.ask_older_seconds
# Seconds between two polls of a shop; 0 takes what its platform's manifest says.
POLL_SECONDS = CONFIG.poll_seconds
TRUSTED_PROXIES = CONFIG.trusted_proxies
APPS = CONFIG.apps
# Whether programs that buy for people find a feed and a checkout here, by which protocol (docs/agents.md).
AGENTS = CONFIG.agents
AGENTS_UCP = CONFIG.agents_ucp
# Whether whoever opens a shop from now on sells only after staff approved them (docs/decisions/0023-approval.md).
APPROVE_SELLERS = CONFIG.approve_sellers
HOOK_BODY_LIMIT = CONFIG.hook_body_limit

_public = urlsplit(PUBLIC_URL)
ALLOWED_HOSTS = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    *CONFIG.allowed_hosts,
    *([_public.hostname] if _public.hostname else []),
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []

INSTALLED_APPS = [
    "crossdock.store",
    "crossdock.web",
    # Without looking for what libraries register: the site of web/staff/admin.py shows ours alone.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "procrastinate.contrib.django",
]

MIDDLEWARE = [
    "crossdock.web.middleware.RequestIds",
    *(["crossdock.web.traced.pages.Traced"] if CONFIG.traces_url else []),
    *(["crossdock.web.metrics.Measured"] if CONFIG.metrics else []),
    "crossdock.web.middleware.TrustedProxies",
    "django.middleware.security.SecurityMiddleware",
    "crossdock.web.middleware.ContentSecurityPolicy",
    "crossdock.web.languages.choosing.Languages",
    "crossdock.web.middleware.NoBlankPages",
    "crossdock.web.middleware.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "crossdock.web.middleware.PersonalPages",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "crossdock.web.acting.ActingAs",
]

ROOT_URLCONF = "crossdock.web.urls"
ASGI_APPLICATION = "crossdock.web.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "crossdock.web.context.site",
            ],
        },
    }
]

# One template draws every field, with its label, help and error.
FORM_RENDERER = "crossdock.web.forms.Renderer"

# -- Database: a pool in the web server (its threads come and go), kept connections elsewhere.
if CONFIG.embedded:
    _database: dict[str, object] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "crossdock",
        "USER": "crossdock",
        "HOST": str(CONFIG.socket_folder),
        "PORT": "5432",
    }
else:
    _database = dict(dj_database_url.parse(CONFIG.database_url))
_options: dict[str, object] = {
    "connect_timeout": 3,
    # A server that vanished without a word is noticed.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,
    **_database.get("OPTIONS", {}),  # type: ignore[dict-item]
    "application_name": "crossdock",
}
if CONFIG.database_pool:
    _database["ENGINE"] = "crossdock.web.pooled"
    _options["pool"] = {"min_size": 1, "max_size": CONFIG.database_pool, "timeout": 10, "reconnect_timeout": 0.1}
DATABASES = {
    "default": {
        **_database,
        "OPTIONS": _options,
        "CONN_MAX_AGE": 0 if CONFIG.database_pool else 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# In the database, so that rate limits hold over any number of web servers. Django's own 300 entries would throw limits
# out while they count.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "django_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# -- People
AUTH_USER_MODEL = "store.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["crossdock.web.hashing.Unconnected", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "crossdock.web.accounts.Adapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_UNIQUE_EMAIL = True
# One address per account; a new one takes the old one's place when it is confirmed.
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = CONFIG.email_verification
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if CONFIG.https else "http"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
# What a thief would want asks who it is, unless they signed in or proved it in the last quarter of an hour.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
STAFF_SECOND_FACTOR = CONFIG.staff_second_factor
# Where the audit log is sent on to; empty is nowhere (engine/audit/).
AUDIT_TO = CONFIG.audit_to
# The identity provider of staff; None is off (docs/decisions/0029-openid-connect.md).
OIDC = CONFIG.oidc
MFA_ADAPTER = "crossdock.web.signin.factor.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
# Adding one asks for a confirmed address itself (`setting_up`); allauth's rule would forbid to change it later.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "crossdock.web.signin.factor.AuthenticateForm",
    "reauthenticate": "crossdock.web.signin.factor.ReauthenticateForm",
    "activate_totp": "crossdock.web.signin.factor.ActivateForm",
}
# Passwords are counted by usecases/accounts/tries.py; `login_failed` is left for codes of second factors, which only
# somebody who knows the password can try.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "20/m/ip,8/5m/key",
    "signup": "20/m/ip",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
    "reauthenticate": "10/m/user",
    "confirm_email": "1/3m/key",
}

# -- Safety
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = CONFIG.https
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "__Host-session" if CONFIG.https else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if CONFIG.https else "csrf"
SECURE_HSTS_SECONDS = 31_536_000 if CONFIG.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
# Without a named proxy every request looks like plain http, and a redirect would never end; the proxy has to do it
# then.
SECURE_SSL_REDIRECT = CONFIG.https and bool(TRUSTED_PROXIES)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^metrics$"]
# The header is removed by TrustedProxies unless a named proxy sent it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
CSP_LOCAL_IMAGES = ALLOW_LOCAL_SHOPS

# -- Language and time
LANGUAGE_CODE = "en"
# By their own names, as the foot of every page offers them.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español")]
LANGUAGE_COOKIE_NAME = "language"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# -- Files: served from the package itself, no collecting step
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 300

# Pictures that sellers upload; several web servers need one folder that all of them see.
MEDIA_ROOT = CONFIG.data / "media"
MEDIA_URL = "/media/"

PAYMENT_GATEWAY = CONFIG.payment_gateway
GATEWAY_KEYS = CONFIG.gateway_keys
CARRIER = CONFIG.carrier
CARRIER_KEYS = CONFIG.carrier_keys
PAYOUT_PROVIDER = CONFIG.payout_provider

# -- Mail: real when an SMTP server is named, otherwise kept for the demo's page
DEFAULT_FROM_EMAIL = SERVER_EMAIL = CONFIG.mail_from
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend" if CONFIG.smtp_host else "crossdock.web.mail.EmailBackend"
EMAIL_HOST = CONFIG.smtp_host
EMAIL_PORT = CONFIG.smtp_port
EMAIL_HOST_USER = CONFIG.smtp_user
EMAIL_HOST_PASSWORD = CONFIG.smtp_password
EMAIL_USE_TLS = CONFIG.smtp_security == "starttls"
EMAIL_USE_SSL = CONFIG.smtp_security == "tls"
EMAIL_TIMEOUT = 20

# What no log line and nothing that is told to other servers may hold.
SECRETS = [
    SECRET_KEY,
    *VAULT_KEYS,
    CONFIG.smtp_password,
    CONFIG.metrics_token,
    CONFIG.stripe_secret_key,
    CONFIG.stripe_webhook_secret,
    *CONFIG.traces_sent_with.values(),
    CONFIG.oidc_secret,
    CONFIG.error_dsn,
    urlsplit(CONFIG.error_dsn).username or "",
    unquote(urlsplit(CONFIG.database_url).password or ""),
    *(value for app in APPS.values() for value in app.values()),
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "crossdock.logs.JsonFormatter" if CONFIG.log_format == "json" else "crossdock.logs.PlainFormatter",
            "secrets": SECRETS,
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": CONFIG.log_level},
    "loggers": {
        "procrastinate": {"level": "WARNING"},
        "aiohttp.access": {"level": "WARNING"},
        "uvicorn.access": {"level": "WARNING"},
        # It would write every call, and at DEBUG what was sent.
        "stripe": {"level": "WARNING"},
    },
}
# Without the package servers do not start (cli/extras.py), and the doctor says so.
if CONFIG.error_dsn and find_spec("sentry_sdk"):
    LOGGING["handlers"]["errors"] = {  # type: ignore[index]
        "class": "crossdock.seeing.errors.Reporter",
        "dsn": CONFIG.error_dsn,
        "secrets": SECRETS,
    }
    LOGGING["root"]["handlers"].append("errors")  # type: ignore[index]
