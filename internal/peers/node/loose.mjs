// Loose operations: edits that fit every document, because they name no place and no offset but arbitrary numbers,
// which wrap around at what the document holds. So a sequence of them can be made up without knowing the documents,
// and stays valid when some of it is left out.
//
// A loose operation is one of document.mjs with these differences: "on" is a number, the how-manieth of the
// document's texts (or maps, or arrays, as the operation needs); "index" counts the legal offsets, of which a text has
// none inside a surrogate pair; "length" counts them too, and ends at the last one.

import { resolve } from './document.mjs'
import * as Y from 'yjs'

/** The root types of a document that loose operations edit. */
export const roots = [{ type: 'text', name: 'text' }, { type: 'map', name: 'map' }, { type: 'array', name: 'array' }]

const kinds = {
  insertText: Y.Text,
  insertEmbed: Y.Text,
  format: Y.Text,
  deleteText: Y.Text,
  set: Y.Map,
  remove: Y.Map,
  insert: Y.Array,
  delete: Y.Array
}

/** Yields each shared type with its place: first itself, then what is nested in it. Keys are in UTF-16 order. */
function * walk (place, shared) {
  yield { place, shared }
  let children = []
  if (shared instanceof Y.Map) children = Array.from(shared.keys()).sort().map(key => [key, shared.get(key)])
  if (shared instanceof Y.Array) children = shared.toArray().entries()
  for (const [step, child] of children) {
    if (child instanceof Y.AbstractType) yield * walk({ ...place, path: [...place.path ?? [], step] }, child)
  }
}

/** Returns the legal offsets of a text or an array. */
function offsets (shared) {
  if (shared instanceof Y.Array) return Array.from({ length: shared.length + 1 }, (_, index) => index)
  const found = [0]
  let end = 0
  for (const { insert } of shared.toDelta()) {
    for (const piece of typeof insert === 'string' ? insert : [insert]) {
      end += typeof piece === 'string' ? piece.length : 1
      found.push(end)
    }
  }
  return found
}

/** Turns a loose operation into one that fits the document, or null if nothing is left of it. */
export function fit (doc, { on, ...op }) {
  const candidates = roots.flatMap(root => [...walk(root, resolve(doc, root))])
    .filter(({ shared }) => shared instanceof kinds[op.op])
  const { place, shared } = candidates[on % candidates.length]
  if (shared instanceof Y.Map) return { ...op, on: place }
  const legal = offsets(shared)
  const start = op.index % legal.length
  if (op.length === undefined) return { ...op, on: place, index: legal[start] }
  const end = Math.min(start + op.length, legal.length - 1)
  return start === end ? null : { ...op, on: place, index: legal[start], length: legal[end] - legal[start] }
}
