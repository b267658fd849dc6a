// Makes up sessions of Yjs clients and tells whether another implementation has come out with the same.
//
// Everything follows from seeds. Sessions are frames (frames.mjs) in base64; a request holds many, so that what is
// between the processes does not count.
//
//   make     { seed, count }     sessions of consecutive seeds
//                                -> { frames }
//   finish   { frames, key }     has Yjs clients add to the sessions; keeps what they hold in the end under the key
//                                -> { frames, contents } with what is added, and for each session
//                                   more ways to send all of it, what it holds as JSON, and its state vector;
//                                   contents counts what the updates of all sessions have in them
//   large    { key }             documents that are large -> { frames, names } with frames as those of finish
//   verify   { key, frames }     compares documents that apply updates to the sessions of that key: lists of the number
//                                of a session and its updates -> a list of what is wrong with each, or ""
//   forget   { key }

import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { applyAll, merged, newReader, prefixes } from './honest/forms.mjs'
import * as frames from './honest/frames.mjs'
import { cases } from './honest/large.mjs'
import { Random } from './honest/random.mjs'
import { continueSession, makeSession } from './honest/session.mjs'
import { difference, plainTree, tree } from './honest/tree.mjs'
import { serve } from './lines.mjs'

const finished = new Map()

/** Counts what is in an update, by the names that Yjs has for it. */
function count (contents, update) {
  const add = name => { contents[name] = (contents[name] ?? 0) + 1 }
  const { structs, ds } = Y.decodeUpdate(update)
  for (const struct of structs) {
    if (!(struct instanceof Y.Item)) add(struct.constructor.name)
    else if (struct.content instanceof Y.ContentType) add(struct.content.type.constructor.name)
    else add(struct.content.constructor.name)
    if (struct.id.client >= 2 ** 32) add('client of 53 bits')
  }
  if (ds.clients.size > 0) add('DeleteSet')
}

function loaded (updates) {
  const doc = newReader()
  applyAll(doc, updates)
  return doc
}

const isPending = ({ store: { pendingStructs, pendingDs } }) => pendingStructs !== null || pendingDs !== null

function make ({ seed, count }) {
  const sessions = Array.from({ length: count }, (_, i) => makeSession(seed + i))
  return { frames: frames.encode(encoder => frames.writeList(encoder, sessions, frames.writeSession)) }
}

function finishSession (session, contents) {
  const r = new Random(~session.seed)
  const added = continueSession(session)
  const all = [...session.updates, ...added]
  for (const { update } of all) count(contents, update)
  const doc = loaded(all)
  if (isPending(doc)) throw new Error(`seed ${session.seed}: Yjs waits for something`)
  const variants = [merged(r, all), prefixes(r, all)]
  return { ...session, updates: added, variants, doc, tree: tree(doc), vector: Y.encodeStateVector(doc) }
}

/** Writes sessions that are finished, and keeps what they hold under the key. */
function publish (sessions, key) {
  finished.set(key, sessions.map(({ tree, vector }) => ({ tree, vector })))
  return frames.encode(encoder => frames.writeList(encoder, sessions, (encoder, session) => {
    frames.writeSession(encoder, session)
    frames.writeList(encoder, session.variants, (encoder, variant) => frames.writeList(encoder, variant, frames.writeUpdate))
    encoding.writeVarString(encoder, plainTree(session.doc))
    encoding.writeVarUint8Array(encoder, session.vector)
  }))
}

function finish ({ frames: encoded, key }) {
  const contents = {}
  const sessions = frames.decode(encoded, decoder => frames.readList(decoder, frames.readSession))
    .map(session => finishSession(session, contents))
  return { frames: publish(sessions, key), contents }
}

function large ({ key }) {
  const sessions = Object.values(cases).map((make, seed) => {
    const updates = make().map(update => ({ kind: 'yjs edit', update }))
    const doc = loaded(updates)
    const state = { kind: 'yjs state', update: Y.encodeStateAsUpdate(doc) }
    const merge = { kind: 'yjs merge', update: Y.mergeUpdates(updates.map(({ update }) => update)) }
    return { seed, exotic: false, updates, variants: [[merge], [state]], doc, tree: tree(doc), vector: Y.encodeStateVector(doc) }
  })
  return { frames: publish(sessions, key), names: Object.keys(cases) }
}

function compare ({ tree: want, vector }, updates) {
  const doc = loaded(updates)
  if (isPending(doc)) return 'Yjs waits for something'
  const states = Y.decodeStateVector(Y.encodeStateVector(doc))
  const wanted = Y.decodeStateVector(vector)
  if (states.size !== wanted.size || [...wanted].some(([client, clock]) => states.get(client) !== clock)) {
    return `state vector ${JSON.stringify([...states])}, want ${JSON.stringify([...wanted])}`
  }
  const got = tree(doc)
  return got === want ? '' : difference(got, want)
}

function verify ({ key, frames: encoded }) {
  const sessions = finished.get(key)
  return frames.decode(encoded, decoder => frames.readList(decoder, decoder => {
    const session = sessions[decoding.readVarUint(decoder)]
    return compare(session, frames.readList(decoder, decoder => ({ update: decoding.readVarUint8Array(decoder) })))
  }))
}

const forget = ({ key }) => { finished.delete(key) }

serve({ make, finish, large, verify, forget })
