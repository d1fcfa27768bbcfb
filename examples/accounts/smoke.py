#!/usr/bin/env python3
"""Sends one real message through every provider that has credentials in the environment.

This costs money and reaches a person: name a recipient of your own. It needs a running `hermes serve`, an operator's
key, and nothing but Python 3.9:

    HERMES_API=https://hermes.example HERMES_ADMIN_KEY=hak_… \\
    SMOKE_PHONE=+4520123456 SMOKE_TWILIO_ACCOUNT_SID=AC… SMOKE_TWILIO_AUTH_TOKEN=… SMOKE_TWILIO_FROM=+1… \\
    python3 examples/accounts/smoke.py

For each provider it makes a connection, proves the credentials without sending, sends, and follows the message until the
provider has accepted it (or, with SMOKE_WAIT_S, until its receipt). Without credentials a provider is skipped, and
the output says what is missing. A variable whose name ends in _FILE names a file that holds the value. The exit code is 0
when every message that was tried went out, and 1 when one did not or none was tried.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

TERMINAL = {"delivered", "sent_unconfirmed", "failed", "expired", "cancelled"}
OPTIONAL = "?"  # ends the name of a setting that may be missing

# provider: (channel, variable with the recipient, credentials, settings); each setting has a variable of its own.
PROVIDERS = {
    "twilio": ("sms", "SMOKE_PHONE", ["account_sid", "auth_token"], ["from"]),
    "vonage": ("sms", "SMOKE_PHONE", ["application_id", "private_key", "signature_secret?"], ["from"]),
    "messente": ("sms", "SMOKE_PHONE", ["username", "password"], ["sender"]),
    "ses": ("email", "SMOKE_EMAIL", ["access_key_id", "secret_access_key"], ["region", "from", "configuration_set?"]),
    "fcm": ("push", "SMOKE_PUSH_TOKEN", ["service_account"], ["project_id", "token_uri?"]),
    "whatsapp": ("whatsapp", "SMOKE_WHATSAPP", ["access_token", "app_secret", "verify_token"], ["phone_number_id"]),
}


class Problem(Exception):
    """What the API refused, as RFC 9457 describes it."""


def call(method, path, key, body=None):
    """One request; returns the decoded answer or raises `Problem`."""
    request = urllib.request.Request(
        os.environ["HERMES_API"] + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "Bearer " + key, "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return json.loads(text) if text else None
    except urllib.error.HTTPError as refused:
        problem = json.load(refused)
        places = [f"{fault['pointer']}: {fault['detail']}" for fault in problem.get("errors", [])]
        raise Problem("; ".join([f"{problem.get('code')}: {problem.get('detail')}", *places])) from None


def variable(name):
    """A variable, or what the file holds that `NAME_FILE` names."""
    if path := os.environ.get(name + "_FILE"):
        with open(path, encoding="utf-8") as file:
            return file.read()
    return os.environ.get(name) or None


def read(provider, names, missing):
    """The values of settings; names of variables that should be there and are not are added to `missing`."""
    values = {}
    for name in names:
        key = name.rstrip(OPTIONAL)
        wanted = f"SMOKE_{provider}_{key}".upper()
        value = variable(wanted)
        if value is not None:
            values[key] = value
        elif not name.endswith(OPTIONAL):
            missing.append(wanted)
    return values


def recipient(channel, address):
    field = {"sms": "phone", "email": "email", "whatsapp": "whatsapp", "push": "push"}[channel]
    return {field: [{"token": address, "platform": "android"}] if channel == "push" else address}


def content(provider):
    """WhatsApp opens a conversation with a template only; every account has this one."""
    if provider == "whatsapp":
        template = {"name": "hello_world", "language": "en_US", "components": []}
        return {"whatsapp": {"template": template}}
    return {"text": f"Hermes smoke test through {provider}", "subject": "Hermes smoke test"}


def follow(message_id, key, limit_s):
    """Waits for the end of a message and returns it."""
    end = time.monotonic() + limit_s
    while True:
        message = call("GET", f"/v1/messages/{message_id}", key)
        if message["status"] in TERMINAL or time.monotonic() > end:
            return message
        time.sleep(0.2)


def smoke(provider, admin, tenant, key, settings):
    """One message through one provider; raises `Problem` when it did not go out."""
    channel, address, credentials, config = settings
    name = f"smoke-{provider}"
    connection = call("POST", "/admin/v1/providers", admin, {
        "tenant_id": tenant, "provider": provider, "name": name, "channel": channel,
        "credentials": credentials, "config": config,
    })
    try:
        checked = call("POST", f"/admin/v1/providers/{connection['id']}/check", admin, {})
        if not checked["ok"]:
            raise Problem(f"the account is not accepted: {json.dumps(checked)}")
        wait_s = int(os.environ.get("SMOKE_WAIT_S", "0"))
        step = {"channel": channel, "providers": [name], "timeout_s": max(wait_s, 30)}
        if not wait_s:
            step["success_on"] = "accepted"
        message = call("POST", "/v1/messages", key, {
            "to": recipient(channel, address), "content": content(provider), "cascade": {"steps": [step]},
        })
        message = follow(message["id"], key, step["timeout_s"] + 10)
        attempt = (message["attempts"] or [{}])[-1]
        if message["status"] not in ("delivered", "sent_unconfirmed"):
            raise Problem(f"{message['id']} {message['status']}: {json.dumps(attempt.get('error'))}")
        return f"{message['id']} {attempt['status']}, provider's id {attempt['provider_message_id']}"
    finally:
        call("DELETE", f"/admin/v1/providers/{connection['id']}", admin)


def main():
    admin = os.environ.get("HERMES_ADMIN_KEY") or sys.exit("HERMES_ADMIN_KEY is not set: an operator's key")
    ready = {}
    for provider, (channel, address, credentials, config) in PROVIDERS.items():
        missing = []
        to = variable(address) or missing.append(address)
        credentials, config = read(provider, credentials, missing), read(provider, [*config, "base_url?"], missing)
        if missing:
            print(f"SKIPPED {provider}: set {', '.join(missing)}", flush=True)
        else:
            ready[provider] = (channel, to, credentials, config)
    failed = 0
    if ready:
        tenant = call("POST", "/admin/v1/tenants", admin, {"name": "smoke test"})["id"]
        key = call("POST", f"/admin/v1/tenants/{tenant}/keys", admin, {"name": "smoke test", "mode": "live"})["key"]
    for provider, settings in ready.items():
        try:
            print(f"sent    {provider}: {smoke(provider, admin, tenant, key, settings)}", flush=True)
        except Problem as problem:
            failed += 1
            print(f"FAILED  {provider}: {problem}", flush=True)
    print(f"{len(ready) - failed} sent, {failed} failed, {len(PROVIDERS) - len(ready)} skipped")
    return 0 if ready and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
