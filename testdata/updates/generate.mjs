// Writes yjs-<version>/<case>.json: updates as Yjs sends them, and what a document that has all of them holds.
// Run it again with
//
//	npm ci --prefix internal/peers/node && node testdata/updates/generate.mjs
//
// Everything in it is deterministic: the same version of Yjs writes the same files.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const peers = new URL('../../internal/peers/node/', import.meta.url)
const Y = createRequire(peers)('yjs')
const { version } = JSON.parse(readFileSync(new URL('node_modules/yjs/package.json', peers)))
const folder = new URL(`yjs-${version}/`, import.meta.url)

// A replica that keeps every update it makes itself.
class Replica extends Y.Doc {
  constructor (clientID, options) {
    super({ guid: `guid-${clientID}`, ...options })
    this.clientID = clientID
    this.sent = []
    this.on('update', (update, origin) => { if (origin !== 'remote') this.sent.push(update) })
  }

  receive (...updates) {
    for (const update of updates) Y.applyUpdate(this, update, 'remote')
    return this
  }
}

// What the root types of a document hold, in the JSON of MarshalJSON.
const contents = (doc, roots) => Object.fromEntries(roots.map(root => {
  const [kind, name] = [root.slice(0, root.indexOf(':')), root.slice(root.indexOf(':') + 1)]
  switch (kind) {
    case 'text': return [root, { text: doc.getText(name).toString(), delta: doc.getText(name).toDelta() }]
    case 'map': return [root, doc.getMap(name).toJSON()]
    case 'array': return [root, doc.getArray(name).toJSON()]
  }
  throw new Error(`no such kind: ${root}`)
}))

// JSON as Go writes it: bytes in base64; what JSON has no number for as null; bigints as digits.
const stringify = value => JSON.stringify(value, (_, member) => {
  if (member instanceof Uint8Array) return Buffer.from(member).toString('base64')
  if (typeof member === 'bigint') return `bigint ${member}`
  return member
}, 1).replaceAll(/"bigint (-?\d+)"/g, '$1')

// Writes a case: its updates, and the roots to compare with, such as "text:content".
const golden = (name, roots, updates, { refused } = {}) => {
  const doc = new Replica(99).receive(...updates)
  const file = { updates: updates.map(update => Buffer.from(update).toString('base64')), contents: contents(doc, roots), refused }
  writeFileSync(new URL(`${name}.json`, folder), stringify(file) + '\n')
}

// A generator of numbers below n from a seed (mulberry32).
const random = seed => n => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) % n
}

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder)

{
  const a = new Replica(1)
  const b = new Replica(2)
  a.getText('content').insert(0, 'hello 😀 world')
  b.receive(...a.sent)
  a.getText('content').insert(6, 'big ')
  b.getText('content').insert(8, '!\u0000')
  b.getText('content').delete(0, 1)
  a.receive(...b.sent)
  a.getText('content').delete(3, 5)
  a.getText('').insert(0, 'a root without a name')
  golden('text', ['text:content', 'text:'], [...a.sent, ...b.sent])
}

{
  // Cutting an emoji in half leaves a replacement character on either side.
  const doc = new Replica(1)
  doc.getText('content').insert(0, 'a😀b')
  doc.getText('content').insert(2, '|')
  doc.getText('content').insert(0, '\ud83d')
  golden('surrogates', ['text:content'], doc.sent)
}

{
  const a = new Replica(1)
  const b = new Replica(2)
  const text = a.getText('content')
  text.insert(0, 'formatted text here', { bold: true })
  text.format(3, 9, { italic: {}, size: 12.5, list: [1, null, 'x'], gone: true })
  b.receive(...a.sent)
  a.transact(() => {
    text.format(5, 3, { bold: null, gone: null })
    text.insertEmbed(4, { image: 'url', wide: 10, nested: [{}] }, { width: 1 })
    text.applyDelta([{ retain: 2 }, { insert: 'x' }, { delete: 3 }, { retain: 1, attributes: { '': 'empty' } }])
  })
  b.getText('content').format(0, 12, { bold: null, color: 'red' })
  b.getText('content').insertEmbed(0, 7)
  b.receive(...a.sent)
  b.getText('content').removeAttribute('none')
  b.getText('content').setAttribute('lang', 'en')
  golden('formatting', ['text:content'], [...a.sent, ...b.sent])
}

const values = {
  null: null, undefined, true: true, false: false, zero: 0, int: 7, negative: -3, '2^31-1': 2 ** 31 - 1, '2^31': 2 ** 31,
  '-2^31': -(2 ** 31), '2^40+1': 2 ** 40 + 1, '2^53-1': 2 ** 53 - 1, '2^53': 2 ** 53, '2^63': 2 ** 63, '1e300': 1e300, half: 0.5, tenth: 0.1,
  NaN, Infinity, '-Infinity': -Infinity, tiny: 5e-324, '': 'empty key', 'k\u0000': '\u0000', '😀': 'é😀', string: 'x'.repeat(300),
  bytes: new Uint8Array([0, 1, 255]), 'no bytes': new Uint8Array(), list: [1, 'x', null, undefined, [[]], { a: { b: [] } }], object: { '': undefined, k: [0.5] }
}

{
  const a = new Replica(1)
  const b = new Replica(2)
  const map = a.getMap('map')
  for (const [key, value] of Object.entries(values)) map.set(key, value)
  map.set('overwritten', 1)
  map.set('overwritten', 2)
  map.set('deleted', 1)
  map.delete('deleted')
  b.receive(...a.sent)
  a.getMap('map').set('raced', 'a')
  b.getMap('map').set('raced', 'b')
  b.getMap('map').delete('int')
  golden('map', ['map:map'], [...a.sent, ...b.sent])
}

{
  const doc = new Replica(1)
  doc.getMap('map').set('large', 2n ** 53n + 1n)
  doc.getMap('map').set('negative', -(2n ** 60n) - 1n)
  golden('bigint', ['map:map'], doc.sent)
}

{
  const a = new Replica(1)
  const b = new Replica(2)
  a.getArray('array').insert(0, Object.values(values).filter(value => value !== undefined))
  a.getArray('array').push(['x', new Y.Map([['k', 1]]), 'y', new Y.Text('nested'), new Uint8Array([1]), new Y.Array()])
  b.receive(...a.sent)
  a.getArray('array').delete(3, 10)
  b.getArray('array').insert(5, [1, 2, 3])
  b.getArray('array').unshift([new Y.Array(), 0])
  golden('array', ['array:array'], [...a.sent, ...b.sent])
}

{
  const a = new Replica(1)
  const b = new Replica(2)
  const inner = new Y.Map()
  a.getMap('root').set('inner', inner)
  inner.set('list', new Y.Array())
  inner.get('list').push([new Y.Text('deep'), new Y.Map()])
  inner.get('list').get(1).set('k', new Y.Array())
  a.getText('text').insertEmbed(0, new Y.Map([['in', 'text']]))
  b.receive(...a.sent)
  const list = b.getMap('root').get('inner').get('list')
  list.get(0).insert(4, 'er', { bold: true })
  list.get(1).get('k').push([1, 2])
  b.getText('text').toDelta()[0].insert.set('more', new Y.Text('x'))
  golden('nested', ['map:root'], [...a.sent, ...b.sent])
}

{
  const a = new Replica(1)
  const b = new Replica(2)
  const fragment = a.getXmlFragment('xml')
  const element = new Y.XmlElement('div')
  element.setAttribute('class', 'x')
  element.setAttribute('n', 7)
  fragment.insert(0, [element, new Y.XmlText('plain')])
  element.insert(0, [new Y.XmlText(), new Y.XmlElement('br')])
  element.get(0).applyDelta([{ insert: 'rich', attributes: { b: {} } }, { insert: 'er' }])
  element.get(0).setAttribute('lang', 'en')
  b.receive(...a.sent)
  b.getXmlFragment('xml').get(0).removeAttribute('class')
  b.getXmlFragment('xml').get(0).insert(1, [new Y.XmlElement('p')])
  b.getXmlFragment('xml').delete(1, 1)
  b.getMap('map').set('fragment', new Y.XmlFragment())
  golden('xml', [], [...a.sent, ...b.sent])
}

{
  const doc = new Replica(1)
  doc.getMap('map').set('plain', new Y.Doc({ guid: 'sub-1' }))
  doc.getMap('map').set('options', new Y.Doc({ guid: 'sub-2', gc: false, autoLoad: true, meta: { a: [1, 'x'] }, collectionid: 'c' }))
  doc.getArray('array').push([new Y.Doc({ guid: 'sub-3' })])
  doc.getMap('map').delete('plain')
  golden('subdocuments', [], doc.sent)
}

// Deletions of everything, with and without garbage collection.
for (const gc of [true, false]) {
  const a = new Replica(1, { gc })
  const b = new Replica(2, { gc })
  a.getText('text').insert(0, 'some text')
  a.getMap('map').set('tree', new Y.Map([['a', new Y.Array()], ['b', new Y.Text('gone')]]))
  a.getMap('map').get('tree').get('a').push([1, new Y.Map([['deep', 1]]), 2])
  a.getArray('array').push([1, 2, 3, 4])
  b.receive(...a.sent)
  b.getMap('map').get('tree').get('b').insert(0, 'late ')
  a.getText('text').delete(2, 4)
  a.getMap('map').delete('tree')
  a.getArray('array').delete(1, 2)
  a.receive(...b.sent)
  const roots = ['text:text', 'map:map', 'array:array']
  const name = gc ? 'deleted' : 'deleted-without-gc'
  golden(name, roots, [...a.sent, ...b.sent])
  golden(`${name}-state`, roots, [Y.encodeStateAsUpdate(a)])
  golden(`${name}-diff`, roots, [a.sent[0], Y.diffUpdate(Y.encodeStateAsUpdate(a), Y.encodeStateVectorFromUpdate(a.sent[0]))])
}

{
  // Merged updates with gaps hold Skips; the rest fills them.
  const a = new Replica(1)
  const b = new Replica(2)
  for (let i = 0; i < 10; i++) {
    a.getText('text').insert(i % 4, `${i}`)
    b.getArray('array').push([i])
    a.getMap('map').set('k', i)
  }
  const odd = [...a.sent, ...b.sent].filter((_, i) => i % 2)
  const even = [...a.sent, ...b.sent].filter((_, i) => i % 2 === 0)
  const roots = ['text:text', 'map:map', 'array:array']
  golden('gaps', roots, [Y.mergeUpdates(odd), Y.mergeUpdates(even)])
  golden('merged', roots, [Y.mergeUpdates([Y.mergeUpdates(odd), Y.mergeUpdates(even)])])
  golden('merged-v2', roots, [Y.convertUpdateFormatV2ToV1(Y.mergeUpdatesV2([...odd, ...even].map(Y.convertUpdateFormatV1ToV2)))])
  golden('delete-before-insert', roots, [...a.sent.toReversed(), ...b.sent.toReversed()])
}

{
  const doc = new Replica(1)
  const text = doc.getText('text')
  const undo = new Y.UndoManager([text, doc.getMap('map')], { captureTimeout: 0 })
  text.insert(0, 'one')
  text.insert(3, ' two', { bold: true })
  doc.getMap('map').set('k', new Y.Text('nested'))
  undo.undo()
  undo.undo()
  undo.redo()
  text.delete(0, 2)
  undo.undo()
  undo.destroy()
  golden('undo', ['text:text', 'map:map'], doc.sent)
}

{
  const doc = new Replica(2 ** 53 - 1)
  const small = new Replica(0)
  doc.getText('text').insert(0, 'large')
  small.receive(...doc.sent)
  small.getText('text').insert(5, ' small')
  golden('client-ids', ['text:text'], [...doc.sent, ...small.sent])
}

{
  // Three replicas edit at random and hear of each other now and then.
  const pick = random(1)
  const replicas = [new Replica(11), new Replica(12), new Replica(13)]
  const edits = [
    doc => doc.getText('text').insert(pick(doc.getText('text').length + 1), ['x', 'é', '😀', 'word '][pick(4)]),
    doc => doc.getText('text').format(0, doc.getText('text').length, { [`f${pick(2)}`]: pick(2) || null }),
    doc => doc.getText('text').delete(0, pick(doc.getText('text').length + 1) >> 2),
    doc => doc.getMap('map').set(`k${pick(4)}`, [pick(9), `${pick(9)}`, null, new Y.Array()][pick(4)]),
    doc => doc.getMap('map').delete(`k${pick(4)}`),
    doc => doc.getArray('array').insert(pick(doc.getArray('array').length + 1), [pick(9), new Y.Text('t')]),
    doc => doc.getArray('array').delete(0, Math.min(pick(3), doc.getArray('array').length)),
    doc => { const k = doc.getMap('map').get(`k${pick(4)}`); if (k instanceof Y.Array) k.push([pick(9)]) }
  ]
  for (let i = 0; i < 300; i++) {
    const doc = replicas[pick(3)]
    edits[pick(edits.length)](doc)
    if (pick(5) === 0) doc.receive(Y.encodeStateAsUpdate(replicas[pick(3)], Y.encodeStateVector(doc)))
  }
  golden('random', ['text:text', 'map:map', 'array:array'], replicas.flatMap(doc => doc.sent))
}

// Values as versions before 13 wrote them.
{
  const doc = new Replica(1)
  const array = doc.getArray('array')
  doc.transact(transaction => {
    const content = new Y.ContentJSON([1, { a: 'x' }, undefined, null, 'é😀', [true, -1.5]])
    new Y.Item(Y.createID(1, 0), null, null, null, null, array, null, content).integrate(transaction, 0)
  })
  golden('legacy-json', ['array:array'], doc.sent)
}

// What Yjs accepts and this version refuses.
{
  const doc = new Replica(1)
  doc.getXmlFragment('xml').insert(0, [new Y.XmlHook('hook')])
  golden('xml-hook', [], doc.sent, { refused: 'XmlHook is not supported' })
}
