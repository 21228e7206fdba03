#!/bin/bash
# amqps: against a RabbitMQ with TLS and against openssl s_server, with certificates that are good and bad;
# passwords from a file and from the terminal, which show nowhere.
. tests/support/tap.sh
cd "$work" || exit
lab=$work/lab servers=()
finish() {
	[ ${#servers[@]} -eq 0 ] || kill -9 "${servers[@]}" 2>/dev/null
	"$BIN/lab" down --dir "$lab" >/dev/null 2>&1
	tap_cleanup
}
trap finish EXIT
"$BIN/lab" up --tls --dir "$lab" >lab.log 2>&1 || { cat lab.log && exit 1; }
eval "$("$BIN/lab" env --dir "$lab")"
plain=$AMQP_URL tls_port=${AMQPS_URL##*:} plain_port=${AMQP_URL##*:}
trusted="cacertfile=$AMQPS_FILES/ca.pem"
identity="certfile=$AMQPS_FILES/client.pem&keyfile=$AMQPS_FILES/client.key"
unset AMQP_URL
ctl() { "$BIN/lab" ctl --dir "$lab" -- -q "$@"; }
run() { timeout 60 "$BIN/$1" "${@:2}" </dev/null >out 2>err; }
look() { run consumer q --no-declare --until-empty "$@"; } # logs in and finds nothing

cat >s.yaml <<'END'
queues: {q: , bulk: }
messages:
  m: {routing_key: q, amount: 10000, delay: 0, fields: {n: uuid}, body: '{{n}}'}
END

# ---- messages ----

for host in localhost 127.0.0.1; do
	url="amqps://$host:$tls_port?$trusted"
	run producer -s s.yaml --yes --url "$url" -v
	is "$? $(grep -oE '10,000 sent, 10,000 confirmed, 0 returned, 0 nacked, 0 unconfirmed' err | wc -l)" "0 1" "10,000 messages are confirmed ($host)"
	run consumer -s s.yaml q --until-empty -f body --url "$url"
	is "$? $(wc -l <out) $(sort -u out | wc -l)" "0 10000 10000" "and come back, each once"
done
mkdir files
for i in $(seq 40); do head -c 1048576 /dev/urandom >"files/$i"; done
run producer -s s.yaml --from files --routing-key bulk --url "amqps://localhost:$tls_port?$trusted"
is $? 0 "40 bodies of 1 MiB are confirmed"
run consumer -s s.yaml bulk --until-empty -f body --exec sha256sum --url "amqps://localhost:$tls_port?$trusted"
is "$? $(sort out | md5sum)" "0 $(cat files/* | split -b 1048576 --filter=sha256sum | sort | md5sum)" "and come back as they were"
rm -rf files

# ---- who is not trusted, and who does not trust us ----

# refused STATUS TEXT NAME URL-AND-OPTIONS...
refused() {
	local status=$1 text=$2 name=$3
	shift 3
	look --url "$@"
	is "$? $(wc -l <err)" "$status 1" "$name: exit $status, one line"
	like "$(cat err)" "$text" "$name: says why"
}
refused 77 'self-signed certificate in certificate chain; it was issued by CN=warren lab' "an authority that the system does not know" \
	"$AMQPS_URL"
refused 77 'hostname mismatch; it is for localhost, 127.0.0.1, ::1' "another name" "$AMQPS_URL?$trusted&server_name_indication=h.example"
refused 76 'speaks AMQP without TLS: use amqp://' "a port without TLS" "amqps://localhost:$plain_port?$trusted"
refused 76 'expects TLS: use amqps://' "a port with TLS" "amqp://localhost:$tls_port"
refused 69 'Connection refused' "nobody there" "amqps://localhost:1?$trusted"
refused 66 "cannot read the CA file '/nix/ca.pem': No such file" "no CA file" "$AMQPS_URL?cacertfile=/nix/ca.pem"
refused 66 "cannot read the certificate '/nix/c.pem': No such file" "no certificate" "$AMQPS_URL?$trusted&certfile=/nix/c.pem"
refused 66 "does not belong to the certificate" "the wrong key" "$AMQPS_URL?$trusted&certfile=$AMQPS_FILES/client.pem&keyfile=$AMQPS_FILES/ca.key"
SSL_CERT_FILE=$AMQPS_FILES/ca.pem look --url "$AMQPS_URL"
is $? 0 "an authority of the system is trusted"
look --url "$AMQPS_URL?verify=verify_none"
is "$? $(grep -c 'warning: NOBODY CHECKS who answers at amqps://guest:\*\*\*@127.0.0.1' err)" "0 1" "verify_none works, and warns"
look --url "$AMQPS_URL?verify=verify_none" --wait 1s
is "$? $(grep -c 'NOBODY' err)" "0 1" "on each run"

# certificates of our own making, each with a server
cat >own.cnf <<'END'
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical, CA:true
[none]
basicConstraints = CA:false
[local]
basicConstraints = CA:false
subjectAltName = DNS:localhost
[ip]
basicConstraints = CA:false
subjectAltName = IP:127.0.0.1
[elsewhere]
basicConstraints = CA:false
subjectAltName = DNS:shop.example, DNS:*.shop.example
END
# sign NAME SECTION DAYS [CA]: NAME.pem and NAME.key
sign() {
	local by=()
	[ -z "${4-}" ] || by=(-CA "$4.pem" -CAkey "$4.key")
	openssl req -x509 -config own.cnf -extensions "$2" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$1.key" -out "$1.pem" -days "$3" -subj "/CN=$1" "${by[@]}" 2>>openssl.log
}
sign our-ca ca 30
sign other-ca ca 30
sign good local 30 our-ca
sign address ip 30 our-ca
sign elsewhere elsewhere 30 our-ca
sign wrong-ca local 30 other-ca
sign self-signed local 30
sign stranger none 30 other-ca
openssl req -config own.cnf -new -key good.key -subj /CN=expired -out expired.csr 2>>openssl.log
openssl x509 -req -in expired.csr -CA our-ca.pem -CAkey our-ca.key -extfile own.cnf -extensions local -days -1 \
	-out expired.pem 2>>openssl.log
cp good.key expired.key
openssl ec -in good.key -aes128 -passout pass:Zeh31m -out locked.key 2>>openssl.log

# an input that has nothing to say and does not end
mkfifo nothing
exec 9<>nothing

# serve NAME OPTIONS...: sets $port
serve() {
	rm -f server.out
	openssl s_server -accept 127.0.0.1:0 -cert "$1.pem" -key "$1.key" "${@:2}" <&9 >server.out 2>&1 &
	servers+=($!)
	disown
	eventually 60 grep -q '^ACCEPT' server.out
	port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' server.out)
}
while IFS='|' read -r name host status text; do
	serve "$name" -naccept 1
	refused "$status" "$text" "s_server, $name" "amqps://guest:Zeh31m@$host:$port?cacertfile=our-ca.pem&connection_timeout=30000"
	is "$(grep -c Zeh31m err)" 0 "s_server, $name: no password in it"
done <<'END'
expired|localhost|77|cannot be trusted: certificate has expired, on 20
wrong-ca|localhost|77|cannot be trusted: unable to get local issuer certificate; it was issued by CN=other-ca
self-signed|localhost|77|cannot be trusted: self-signed certificate; it was issued by CN=self-signed
elsewhere|localhost|77|hostname mismatch; it is for shop.example, \*.shop.example
address|localhost|77|hostname mismatch; it is for 127.0.0.1
good|127.0.0.1|77|IP address mismatch; it is for localhost
END
serve good -naccept 1 -tls1_1 -cipher 'ALL:@SECLEVEL=0'
refused 69 'TLS with the broker at .* failed: ' "only TLS 1.1" "amqps://localhost:$port?cacertfile=our-ca.pem"
for version in tls1_2 tls1_3; do
	serve good -naccept 1 -$version -Verify 1 -verify_return_error -CAfile our-ca.pem
	refused 77 'wants a certificate of us; give certfile and keyfile' "$version: no certificate of ours" \
		"amqps://localhost:$port?cacertfile=our-ca.pem"
	serve good -naccept 1 -$version -Verify 1 -verify_return_error -CAfile our-ca.pem
	refused 77 'does not accept our certificate: ' "$version: a certificate that they do not know" \
		"amqps://localhost:$port?cacertfile=our-ca.pem&certfile=stranger.pem&keyfile=stranger.key"
done
refused 66 "cannot use the key 'locked.key': it is protected by a passphrase" "a key with a passphrase" \
	"$AMQPS_URL?$trusted&certfile=good.pem&keyfile=locked.key"
# takes the connection and says nothing
coproc SILENT { exec python3 -c 'import socket, sys
s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); sys.stdin.read()'; }
read -r port <&"${SILENT[0]}"
refused 69 'does not finish the TLS handshake' "a handshake that stalls" \
	"amqps://localhost:$port?cacertfile=our-ca.pem&connection_timeout=300"
# shellcheck disable=SC2154
eval "exec ${SILENT[1]}>&-"

# ---- certificates of ours, and EXTERNAL ----

strict_port=$("$BIN/lab" ctl --dir "$lab" -- eval '
	{ok, S} = gen_tcp:listen(0, [{ip, {127,0,0,1}}]), {ok, P} = inet:port(S), gen_tcp:close(S),
	{ok, O} = application:get_env(rabbit, ssl_options),
	ok = rabbit_networking:start_ssl_listener({"127.0.0.1", P, inet}, [{fail_if_no_peer_cert, true} | proplists:delete(fail_if_no_peer_cert, O)], 1),
	P.')
refused 77 'wants a certificate of us' "RabbitMQ wants a certificate" "amqps://localhost:$strict_port?$trusted"
refused 77 'does not accept our certificate: unknown certificate authority' "RabbitMQ does not know ours" \
	"amqps://localhost:$strict_port?$trusted&certfile=stranger.pem&keyfile=stranger.key"
look --url "amqps://localhost:$strict_port?$trusted&$identity"
is $? 0 "with a certificate we are let in"
# logins [TEXT]: lines of the broker's log, which come a little later
logins() { cat "$lab/a/log/"*.log | grep -c "${1-}authenticated and granted"; }
before=$(logins)
look --url "amqps://nobody@localhost:$tls_port?$trusted&$identity&auth_mechanism=external"
is $? 0 "EXTERNAL: the certificate is the login"
are_guests() { [ "$(logins)" -gt "$before" ] && [ "$(logins)" = "$(logins 'ser .guest. ')" ]; }
ok "of the user that it names" eventually 60 are_guests
refused 77 'refused using authentication mechanism EXTERNAL' "EXTERNAL without a certificate" "$AMQPS_URL?$trusted&auth_mechanism=external"
refused 77 'does not offer EXTERNAL|refused using authentication mechanism EXTERNAL' "EXTERNAL without TLS" "$plain?auth_mechanism=external"
cp "$AMQPS_FILES/client.key" "$AMQPS_FILES/client.pem" .
chmod 644 client.key
look --url "amqps://localhost:$tls_port?$trusted&certfile=client.pem&keyfile=client.key"
is "$? $(grep -c "the key 'client.key' is open to others (mode 644)" err)" "0 1" "a key that others can read is told"

# ---- the settings ----

mkdir -p sub
cp "$AMQPS_FILES"/{ca.pem,client.pem,client.key} sub
cat >sub/t.yaml <<END
broker:
  url: [amqp://localhost:1, amqps://localhost:$tls_port]
  tls: {ca: ca.pem, cert: client.pem, key: client.key}
queues: {q: }
END
tried() { run consumer -s sub/t.yaml q --until-empty "$@"; }
tried --wait 5s
is $? 0 "tls in the settings: files beside them"
tried --set "broker.tls.server_name=h.example" --set "broker.url=amqps://localhost:$tls_port"
is "$? $(grep -c 'hostname mismatch' err)" "77 1" "the name, too"
tried --set "broker.tls={verify: none}" --set "broker.url=amqps://localhost:$tls_port"
is "$? $(grep -c 'NOBODY' err)" "0 1" "verify: none"
tried --set "broker.tls={verify: none}" --set "broker.url='amqps://localhost:$tls_port?verify=verify_peer'"
is "$? $(grep -c 'NOBODY' err)" "77 0" "what the address says wins"
tried --url "$plain"
is $? 0 "a plain address on the command line is no mistake"
tried --set "broker.url=amqp://localhost:1"
is "$? $(grep -cE '^sub/t.yaml:3:3: broker.tls: nothing is encrypted' err)" "78 1" "tls without an amqps address is one"

# ---- passwords ----

secret=Zeh31m-n1s
ctl add_user bob "$secret" >/dev/null
ctl set_permissions bob '.*' '.*' '.*' >/dev/null
printf '%s\r\nanother line\n' "$secret" >password
chmod 600 password
silent() { is "$(cat out err | grep -c -e "$secret" -e "$(printf %s "$secret" | base64)")" 0 "$1: the password is not told"; }
bob="amqps://bob@localhost:$tls_port?$trusted"
look --url "$bob" --password-file password -v
is "$? $(wc -l <err)" "0 4" "--password-file"
silent "--password-file"
WARREN_PASSWORD_FILE=password look --url "$bob" -v
is $? 0 "WARREN_PASSWORD_FILE"
look --url "$bob" --password-file <(echo "$secret")
is $? 0 "--password-file of a command's output"
look --url "$bob"
is $? 77 "without it nobody is let in"
cat >sub/p.yaml <<END
broker: {url: "amqp://bob@localhost:$plain_port", password_file: ../password}
queues: {q: }
END
run consumer -s sub/p.yaml q --until-empty -v
is "$? $(grep -c warning err)" "0 0" "password_file in the settings"
silent "password_file"
run bench -s sub/p.yaml --pmessages 10 --producer-channels 2 -x 2 -v --json
is $? 0 "bench has it on every connection"
silent "bench"
look --url "${plain/guest:guest/bob:wrong}" --password-file password
is "$? $(grep -c 'warning: --password-file is not used' err)" "77 1" "a password in the address wins, which is told"
chmod 640 password
look --url "$bob" --password-file password
is "$? $(grep -c "the password file 'password' is open to others (mode 640)" err)" "0 1" "a password file that others can read is told"
chmod 600 password
for row in "-|64|standard input" "/nix/p|66|'/nix/p': No such file" "/dev/null|66|its first line is empty" "sub|66|Is a directory"; do
	IFS='|' read -r file status text <<<"$row"
	look --url "$bob" --password-file "$file"
	is "$? $(grep -c -- "$text" err)" "$status 1" "--password-file $file: exit $status"
done
printf 'broker: {url: "amqp://bob:%s@localhost:%s"}\nqueues: {q: }\n' "$secret" "$plain_port" >sub/open.yaml
chmod 644 sub/open.yaml
run consumer -s sub/open.yaml q --until-empty
is "$? $(grep -c "warning: the settings file, with a password in it, 'sub/open.yaml' is open to others (mode 644)" err)" "0 1" "settings with a password that others can read are told"
silent "the warning"
chmod 600 sub/open.yaml
run consumer -s sub/open.yaml q --until-empty
is "$? $(grep -c warning err)" "0 0" "and not when only we can"
sed 's|amqp://[^"]*|${WHERE}|' sub/open.yaml >sub/var.yaml
chmod 644 sub/var.yaml
WHERE="amqp://bob:$secret@localhost:$plain_port" run consumer -s sub/var.yaml q --until-empty
is "$? $(grep -c warning err)" "0 0" "nor when it comes from a variable"

# the terminal: what is typed is not shown, and a signal gives it back as it was
asked() { # ACTION: exit status and what the terminal showed
	python3 - "$BIN/consumer" "$1" "$secret" -- q --no-declare --until-empty --ask-password --url "$bob" <<'END'
import os, pty, select, signal, sys, termios, time
tool, action, secret = sys.argv[1:4]
pid, fd = pty.fork()
if pid == 0:
    os.execv("/bin/sh", ["sh", "-c", 'trap : INT; "$@"; s=$?; stty -a | grep -ow -e "-*echo" | head -n 1; exit $s', "sh", tool] + sys.argv[5:])
said = b""
def until(text):
    global said
    end = time.monotonic() + 60
    while text not in said and time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            said += os.read(fd, 4096)
until(b"localhost: ")
while termios.tcgetattr(fd)[3] & termios.ECHO:
    pass
os.write(fd, (secret + "\n").encode() if action == "answer" else b"\x03" if action == "interrupt" else b"\n" if action == "empty" else b"\x04")
try:
    while chunk := os.read(fd, 4096):
        said += chunk
except OSError:
    pass
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print(said.decode())
END
}
asked answer >out 2>err
is "$(head -n 1 out) $(grep -c "password of 'bob' at localhost: " out) $(tail -n 2 out | tr -d '\r\n')" "0 1 echo" "--ask-password asks, and lets in"
silent "--ask-password"
asked interrupt >out 2>err
is "$(head -n 1 out) $(tail -n 2 out | tr -d '\r\n')" "69 echo" "Ctrl+C ends the question, and the terminal shows again what is typed"
asked empty >out 2>err
is "$(head -n 1 out) $(grep -c 'its first line is empty' out)" "66 1" "an empty answer is none"
asked end >out 2>err
is "$(head -n 1 out) $(grep -c 'cannot ask for the password: no answer' out)" "66 1" "nor is the end"
setsid -w timeout 60 "$BIN/consumer" q --url "$bob" --ask-password </dev/null >out 2>err
is "$? $(grep -c 'no terminal (.*); --password-file' err)" "66 1" "without a terminal nobody is asked"

# ---- where else a password could be ----

# the children of --exec, with the address in every place that leads to it
printf 'x\n' >one
printf '#!/bin/sh\ntr "\\0" "\\n" </proc/$$/environ; tr "\\0" "\\n" </proc/$PPID/cmdline\n' >spy
chmod 755 spy
for place in "AMQP_URL=amqps://bob:$secret@localhost:$tls_port?$trusted" "WARREN_URL=amqp://bob:$secret@localhost:$plain_port" \
	"WARREN_PASSWORD_FILE=$work/password"; do
	run producer --from one --routing-key q --url "$plain" -q
	url=()
	case $place in WARREN_PASSWORD_FILE*) url=(--url "$bob") ;; esac
	env "$place" timeout 60 "$BIN/consumer" q --no-declare --until-empty -f body "${url[@]}" -v \
		--exec "$work/spy" >out 2>err </dev/null
	is "$? $(grep -c '^WARREN_QUEUE=q$' out)" "0 1" "a command of --exec, ${place%%=*}: runs"
	silent "a command of --exec, ${place%%=*}"
	is "$(grep -c -e AMQP_URL -e PASSWORD_FILE -e WARREN_URL out)" 0 "nor where it is"
done

# a core file, where the system writes any
cores() { find "$work" -maxdepth 1 -name 'core*' | wc -l; }
die() { # COMMAND...: killed like a program that crashes; whether there is a core then
	(
		ulimit -c unlimited
		fresh err
		"$@" >/dev/null 2>err &
		pid=$!
		eventually 60 grep -q . err
		kill -SEGV $pid
		wait $pid
	) >/dev/null 2>&1
	cores
}
if [ "$(die sh -c 'echo up >&2; exec sleep 60')" -gt 0 ]; then
	rm -f core*
	is "$(die "$BIN/consumer" q --no-declare --url "$plain")" 0 "no core file with secrets in it"
else
	skip "no core file with secrets in it" "this system writes none at all"
fi
fresh err
"$BIN/consumer" q --no-declare --url "$plain" >out 2>err &
pid=$!
eventually 60 grep -q 'waiting for messages' err
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	# the owner's own processes: here root's without its privileges
	is "$(setpriv --bounding-set=-all --inh-caps=-all head -c 1 "/proc/$pid/environ" 2>/dev/null | wc -c)" 0 \
		"no other process of ours reads its environment"
else
	is "$(head -c 1 "/proc/$pid/environ" 2>/dev/null | wc -c)" 0 "no other process of ours reads its environment"
fi
kill -INT $pid
wait $pid
is "$(cat "$lab"/*/log/*.log | grep -c -e "$secret")" 0 "the broker's log does not have it"

# ---- the pace ----

rate() { run bench --url "$1" --time 3s && grep -oE 'received \([0-9]+/s\)' err out | grep -oE '[0-9]+' | tail -n 1; }
for round in 1 2 3; do
	echo "# round $round: $(rate "$plain")/s plain, $(rate "$AMQPS_URL?$trusted")/s with TLS"
done
done_testing
