#!/bin/sh
# Runs what the tests say, one command at a time, over a serial line: a line of base64 is a script, the
# answer a line of its status, its output and its errors, both in base64 after a "=".
exec < /dev/ttyS0 > /dev/ttyS0
stty raw -echo
echo lab-agent
while read -r line; do
    echo "$line" | base64 -d > /run/lab-script
    sh /run/lab-script < /dev/null > /run/lab-output 2> /run/lab-errors
    echo "$? =$(base64 -w 0 /run/lab-output) =$(base64 -w 0 /run/lab-errors)"
done
