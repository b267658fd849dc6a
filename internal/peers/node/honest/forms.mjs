// The forms in which Yjs sends what others have seen already or will see in another form.

import * as Y from 'yjs'

/** Whether a clock is that of the second half of a surrogate pair. */
function splitsPair (doc, client, clock) {
  const structs = doc.store.clients.get(client)
  const { id, content } = structs[Y.findIndexSS(structs, clock)]
  return content instanceof Y.ContentString && clock > id.clock && content.str.codePointAt(clock - id.clock - 1) > 0xffff
}

/**
 * A state vector somewhere before the end of a document, in the middle of items too, but not of surrogate pairs: a client
 * that has half of one has a replacement character, and which clients have those depends on who has sent that half to whom.
 */
function earlier (r, doc) {
  const states = Y.decodeStateVector(Y.encodeStateVector(doc))
  const some = [...states].filter(() => r.chance(70)).map(([client, end]) => {
    const clock = r.int(end)
    return [client, splitsPair(doc, client, clock) ? clock - 1 : clock]
  })
  return Y.encodeStateVector(new Map(some))
}

const update = ({ update }) => update

/** Making one up takes Yjs long. */
export const guid = 'document'

/** A document that only reads: it does not clean up formatting, which is an edit. */
export function newReader () {
  const doc = new Y.Doc({ guid })
  doc.on('afterTransaction', transaction => { transaction._needFormattingCleanup = false })
  return doc
}

/** Applies updates in one transaction. */
export function applyAll (doc, updates) {
  doc.transact(() => {
    for (const { update } of updates) Y.applyUpdate(doc, update)
  })
}

const again = {
  /** All that a client has, with what waits for something else. */
  state: (_session, { doc }) => Y.encodeStateAsUpdate(doc),
  /** What another client lacks. */
  diff: ({ r, clients }, { doc }) => Y.encodeStateAsUpdate(doc, Y.encodeStateVector(r.pick(clients).doc)),
  /** What somebody lacks who has parts of items. */
  offset: ({ r }, { doc }) => Y.encodeStateAsUpdate(doc, earlier(r, doc)),
  merge: ({ r, updates }) => Y.mergeUpdates(r.some(updates).map(update)),
  mergeDiff: ({ r, updates }, { doc }) => Y.diffUpdate(Y.mergeUpdates(r.some(updates).map(update)), earlier(r, doc)),
  v2: ({ r }, { doc }) => Y.convertUpdateFormatV2ToV1(Y.encodeStateAsUpdateV2(doc, earlier(r, doc))),
  v2Merge: ({ r, updates }) =>
    Y.convertUpdateFormatV2ToV1(Y.mergeUpdatesV2(r.some(updates).map(update).map(Y.convertUpdateFormatV1ToV2)))
}

/** Sends something once more in another form. */
export function sendAgain (session, client) {
  const form = session.r.pick(Object.keys(again))
  if (session.updates.length > 0) session.send(form, again[form](session, client))
}

/** Sends all of the session merged, in groups, in any order. */
export const merged = (r, updates) =>
  r.groups(updates, 4).map(group => ({ kind: 'yjs merge', update: Y.mergeUpdates(group.map(update)) }))

/** Sends what a document that hears of more and more has then: everything, or what is new, or parts of it; in any order. */
export function prefixes (r, updates) {
  const doc = newReader()
  const sent = []
  for (let heard = 0; heard < updates.length;) {
    const next = Math.min(updates.length, heard + 1 + r.int(12))
    const before = Y.encodeStateVector(doc)
    applyAll(doc, updates.slice(heard, next))
    heard = next
    const state = r.chance(30) ? undefined : r.chance(50) ? earlier(r, doc) : before
    sent.push({ kind: 'yjs prefix', update: Y.encodeStateAsUpdate(doc, state) })
  }
  sent.push({ kind: 'yjs state', update: Y.encodeStateAsUpdate(doc) })
  return r.shuffled(sent)
}

/** Whether JSON can carry values; it cannot carry BigInts, which undoing can bring back from another client. */
const isJSON = values => {
  try {
    JSON.stringify(values)
    return true
  } catch {
    return false
  }
}

/** Has a client write plain values as Yjs did before ContentAny: each as a text of JSON. */
export function writeJSON (transaction, client) {
  const structs = transaction.doc.store.clients.get(client) ?? []
  const before = transaction.beforeState.get(client) ?? 0
  for (const struct of structs) {
    const { content } = struct
    if (struct.id.clock >= before && content instanceof Y.ContentAny && isJSON(content.arr)) struct.content = new Y.ContentJSON(content.arr)
  }
}
