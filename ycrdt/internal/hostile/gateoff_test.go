//go:build sanitized

package hostile

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the gate is for: each of these sequences kills a process that hands updates straight to yrs.
var deadly = map[string][]string{
	"a count of 800 million":                    {"8080808003"},
	"a client listed twice":                     {"0201010001010561727261791001010001010561727261791000", "010102008101040100"},
	"a deleted subdocument":                     {"02020300070101620689010004677569647d948ce016010100010003000100"},
	"a child of what is not there":              {"02020300010100050101016202010205240100016c02787900", "0202030884030605c39fe282ac0401016108f09f9880f09f9880030203c403060205010a040101620365cc812701000001020301050302010601"},
	"a list and a map, and the highest client":  {"02020100070101620601000001010200000100010001070001000100", "0201ffffffffffffff0f0121000001016b0302010221010161016b01c1010101020100"},
	"a parent that was collected":               {"01010306000300", "01010305070101610100", "01040300a70307064103000107010161048103000300"},
	"holes and neighbours in different parents": {"020202000101000187010001010100030101610000", "020102000004010104010002010100", "02020103870202060100020101040103070002020608010161037da5ffc78abdd1aa017dbaf9ed8e2a7701620700010304c7020002010400"},
	"characters in an array":                    {"0101818080808020000401016105c39fe282ac00"},
}

func deadlySequences(t *testing.T) map[string]Sequence {
	t.Helper()
	sequences := map[string]Sequence{
		// The root map "a" has under "k" a list that holds a list, and so on.
		"60 kB of lists in each other": {Options{ClientID: 77}, [][]byte{bytes.Join([][]byte{
			{1, 1, 1, 0, 0x28, 1, 1, 'a', 1, 'k', 1}, bytes.Repeat([]byte{117, 1}, 30_000), {126, 0},
		}, nil)}},
	}
	for name, updates := range deadly {
		sequence := Sequence{Options: Options{ClientID: 77}}
		for _, update := range updates {
			data, err := hex.DecodeString(update)
			require.NoError(t, err, name)
			sequence.Updates = append(sequence.Updates, data)
		}
		sequences[name] = sequence
	}
	return sequences
}

func TestGateOff(t *testing.T) {
	for name, sequence := range deadlySequences(t) {
		t.Run(name, func(t *testing.T) {
			_, err := player{sanitized(t, "--ungated"), 3 * time.Second}.one(sequence)
			var killed *death
			require.ErrorAs(t, err, &killed, "without the gate the process survives: is this still what the gate is for?")
			t.Logf("without the gate: %s", killed.kind())

			v, err := player{sanitized(t), patience}.one(sequence)
			require.NoError(t, err)
			assert.Empty(t, v.failures)
			assert.Empty(t, v.panics)
			assert.Empty(t, v.poisoned)
		})
	}
}
