"""How LINE names people, groups and rooms, with the platform in front as everywhere here."""

from __future__ import annotations

import re

LINE_ID = re.compile(r"line:[UCR][0-9a-f]{32}")
"""`line:U…` a person, `line:C…` a group, `line:R…` a room; webhooks tell what stands behind the colon.

https://developers.line.biz/en/docs/messaging-api/getting-user-ids/
"""
