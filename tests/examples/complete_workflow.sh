#!/bin/sh
# The whole way: a project goes in, its tests run, their report comes back, nothing stays.
set -eu

mkdir -p app
printf 'def double(n):\n    return 2 * n\n' > app/program.py
cat > app/test_program.py << 'PYTHON'
import unittest

from program import double

class Double(unittest.TestCase):
    def test_number(self):
        self.assertEqual(double(21), 42)
PYTHON

id=$(sandboxctl create)
trap 'sandboxctl rm "$id"' EXIT

sandboxctl cp -r app "$id:app"
status=0
sandboxctl exec -w app --timeout 60s "$id" -- \
  sh -c 'python3 -m unittest -v > report.txt 2>&1' || status=$?
sandboxctl cp "$id:app/report.txt" .
cat report.txt
echo "The tests ended with $status"
