"""Why an address gives no page; the message is the reason, for people.

NotFetched
├── Unreachable     for now: what was fetched before stays
└── Refused         the site, or our own rules, say that there is nothing for us: what was fetched before goes
"""


class NotFetched(Exception):
    """The root of every reason why an address gives no page."""


class Unreachable(NotFetched):
    """For now: what was fetched before stays."""


class Refused(NotFetched):
    """The site, or our own rules, say that there is nothing for us: what was fetched before goes."""
