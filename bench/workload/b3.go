package workload

import (
	"math"
	"strconv"
	"strings"

	"github.com/yrs-go/yrs/bench/door"
)

// b3Cases have 20√N documents that are each changed once without knowing of each other. The first has all updates
// already; how long the second takes is measured.
func b3Cases(size Size) ([]Case, error) {
	clients := int(math.Sqrt(float64(size.N))) * 20
	set := func(value func(i int) any) func(i int) door.Step {
		return func(i int) door.Step { return door.Step{Map: []door.MapOp{{Key: "v", Value: value(i)}}} }
	}
	var cases []Case
	for _, b := range []struct {
		name, on string
		edit     func(i int) door.Step
	}{
		{"B3.1", door.Map, set(func(i int) any { return i })},
		{"B3.2", door.Map, set(func(i int) any { return map[string]any{"name": strconv.Itoa(i), "address": "here"} })},
		{"B3.3", door.Map, set(func(i int) any { return strings.Repeat(strconv.Itoa(i), clients) })},
		{"B3.4", door.Array, func(i int) door.Step {
			return door.Step{Array: []door.ArrayOp{{Values: []any{strconv.Itoa(i)}}}}
		}},
	} {
		c := Case{Concurrent: true, Workload: door.Workload{Name: b.name, Result: door.Place{Doc: clients, On: b.on}}}
		setup := part(Setup)
		for i := range clients {
			step := b.edit(i)
			step.Do, step.Doc = door.Edit, i
			setup.Steps = append(setup.Steps, step)
			c.Listen = append(c.Listen, i)
		}
		all := func(doc int) door.Step { return door.Step{Do: door.Apply, Doc: doc, Together: true} }
		read := func(doc int) door.Step { return door.Step{Do: door.Read, Doc: doc, On: b.on} }
		setup.Steps = append(setup.Steps, all(0))
		c.Parts = []door.Part{
			setup, part(Run, all(1), read(0), read(1)), encodePart(0), parsePart(clients, b.on),
		}
		cases = append(cases, c)
	}
	return cases, nil
}
