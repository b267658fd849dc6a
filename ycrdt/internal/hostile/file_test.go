package hostile

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// encodeFile writes a sequence as a file of testdata/hostile: its options, then a line for each update.
func encodeFile(s Sequence) string {
	var b strings.Builder
	fmt.Fprintf(&b, "client=%d edits=%d skip-gc=%t bytes=%t observe=%t in-tx=%t budget=%d\n",
		s.ClientID, s.Edits, s.SkipGC, s.Bytes, s.Observe, s.InTx, s.Budget)
	for _, update := range s.Updates {
		b.WriteString(hex.EncodeToString(update) + "\n")
	}
	return b.String()
}

// parseFile reads what encodeFile has written.
func parseFile(text string) (s Sequence, err error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if _, err := fmt.Sscanf(lines[0], "client=%d edits=%d skip-gc=%t bytes=%t observe=%t in-tx=%t budget=%d",
		&s.ClientID, &s.Edits, &s.SkipGC, &s.Bytes, &s.Observe, &s.InTx, &s.Budget); err != nil {
		return s, err
	}
	for _, line := range lines[1:] {
		update, err := hex.DecodeString(line)
		if err != nil {
			return s, err
		}
		s.Updates = append(s.Updates, update)
	}
	return s, nil
}
