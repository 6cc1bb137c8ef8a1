#!/usr/bin/env bash
# Debian's kcat (librdkafka 2.0) against the cluster at $BOOTSTRAP_SERVERS.
set -euo pipefail
ok() { echo "ok $1"; }
same() { [ "$1" = "$2" ] || { echo "$3: got «$1», not «$2»"; exit 1; }; }
# A topic that is not there yet is asked for again soon.
k() { timeout 60 kcat -b "$BOOTSTRAP_SERVERS" -X topic.metadata.refresh.interval.ms=100 "$@"; }

same "$(k -L | grep -c ' broker [123] at ')" 3 "brokers listed"
ok "metadata lists three brokers"

for acks in 0 1 -1; do
  printf 'a\nb\nc\n' | k -P -t "kcat-acks$acks" -X acks="$acks"
  same "$(k -C -t "kcat-acks$acks" -o beginning -e -q | tr '\n' ' ')" 'a b c ' "acks=$acks"
done
ok "a topic is made when it is written to; acks 0, 1 and all"

for codec in none gzip snappy lz4 zstd; do
  seq 1 500 | k -P -t "kcat-$codec" -z "$codec"
  same "$(k -C -t "kcat-$codec" -o beginning -e -q | md5sum)" "$(seq 1 500 | md5sum)" "$codec"
done
ok "every codec comes back as it went"

printf 'k1:v1\nk2:v2\n' | k -P -t kcat-keys -K: -H trace=7 -H who=me
same "$(k -C -t kcat-keys -o beginning -e -q -f '%k=%s[%h]\n' | sort | tr '\n' ' ')" \
  'k1=v1[trace=7,who=me] k2=v2[trace=7,who=me] ' "keys and headers"
ok "keys and headers"

seq 1 10 | k -P -t kcat-seek -p 0
same "$(k -C -t kcat-seek -p 0 -o 7 -e -q | tr '\n' ' ')" '8 9 10 ' "from an offset"
same "$(k -C -t kcat-seek -p 0 -o -2 -e -q | tr '\n' ' ')" '9 10 ' "from the end"
same "$(k -C -t kcat-seek -p 0 -o s@1 -e -q -c 1)" 1 "from a time"
same "$(k -Q -t kcat-seek:0:-1 | grep -o 'offset 10')" 'offset 10' "the end, asked for"
ok "offsets: from the beginning, one in the middle, the end, a time"

same "$(k -G kcat-group -o beginning -X auto.offset.reset=earliest -c 10 kcat-seek 2>/dev/null | wc -l)" 10 "a group"
seq 11 13 | k -P -t kcat-seek -p 0
same "$(k -G kcat-group -X auto.offset.reset=earliest -c 3 kcat-seek 2>/dev/null | tr '\n' ' ')" '11 12 13 ' "resumed"
ok "a group reads, commits and goes on where it was"

seq 1 200 | k -P -t kcat-idempotent -X enable.idempotence=true
same "$(k -C -t kcat-idempotent -o beginning -e -q | wc -l)" 200 "idempotent"
printf 'x\ny\n' | k -P -t kcat-txn -X transactional.id=kcat-1
same "$(k -C -t kcat-txn -o beginning -e -q -X isolation.level=read_committed | tr '\n' ' ')" 'x y ' "transactional"
ok "an idempotent and a transactional producer"
