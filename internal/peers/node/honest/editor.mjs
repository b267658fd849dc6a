// Edits a document at random, wherever there is something to edit.

import * as Y from 'yjs'
import * as values from './values.mjs'

/** The root types that sessions edit, by the names of kinds of tree.mjs. */
export const roots = [
  ['text', 'text'], ['text', ''], ['map', 'map'], ['array', 'array'], ['xmlFragment', 'xml'], ['xmlText', 'xmlText é😀'], ['xmlElement', 'xmlElement']
]

const openers = {
  text: (doc, name) => doc.getText(name),
  map: (doc, name) => doc.getMap(name),
  array: (doc, name) => doc.getArray(name),
  xmlFragment: (doc, name) => doc.getXmlFragment(name),
  xmlText: (doc, name) => doc.get(name, Y.XmlText),
  xmlElement: (doc, name) => doc.getXmlElement(name)
}

export const openRoots = doc => roots.map(([kind, name]) => openers[kind](doc, name))

/** How deep shared types may nest by default, and how deep those nest at most that an edit inserts, but for towers. */
const maxDepth = 128
const newDepth = 6

/** Calls visit with a shared type and with all that are nested in it, and how deep they are. */
function walk (shared, depth, visit) {
  visit(shared, depth)
  const enter = item => {
    if (!item.deleted && item.content instanceof Y.ContentType) walk(item.content.type, depth + 1, visit)
  }
  for (let item = shared._start; item !== null; item = item.right) enter(item)
  shared._map.forEach(enter)
}

/** The root types and everything nested in them, but for what is too deep to put more into it. */
function everything (doc) {
  const found = []
  for (const root of openRoots(doc)) {
    walk(root, 0, (shared, depth) => {
      if (depth + newDepth <= maxDepth) found.push({ shared, depth })
    })
  }
  return found
}

const range = (r, shared) => {
  const start = r.int(shared.length)
  return [start, 1 + r.int(Math.min(shared.length - start, r.pick([1, 3, 20])))]
}

/** Whether an offset into a text is in the middle of a surrogate pair. */
function splitsPair (text, offset) {
  for (let item = text._start; item !== null && offset > 0; item = item.right) {
    if (item.deleted || !item.countable) continue
    if (offset < item.length) return item.content instanceof Y.ContentString && item.content.str.codePointAt(offset - 1) > 0xffff
    offset -= item.length
  }
  return false
}

/** A range of a text that splits no surrogate pairs. */
function wholeRange (r, text) {
  const [start, length] = range(r, text)
  const from = splitsPair(text, start) ? start - 1 : start
  const to = splitsPair(text, start + length) ? start + length + 1 : start + length
  return [from, to - from]
}

// With the option exotic, offsets may fall into the middle of a surrogate pair; Yjs then makes two replacement characters of
// it. Not so where a range is formatted: if that changes nothing, Yjs splits the pair all the same, but tells nobody.
function editText (r, text, options) {
  const anywhere = r.int(text.length + 1)
  const at = !options.exotic && splitsPair(text, anywhere) ? anywhere - 1 : anywhere
  const deleted = options.exotic ? range : wholeRange
  const attributes = r.chance(30) ? values.formatting(r, options) : undefined
  const kind = text.length === 0 ? r.int(50) : r.int(100)
  if (kind < 35) text.insert(at, values.text(r), attributes)
  else if (kind < 41) text.insertEmbed(at, values.embed(r, options), attributes)
  else if (kind < 46) text.insertEmbed(at, values.shared(r, options, 1), attributes)
  else if (kind < 50) text.setAttribute(values.key(r), values.value(r, options))
  else if (kind < 52) text.removeAttribute(values.key(r))
  else if (kind < 72) text.format(...wholeRange(r, text), values.formatting(r, options))
  else if (kind < 92) text.delete(...deleted(r, text))
  else {
    const [start, length] = deleted(r, text)
    text.applyDelta([{ retain: start }, { delete: length }, { insert: values.text(r), attributes }, { insert: values.embed(r, options) }])
  }
}

function editMap (r, map, options, depth) {
  const kind = r.int(100)
  if (kind < 50) map.set(values.key(r), values.value(r, options))
  else if (kind < 70) map.set(values.key(r), values.shared(r, options))
  else if (kind < 75) map.set(values.key(r), values.subdocument(r, options))
  else if (kind < 76) map.set('tower', values.tower(Math.min(r.pick([5, 60, maxDepth]), maxDepth - depth)))
  else if (kind < 97) map.delete(values.key(r))
  else map.clear()
}

function editArray (r, array, options) {
  const at = r.int(array.length + 1)
  const kind = array.length === 0 ? r.int(70) : r.int(100)
  if (kind < 40) array.insert(at, r.times(1 + r.int(4), () => values.element(r, options)))
  else if (kind < 65) array.insert(at, [values.element(r, options), values.shared(r, options), new Uint8Array([r.int(256)])])
  else if (kind < 70) array.insert(at, [values.subdocument(r, options)])
  else array.delete(...range(r, array))
}

function editXml (r, node, options) {
  const kind = node.length === 0 ? r.int(75) : r.int(100)
  if (kind < 40 || !(node instanceof Y.XmlElement)) {
    if (kind < 75) node.insert(r.int(node.length + 1), r.times(1 + r.int(2), () => values.xml(r, 2)))
    else node.delete(...range(r, node))
  } else if (kind < 60) node.setAttribute(values.key(r), values.text(r))
  else if (kind < 65) node.setAttribute(values.key(r), values.value(r, { ...options, json: true }))
  else if (kind < 75) node.removeAttribute(values.key(r))
  else if (kind < 80) node.insertAfter(node.get(r.int(node.length)), [values.xml(r, 1)])
  else node.delete(...range(r, node))
}

/** Edits something. The options say which values may be written. */
export function edit (r, doc, options) {
  const { shared, depth } = r.pick(everything(doc))
  if (shared instanceof Y.Text) editText(r, shared, options)
  else if (shared instanceof Y.Map) editMap(r, shared, options, depth)
  else if (shared instanceof Y.Array) editArray(r, shared, options)
  else editXml(r, shared, options)
}
