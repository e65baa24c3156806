"""The variables of the site, of its logs, of sign-in, payments and mail."""

from gas.variables.declaring import Kind, Section, Variable

SITE = Section(
    "",
    (
        Variable(
            "GAS_MODE",
            Kind.WORD,
            "`production` refuses every stand-in and unsafe default",
            default="local",
        ),
        Variable(
            "GAS_SECRET_KEY",
            Kind.TEXT,
            "signs sessions and links in mails, and seals Globus tokens unless `GAS_TOKEN_KEYS` is "
            "given",
            shown="made in `var/`",
            secret=True,
            required=True,
        ),
        Variable(
            "GAS_PREVIOUS_SECRET_KEYS",
            Kind.LIST,
            "comma-separated: what these signed or sealed stays good, so that a new "
            "`GAS_SECRET_KEY` signs nobody out and breaks no link",
            shown="none",
            secret=True,
        ),
        Variable(
            "GAS_BASE_URL",
            Kind.URL,
            "the address of the site; https in production",
            default="http://127.0.0.1:8000",
        ),
        Variable(
            "GAS_HOSTS",
            Kind.LIST,
            "host names that the site answers to",
            default="127.0.0.1,localhost",
        ),
        Variable(
            "GAS_PROXIES",
            Kind.NUMBER,
            "how many proxies of your own stand before the site, each adding the address that it "
            "saw to `X-Forwarded-For`; a sender can make up all before that",
            shown="0, in production 1",
        ),
        Variable(
            "GAS_MAINTENANCE",
            Kind.TEXT,
            "a sentence for people: while it is set, nothing new is taken, and everything can be "
            "read",
            shown="empty: as `manage.py maintenance` says",
        ),
        Variable(
            "DATABASE_URL",
            Kind.TEXT,
            "`sqlite:///path` or `postgresql://user:password@host:port/name`, which production "
            "requires; `?name=value` goes to libpq",
            shown="SQLite in `var/`",
            secret=True,
        ),
        Variable(
            "GAS_STATIC_ROOT",
            Kind.PATH,
            "where `manage.py collectstatic` puts style sheets and scripts, and the site finds "
            "them",
            default="staticfiles",
        ),
    ),
)

LOGS = Section(
    "Logs and metrics",
    (
        Variable("GAS_LOG", Kind.WORD, "`INFO` or `DEBUG`", default="INFO"),
        Variable(
            "GAS_LOG_FORMAT",
            Kind.WORD,
            "`line` to be read, `json` for one object a line, `auto` for lines on a terminal and "
            "JSON elsewhere",
            default="auto",
        ),
        Variable(
            "GAS_METRICS",
            Kind.WORD,
            "`emf` writes the metrics of `gas/metrics.py` among the lines of the log, in "
            "CloudWatch's embedded metric format",
            default="off",
        ),
        Variable(
            "GAS_METRICS_NAMESPACE",
            Kind.TEXT,
            "what CloudWatch keeps them under; one of its own for each stack of an account",
            default="GAS",
        ),
    ),
)

GLOBUS = Section(
    "Globus",
    (
        Variable(
            "GAS_GLOBUS_CLIENT_ID",
            Kind.TEXT,
            "the registered application",
            shown="the stand-in's",
            required=True,
        ),
        Variable(
            "GAS_GLOBUS_CLIENT_SECRET",
            Kind.TEXT,
            "and its secret",
            shown="the stand-in's",
            secret=True,
            required=True,
        ),
        Variable(
            "GAS_GLOBUS_URL",
            Kind.URL,
            "Globus Auth",
            shown="the stand-in, or `https://auth.globus.org`",
        ),
        Variable("GAS_GLOBUS_TIMEOUT", Kind.TIME, "of one call to Globus", default="5s"),
        Variable(
            "GAS_TOKEN_KEYS",
            Kind.LIST,
            'comma-separated keys of the Globus tokens at rest, made by `python -c "from '
            'cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"`; the first '
            "seals, all open; the secrets of webhooks are sealed with them too. To change keys put "
            "the new one in front, run `manage.py reseal`, and take the old one away two weeks "
            "later, when every session of before has ended",
            shown="made of `GAS_SECRET_KEY`",
            secret=True,
        ),
        Variable(
            "GAS_STAFF_MFA",
            Kind.FLAG,
            "whether staff pages ask for a second factor, which the identity provider of staff "
            "must tell Globus of; `no` asks for a fresh sign-in alone",
            default="yes",
        ),
        Variable(
            "GAS_STAFF_SESSION",
            Kind.TIME,
            "how long staff pages stay open after a sign-in with a second factor",
            default="8h",
        ),
        Variable(
            "GAS_STAFF_IDENTITIES",
            Kind.LIST,
            "Globus identities that are staff, applied at each sign-in",
            shown="the staff persona",
        ),
        Variable(
            "GAS_STAFF_ONLOOKERS",
            Kind.LIST,
            "Globus identities that see the staff pages and may change nothing there",
            shown="nobody",
        ),
    ),
)

STRIPE = Section(
    "Stripe",
    (
        Variable(
            "GAS_STRIPE_KEY",
            Kind.TEXT,
            "Stripe's secret key",
            shown="the stand-in's",
            secret=True,
            required=True,
        ),
        Variable(
            "GAS_STRIPE_WEBHOOK_SECRET",
            Kind.TEXT,
            "signs what Stripe tells us",
            shown="the stand-in's",
            secret=True,
            required=True,
        ),
        Variable(
            "GAS_STRIPE_PRICE",
            Kind.TEXT,
            "the price of a subscription",
            shown="the stand-in's",
            required=True,
        ),
        Variable(
            "GAS_STRIPE_URL",
            Kind.URL,
            "Stripe's API",
            shown="the stand-in, or `https://api.stripe.com`",
        ),
        Variable("GAS_STRIPE_TIMEOUT", Kind.TIME, "of one call to Stripe", default="10s"),
        Variable(
            "GAS_BILLING",
            Kind.TEXT,
            "the class that takes payments",
            default="gas.billing.stripe.StripeBilling",
        ),
    ),
)

MAIL = Section(
    "Mail",
    (
        Variable(
            "GAS_MAIL_FROM",
            Kind.TEXT,
            "the sender",
            default="GAS <no-reply@example.org>",
            required=True,
        ),
        Variable(
            "GAS_ADMINS",
            Kind.LIST,
            "addresses, comma-separated, that are mailed each alarm",
            shown="nobody",
            required=True,
        ),
        Variable(
            "GAS_SMTP_URL",
            Kind.TEXT,
            "`smtp://user:password@host:port`, `smtps` for STARTTLS",
            shown="unset: Amazon SES",
            secret=True,
        ),
    ),
)

WEBHOOKS = Section(
    "Webhooks",
    (
        Variable(
            "GAS_WEBHOOK_LOOPBACK",
            Kind.FLAG,
            "whether a webhook may lead to this very machine, by http too",
            shown="yes; no, and nothing else, in production",
        ),
        Variable(
            "GAS_WEBHOOK_PATIENCE",
            Kind.TIME,
            "how long every call of a webhook may fail before it is switched off",
            default="5d",
        ),
        Variable("GAS_WEBHOOK_KEPT", Kind.TIME, "how long its calls are listed", default="30d"),
    ),
)
