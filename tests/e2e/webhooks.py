"""Webhooks of our own making, signed as GitHub signs them: what GitHub itself would not send."""

import hashlib
import hmac
import uuid


def signed(secret: str, event: str, body: bytes, *, delivery: str = "") -> dict[str, str]:
    """The headers of a delivery with this body."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
        "X-GitHub-Event": event,
        "X-Hub-Signature-256": f"sha256={digest}",
    }
