package peers

// Place names a shared type of a document: a root type, or one nested in it.
type Place struct {
	Type string `json:"type"` // "text", "map" or "array": the type of the root
	Name string `json:"name"`
	Path []any  `json:"path,omitempty"` // keys and indexes that lead from the root to a nested type
}

// Text is the root text of that name.
func Text(name string) Place { return Place{Type: "text", Name: name} }

// Map is the root map of that name.
func Map(name string) Place { return Place{Type: "map", Name: name} }

// Array is the root array of that name.
func Array(name string) Place { return Place{Type: "array", Name: name} }

// At is the shared type that the path of keys and indexes leads to.
func (p Place) At(path ...any) Place {
	return Place{Type: p.Type, Name: p.Name, Path: append(append([]any(nil), p.Path...), path...)}
}

// Op is an edit of a Yjs document. Offsets in a text are UTF-16 code units. Values are JSON;
// node/document.mjs says how to write what JSON lacks.
type Op map[string]any

func (p Place) op(name string, arguments Op) Op {
	arguments["op"], arguments["on"] = name, p
	return arguments
}

// InsertText inserts into a text. Attributes may be nil, and the formatting around is taken over.
func (p Place) InsertText(index int, text string, attributes map[string]any) Op {
	arguments := Op{"index": index, "text": text}
	if attributes != nil {
		arguments["attributes"] = attributes
	}
	return p.op("insertText", arguments)
}

// InsertEmbed inserts an object into a text, where it counts as one character.
func (p Place) InsertEmbed(index int, embed any) Op {
	return p.op("insertEmbed", Op{"index": index, "embed": embed})
}

// Format sets attributes of a part of a text; a nil value takes one away.
func (p Place) Format(index, length int, attributes map[string]any) Op {
	return p.op("format", Op{"index": index, "length": length, "attributes": attributes})
}

// DeleteText deletes a part of a text.
func (p Place) DeleteText(index, length int) Op {
	return p.op("deleteText", Op{"index": index, "length": length})
}

// Set sets an entry of a map.
func (p Place) Set(key string, value any) Op {
	return p.op("set", Op{"key": key, "value": value})
}

// Remove removes an entry of a map.
func (p Place) Remove(key string) Op {
	return p.op("remove", Op{"key": key})
}

// Insert inserts values into an array.
func (p Place) Insert(index int, values ...any) Op {
	return p.op("insert", Op{"index": index, "values": values})
}

// Delete deletes entries of an array.
func (p Place) Delete(index, length int) Op {
	return p.op("delete", Op{"index": index, "length": length})
}

// NewText, NewMap and NewArray are values that become nested shared types.
func NewText(text string) any { return map[string]any{"$text": []any{map[string]any{"insert": text}}} }

// NewMap is a value that becomes a nested map.
func NewMap(entries map[string]any) any { return map[string]any{"$map": entries} }

// NewArray is a value that becomes a nested array.
func NewArray(values ...any) any { return map[string]any{"$array": values} }
