package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/yrs-go/yrs/bench/report"
)

// machine says what the benchmark runs on, and how busy that is before it begins.
func machine() report.Machine {
	return report.Machine{
		Commit: firstLine("git", "describe", "--always", "--dirty", "--exclude=*"),
		Hardware: fmt.Sprintf("%s, %d cores, load %s, %s/%s, %s, %s", processor(), runtime.NumCPU(), load(), runtime.GOOS, runtime.GOARCH,
			strings.Replace(runtime.Version(), "go", "Go ", 1), firstLine("rustc", "--version")),
	}
}

// firstLine is what a command prints, or "unknown" when it cannot be run.
func firstLine(command string, args ...string) string {
	out, err := exec.Command(command, args...).Output()
	line, _, _ := strings.Cut(string(out), "\n")
	if err != nil || line == "" {
		return "unknown"
	}
	return line
}

// load is how many programs wanted to run in the last minute, where Linux tells.
func load() string {
	data, _ := os.ReadFile("/proc/loadavg")
	if minute, _, found := strings.Cut(string(data), " "); found {
		return minute
	}
	return "unknown"
}

// processor is the name of the processor, where Linux tells.
func processor() string {
	data, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(data)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}
