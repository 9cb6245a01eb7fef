#!/bin/sh
# A configuration as JSON: written from outside, changed by a program inside, read back.
set -eu

id=$(sandboxctl create)
trap 'sandboxctl rm "$id"' EXIT

echo '{"name": "demo", "workers": 4}' | sandboxctl files write "$id" config.json
sandboxctl exec -i "$id" -- python3 - << 'PYTHON'
import json

with open("config.json") as file:
    config = json.load(file)
config["workers"] *= 2
with open("config.json", "w") as file:
    json.dump(config, file)
PYTHON
sandboxctl files cat "$id" config.json
echo
