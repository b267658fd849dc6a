// What sessions write: values of every kind that Yjs takes, and keys and attributes of which there are few, so that
// clients meet.

import * as Y from 'yjs'

const pieces = [
  'a', 'b', ' ', '\n', 'the', 'word', '0123456789', '\x00', '"', '\\', '<', '&', 'é', 'ß', '漢字', '\u2028', '\ufffd', 'e\u0301',
  '😀', '𝄞', '𠮷', '👩‍👩‍👧', '🇩🇪', '\u{10ffff}'
]
/** Half of a surrogate pair. Wherever it does not travel as JSON it becomes a replacement character on the way. */
const half = 'half \ud83d'
const keys = ['', 'a', 'b', 'c', 'é', '😀', 'key with spaces', 'a'.repeat(130)]
const tags = ['p', 'h1', 'UL', 'li', 'ns:tag', 'é']
const attributes = {
  bold: [true, null],
  italic: [true, {}, null],
  color: ['red', 'blue', '😀', null],
  size: [1, 2.5, 1e21, -0, null],
  link: [{ href: 'https://example.org/' }, { deep: [{ deep: [null, 1.5, 'x'] }] }, null],
  'é"': ['value', null]
}
const numbers = [
  0, 1, -1, 63, 64, -64, 127, 128, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53 - 1, -(2 ** 53) + 1, 2 ** 53, 1e21,
  0.5, -0.1, 0.1 + 0.2, Math.PI, 1e300, 5e-324, 1.7976931348623157e308, -0
]
const notJSON = [
  undefined, NaN, Infinity, -Infinity, 7n, -7n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), new Uint8Array(0), new Uint8Array([0, 1, 254, 255])
]
const plain = [null, true, false, '', 'text', '\x00', 'é漢😀', 'x'.repeat(300), [], {}]

export const text = r => r.chance(3) ? r.pick(pieces).repeat(200) : r.times(1 + r.int(5), () => r.pick(pieces)).join('')
export const key = r => r.pick(keys)
export const tag = r => r.pick(tags)

export function formatting (r, { exotic }) {
  const names = r.times(1 + r.int(2), () => r.pick(Object.keys(attributes)))
  return Object.fromEntries(names.map(name => [name, exotic && r.chance(5) ? half : r.pick(attributes[name])]))
}

const float = r => {
  const floats = new Float64Array(1)
  new Uint32Array(floats.buffer).set([r.bits(), r.bits()])
  return Number.isFinite(floats[0]) ? floats[0] : r.bits() / 7
}

function scalar (r, { json, exotic }) {
  if (exotic && r.chance(3)) return half
  if (r.chance(15)) return r.chance(50) && (exotic || !json) ? float(r) : r.int(1e6) / 1000
  return r.pick(r.pick(json ? [plain, numbers] : [plain, numbers, notJSON]))
}

/**
 * A plain value. With the option json it is one that JSON can carry. Only with exotic there are halves of surrogate pairs, and
 * numbers of many digits in JSON.
 */
export function value (r, options, depth = 3) {
  if (depth === 3 && r.chance(1)) return deep(r)
  const inner = () => value(r, options, depth - 1)
  switch (depth > 0 ? r.int(8) : 7) {
    case 0: return r.times(r.int(4), inner)
    case 1: return Object.fromEntries(r.times(r.int(4), () => [key(r), inner()]))
    default: return scalar(r, options)
  }
}

/** Lists and objects in each other, as deep as a document takes by default. */
function deep (r) {
  let nested = scalar(r, { json: true })
  for (let levels = r.pick([10, 62]); levels > 0; levels--) nested = r.chance(50) ? [nested] : { nested }
  return nested
}

/** What an array takes: it refuses undefined and BigInts. */
export function element (r, options) {
  const made = value(r, options)
  return made === undefined || typeof made === 'bigint' ? null : made
}

/** What a text embeds besides shared types: objects, which travel as JSON. */
export const embed = (r, options) => ({ [key(r)]: value(r, { ...options, json: true }), image: text(r) })

export const subdocument = (r, options) => new Y.Doc({
  guid: `subdocument ${r.bits()}`,
  gc: r.chance(70),
  autoLoad: r.chance(30),
  meta: r.chance(30) ? value(r, options) : null
})

/** A new shared type of any kind, with content, at most so many levels deep. */
export function shared (r, options, levels = 3) {
  const inner = () => levels > 0 && r.chance(40) ? shared(r, options, levels - 1) : element(r, options)
  switch (r.int(7)) {
    case 0: return new Y.Text(text(r))
    case 1: {
      const rich = new Y.Text()
      rich.applyDelta([{ insert: text(r), attributes: formatting(r, options) }, { insert: embed(r, options) }, { insert: text(r) }])
      return rich
    }
    case 2: return new Y.Map(r.times(r.int(4), () => [key(r), inner()]))
    case 3: return Y.Array.from(r.times(r.int(4), inner))
    case 4: {
      const fragment = new Y.XmlFragment()
      fragment.insert(0, r.times(r.int(2), () => xml(r, levels - 1)))
      return fragment
    }
    default: return xml(r, levels)
  }
}

/** A new XML element or text. */
export function xml (r, levels) {
  if (levels <= 0 || r.chance(60)) {
    const node = new Y.XmlText(text(r))
    if (r.chance(30)) node.setAttribute(key(r), text(r))
    return node
  }
  const node = new Y.XmlElement(tag(r))
  for (let n = r.int(3); n > 0; n--) node.setAttribute(key(r), text(r))
  node.insert(0, r.times(r.pick([0, 1, 1, 2]), () => xml(r, levels - 1)))
  return node
}

/** A new map with maps in it, so many levels deep. */
export function tower (levels) {
  let nested = new Y.Map([['top', true]])
  for (; levels > 1; levels--) nested = new Y.Map([['deeper', nested]])
  return nested
}
