# shellcheck shell=bash
# api.sh - the broker's HTTP API, for what our own tools should not be asked about. After use_broker.

# api METHOD PATH [BODY]: the body of the reply to /api/PATH.
api() {
	local address=${RABBITMQ_MANAGEMENT_URL##*@} body=${3-}
	exec 8<>"/dev/tcp/${address%:*}/${address#*:}" || return
	printf '%s /api/%s HTTP/1.0\r\nAuthorization: Basic %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' \
		"$1" "$2" "$(printf guest:guest | base64)" "$(printf %s "$body" | wc -c)" "$body" >&8
	sed '1,/^\r*$/d' <&8
	exec 8>&-
}
# definitions [FILTER]: what was declared in the vhost of the test, through jq.
definitions() { api GET "definitions/${vhost:?}" | jq -r "$@"; }
