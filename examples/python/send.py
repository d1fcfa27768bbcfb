#!/usr/bin/env python3
"""Sends a message, waits until it ends, and shows how a webhook's signature is checked.

Needs nothing but Python 3.9:

    HERMES_API=http://127.0.0.1:8080 HERMES_KEY=hk_test_… python3 examples/python/send.py
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

TERMINAL = {"delivered", "sent_unconfirmed", "failed", "expired", "cancelled"}
# Webhooks older or newer than this are refused, so that a recorded one cannot be sent again later.
TOLERANCE_S = 300


class Problem(Exception):
    """What the API refused, as RFC 9457 describes it."""

    def __init__(self, status, body):
        self.status, self.body = status, body
        super().__init__(f"{status} {body.get('code')}: {body.get('detail')}")


def call(method, path, body=None, headers=None):
    """One request; returns the decoded answer or raises `Problem`."""
    request = urllib.request.Request(
        os.environ["HERMES_API"] + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": "Bearer " + os.environ["HERMES_KEY"],
            "Content-Type": "application/json",
            **(headers or {}),
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        raise Problem(refused.code, json.load(refused)) from None


def send(message, idempotency_key, tries=5):
    """Sends once, however often it has to ask: the key makes repeating safe.

    Without an answer nobody knows whether the message was taken; the same key and body find out.
    """
    for attempt in range(tries):
        try:
            return call("POST", "/v1/messages", message, {"Idempotency-Key": idempotency_key})
        except Problem as problem:
            if problem.status not in (409, 429, 500, 503):
                raise
        except urllib.error.URLError:
            pass
        time.sleep(min(2**attempt, 10) / 10)
    raise SystemExit("the API did not take the message")


def wait_until_ended(message_id, limit_s=20):
    """Asks until the status is terminal. In production, register a webhook instead."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        message = call("GET", "/v1/messages/" + message_id)
        if message["status"] in TERMINAL:
            return message
        time.sleep(0.1)
    raise SystemExit(f"{message_id} did not end within {limit_s} s")


def is_genuine(secret, headers, body, now=None):
    """Whether a webhook is from Hermes: Standard Webhooks, HMAC-SHA256 over `id.timestamp.body`.

    `body` are the bytes as received: parsing and printing JSON again would change them. There may be
    several signatures while a secret is being replaced; one that fits is enough.
    """
    sent_at = int(headers["webhook-timestamp"])
    if abs((time.time() if now is None else now) - sent_at) > TOLERANCE_S:
        return False
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [entry.partition(",") for entry in headers["webhook-signature"].split()]
    return any(version == "v1" and hmac.compare_digest(value, expected) for version, _, value in given)


def check_is_genuine():
    """The example of the Standard Webhooks specification, and three ways to get it wrong."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    body, now = b'{"test": 2432232314}', 1614265330
    assert is_genuine(secret, headers, body, now)
    assert not is_genuine(secret, headers, body + b" ", now), "a changed body"
    assert not is_genuine("whsec_" + base64.b64encode(b"another").decode(), headers, body, now), "another secret"
    assert not is_genuine(secret, headers, body, now + TOLERANCE_S + 1), "an old webhook"


def main():
    check_is_genuine()
    message = {
        "to": {"phone": "+4520123456", "email": "ada@example.com"},
        "content": {"text": "Order 1042 has shipped", "subject": "Your order"},
        "metadata": {"order_id": "1042"},
    }
    key = str(uuid.uuid4())
    accepted = send(message, key)
    again = send(message, key)
    assert again["id"] == accepted["id"], "the same key must not make a second message"
    ended = wait_until_ended(accepted["id"])
    print(f"{ended['id']} {ended['channel']} {ended['provider']} {ended['status']}")
    return 0 if ended["status"] == "delivered" else 1


if __name__ == "__main__":
    sys.exit(main())
