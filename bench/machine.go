package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/yrs-go/yrs/bench/report"
)

// machine says what the benchmark runs on.
func machine() report.Machine {
	return report.Machine{
		Commit: firstLine("git", "describe", "--always", "--dirty", "--exclude=*"),
		Hardware: fmt.Sprintf("%s, %d cores, %s/%s, %s, %s", processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH,
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
