#!/bin/sh
# A file of the host goes in byte by byte; a command inside reads it.
set -eu

id=$(sandboxctl create)
trap 'sandboxctl rm "$id"' EXIT

sandboxctl cp /bin/sh "$id:data.bin"
echo "Lines inside: $(sandboxctl exec "$id" -- wc -l data.bin)"
sandboxctl cp "$id:data.bin" - | cmp - /bin/sh && echo 'The same bytes came back'
