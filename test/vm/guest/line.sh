# One command a line: a number and its words; the answer is the number, the code, and the output in base64.
stty -F /dev/ttyS1 raw -echo 2>/dev/null
echo "ready 0 "
while read -r number words; do
  output=$(eval "$words" 2>&1 < /dev/null)
  code=$?
  echo "$number $code $(printf '%s' "$output" | head -c 60000 | base64 | tr -d '\n')"
done
