package hostile

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/yrs-go/yrs/ycrdt"
)

// maxCall is how long no call may take.
const maxCall = 2 * time.Second

// verdict is how a document took a sequence.
type verdict struct {
	updates    int
	accepted   int // not refused
	integrated int // of the accepted ones: changed what the document holds
	poisoned   string
	panics     []string // in calls that do not poison
	failures   []string
}

// call runs one operation and judges how it ends: errors are welcome if they are typed.
func (v *verdict) call(op string, fn func() error) error {
	start := time.Now()
	err := fn()
	if took := time.Since(start); took > maxCall {
		v.fail("%s took more than %s", op, maxCall)
	}
	if err == nil {
		return nil
	}
	var typed *ycrdt.Error
	switch {
	case !errors.As(err, &typed):
		v.fail("%s gave an error without a code: %v", op, err)
	case typed.Code == ycrdt.CodePanic:
		v.panics = append(v.panics, typed.Op+": "+typed.Msg)
	case typed.Code == ycrdt.CodeApplyFailed:
		v.poison(typed)
	case typed.Code == ycrdt.CodeBusy, typed.Code == ycrdt.CodeTxDone, typed.Code == ycrdt.CodeInTransaction:
		v.fail("%s: %v", op, err)
	}
	return err
}

// need is call for what has to succeed, unless the document is poisoned.
func (v *verdict) need(op string, fn func() error) bool {
	err := v.call(op, fn)
	if err != nil && v.poisoned == "" {
		v.fail("%s: %v", op, err)
	}
	return err == nil
}

func (v *verdict) poison(err *ycrdt.Error) {
	if v.poisoned == "" {
		v.poisoned = err.Op + ": " + err.Msg
	}
}

func (v *verdict) fail(format string, args ...any) {
	v.failures = append(v.failures, fmt.Sprintf(format, args...))
}

// Reports are lines of fields between tabs: three numbers, then what there is to say, each behind its kind.
const (
	reportPoisoned = "poisoned "
	reportPanic    = "panic "
	reportFailure  = "failure "
)

// report encodes a verdict for the parent process.
func (v *verdict) report() string {
	fields := []string{fmt.Sprint(v.updates), fmt.Sprint(v.accepted), fmt.Sprint(v.integrated)}
	if v.poisoned != "" {
		fields = append(fields, reportPoisoned+v.poisoned)
	}
	for _, panicked := range v.panics {
		fields = append(fields, reportPanic+panicked)
	}
	for _, failure := range v.failures {
		fields = append(fields, reportFailure+failure)
	}
	for i, field := range fields {
		fields[i] = strings.NewReplacer("\t", " ", "\n", " ").Replace(field)
	}
	return strings.Join(fields, "\t")
}

// parseReport reads what report has encoded.
func parseReport(line string) (v verdict, err error) {
	fields := strings.Split(line, "\t")
	if len(fields) < 3 {
		return v, fmt.Errorf("no report: %q", line)
	}
	if _, err = fmt.Sscan(strings.Join(fields[:3], " "), &v.updates, &v.accepted, &v.integrated); err != nil {
		return v, fmt.Errorf("no report: %q: %w", line, err)
	}
	for _, field := range fields[3:] {
		switch {
		case strings.HasPrefix(field, reportPoisoned):
			v.poisoned = field[len(reportPoisoned):]
		case strings.HasPrefix(field, reportPanic):
			v.panics = append(v.panics, field[len(reportPanic):])
		case strings.HasPrefix(field, reportFailure):
			v.failures = append(v.failures, field[len(reportFailure):])
		default:
			return v, fmt.Errorf("no report: %q", line)
		}
	}
	return v, nil
}
