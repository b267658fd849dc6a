# shellcheck shell=bash
# Sourced by the scripts that run a list of steps: times each against its budget, goes on after a failure
# and reports at the end. A step that is over its budget is named but does not fail.

failed=()
results=() # rows of a Markdown table: name, result, seconds

# step <name> <budget in seconds> <command...>
step() {
	local name=$1 budget=$2 start=$SECONDS result=ok used
	shift 2
	printf '== %s\n' "$name"
	"$@" || result=FAILED
	used=$((SECONDS - start))
	printf -- '-- %s: %s, %d s of %d s' "$name" "$result" "$used" "$budget"
	[ "$used" -le "$budget" ] || printf ' (over budget)'
	printf '\n'
	results+=("| $name | $result | $used |")
	[ "$result" = ok ] || failed+=("$name")
}

# Ends the script: with status 1 and the names of the failed steps, if there are any.
finish() {
	if [ ${#failed[@]} -gt 0 ]; then
		printf 'failed:' >&2
		printf ' %s' "${failed[@]}" >&2
		printf ' (%d s in all)\n' "$SECONDS" >&2
		exit 1
	fi
	printf 'all passed in %d s\n' "$SECONDS"
}
