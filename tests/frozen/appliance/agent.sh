# Runs in the appliance and does what the test asks for: tests/lab/guest_agent.py once more, for a
# root that has no Python. A number on standard input is a file <n>.sh in /mnt; it is read here and
# calls one of the functions below.
#
# Exit statuses are those of a shell: 128 and the number of a signal.

say() { printf '%s\n' "$1"; }

# NUMBER SECONDS WORDS...: to the end. What was printed goes to <n>.output and <n>.errors.
exec_() {
    (
        number=$1 seconds=$2
        shift 2
        timeout -k 5 "$seconds" "$@" < "/mnt/$number.input" \
            > "/mnt/$number.output" 2> "/mnt/$number.errors"
        status=$?
        late=false
        test "$status" != 124 || late=true
        say "{\"reply\": $number, \"returncode\": $status, \"late\": $late}"
    ) &
}

# NUMBER WORDS...: in the background, in a session of its own.
spawn() {
    (
        number=$1
        shift
        mkfifo "/run/agent/$number.output" "/run/agent/$number.errors"
        pump "$number" output & output=$!
        pump "$number" errors & errors=$!
        setsid "$@" < /dev/null \
            > "/run/agent/$number.output" 2> "/run/agent/$number.errors" & child=$!
        echo "$child" > "/run/agent/$number.pid"
        say "{\"reply\": $number, \"pid\": $child}"
        wait "$child"
        status=$?
        wait "$output" "$errors"
        say "{\"exited\": $number, \"returncode\": $status}"
    ) &
}

# NUMBER STREAM: line by line, and tell.
pump() {
    while IFS= read -r line; do
        printf '%s\n' "$line" >> "/mnt/$1.$2"
        say "{\"grew\": $1, \"stream\": \"$2\"}"
    done < "/run/agent/$1.$2"
}

# NUMBER CHILD SIGNAL: to the whole session, as a terminal would.
signal() {
    read -r child < "/run/agent/$2.pid"
    kill -s "$3" -- "-$child" 2> /dev/null
    say "{\"reply\": $1}"
}

mkdir -p /run/agent
say "{\"ready\": \"$(uname -r)\"}"
while IFS= read -r number; do
    case $number in
        "") ;;
        end) break ;;
        *) . "/mnt/$number.sh" ;;
    esac
done
