import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import * as encoding from 'lib0/encoding'
import { messageSync } from 'y-websocket'
import { messageYjsSyncStep2, messageYjsUpdate } from 'y-protocols/sync'
import * as Y from 'yjs'
import { SaveTracker } from '../src/savetracker.js'

const emptyStep = Uint8Array.of(messageSync, messageYjsSyncStep2, 2, 0, 0)

const frame = (kind, update) => encoding.encode(encoder => {
  encoding.writeVarUint(encoder, messageSync)
  encoding.writeVarUint(encoder, kind)
  encoding.writeVarUint8Array(encoder, update)
})
const echo = update => tracker.receivedFrame(frame(messageYjsUpdate, update))

let doc, text, tracker, online, sent

beforeEach(() => {
  doc = new Y.Doc()
  text = doc.getText('content')
  tracker = new SaveTracker(() => {})
  sent = []
  doc.on('update', (update, origin) => {
    if (origin === 'server') return
    tracker.edited()
    if (!online) return
    sent.push(update)
    tracker.sentFrame(frame(messageYjsUpdate, update))
  })
  connect(emptyStep)
})

/** A new connection, whose first sync step the page answers with what the server lacks. */
function connect (step = frame(messageYjsSyncStep2, Y.encodeStateAsUpdate(doc))) {
  tracker.reset()
  tracker.sentFrame(step)
  online = true
}

test('an edit is saved when it comes back, not before', () => {
  text.insert(0, 'a')
  assert.deepEqual([tracker.edits, tracker.saved], [1, 0])
  echo(sent[0])
  assert.equal(tracker.saved, 1)
})

test('the updates of others save nothing', () => {
  const other = new Y.Doc()
  text.insert(0, 'a')
  other.getText('content').insert(0, 'b')
  echo(Y.encodeStateAsUpdate(other))
  assert.equal(tracker.saved, 0)
})

test('edits are saved one by one and in order', () => {
  for (const letter of 'abc') text.insert(0, letter)
  echo(sent[0])
  assert.equal(tracker.saved, 1)
  echo(sent[1])
  assert.equal(tracker.saved, 2)
})

test('several edits may come back as one update', () => {
  for (const letter of 'abc') text.insert(0, letter)
  text.delete(0, 2)
  echo(Y.mergeUpdates(sent))
  assert.equal(tracker.saved, 4)
})

test('a part of what was written saves that part only', () => {
  const server = new Y.Doc()
  text.insert(0, 'abc')
  text.delete(0, 3)
  Y.applyUpdate(server, sent[0])
  echo(Y.encodeStateAsUpdate(server))
  assert.equal(tracker.saved, 1)
})

test('what somebody else deleted first is missing from the echo', () => {
  text.insert(0, 'abcd')
  echo(sent[0])
  const other = new Y.Doc()
  Y.applyUpdate(other, sent[0])
  let theirs, ours
  other.on('update', update => { theirs = update })
  other.getText('content').delete(0, 2)
  text.delete(0, 4)
  echo(theirs)
  assert.equal(tracker.saved, 1)
  other.on('update', update => { ours = update })
  Y.applyUpdate(other, sent[1])
  echo(ours)
  assert.equal(tracker.saved, 2)
})

test('an edit that the server knew comes back byte for byte', () => {
  text.insert(0, 'abcd')
  echo(sent[0])
  text.delete(0, 4)
  tracker.receivedFrame(frame(messageYjsSyncStep2, sent[1]))
  assert.equal(tracker.saved, 1, 'a sync step says what the server holds, not what it stored')
  echo(sent[1])
  assert.equal(tracker.saved, 2)
})

test('edits made offline are saved after the next connection', () => {
  online = false
  text.insert(0, 'a')
  text.insert(1, 'b')
  connect()
  assert.equal(tracker.saved, 0)
  echo(Y.encodeStateAsUpdate(doc))
  assert.equal(tracker.saved, 2)
})

test('what was under way when the connection ended is saved by the next one', () => {
  text.insert(0, 'a')
  tracker.reset()
  echo(sent[0])
  assert.equal(tracker.saved, 0, 'nothing was sent on this connection yet')
  const step = Y.encodeStateAsUpdate(doc, Y.encodeStateVector(doc))
  connect(frame(messageYjsSyncStep2, step))
  echo(step)
  assert.equal(tracker.saved, 1)
})

test('an update that overtakes the answer to the first sync step does not count', () => {
  online = false
  text.insert(0, 'a')
  tracker.reset()
  online = true
  text.insert(1, 'b')
  echo(sent[0])
  assert.equal(tracker.saved, 0, 'the server lacks the first letter')
  connect()
  echo(Y.encodeStateAsUpdate(doc))
  assert.equal(tracker.saved, 2)
})

test('frames that are not about the text are passed over', () => {
  text.insert(0, 'a')
  tracker.receivedFrame(Uint8Array.of(1, 1, 0))
  tracker.receivedFrame(Uint8Array.of(messageSync, 0, 1, 0))
  assert.equal(tracker.saved, 0)
})
