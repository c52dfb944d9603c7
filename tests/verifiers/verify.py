"""Reads messages from standard input, one JSON object a line: { key, headers, body }. Writes for each whether the standard's
library verifies it, and what it signs the same message with."""

import json
import sys
from datetime import datetime, timezone

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def judge(message):
    webhook = Webhook(message["key"])
    at = datetime.fromtimestamp(int(message["headers"]["webhook-timestamp"]), tz=timezone.utc)
    signature = webhook.sign(message["headers"]["webhook-id"], at, message["body"])
    try:
        webhook.verify(message["body"], message["headers"])
        return {"verified": True, "signature": signature}
    except WebhookVerificationError:
        return {"verified": False, "signature": signature}


for line in sys.stdin:
    print(json.dumps(judge(json.loads(line))))
