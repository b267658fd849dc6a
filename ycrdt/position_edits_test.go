package ycrdt_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/yrs-go/yrs/ycrdt"
)

// textList is a text, edited and now and then formatted.
var textList = list{
	of:      func(tx *ycrdt.Tx) ycrdt.Shared { return tx.Text("t") },
	changes: func(e ycrdt.Event) any { return e.(*ycrdt.TextEvent).Delta },
	edit:    editText,
	content: func(t testing.TB, doc *ycrdt.Doc) any { return deltaOf(t, doc, "t") },
}

var chunks = []string{"a", "b", "word", " ", "\n", "é", "😀", "x😀y", "a longer stretch of text", "中文"}

// editText returns what it did, and what that gave.
func editText(tx *ycrdt.Tx, random *rand.Rand, formats bool) string {
	text := tx.Text("t")
	n := text.Len()
	at := random.IntN(n + 2)
	switch random.IntN(30) {
	default: // typing
		var err error
		var typed strings.Builder
		for range 1 + random.IntN(6) {
			chunk := chunks[random.IntN(len(chunks))]
			before := text.Len()
			if err = text.Insert(at, chunk); err != nil {
				break
			}
			typed.WriteString(chunk)
			at += text.Len() - before
		}
		return fmt.Sprint("type ", at, typed.String(), err)
	case 10, 11, 12, 13:
		length := random.IntN(8)
		return fmt.Sprint("delete ", at, length, text.Delete(at, length))
	case 14, 15, 16: // backspace
		var err error
		for ; err == nil && at > 0 && random.IntN(6) > 0; at-- {
			err = text.Delete(at-1, 1)
		}
		return fmt.Sprint("backspace ", at, err)
	case 17:
		return fmt.Sprint("replace ", at, text.Delete(at, min(5, max(0, n-at))), text.Insert(at, "new"))
	case 18:
		return "read " + text.String()
	case 19:
		return fmt.Sprint("set ", tx.Map("m").Set("k", at), text.Len())
	case 20:
		return fmt.Sprint("embed ", at, text.InsertEmbed(at, map[string]any{"image": at}, nil))
	case 21:
		return fmt.Sprint("other ", tx.Text("u").Insert(0, "u"), text.Insert(0, "t"), tx.Text("u").Insert(1, "v"))
	case 22:
		if !formats {
			return ""
		}
		return fmt.Sprint("format ", at, text.Format(at, random.IntN(5), map[string]any{"bold": random.IntN(2) == 0}))
	case 23:
		if n < 100 {
			return ""
		}
		return fmt.Sprint("cut ", at, text.Delete(at, min(40, max(0, n-at))))
	}
}

// arrayList is an array of values of all kinds.
var arrayList = list{
	of: func(tx *ycrdt.Tx) ycrdt.Shared { return tx.Array("a") },
	changes: func(e ycrdt.Event) any {
		changes := e.(*ycrdt.ArrayEvent).Changes
		return fmt.Sprintf("%#v", changes)
	},
	edit: editArray,
	content: func(t testing.TB, doc *ycrdt.Doc) (content any) {
		view(t, doc, func(tx *ycrdt.Tx) {
			values, err := tx.Array("a").AsSlice()
			assert.NoError(t, err)
			content = values
		})
		return content
	},
}

// values are what an array takes in one call. Their maps have one key: yrs writes several in any order.
var values = [][]any{
	{1}, {-1.5, "text"}, {nil, ycrdt.Undefined, true}, {int64(1) << 60, []byte{1, 2}},
	{map[string]any{"k": []any{1, "v"}}}, {[]any{}}, {"😀", ""}, {},
	{ycrdt.NewMap{"in": ycrdt.NewArray{1}}}, {1, ycrdt.NewText("text"), 2, 3, ycrdt.NewArray{}},
}

func editArray(tx *ycrdt.Tx, random *rand.Rand, _ bool) string {
	array := tx.Array("a")
	n := array.Len()
	at := random.IntN(n + 2)
	switch random.IntN(24) {
	default:
		some := values[random.IntN(len(values))]
		return fmt.Sprint("insert ", at, len(some), array.Insert(at, some...))
	case 10, 11: // one after another
		var err error
		for i := 0; i < 5 && err == nil; i++ {
			err = array.Insert(at+i, i)
		}
		return fmt.Sprint("insert more ", at, err)
	case 12:
		return fmt.Sprint("append ", array.Append(random.IntN(10)), array.Len())
	case 13, 14, 15, 16:
		length := random.IntN(6)
		return fmt.Sprint("delete ", at, length, array.Delete(at, length))
	case 17: // backwards
		var err error
		for ; err == nil && at > 0 && random.IntN(6) > 0; at-- {
			err = array.Delete(at-1, 1)
		}
		return fmt.Sprint("delete back to ", at, err)
	case 18:
		value, ok := array.Value(at)
		if _, isShared := value.(ycrdt.Shared); isShared {
			value = "shared"
		}
		return fmt.Sprint("read ", at, value, ok)
	case 19:
		nested, ok := array.Map(at)
		if !ok {
			return "no map"
		}
		return fmt.Sprint("set ", at, nested.Set("k", n), array.Insert(at, "before"), nested.Set("l", at))
	case 20: // what is in it goes with a map
		nested, ok := array.Map(at)
		if !ok {
			return "no map"
		}
		return fmt.Sprint("delete map ", at, array.Delete(at, 1), nested.Set("k", 0))
	case 21:
		return fmt.Sprint("other ", tx.Array("b").Insert(0, 1), array.Insert(0, 2), tx.Array("b").Append(3), tx.Text("t").Insert(0, "t"))
	case 22:
		return fmt.Sprint("set ", tx.Map("m").Set("k", at), array.Len())
	case 23:
		if n < 60 {
			return ""
		}
		return fmt.Sprint("cut ", at, array.Delete(at, min(30, max(0, n-at))))
	}
}
