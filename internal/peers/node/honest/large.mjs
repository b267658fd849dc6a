// Documents that are large, but that honest programs make. Each is a list of the updates that make it up.

import * as Y from 'yjs'
import { guid } from './forms.mjs'

const many = (n, make) => Array.from({ length: n }, (_, i) => make(i))

/** What a document sends when one client edits it so many times. */
function edited (n, edit, clientID = 0xdecade00) {
  const doc = new Y.Doc({ guid })
  doc.clientID = clientID
  const updates = []
  doc.on('update', update => updates.push(update))
  for (let i = 0; i < n; i++) doc.transact(() => edit(doc, i))
  return updates
}

/** What so many clients send who have not heard of each other. */
const alone = (n, edit) => many(n, i => edited(1, doc => edit(doc, i), Math.floor(i * 0x9e3779b1 % 2 ** 32))[0])

const insert = (make, n = 5000) => doc => doc.getArray('array').insert(0, many(n, make))

/** Cases by name. */
export const cases = {
  'empty maps': () => edited(1, insert(() => new Y.Map())),
  'empty maps of a client with a small id': () => edited(1, insert(() => new Y.Map(), 6_000), 1),
  'empty arrays in each other': () => edited(1, insert(() => Y.Array.from([new Y.Array()]))),
  'empty objects': () => edited(1, insert(() => ({}), 15_000)),
  'a list of empty objects': () => edited(1, doc => doc.getMap('map').set('k', many(15_000, () => ({})))),
  'empty lists': () => edited(1, insert(() => [], 15_000)),
  'empty paragraphs': () => edited(1, doc => doc.getXmlFragment('xml').insert(0, many(5000, () => new Y.XmlElement('p')))),
  subdocuments: () => edited(1, insert(i => new Y.Doc({ guid: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}` }), 1000)),
  'a table': () => edited(1, insert(i => new Y.Map(many(6, column => [`column ${column}`, i])), 5000)),
  'a map of many keys': () => edited(1, doc => many(5000, i => doc.getMap('map').set(`key ${i}`, i))),
  'the same key by many clients': () => alone(500, (doc, i) => doc.getMap('map').set('version', i)),
  'the same key time and again': () => edited(2000, (doc, i) => doc.getMap('map').set('cursor', i)),
  'the beginning of a text by many clients': () => alone(500, (doc, i) => doc.getText('text').insert(0, `template ${i}`)),
  'the beginning of a text time and again': () => edited(2000, (doc, i) => doc.getText('text').insert(0, String(i % 10))),
  'a list filled by many clients': () => alone(500, (doc, i) => doc.getArray('array').insert(0, [i, new Y.Map([['by', i]])])),
  'every second character deleted': () => edited(2, (doc, i) => {
    if (i === 0) doc.getText('text').insert(0, 'ab'.repeat(2000))
    else for (let at = 0; at < 2000; at++) doc.getText('text').delete(at, 1)
  }),
  'every word formatted': () => edited(2, (doc, i) => {
    if (i === 0) doc.getText('text').insert(0, 'word '.repeat(2000))
    else for (let at = 0; at < 10_000; at += 5) doc.getText('text').format(at, 4, { bold: true })
  }),
  'a long text': () => edited(1, doc => doc.getText('text').insert(0, 'text 😀 '.repeat(200_000))),
  'a large file': () => edited(1, doc => doc.getMap('map').set('file', new Uint8Array(2_000_000))),
  'a large value': () => edited(1, doc => doc.getMap('map').set('rows', many(5000, i => ({ i, name: `row ${i}`, tags: [] }))))
}
