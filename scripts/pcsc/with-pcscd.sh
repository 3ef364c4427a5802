#!/bin/sh
# Runs a command beside a real pcscd with two virtual readers (vpcd) that nobody else sees:
#
#     scripts/pcsc/with-pcscd.sh node_modules/.bin/vitest run main/reader
#
# The command and this pcscd get network and mount namespaces of their own, so that suites run side by side and vpcd's
# ports (35963 and 35964, open on every address) stay private. Where namespaces are not to be had (a container), root's
# pcscd runs without them, or the system's own pcscd is used if it already runs.
# Needs: pcscd, vsmartcard-vpcd, util-linux. With a C compiler, fast-vpcd.c takes the waiting out of pcscd and vpcd
# (FARTHING_STOCK_PCSCD=1 leaves it in). Nested calls use the outer pcscd.
#
# The command sees: FARTHING_PCSCD = private | shared | system, and but for system FARTHING_PCSCD_DIR, with `start`
# (runs pcscd in the foreground), `pid` and `log`; scripts/pcsc/rig.ts uses these to stop and start pcscd.
set -eu

fail() {
  echo "with-pcscd: $1" >&2
  exit 3
}

[ $# -gt 0 ] || fail 'say which command to run: scripts/pcsc/with-pcscd.sh COMMAND...'
[ -z "${FARTHING_PCSCD:-}" ] || exec "$@"

socket=/run/pcscd/pcscd.comm
driver=$(ls /usr/lib/pcsc/drivers/serial/libifdvpcd.so /usr/lib64/pcsc/drivers/serial/libifdvpcd.so 2>/dev/null | head -n 1)
PATH=$PATH:/usr/sbin:/sbin
command -v pcscd >/dev/null || fail 'pcscd is missing: apt-get install pcscd vsmartcard-vpcd'
[ -n "$driver" ] || fail "vpcd's reader driver is missing: apt-get install vsmartcard-vpcd"

if [ "${1:-}" = --in-namespace ]; then
  shift
  kind=private
  # Only the loopback exists here, and it is down. Perl is on every Debian; iproute2 is not.
  ip link set lo up 2>/dev/null ||
    perl -e 'socket(my $s, 2, 2, 0) && ioctl($s, 0x8914, pack("a16 s x14", "lo", 0x49)) || die "loopback: $!\n"' ||
    fail 'cannot bring the loopback up: install iproute2 or perl'
  if mkdir -p /run/pcscd 2>/dev/null; then mount -t tmpfs tmpfs /run/pcscd; else
    mount -t tmpfs tmpfs /run && mkdir /run/pcscd
  fi
elif [ "$(id -u)" = 0 ] && unshare -mn true 2>/dev/null; then
  exec unshare -mn "$0" --in-namespace "$@"
elif [ "$(id -u)" != 0 ] && unshare -rmn true 2>/dev/null; then
  exec unshare -rmn "$0" --in-namespace "$@"
elif [ -S "$socket" ] && pid=$(cat /run/pcscd/pcscd.pid 2>/dev/null) && kill -0 "$pid" 2>/dev/null; then
  echo "with-pcscd: no namespaces here; using the system's pcscd (process $pid)" >&2
  export FARTHING_PCSCD=system
  exec "$@"
elif [ "$(id -u)" = 0 ]; then
  echo 'with-pcscd: no namespaces here; starting pcscd without one' >&2
  kind=shared
  mkdir -p /run/pcscd
  rm -f /run/pcscd/pcscd.comm /run/pcscd/pcscd.pid
else
  fail 'needs root, or a kernel that lets users make namespaces, or a running pcscd with vpcd'
fi

dir=$(mktemp -d)
mkdir "$dir/reader.conf.d"
cat >"$dir/reader.conf.d/vpcd" <<CONFIG
FRIENDLYNAME "Virtual PCD"
DEVICENAME /dev/null:0x8C7B
LIBPATH $driver
CHANNELID 0x8C7B
CONFIG

preload=
if [ -z "${FARTHING_STOCK_PCSCD:-}" ] && command -v cc >/dev/null &&
  cc -shared -fPIC -O1 -o "$dir/fast-vpcd.so" "$(dirname "$0")/fast-vpcd.c" -ldl 2>"$dir/cc.log"; then
  preload="LD_PRELOAD=$dir/fast-vpcd.so"
fi
cat >"$dir/start" <<START
#!/bin/sh
echo \$\$ >$dir/pid
exec env $preload pcscd --foreground --config $dir/reader.conf.d >>$dir/log 2>&1 </dev/null
START
chmod +x "$dir/start"

stop() {
  pid=$(cat "$dir/pid" 2>/dev/null) && kill "$pid" 2>/dev/null || true
  tries=0
  # A dead child that nobody has waited for still has a number.
  while kill -0 "$pid" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -le 100 ] || kill -9 "$pid" 2>/dev/null || true
    sleep 0.02
  done
  rm -rf "$dir"
}
trap stop EXIT

"$dir/start" &
started=$!
tries=0
until [ -S "$socket" ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 500 ] || ! kill -0 "$started" 2>/dev/null; then
    cat "$dir/log" >&2
    fail 'pcscd did not start'
  fi
  sleep 0.02
done

export FARTHING_PCSCD="$kind" FARTHING_PCSCD_DIR="$dir"
# In the background, so that a signal sent to this script reaches the command.
exec 3<&0
"$@" <&3 3<&- &
child=$!
trap 'kill -TERM "$child" 2>/dev/null' TERM
trap 'kill -INT "$child" 2>/dev/null' INT
status=0
wait "$child" || status=$?
while kill -0 "$child" 2>/dev/null; do
  status=0
  wait "$child" || status=$?
done
exit "$status"
