// Documents as JSON, with everything that is in them, so that two can be compared.

import * as Y from 'yjs'
import { openRoots, roots } from './editor.mjs'

const sorted = entries => Object.fromEntries(entries.sort(([a], [b]) => a < b ? -1 : 1))

// yrs holds a number as an integer or a float, so it forgets the sign of zero and that a number which a float can hold
// was a BigInt; and it has no half of a surrogate pair, which update v1 can carry in JSON only. So all of that is the same.
const scalars = {
  undefined: () => ({ $undefined: true }),
  bigint: n => BigInt(Number(n)) === n || n === 2n ** 63n - 1n ? Number(n) : { $bigint: String(n) },
  number: n => Number.isFinite(n) ? n + 0 : { $number: String(n) },
  string: text => text.toWellFormed(),
  boolean: flag => flag
}

class Reader {
  /** Without xml, what the Go package cannot look into is left out. */
  constructor (xml) {
    this.xml = xml
  }

  value (value) {
    if (value === null) return null
    if (typeof value !== 'object') return scalars[typeof value](value)
    if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') }
    if (value instanceof Y.Doc) return { $doc: value.guid, ...this.xml && { options: this.value({ gc: value.gc, autoLoad: value.autoLoad }) } }
    if (value instanceof Y.AbstractType) return this.shared(value)
    if (Array.isArray(value)) return value.map(inner => this.value(inner))
    return this.object(value)
  }

  object (object) {
    return sorted(Object.entries(object).map(([key, value]) => [scalars.string(key), this.value(value)]))
  }

  shared (shared) {
    if (shared instanceof Y.XmlText || shared instanceof Y.XmlFragment) return this.xml ? this.node(shared) : { $opaque: true }
    if (shared instanceof Y.Text) return { $text: this.delta(shared), ...this.xml && { attributes: this.object(shared.getAttributes()) } }
    if (shared instanceof Y.Map) return { $map: sorted([...shared.entries()].map(([key, value]) => [key, this.value(value)])) }
    return { $array: shared.toArray().map(value => this.value(value)) }
  }

  node (node) {
    const children = node instanceof Y.XmlText ? this.delta(node) : node.toArray().map(child => this.node(child))
    const attributes = node instanceof Y.XmlFragment && !(node instanceof Y.XmlElement) ? {} : this.object(node.getAttributes())
    return { $xml: node.nodeName ?? node.constructor.name, attributes, children }
  }

  /** Where a stretch of text is split depends on formatting that has no effect: neighbours of equal formatting are joined. */
  delta (text) {
    const joined = []
    let last = ''
    for (const { insert, attributes = {} } of text.toDelta()) {
      const formatting = this.object(attributes)
      const same = JSON.stringify(formatting)
      if (typeof insert === 'string' && last === same && typeof joined.at(-1)?.insert === 'string') {
        joined.at(-1).insert += scalars.string(insert)
      } else {
        joined.push({ insert: this.value(insert), ...same !== '{}' && { attributes: formatting } })
      }
      last = same
    }
    return joined
  }
}

/** All of a document, and its XML as text. */
export function tree (doc) {
  const reader = new Reader(true)
  const shared = openRoots(doc)
  const texts = shared.filter(root => root instanceof Y.XmlFragment || root instanceof Y.XmlText)
  return JSON.stringify([...shared.map(root => reader.shared(root)), ...texts.map(root => root.toString().toWellFormed())])
}

/** What the Go package reads: the texts, maps and arrays of the root. */
export function plainTree (doc) {
  const reader = new Reader(false)
  return JSON.stringify(openRoots(doc).filter((_, i) => !roots[i][0].startsWith('xml')).map(root => reader.shared(root)))
}

/** Tells where two trees differ. */
export function difference (got, want) {
  let at = 0
  while (at < want.length && got[at] === want[at]) at++
  const near = tree => JSON.stringify(tree.slice(Math.max(0, at - 100), at + 100))
  return `it reads\n${near(got)}\nnot\n${near(want)}\nat ${at}`
}
