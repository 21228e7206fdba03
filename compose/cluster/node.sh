#!/bin/sh
# The entry point of a node, before the image's own: the secrets that RabbitMQ takes in other ways.
# Erlang wants its cookie in a file that nobody else can read, which a mounted secret is not; the
# image has no variable for a password in a file.
set -eu
secrets=${SECRETS:-/run/secrets}
umask 077
cookie=${HOME:-/var/lib/rabbitmq}/.erlang.cookie
rm -f "$cookie"
tr -d '\r\n' <"$secrets/erlang_cookie" >"$cookie"
chmod 400 "$cookie"
password=$(cat "$secrets/password")
RABBITMQ_DEFAULT_PASS=$(printf '%s\n' "$password" | head -n 1 | tr -d '\r')
export RABBITMQ_DEFAULT_PASS
umask 022
exec docker-entrypoint.sh "$@"
