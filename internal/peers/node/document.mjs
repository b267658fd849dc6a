// Edits and reads a Y.Doc by explicit descriptions in JSON.
//
// A place names a shared type: { "type": "text" | "map" | "array", "name": root, "path": [key or index, ...] }
// where the path, if there is one, leads from the root to a nested type.
//
// Operations, each with "on": a place:
//   { "op": "insertText", "index", "text", "attributes"? }      on a text, as are the next three
//   { "op": "insertEmbed", "index", "embed", "attributes"? }
//   { "op": "format", "index", "length", "attributes" }
//   { "op": "deleteText", "index", "length" }
//   { "op": "set", "key", "value" }                             on a map
//   { "op": "remove", "key" }                                   on a map
//   { "op": "insert", "index", "values" }                       on an array
//   { "op": "delete", "index", "length" }                       on an array
//
// Values are JSON. What JSON lacks is an object with one key that starts with a dollar sign:
//   { "$text": delta }  { "$map": { key: value } }  { "$array": [value] }      new nested types
//   { "$bytes": base64 }  { "$bigint": decimal }  { "$number": "NaN" | "Infinity" | "-Infinity" | "-0" }
//   { "$undefined": true }
// What is read as JSON or as a delta has the same form, except that nested types appear as Yjs's toJSON shows them;
// what is read as a tree has the same form throughout.

import * as Y from 'yjs'

export const fromBase64 = text => new Uint8Array(Buffer.from(text, 'base64'))
export const toBase64 = bytes => Buffer.from(bytes).toString('base64')

/** Returns the shared type at a place. */
export function resolve (doc, { type, name, path = [] }) {
  const roots = { text: () => doc.getText(name), map: () => doc.getMap(name), array: () => doc.getArray(name) }
  let found = roots[type]()
  for (const step of path) found = found.get(step)
  if (!(found instanceof Y.AbstractType)) throw new Error(`no shared type at ${JSON.stringify({ type, name, path })}`)
  return found
}

const operations = {
  insertText: (text, { index, text: inserted, attributes }) => text.insert(index, inserted, attributes),
  insertEmbed: (text, { index, embed, attributes }) => text.insertEmbed(index, decodeValue(embed), attributes ?? {}),
  format: (text, { index, length, attributes }) => text.format(index, length, attributes),
  deleteText: (text, { index, length }) => text.delete(index, length),
  set: (map, { key, value }) => map.set(key, decodeValue(value)),
  remove: (map, { key }) => map.delete(key),
  insert: (array, { index, values }) => array.insert(index, values.map(decodeValue)),
  delete: (array, { index, length }) => array.delete(index, length)
}

/** Performs an operation. */
export const perform = (doc, op) => operations[op.op](resolve(doc, op.on), op)

/** Performs the operations in one transaction. */
export function edit (doc, ops) {
  doc.transact(() => {
    for (const op of ops) perform(doc, op)
  })
}

const forms = {
  json: shared => shared.toJSON(),
  delta: text => text.toDelta(),
  tree: shared => shared
}

/** Reads a shared type: as JSON, as a delta, which only a text has, or as a tree of shared types. */
export const read = (doc, place, form = 'json') => encodeValue(forms[form](resolve(doc, place)))

const decoders = {
  $text: delta => {
    const text = new Y.Text()
    text.applyDelta(delta)
    return text
  },
  $map: entries => new Y.Map(Object.entries(entries).map(([key, value]) => [key, decodeValue(value)])),
  $array: values => Y.Array.from(values.map(decodeValue)),
  $bytes: fromBase64,
  $bigint: BigInt,
  $number: Number,
  $undefined: () => undefined
}

function decodeValue (value) {
  if (Array.isArray(value)) return value.map(decodeValue)
  if (value === null || typeof value !== 'object') return value
  const keys = Object.keys(value)
  if (keys.length === 1 && Object.hasOwn(decoders, keys[0])) return decoders[keys[0]](value[keys[0]])
  return mapValues(value, decodeValue)
}

function encodeValue (value) {
  if (value === undefined) return { $undefined: true }
  if (typeof value === 'bigint') return { $bigint: value.toString() }
  if (typeof value === 'number' && !Number.isFinite(value)) return { $number: String(value) }
  if (Object.is(value, -0)) return { $number: '-0' }
  if (value instanceof Uint8Array) return { $bytes: toBase64(value) }
  if (value instanceof Y.Text) return { $text: encodeValue(value.toDelta()) }
  if (value instanceof Y.Map) return { $map: mapValues(Object.fromEntries(value.entries()), encodeValue) }
  if (value instanceof Y.Array) return { $array: encodeValue(value.toArray()) }
  if (Array.isArray(value)) return value.map(encodeValue)
  return value !== null && typeof value === 'object' ? mapValues(value, encodeValue) : value
}

const mapValues = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]))
