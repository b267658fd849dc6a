package ycrdt_test

import (
	"errors"
	"fmt"
	"math"

	"github.com/yrs-go/yrs/ycrdt"
)

// What is refused changes nothing, and the error says why.
func ExampleAwareness_errorHandling() {
	doc := ycrdt.NewDoc()
	defer doc.Close()
	awareness := ycrdt.NewAwareness(doc)

	err := awareness.SetLocalState(map[string]any{"progress": math.NaN()})
	fmt.Println(errors.Is(err, ycrdt.ErrUnsupportedValue), err)

	_ = awareness.SetLocalStateField("name", "Ada")
	err = awareness.SetLocalStateField("name.first", "Ada")
	fmt.Println(errors.Is(err, ycrdt.ErrInvalidArgument), err)

	_, err = awareness.EncodeUpdate([]uint64{1 << 40})
	fmt.Println(errors.Is(err, ycrdt.ErrInvalidArgument), err)

	err = awareness.ApplyUpdate([]byte{1, 2, 3}, nil)
	fmt.Println(errors.Is(err, ycrdt.ErrMalformed), err)
	fmt.Println(awareness.LocalState())

	// A panic in an observer is an error too, but of what has happened already.
	awareness.Observe(func(ycrdt.AwarenessEvent) { panic("out of ink") })
	err = awareness.SetLocalStateField("name", "Grace")
	var panicked *ycrdt.ObserverPanicError
	fmt.Println(errors.As(err, &panicked), err)
	fmt.Println(awareness.LocalState())
	// Output:
	// true ycrdt: awareness set local state: the value has no exact form in JSON: json: unsupported value: NaN
	// true ycrdt: awareness set local state field: path "name.first" leads through a value that is not an object
	// true ycrdt: awareness encode update: client 1099511627776 is not known
	// true ycrdt: awareness apply update: protocol: malformed data at byte 0: count 1 needs more than the 2 bytes that remain
	// map[name:Ada]
	// true ycrdt: awareness observer panicked: out of ink
	// map[name:Grace]
}
