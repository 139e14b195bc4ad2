#!/bin/sh
# Set the superuser of POCKETBASE_EMAIL and POCKETBASE_PASSWORD, then serve. LIVE, DATA and LISTEN may be
# set to try it without a container.
set -eu

data=${DATA:-/var/lib/pocketbase}
live=${LIVE:-/opt/live}

pocketbase superuser-from-environment --dir="$data" --hooksDir="$live/pb_hooks"
exec pocketbase serve --http="${LISTEN:-0.0.0.0:8090}" --dir="$data" \
    --migrationsDir="$live/pb_migrations" --publicDir="$live/public" \
    --automigrate=false --hooksDir="$live/pb_hooks" --hooksWatch=false --indexFallback=false
