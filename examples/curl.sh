#!/usr/bin/env bash
# Sends a message, follows it to its end, lists messages and registers a webhook: with nothing but curl and jq.
#
#   HERMES_API=http://127.0.0.1:8080 HERMES_KEY=hk_test_… examples/curl.sh
set -euo pipefail

: "${HERMES_API:?the address of the API, such as http://127.0.0.1:8080}"
: "${HERMES_KEY:?an API key; \`hermes dev\` prints one}"

# One call: method, path and perhaps a JSON body. Prints the answer; a refusal ends the script with its problem.
call() {
    local method=$1 path=$2 body=${3-}
    local arguments=(-sS --fail-with-body --max-time 15 -X "$method" "$HERMES_API$path"
        -H "Authorization: Bearer $HERMES_KEY")
    if [[ -n $body ]]; then
        # A key makes a repeated request harmless: the same key and body are answered with the first reply.
        arguments+=(-H "Content-Type: application/json" -H "Idempotency-Key: curl-$(date +%s)-$$-$RANDOM" -d "$body")
    fi
    curl "${arguments[@]}"
}

echo "== send: SMS first, email if no receipt comes within three seconds"
message=$(call POST /v1/messages '{
    "to": {"phone": "+4520123456", "email": "ada@example.com"},
    "content": {"text": "Order 1042 has shipped", "subject": "Your order"},
    "cascade": {"steps": [{"channel": "sms", "timeout_s": 3}, {"channel": "email", "timeout_s": 3}]},
    "tags": ["order"], "metadata": {"order_id": "1042"}
}')
echo "$message"
id=$(jq -r .id <<<"$message")

echo "== watch: the status moves forward only, and every message ends"
status=accepted
for _ in $(seq 150); do
    status=$(call GET "/v1/messages/$id" | jq -r .status)
    case $status in accepted | scheduled | in_progress) sleep 0.1 ;; *) break ;; esac
done
echo "$id: $status"

echo "== timeline"
call GET "/v1/messages/$id/events" | jq -r '.data[] | "\(.at) \(.type)"'

echo "== list: the newest messages with this tag"
call GET "/v1/messages?tag=order&limit=3" | jq -r '.data[] | "\(.id) \(.status)"'

echo "== webhook: who is told when messages end; its secret is shown once"
webhook=$(call POST /v1/webhooks '{"url": "http://127.0.0.1:8099/hooks", "description": "made by examples/curl.sh"}')
jq -r '"\(.id) \(.url)"' <<<"$webhook"
# Nobody listens on that address, so take it away again.
call DELETE "/v1/webhooks/$(jq -r .id <<<"$webhook")"

[[ $status == delivered ]] || { echo "expected delivered" >&2; exit 1; }
