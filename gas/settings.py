"""Every setting of the site, read from the environment once; production refuses what is unsafe."""

import base64
import hashlib

from django.core.exceptions import ImproperlyConfigured

from gas import env, policy
from gas.logs import lines

ROOT = env.ROOT
VAR = ROOT / "var"

#: `local` runs whole on a laptop; `production` refuses every stand-in and every unsafe default.
MODE = env.choice("GAS_MODE", allowed={"local", "production"})
PRODUCTION = MODE == "production"
DEBUG = False

SECRET_KEY = (
    env.required("GAS_SECRET_KEY")
    if PRODUCTION
    else env.given("GAS_SECRET_KEY") or env.local_secret(VAR / "secret-key")
)
#: Keys of before: what they signed (sessions, links in mails) and sealed stays good.
SECRET_KEY_FALLBACKS = env.words("GAS_PREVIOUS_SECRET_KEYS")
BASE_URL = env.url("GAS_BASE_URL")
ALLOWED_HOSTS = env.words("GAS_HOSTS")
CSRF_TRUSTED_ORIGINS = [BASE_URL]

# --- the application ------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig",  # gas.admin finds its tables itself
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "django_htmx",
    "anymail",
    "csp",
    "gas",
    "gas.globus",
]
MIDDLEWARE = [
    "gas.views.health.probes",
    "gas.views.trail.Trail",
    "gas.api.middleware.told_to_programs",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "gas.views.trail.Asker",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "gas.views.middleware.private_pages",
    "gas.views.middleware.ErrorPages",
]
ROOT_URLCONF = "gas.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["gas.templatetags.drawn"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gas.views.banner.told",
            ],
        },
    },
]
DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{VAR / 'gas.sqlite3'}")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-gb"
USE_I18N = False  # pages have one language, and looking for another one takes time at each word
FORMAT_MODULE_PATH = "gas.formats"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = env.path("GAS_STATIC_ROOT")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- accounts -------------------------------------------------------------------------------------
AUTH_USER_MODEL = "gas.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "jobs"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
#: Our own proxies before the site: what each of them adds to X-Forwarded-For is believed.
PROXIES = env.integer("GAS_PROXIES", 1 if PRODUCTION else 0)

# Globus is the only way in. A stand-in on loopback plays Globus on a laptop, until a client of
# one's own is given; allauth keeps no tokens, knows no mail addresses and shows none of its pages.
_GLOBUS_FAKE = not PRODUCTION and env.given("GAS_GLOBUS_CLIENT_ID") is None
GLOBUS_AUTH_URL = env.url(
    "GAS_GLOBUS_URL", "http://127.0.0.1:8001" if _GLOBUS_FAKE else "https://auth.globus.org"
)
GLOBUS_CLIENT_ID = env.text(
    "GAS_GLOBUS_CLIENT_ID", "6f3c1b52-5d1a-4d0e-9a57-0c5f2f0a1d01" if _GLOBUS_FAKE else ""
)
GLOBUS_CLIENT_SECRET = env.text(
    "GAS_GLOBUS_CLIENT_SECRET", "local-stand-in" if _GLOBUS_FAKE else ""
)
GLOBUS_SCOPES = [
    "openid",
    "profile",
    "email",
    "urn:globus:auth:scope:auth.globus.org:view_identity_set",
]
GLOBUS_TIMEOUT = env.duration("GAS_GLOBUS_TIMEOUT")
#: Globus identities that are staff, looked up at every sign-in.
STAFF_IDENTITIES = env.words(
    "GAS_STAFF_IDENTITIES", "11111111-aaaa-4aaa-8aaa-000000000009" if _GLOBUS_FAKE else ""
)
#: Those that see the staff pages and may change nothing there.
STAFF_ONLOOKERS = env.words("GAS_STAFF_ONLOOKERS")
ACCOUNT_ADAPTER = "gas.globus.adapters.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_UNIQUE_EMAIL = False
SOCIALACCOUNT_ADAPTER = "gas.globus.adapters.SocialAccountAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_ONLY = True
SOCIALACCOUNT_STORE_TOKENS = False

#: Keys of the Globus tokens kept at rest: the first seals, each may open. Behind those that were
#: given come the ones made of the site's secrets, so that a first key of one's own loses nothing.
TOKEN_KEYS = env.fernet_keys("GAS_TOKEN_KEYS") + [
    base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest())
    for secret in (SECRET_KEY, *SECRET_KEY_FALLBACKS)
]

#: Whether staff must have shown a second factor; where an identity provider does not tell of one.
STAFF_MFA = env.boolean("GAS_STAFF_MFA")
#: How long staff may work after they proved with a second factor who they are.
STAFF_SESSION = env.duration("GAS_STAFF_SESSION")

# --- storage --------------------------------------------------------------------------------------
AWS_REGION = env.text("AWS_DEFAULT_REGION")
AWS_S3_ADDRESSING = env.choice("GAS_S3_ADDRESSING", allowed={"auto", "path", "virtual"})
BUCKETS = {
    "inputs": env.text("GAS_BUCKET_INPUTS"),
    "results": env.text("GAS_BUCKET_RESULTS"),
    "archive": env.text("GAS_BUCKET_ARCHIVE"),
}
ARCHIVE = env.text("GAS_ARCHIVE")
#: Bytes of one part of an upload, and how long an upload waits for its next part or its submission.
PART_BYTES = env.integer("GAS_PART_MIB", least=5, most=1024) * 1024**2
UPLOADS_KEPT = env.duration("GAS_UPLOADS_KEPT")
GLACIER_VAULT = env.text("GAS_GLACIER_VAULT")

# --- the pipeline ---------------------------------------------------------------------------------
FREE_RETENTION = env.duration("GAS_FREE_RETENTION")
#: How long before results go their owner is told, if they have been at hand for as long.
REMIND_BEFORE = env.duration("GAS_REMIND_BEFORE")
DOWNGRADE_GRACE = env.duration("GAS_DOWNGRADE_GRACE")
THAW_POLL = env.duration("GAS_THAW_POLL")
#: Jobs that one subscriber may have on their way out of the archive; each is asked about.
MOST_THAWS = env.integer("GAS_MOST_THAWS", least=1)
RETRY_AFTER = env.duration("GAS_RETRY_AFTER")
INPUTS_KEPT = env.duration("GAS_INPUTS_KEPT")
BACKUPS_KEPT = env.duration("GAS_BACKUPS_KEPT")
RESEND_AFTER = env.duration("GAS_RESEND_AFTER")
#: Where a worker says on loopback whether it can work; 0: nowhere.
WORKER_PORT = env.integer("GAS_WORKER_PORT")
#: Where the workers of this machine say that they live, and what `manage.py drain` listens to.
RUN_FOLDER = env.path("GAS_RUN_FOLDER") if env.given("GAS_RUN_FOLDER") else None
METADATA_URL = env.url("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254")
DRAIN_HOOK = env.text("GAS_DRAIN_HOOK")
#: The topic of SNS where other systems hear of jobs; empty: none does.
EVENTS_TOPIC = env.topic("GAS_EVENTS_TOPIC")
ANNOTATE_WORKERS = env.integer("GAS_ANNOTATE_WORKERS", least=1, most=64)
ANNOTATE_MEMORY_MB = env.integer("GAS_ANNOTATE_MEMORY_MB", least=256)
#: Whether an upload may be read where the kernel cannot close files and network to its reader.
SANDBOX = env.choice(
    "GAS_SANDBOX",
    "required" if PRODUCTION else "preferred",
    {"required", "preferred", "off"},
)
#: The Ed25519 key, a PEM file, that signs each provenance; unset: they are not signed.
PROVENANCE_KEY = env.path("GAS_PROVENANCE_KEY") if env.given("GAS_PROVENANCE_KEY") else None
#: Its public half, which the site serves to whoever checks results; unset: none is served.
PROVENANCE_PUBLIC_KEY = (
    env.path("GAS_PROVENANCE_PUBLIC_KEY") if env.given("GAS_PROVENANCE_PUBLIC_KEY") else None
)
BUNDLE = env.path("GAS_BUNDLE")

# --- billing --------------------------------------------------------------------------------------
BILLING = env.text("GAS_BILLING")
# A stand-in on loopback plays Stripe on a laptop, until a key of one's own is given.
_STRIPE_FAKE = not PRODUCTION and env.given("GAS_STRIPE_KEY") is None
STRIPE_URL = env.url(
    "GAS_STRIPE_URL", "http://127.0.0.1:8002" if _STRIPE_FAKE else "https://api.stripe.com"
)
STRIPE_KEY = env.text("GAS_STRIPE_KEY", "sk_test_local" if _STRIPE_FAKE else "")
STRIPE_WEBHOOK_SECRET = env.text("GAS_STRIPE_WEBHOOK_SECRET", "whsec_local" if _STRIPE_FAKE else "")
STRIPE_PRICE = env.text("GAS_STRIPE_PRICE", "price_local_premium" if _STRIPE_FAKE else "")
STRIPE_TIMEOUT = env.duration("GAS_STRIPE_TIMEOUT")
#: Where a browser is sent to pay or to manage a subscription; `form-action` must allow these.
STRIPE_PAGES = (
    [STRIPE_URL] if _STRIPE_FAKE else ["https://checkout.stripe.com", "https://billing.stripe.com"]
)

# --- maintenance ----------------------------------------------------------------------------------
#: What people are told while nothing new is taken, whatever the database says; empty: as it says.
MAINTENANCE = env.text("GAS_MAINTENANCE", "")

# --- what pages may load, and where they may send -------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": policy.directives(
        uploads=policy.upload_sources(
            bucket=BUCKETS["inputs"],
            region=AWS_REGION,
            endpoint=env.given("AWS_ENDPOINT_URL_S3") or env.given("AWS_ENDPOINT_URL"),
        ),
        pages=[GLOBUS_AUTH_URL, *STRIPE_PAGES],
        secure=PRODUCTION,
    )
}
CSRF_FAILURE_VIEW = "gas.views.errors.csrf_failure"

# --- webhooks -------------------------------------------------------------------------------------
#: Whether webhooks may lead to this very machine, by http too: a laptop is its own receiver.
WEBHOOK_LOOPBACK = env.boolean("GAS_WEBHOOK_LOOPBACK", default=not PRODUCTION)
#: How long a webhook may fail before it is switched off, and how long its calls are listed.
WEBHOOK_PATIENCE = env.duration("GAS_WEBHOOK_PATIENCE")
WEBHOOK_KEPT = env.duration("GAS_WEBHOOK_KEPT")

# --- mail -----------------------------------------------------------------------------------------
DEFAULT_FROM_EMAIL = env.text("GAS_MAIL_FROM")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
#: Who is told of alarms.
ADMINS = [("GAS staff", address) for address in env.words("GAS_ADMINS")]
EMAIL_SUBJECT_PREFIX = "[GAS] "
_SMTP = env.smtp("GAS_SMTP_URL")
if _SMTP:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = _SMTP.host, _SMTP.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD, EMAIL_USE_TLS = _SMTP.user, _SMTP.password, _SMTP.tls
    EMAIL_TIMEOUT = 20
else:
    EMAIL_BACKEND = "anymail.backends.amazon_ses.EmailBackend"
# One try and short waits: a call that is repeated unseen may send twice; the task tries again.
_SES_CALLS = {"connect_timeout": 5, "read_timeout": 20, "retries": {"total_max_attempts": 1}}
ANYMAIL = {"AMAZON_SES_CLIENT_PARAMS": {"region_name": AWS_REGION, "config": _SES_CALLS}}

# --- logs -----------------------------------------------------------------------------------------
LOGGING = lines.configuration(
    level=env.choice("GAS_LOG", allowed={"DEBUG", "INFO"}),
    style=env.choice("GAS_LOG_FORMAT", allowed={"auto", "line", "json"}),
    secrets=[*env.secret_values(), SECRET_KEY],
)
#: Whether metrics are written among the lines of the log (`gas.metrics`).
METRICS = env.choice("GAS_METRICS", allowed={"off", "emf"}) == "emf"
METRICS_NAMESPACE = env.text("GAS_METRICS_NAMESPACE")

if PRODUCTION and not BASE_URL.startswith("https://"):
    raise ImproperlyConfigured("GAS_BASE_URL must be an https address in production.")
if PRODUCTION and WEBHOOK_LOOPBACK:
    raise ImproperlyConfigured("GAS_WEBHOOK_LOOPBACK must be no in production.")
