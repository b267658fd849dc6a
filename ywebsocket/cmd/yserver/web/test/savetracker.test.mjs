import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import * as encoding from 'lib0/encoding'
import { messageSync } from 'y-websocket'
import { messageYjsSyncStep1, messageYjsSyncStep2, messageYjsUpdate } from 'y-protocols/sync'
import * as Y from 'yjs'
import { SaveTracker } from '../src/savetracker.js'

const emptyStep = Uint8Array.of(messageSync, messageYjsSyncStep2, 2, 0, 0)

const frame = (kind, update) => encoding.encode(encoder => {
  encoding.writeVarUint(encoder, messageSync)
  encoding.writeVarUint(encoder, kind)
  encoding.writeVarUint8Array(encoder, update)
})
const echo = update => tracker.receivedFrame(frame(messageYjsUpdate, update))

/** The server asks what it lacks, because it holds something back. */
const asked = () => tracker.receivedFrame(Uint8Array.of(messageSync, messageYjsSyncStep1, 1, 0))

/** Somebody else's document. */
function theirs (content) {
  const other = new Y.Doc()
  other.getText('content').insert(0, content)
  return other
}

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

test('an edit that is held back is not saved, nor are later ones', () => {
  for (const letter of 'abc') text.insert(0, letter)
  echo(sent[0])
  echo(sent[2])
  assert.equal(tracker.saved, 1)
})

test('edits that were held back come back as a part of a larger update', () => {
  for (const letter of 'abc') text.insert(0, letter)
  text.delete(0, 2)
  asked()
  assert.equal(tracker.saved, 0)
  echo(Y.mergeUpdates([Y.encodeStateAsUpdate(theirs('x')), ...sent.slice(0, 3)]))
  assert.equal(tracker.saved, 3)
  echo(sent[3])
  assert.equal(tracker.saved, 4)
})

test('an edit that was held back may come back in parts', () => {
  doc.transact(() => {
    text.insert(0, 'a')
    doc.getText('other').insert(0, 'b')
  })
  text.insert(1, 'c')
  asked()
  const first = new Y.Doc()
  Y.applyUpdate(first, sent[0])
  echo(Y.encodeStateAsUpdate(doc, Y.encodeStateVector(first)))
  assert.equal(tracker.saved, 0)
  echo(sent[0])
  assert.equal(tracker.saved, 2)
})

test('without a question, an edit that a later one overtook was held back', () => {
  text.insert(0, 'a')
  text.insert(1, 'b')
  echo(Y.mergeUpdates([Y.encodeStateAsUpdate(theirs('x')), sent[0]]))
  assert.equal(tracker.saved, 0, 'somebody else may have sent it')
  echo(sent[1])
  assert.equal(tracker.saved, 2)
})

test('an answer that comes back says that everything before is saved', () => {
  for (const letter of 'abc') text.insert(0, letter)
  asked()
  const server = new Y.Doc() // it has got the first letter from somebody else
  Y.applyUpdate(server, sent[0])
  const answer = Y.encodeStateAsUpdate(doc, Y.encodeStateVector(server))
  tracker.sentFrame(frame(messageYjsSyncStep2, answer))
  text.insert(0, 'd')
  echo(answer)
  assert.deepEqual([tracker.edits, tracker.saved], [4, 3])
  echo(sent[3])
  assert.equal(tracker.saved, 4)
})

test('what was held back is saved with what others know of it already', () => {
  text.insert(0, 'abcd')
  echo(sent[0])
  const other = new Y.Doc()
  Y.applyUpdate(other, sent[0])
  other.getText('content').delete(0, 2)
  text.delete(0, 4)
  asked()
  echo(Y.encodeStateAsUpdate(other))
  assert.equal(tracker.saved, 1)
  const before = Y.encodeStateVector(other)
  Y.applyUpdate(other, sent[1])
  echo(Y.encodeStateAsUpdate(other, before))
  assert.equal(tracker.saved, 2)
})

test('the same deletion by somebody else, who may not be stored yet, saves nothing', () => {
  text.insert(0, 'abcd')
  echo(sent[0])
  const other = new Y.Doc()
  Y.applyUpdate(other, sent[0])
  other.getText('content').delete(0, 4)
  text.delete(0, 4)
  echo(Y.encodeStateAsUpdate(other))
  assert.equal(tracker.saved, 1)
  echo(sent[1])
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
