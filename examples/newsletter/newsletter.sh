#!/bin/sh
# Sends newsletter.json to everybody in a CSV, waits for the end, and fetches the failures as CSV.
#
#   API_KEY=bs_… sh newsletter.sh [people.csv [failed.csv]]
#
# SERVER is http://127.0.0.1:3000 if it is not set. Needs curl 7.76 or later, and nothing else.
# Ctrl+C stops the waiting, not the sending. The same list with the same text within 24 hours is
# the same batch: a second run sends nothing again, and goes on waiting.
set -eu

server=${SERVER:-http://127.0.0.1:3000}
: "${API_KEY:?Set it to the API key that the server showed at its first start.}"
people=${1:-people.csv}
failed=${2:-failed.csv}
newsletter=$(dirname "$0")/newsletter.json

stop() {
  printf '%s\n' "$@" >&2
  exit 1
}

# The key goes through a pipe: everybody on this machine can read the arguments of a command.
api() {
  printf 'authorization: Bearer %s\n' "$API_KEY" | curl -sS --fail-with-body -H @- "$@"
}

# A number of the answer, by its name.
number() {
  printf '%s\n' "$answer" | sed -n "s/.*\"$1\":\([0-9][0-9]*\).*/\1/p"
}

[ -r "$people" ] || stop "There is no file $people that can be read."
# It may hold what somebody has mended already.
[ ! -e "$failed" ] || stop "$failed exists. Take it away, or name another file: sh $0 $people another.csv"

# Create the batch, upload the list and start sending, all in one call. A column that is no field
# of an email becomes a variable of the text; "first name" gets a name without a blank.
answer=$(api -i "$server/v1/batches" \
  -H "idempotency-key: newsletter-$(cat "$newsletter" "$people" | cksum | tr ' ' '-')" \
  -F "batch=<\"$newsletter\"" \
  -F onInvalid=skip \
  -F 'map.email=to' \
  -F 'map.first name=variables.first_name' \
  -F "file=@\"$people\";filename=people.csv;type=text/csv") ||
  stop "$(printf '%s\n' "${answer:-Run this again when it can work: nothing is sent twice.}" | tail -n 1)"
batch=$(printf '%s\n' "$answer" | sed -n 's/^{"id":"\([0-9a-f-]*\)".*/\1/p')
[ -n "$batch" ] || stop "$server is no BatchSender."
provider=$(printf '%s\n' "$answer" | sed -n 's/.*"provider":"\([^"]*\)".*/\1/p')
echo "batch $batch by $provider: accepted $(number accepted), rejected $(number rejected), duplicates $(number duplicates)"
if printf '%s\n' "$answer" | grep -qi '^idempotency-replayed: true'; then
  echo '  This list was sent with this text before. To send it once more, change the name in newsletter.json.'
fi
# What is wrong with the rejected rows (the first hundred problems), one a line.
printf '%s\n' "$answer" | sed -n 's/.*"errors":\[\({.*}\)\].*/\1/p' | awk '{ gsub(/},[{]/, "}\n  {"); print "  " $0 }'

# Watch it until everybody's fate is known.
shown=
until printf '%s\n' "$answer" | grep -Eq '"state":"(completed|cancelled)"'; do
  sleep 1
  answer=$(api --retry 6 --retry-connrefused "$server/v1/batches/$batch") || stop "$answer" 'What was accepted is still sent.'
  line="waiting $(number waiting), running $(number running), succeeded $(number succeeded), failed $(number failed)"
  # A server that cannot send, say with a wrong password, lets everybody wait.
  blocked=$(printf '%s\n' "$answer" | sed -n 's/.*"blocked":\({[^}]*}\).*/, blocked: \1/p')
  [ "$line$blocked" = "$shown" ] || echo "  $line$blocked"
  shown=$line$blocked
done
echo "succeeded $(number succeeded), failed $(number failed), unknown $(number unknown), cancelled $(number cancelled)"

# Where nobody knows whether a mail was taken, sending it again could send it twice.
[ "$(number unknown)" = 0 ] || echo "Look at the unknown ones: $server/v1/batches/$batch/jobs?state=unknown"
[ "$(number failed)" != 0 ] || exit 0
api -o "$failed.part" "$server/v1/batches/$batch/results?format=csv&bom=true&state=failed" ||
  stop "$failed could not be fetched. Run this again: nothing is sent twice."
mv "$failed.part" "$failed"
echo "$failed holds the failures. Mend it, then send to them: sh $0 $failed still-failed.csv"
