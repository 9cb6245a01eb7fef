#!/bin/sh
# The C++ block of README.md is first_program.cc, to the letter.
#
#   sh readme_shows_first_program.sh README.md first_program.cc
set -eu

block=$(sed -n '/^```cpp$/,/^```$/p' "$1" | sed '/^```/d')
if [ "$block" != "$(cat "$2")" ]; then
  echo "The \`\`\`cpp block of $1 is not $2."
  exit 1
fi
