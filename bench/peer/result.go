package peer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/yrs-go/yrs/bench/door"
)

// read returns what a root type holds.
func read(doc Doc, on string) (any, error) {
	switch on {
	case door.Text:
		return doc.Text()
	case door.Array:
		return doc.Array()
	case door.Map:
		return doc.Map()
	}
	return nil, fmt.Errorf("there is no root type %q", on)
}

// hash returns the SHA-256 of a root type: of the text in UTF-8, or of the JSON of the others.
func hash(doc Doc, on string) (string, error) {
	value, err := read(doc, on)
	if err != nil {
		return "", err
	}
	canonical, err := canonical(value)
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:]), err
}

// canonical returns JSON without white space, with sorted keys and whole numbers without a fraction.
func canonical(value any) ([]byte, error) {
	if text, ok := value.(string); ok {
		return []byte(text), nil
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(whole(value))
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}
