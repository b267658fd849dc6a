import * as Y from 'yjs'
import * as decoding from 'lib0/decoding'
import { messageSync } from 'y-websocket'
import { messageYjsSyncStep2, messageYjsUpdate } from 'y-protocols/sync'
import { RangeSet } from './ranges.js'

/**
 * Knows how many of this window's edits the server has stored.
 *
 * The server sends an update back to its sender once it is stored, and in order. What comes back
 * may be cut and encoded anew, because the parts that the server already knew are left out; those
 * it sent to us as somebody else's update. So each update we send is remembered as the set of what
 * it inserts and deletes, everything that arrives is taken away from that set, and when nothing is
 * left the update and all before it are stored. An update that held nothing new comes back byte
 * for byte.
 *
 * Edits are counted: `edits` were made, the first `saved` of them are stored.
 */
export class SaveTracker {
  edits = 0
  saved = 0
  #sent = []
  #caughtUp = false
  #onChange

  constructor (onChange) { this.#onChange = onChange }

  edited () {
    this.edits++
    this.#onChange()
  }

  /** A connection begins or ends: what was under way on the last one will be sent again. */
  reset () {
    this.#sent = []
    this.#caughtUp = false
  }

  sentFrame (frame) {
    const { kind, update } = readFrame(frame)
    // The server asks what it lacks, and this answer holds all that was written while we were
    // away. Updates that overtook it may not be readable for the server yet: they do not count.
    if (kind === messageYjsSyncStep2) this.#caughtUp = true
    if (update === null || !this.#caughtUp || this.edits === this.saved) return
    this.#sent.push({ edits: this.edits, update, ...contents(update) })
  }

  receivedFrame (frame) {
    if (this.#sent.length === 0) return
    const { kind, update } = readFrame(frame)
    if (update === null) return
    const completed = this.#takeAway(contents(update))
    // A sync step only tells what the server holds, not that it is stored.
    if (kind !== messageYjsUpdate) return
    const stored = this.#sent.findLastIndex(entry => completed.has(entry) || sameBytes(entry.update, update))
    if (stored < 0) return
    this.saved = this.#sent[stored].edits
    this.#sent.splice(0, stored + 1)
    this.#onChange()
  }

  /** Returns the updates of which this was the last part. */
  #takeAway ({ inserts, deletes }) {
    const isEmpty = entry => entry.inserts.isEmpty && entry.deletes.isEmpty
    const waiting = this.#sent.filter(entry => !isEmpty(entry))
    for (const entry of waiting) {
      entry.inserts.subtract(inserts)
      entry.deletes.subtract(deletes)
    }
    return new Set(waiting.filter(isEmpty))
  }
}

/** A WebSocket class for the provider that shows the tracker every frame in both directions. */
export const watchedSocket = tracker => class extends WebSocket {
  constructor (...args) {
    super(...args)
    tracker.reset()
    this.addEventListener('message', event => tracker.receivedFrame(new Uint8Array(event.data)))
  }

  send (frame) {
    tracker.sentFrame(frame)
    super.send(frame)
  }
}

const readFrame = frame => {
  const decoder = decoding.createDecoder(frame)
  if (decoding.readVarUint(decoder) !== messageSync) return { kind: null, update: null }
  const kind = decoding.readVarUint(decoder)
  const hasUpdate = kind === messageYjsSyncStep2 || kind === messageYjsUpdate
  return { kind, update: hasUpdate ? decoding.readVarUint8Array(decoder) : null }
}

const contents = update => {
  const inserts = new RangeSet()
  const deletes = new RangeSet()
  const { structs, ds } = Y.decodeUpdate(update)
  for (const struct of structs) {
    if (struct instanceof Y.Skip) continue
    inserts.add(struct.id.client, struct.id.clock, struct.id.clock + struct.length)
  }
  ds.clients.forEach((items, client) => {
    for (const { clock, len } of items) deletes.add(client, clock, clock + len)
  })
  return { inserts, deletes }
}

const sameBytes = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i])
